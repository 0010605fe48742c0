from dataclasses import replace

import numpy as np
import pytest
from example_crystals import crystal_set

from sgbench.diffraction import LineList
from sgbench.report._cells import paired_spreads, relative_spread, similarities, spreads
from sgbench.structures import FEW


def test_uniform_values_spread_as_uniform_ones():
    draw = np.random.default_rng(1)
    found = [relative_spread(draw.uniform(3, 15, 200)) for _ in range(20)]
    assert np.mean(found) == pytest.approx(1, abs=0.05)


def test_clustered_values_spread_little():
    values = np.concatenate([np.full(99, 5.05), [3.05, 14.95]])
    # One of 60 bins holds half, where 101 uniform draws need about 15.
    assert relative_spread(values) == pytest.approx(1 / 15, abs=0.005)


def test_half_is_enough():
    # 10 of 20 values are in one bin: no second one is needed for half of them.
    ten = np.concatenate([np.full(10, 3.05), 5.05 + 0.2 * np.arange(10)])
    nine = np.concatenate([np.full(9, 3.05), 5.05 + 0.2 * np.arange(11)])
    assert relative_spread(nine) > 1.5 * relative_spread(ten)


def test_narrow_ranges_are_not_judged():
    assert relative_spread(np.array([3.05, 4.75])) is None
    assert relative_spread(np.array([3.05, 4.95])) is not None


def test_only_groups_with_enough_structures_count():
    found = spreads(crystal_set({225: FEW, 62: FEW - 1}))
    assert set(found) == {(225, 0), (225, 1), (225, 2)}


def test_pairs_are_of_groups_that_both_have():
    real, random = crystal_set({225: 30, 62: 40}), crystal_set({225: 25, 139: 40})
    assert len(paired_spreads(real, random)) == 3
    assert paired_spreads(real, crystal_set({225: FEW - 1})) == []


def with_edges(edges, two_theta, names):
    n = len(edges)
    crystals = crystal_set({225: n})
    cells = np.hstack([np.repeat(np.array(edges)[:, None], 3, axis=1), np.full((n, 3), 90.0)])
    lines = LineList(np.arange(n + 1), np.array(two_theta), np.ones(n, dtype=np.float32))
    return replace(crystals, cell=cells, lines=lines, name=tuple(names))


def test_similarities_are_of_other_names_in_one_group():
    half = FEW // 2
    edges = [5.0] * half + [8.0] * half
    positions = [30.0] * half + [50.0] * half
    near, far = similarities(with_edges(edges, positions, map(str, range(FEW))))
    assert near == pytest.approx([1.0] * (half * (half - 1)))
    assert far == pytest.approx([0.0] * half * half, abs=1e-6)
    same = similarities(with_edges(edges, positions, ["quartz"] * FEW))
    assert same == ([], [])


def test_pairs_between_near_and_far_are_left_out():
    edges = [5.0] * (FEW - 1) + [5.25]
    near, far = similarities(with_edges(edges, [30.0] * FEW, map(str, range(FEW))))
    assert len(near) == (FEW - 1) * (FEW - 2) // 2
    assert far == []
