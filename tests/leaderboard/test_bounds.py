"""Where the ceiling of extinction laws is a bound, and what is said where it is none."""

import pandas as pd
import pytest

from sgbench.leaderboard import why_no_bound


def why(test_set, scheme="spacegroup", **ceilings):
    return why_no_bound(pd.DataFrame([{"test_set": test_set, "class_scheme": scheme, **ceilings}]))[
        0
    ]


@pytest.mark.parametrize(
    "test_set",
    ["ulbd-off-mesh", "ulbd-off-mesh+laboratory", "ulbd-off-mesh+counts-1000",
     "ulbd-mineral-cells-off-mesh", "ulbd-amplitude-off-mesh", "ulbd-imbalanced-in-mesh"],
)  # fmt: skip
def test_no_condition_tells_groups_apart(test_set):
    assert why(test_set) == ""


@pytest.mark.parametrize(
    ("test_set", "words"),
    [
        ("cddd", "Intensities of structures differ"),
        ("gcdd-test-in-domain+laboratory", "Intensities of structures differ"),
        ("ulbd-physical-off-mesh", "by the law 'physical' differ"),
        ("of a stranger", "is not known"),
    ],
)
def test_what_tells_groups_apart_is_said(test_set, words):
    assert words in why(test_set)
    assert why(test_set, "extinction") == ""


@pytest.mark.parametrize("scheme", ["spacegroup", "extinction", "system"])
def test_nothing_bounds_what_was_measured(scheme):
    assert "faults of labels" in why("measured-rruff", scheme)


def test_a_ceiling_that_does_not_know_the_cell():
    """As in tables of early versions."""
    ceilings = {"ceiling_top1": 0.47, "data_ceiling_top1": 0.78}
    assert why("ulbd-imbalanced-in-mesh", **ceilings).startswith("Cells differ")
    assert why("ulbd-off-mesh", ceiling_top1=0.472222, data_ceiling_top1=0.4722) == ""
