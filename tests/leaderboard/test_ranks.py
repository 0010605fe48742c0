"""Ranks: ties look like ties, and what differs is told apart."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm

from sgbench.evaluation._hits import wilson_interval
from sgbench.leaderboard import Accuracy, difference_p, places


def wilson(right: int, n: int, **seeds) -> Accuracy:
    low, high = wilson_interval(np.array([right / n]), n)
    return Accuracy(right / n, float(low[0]), float(high[0]), **seeds)


def test_rows_that_differ_by_chance_share_their_ranks():
    found = places([wilson(900, 1000), wilson(905, 1000), wilson(500, 1000)])
    assert [(one.best, one.worst) for one in found] == [(1, 2), (1, 2), (3, 3)]
    assert [one.behind for one in found] == [2, 0, None]
    assert found[1].lead == pytest.approx(0.005)
    assert found[1].p > 0.5
    assert found[0].p < 1e-6
    assert found[2].lead is None


def test_a_tie_need_not_be_handed_on():
    """The middle one ties with both ends, which differ from one another."""
    found = places([wilson(520, 1000), wilson(480, 1000), wilson(440, 1000)])
    assert [(one.best, one.worst) for one in found] == [(1, 2), (1, 3), (2, 3)]


def test_one_row_is_first():
    assert [(one.best, one.worst, one.p) for one in places([wilson(1, 2)])] == [(1, 1, None)]
    assert places([]) == []


def test_equal_rows_without_width_tie():
    point = Accuracy(0.5, 0.5, 0.5)
    assert difference_p(point, point) == 1
    assert difference_p(point, Accuracy(0.4, 0.4, 0.4)) == 0
    assert [(one.best, one.worst) for one in places([point, point])] == [(1, 2), (1, 2)]


def test_the_interval_of_a_difference_is_newcombes():
    """His example: 56/70 and 48/80 differ by 0.0524 to 0.3339 (Stat. Med. 17, 873, Table II)."""
    one, other = wilson(56, 70), wilson(48, 80)
    below = np.hypot(one.value - one.low, other.high - other.value)
    assert one.value - other.value - below == pytest.approx(0.0524, abs=5e-5)
    assert difference_p(one, other) < 0.05
    # An accuracy of the second that puts the lower end at zero has 5 %.
    shifted = Accuracy(other.value + 0.0524, other.low + 0.0524, other.high + 0.0524)
    assert difference_p(one, shifted) == pytest.approx(0.05, abs=5e-4)


def test_the_test_agrees_with_that_of_two_proportions():
    a, b, n = 9000, 8890, 10000
    pooled = (a + b) / (2 * n)
    z = (a - b) / n / np.sqrt(2 * pooled * (1 - pooled) / n)
    assert difference_p(wilson(a, n), wilson(b, n)) == pytest.approx(2 * norm.sf(z), rel=0.03)


def test_seeds_that_scatter_hide_a_difference():
    steady = [wilson(9000, 10000, seeds=3, seed_sd=0.0001), wilson(8800, 10000)]
    shaky = [wilson(9000, 10000, seeds=3, seed_sd=0.02), wilson(8800, 10000)]
    assert difference_p(*steady) < 0.001
    assert difference_p(*shaky) > 0.05
    # A single seed has no spread, whatever is written there.
    assert difference_p(wilson(9000, 10000, seed_sd=0.5), steady[1]) < 0.001


def test_many_equal_models_are_all_tied():
    """Without a correction a few of the 1,225 pairs would differ by chance."""
    draw = np.random.default_rng(0)
    wrong = 0
    for _ in range(40):
        rows = [wilson(int(k), 2000) for k in draw.binomial(2000, 0.8, 50)]
        wrong += any((one.best, one.worst) != (1, 50) for one in places(rows))
    assert wrong <= 4


@given(
    st.lists(st.tuples(st.integers(0, 200), st.sampled_from([200, 500])), min_size=1, max_size=9)
)
def test_rank_intervals_hold_the_plain_rank(counts):
    rows = [wilson(right, n) for right, n in counts]
    for row, place in zip(rows, places(rows), strict=True):
        above = sum(other.value > row.value for other in rows)
        equal = sum(other.value == row.value for other in rows)
        assert 1 <= place.best <= above + 1
        assert above + equal <= place.worst <= len(rows)
