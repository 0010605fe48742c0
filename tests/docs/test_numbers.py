"""What the README says of the committed table, in the words and by the rule of the page."""

import re

import pandas as pd
import pytest
from page_commands import PROJECT

from sgbench.models import REFERENCE
from sgbench.sets import SetSpec
from sgbench.site._names import set_words
from sgbench.text import percent

README = (PROJECT / "README.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\|(.*<!--n-->.*)\|$", README, re.MULTILINE)
FAMILIES = ("cubic", "tetragonal", "trigonal-hexagonal", "all")
COLUMNS = ("ulbd-in-mesh", "ulbd-off-mesh", "cddd")


@pytest.fixture(scope="module")
def rows():
    table = pd.read_csv(PROJECT / "results" / "leaderboard.csv")
    scale = re.search(r"\(scale `(\w+)`", README)[1]
    of_designed = table["train_set"] == "ulbd-" + table["family"]
    mine = (table["model"] == REFERENCE) & (table["scale"] == scale) & of_designed
    return table[mine & (table["class_scheme"] == "extinction")].set_index(["family", "test_set"])


def test_the_readme_has_the_numbers_of_the_overview(rows):
    for family, line in zip(FAMILIES, ROWS, strict=True):
        found = [rows.loc[(family, test_set)] for test_set in COLUMNS]
        expected = [
            f"{percent(row.top1)} ({percent(row.top1_low)}–{percent(row.top1_high)})"
            for row in found
        ]
        said = [cell.strip() for cell in line.replace("<!--n-->", "").split("|")]
        assert said[1:] == [*expected, percent(found[1].data_ceiling_top1)]
    within = [percent(rows.loc[(family, "cddd-in-domain")].top1) for family in FAMILIES]
    told = re.search(r"the network names (.*?)\. The ceiling", README.replace("\n", " "))[1]
    assert re.findall(r"\d+\.\d+", told) == within


def test_the_same_words_mean_the_same():
    (head,) = (line for line in README.splitlines() if line.startswith("| family | "))
    for words, test_set in zip(head.split(" | ")[1:4], COLUMNS, strict=True):
        shown = set_words(SetSpec.parse(test_set).name)[0]
        assert shown.endswith(re.sub(r"\[(.*)\].*", r"\1", words))
