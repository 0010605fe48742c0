import numpy as np
import pytest

from sgbench.decoder._indexing import candidate_metrics
from sgbench.decoder._peaks import Peaks
from sgbench.diffraction import CANONICAL, metric, reflection_table

FAMILIES = {
    "cubic": ((15.0,), (7.123,)),
    "tetragonal": ((10.0, 15.0), (5.321, 12.987)),
    "trigonal-hexagonal": ((12.0, 20.0), (4.777, 17.123)),
    "orthorhombic": ((15.0, 15.0, 15.0), (5.111, 8.222, 13.333)),
}


def peaks_of(family, cell, setting=0, every=1):
    """Clear peaks where the lines of a class are, some of them missing."""
    table = reflection_table(family, FAMILIES[family][0], CANONICAL)
    q = np.sort(table.coefficients[table.present[setting]] @ metric(family, [cell])[0])
    q = q[(q > 0.005) & (q < CANONICAL.q_range[1])][::every]
    return Peaks(q, np.full(len(q), 1e-6), np.ones(len(q)))


def holds(metrics, family, cell):
    return np.any(np.all(np.abs(metrics / metric(family, [cell]) - 1) < 1e-6, axis=1))


@pytest.mark.parametrize("every", [1, 2, 3])
@pytest.mark.parametrize("family", FAMILIES)
def test_the_cell_is_among_the_candidates_even_when_lines_are_missing(family, every):
    largest, cell = FAMILIES[family]
    peaks = peaks_of(family, cell, every=every)
    smallest = (3.0,) * len(largest)
    assert holds(candidate_metrics(peaks, family, smallest, largest), family, cell)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_candidate_explains_nearly_all_peaks_and_lies_within_the_bounds(family):
    largest, cell = FAMILIES[family]
    peaks = peaks_of(family, cell)
    metrics = candidate_metrics(peaks, family, (3.0,) * len(largest), largest)
    table = reflection_table(family, tuple(2 * edge for edge in largest), CANONICAL)
    low, high = np.sort(metric(family, [(3.0,) * len(largest), largest]), axis=0)
    for one in metrics:
        lines = table.coefficients @ one
        # One in eight may be taken for a blend.
        assert np.mean(np.abs(peaks.q[:30, None] - lines).min(axis=1) < 2e-6) >= 7 / 8
        assert np.all((one >= 0.99 * low) & (one <= 1.01 * high))


def test_a_cell_with_one_short_axis_is_found():
    # Of its first lines, none tells the short axis.
    cell = (3.409, 11.3, 13.576)
    peaks = peaks_of("orthorhombic", cell)
    found = candidate_metrics(peaks, "orthorhombic", (3.0,) * 3, (15.0,) * 3)
    assert holds(found, "orthorhombic", cell)


def test_peaks_that_are_no_lines_are_passed_over():
    peaks = peaks_of("tetragonal", (5.321, 12.987))
    q = peaks.q.copy()
    q[[3, 11]] += 3e-4
    wrong = Peaks(q, peaks.tolerance, peaks.height)
    found = candidate_metrics(wrong, "tetragonal", (3.0, 3.0), (10.0, 15.0))
    assert np.any(
        np.all(np.abs(found / metric("tetragonal", [(5.321, 12.987)]) - 1) < 1e-5, axis=1)
    )


@pytest.mark.parametrize("family", FAMILIES)
def test_too_few_peaks_give_no_candidate(family):
    largest, _ = FAMILIES[family]
    none = Peaks(*np.empty((3, 0)))
    assert len(candidate_metrics(none, family, (3.0,) * len(largest), largest)) == 0
