"""Published accuracies: below what is achievable, and not below what they were."""

from pathlib import Path

import pytest

from sgbench.leaderboard import IDENTITY, above_ceiling, below_reference, read_csv, read_reference

ROOT = Path(__file__).parents[1]


@pytest.fixture
def table():
    return read_csv(ROOT / "results" / "leaderboard.csv")


def test_no_accuracy_is_above_what_the_data_allow(table):
    assert table["data_ceiling_top1"].notna().any()
    assert above_ceiling(table).empty


def test_no_accuracy_has_dropped(table):
    reference = read_reference(ROOT / "benchmarks" / "reference.yaml")
    known = reference.merge(table, on=list(IDENTITY))
    assert len(known) > 0
    assert below_reference(table, reference).empty
