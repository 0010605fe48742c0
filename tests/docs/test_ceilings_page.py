"""docs/ceilings.md has the tables of docs/bayes-ceilings.csv."""

import pandas as pd
from maintainers_tools import tool

from sgbench.evaluation import CLASS_SCHEMES
from sgbench.symmetry import PAPER_FAMILIES

bayes = tool("bayes")
TABLE = pd.read_csv(bayes.TABLE)


def test_the_tables_are_those_of_the_file():
    """If not, `python tools/bayes.py` draws them again."""
    page = bayes.PAGE.read_text()
    assert bayes.with_tables(page, TABLE) == page


def test_every_level_of_every_family_is_calibrated():
    levels = sum(map(len, bayes.LEVELS.values()))
    assert len(TABLE) == levels * len(PAPER_FAMILIES) * len(CLASS_SCHEMES)
    assert TABLE.n.min() >= 2000
    assert sorted(TABLE.law[TABLE.n >= 100_000]) == ["exposure"] * 2 + ["readout"] * 2
    assert TABLE[["p_best", "p_any"]].to_numpy().min() * TABLE.n.size > 0.01


def test_less_is_possible_under_more_noise():
    for _, rows in TABLE.groupby(["law", "family", "class_scheme"]):
        by_level = rows.sort_values("level", ascending=rows.law.iloc[0] == "readout")
        assert (by_level.top1.diff().dropna() < 0).all()
