"""Cells whose edges are log-uniform, as far as the volume allows."""

from dataclasses import replace

import gemmi
import numpy as np
import pytest
from scipy import stats

from sgbench.designed import LogUniformCells
from sgbench.designed._reduced_cells import reduced_edges
from sgbench.diffraction import full_cell, metric, reflection_table
from sgbench.errors import SgbenchError
from sgbench.sets import ULBD, ULBD_ALL, SetSpec, designed_set
from sgbench.symmetry import FAMILIES, PAPER_FAMILIES

N = 40_000
FACTOR = {"cubic": 1, "tetragonal": 1, "trigonal-hexagonal": np.sqrt(3) / 2}


def dataset_of(family):
    return ULBD[f"ulbd-mineral-cells-{family}"]


def cells_of(family):
    """The first lattices of the sequence, half as those to train on, and their volumes."""
    cells = replace(dataset_of(family).domain, count=N // 2).cells(family)
    return cells, FACTOR[family] * cells[:, 0] ** 2 * cells[:, -1]


@pytest.mark.parametrize("family", PAPER_FAMILIES)
def test_they_are_within_their_bounds_and_reach_them(family):
    cells, volume = cells_of(family)
    low, high = np.array(dataset_of(family).domain.edges).T
    assert cells.shape == (N, len(low))
    assert len(np.unique(cells, axis=0)) == len(cells)
    assert (cells >= low).all()
    assert (cells <= high).all()
    assert volume.max() <= 5000
    np.testing.assert_allclose(cells.min(axis=0), low, rtol=2e-3)
    np.testing.assert_allclose(volume.max(), 5000, rtol=2e-3)


@pytest.mark.parametrize("family", PAPER_FAMILIES)
@pytest.mark.parametrize("half", [slice(N // 2), slice(N // 2, None)], ids=["train", "between"])
def test_logarithms_of_edges_are_uniform_where_the_volume_allows_all(family, half):
    """Equal boxes in the logarithms hold equal numbers, far more evenly than chance has it."""
    cells, _ = cells_of(family)
    low, high = np.log(dataset_of(family).domain.edges).T
    place = (np.log(cells[half]) - low) / (high - low)
    n = 10
    counts, _ = np.histogramdd(place, bins=n, range=[(0, 1)] * len(low))
    edges = np.arange(1, n + 1) / n
    corner = np.exp(
        low + (high - low) * np.stack(np.meshgrid(*[edges] * len(low), indexing="ij"), -1)
    )
    whole = counts[FACTOR[family] * corner[..., 0] ** 2 * corner[..., -1] <= 5000]
    assert len(whole) >= len(counts.ravel()) / 2
    assert whole.std() < 0.2 * np.sqrt(whole.mean())


@pytest.mark.parametrize("family", ["tetragonal", "trigonal-hexagonal"])
def test_the_logarithm_of_a_volume_is_a_sum_of_two_uniform_ones_cut_off(family):
    _, volume = cells_of(family)
    (a, c) = np.log(dataset_of(family).domain.edges)
    widths = sorted([2 * (a[1] - a[0]), c[1] - c[0]])
    start = np.log(FACTOR[family]) + 2 * a[0] + c[0]
    total = sum(widths)
    law = stats.trapezoid(widths[0] / total, widths[1] / total, loc=start, scale=total)
    at = np.linspace(start, np.log(5000), 50)
    expected = law.cdf(at) / law.cdf(np.log(5000))
    found = np.searchsorted(np.sort(np.log(volume)), at) / len(volume)
    np.testing.assert_allclose(found, expected, atol=2e-3)


def test_that_of_a_cubic_volume_is_uniform():
    _, volume = cells_of("cubic")
    place = (np.log(volume) - np.log(3.1**3)) / np.log(5000 / 3.1**3)
    assert stats.kstest(place, "uniform").statistic < 1e-3


@pytest.mark.parametrize("family", PAPER_FAMILIES)
def test_the_smallest_cell_shows_a_line_in_every_class(family):
    """A larger one does all the more; without any there would be no pattern."""
    dataset = dataset_of(family)
    smallest = np.array([[low for low, _ in dataset.domain.edges]])
    table = reflection_table(family, tuple(smallest[0]), dataset.protocol)
    q = table.coefficients @ metric(family, smallest)[0]
    low, high = (np.sin(np.radians(edge / 2)) * 2 / 1.5406 for edge in (5, 90))
    assert table.present[:, (q >= low**2) & (q <= high**2)].any(axis=1).all()


@pytest.mark.parametrize("family", PAPER_FAMILIES)
def test_what_is_in_the_domain(family):
    dataset = dataset_of(family)
    cells, _ = cells_of(family)
    for cell in cells[::4000]:
        assert dataset.in_domain(dataset.spacegroups[0], full_cell(family, cell))
    largest = full_cell(family, dataset.largest_cell)
    assert not dataset.in_domain(dataset.spacegroups[0], largest)  # too large a volume
    small = full_cell(family, 0.99 * cells[:, : len(dataset.largest_cell)].min(axis=0))
    assert not dataset.in_domain(dataset.spacegroups[0], small)


def test_more_lattices_begin_with_the_fewer():
    domain = dataset_of("tetragonal").domain
    few, more = replace(domain, count=500), replace(domain, count=700)
    np.testing.assert_array_equal(more.cells("tetragonal")[:1000], few.cells("tetragonal"))


@pytest.mark.parametrize("edges", [((5.0, 5.0),), ((0.0, 5.0),), ((3.0, 4.0), (6.0, 5.0))])
def test_empty_domains(edges):
    with pytest.raises(SgbenchError, match="shortest < longest"):
        LogUniformCells(edges, 5000.0, 10)


def test_held_out_cells_are_not_trained_on():
    dataset = dataset_of("tetragonal")
    trained = {tuple(cell) for cell in dataset.mesh}
    held_out = dataset.held_out_recipes("off-mesh", 20).cells
    assert not any(tuple(cell) in trained for cell in held_out)
    seen = dataset.held_out_recipes("in-mesh", 20).cells
    assert all(tuple(cell) in trained for cell in seen)


@pytest.mark.parametrize("family", ["orthorhombic", "monoclinic", "triclinic"])
def test_cells_with_three_edges_are_reduced_and_as_large_as_minerals(family):
    """Reducing them again, by gemmi for triclinic ones, leaves them as they are."""
    domain = replace(dataset_of(family).domain, count=1000)
    cells = full_cell(family, domain.cells(family))
    low, high = domain.edges[0]
    assert len(np.unique(cells, axis=0)) == 2000
    volume = np.array([gemmi.UnitCell(*cell).volume for cell in cells])
    assert volume.max() <= 5000
    assert volume.max() > (2500 if family == "triclinic" else 4800)
    for cell in cells[:300]:
        edges = reduced_edges(family, cell)
        np.testing.assert_allclose(np.sort(edges), np.sort(cell[:3]), rtol=1e-6)
        assert (edges >= low).all()
        assert (edges <= high).all()
        assert domain.contains(family, cell)
        larger = (*(cell[:3] * 1.02 * high / cell[:3].max()), *cell[3:])
        assert not domain.contains(family, larger)


@pytest.mark.parametrize("family", ["orthorhombic", "monoclinic", "triclinic"])
def test_every_sample_shows_a_line(family):
    samples = dataset_of(family).held_out_samples("off-mesh", 20)
    assert np.diff(samples.lines.offsets).min() >= 1


def test_all_of_them_together():
    union = designed_set(SetSpec.parse("ulbd-mineral-cells-all"))
    assert union.spacegroups == tuple(range(1, 231))
    assert {part.name for part in union.parts} == {
        f"ulbd-mineral-cells-{family}" for family in FAMILIES if family != "all"
    }
    assert union.in_domain(62, (31.0, 5.0, 4.0, 90, 90, 90))
    assert not ULBD_ALL.in_domain(62, (31.0, 5.0, 4.0, 90, 90, 90))
