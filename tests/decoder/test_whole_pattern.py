from dataclasses import replace

import numpy as np
import pytest
from measured import measured

from sgbench.decoder._classes import class_evidence, problem_of, ranked
from sgbench.decoder._found_lines import FoundLines, find_lines
from sgbench.decoder._lattice_lines import class_settings
from sgbench.decoder._lattices import CandidateLattice
from sgbench.decoder._noise import standard_uncertainty
from sgbench.decoder._whole_pattern import fit_whole_pattern
from sgbench.diffraction import free_parameters


def fitted(pattern, family, off=3e-4, found=None):
    """The fit of a cell that is off by so much (relative)."""
    there = np.flatnonzero(pattern.intensity)
    kept = slice(there[0], there[-1] + 1)
    x, y = pattern.two_theta[kept], pattern.intensity[kept]
    cell = pattern.cell.copy()
    cell[:3] *= 1 + off
    waves = tuple(pattern.waves.values())
    lines = find_lines(x, y, None, *waves) if found is None else found
    lattice = CandidateLattice(family, tuple(cell), 0.0, 0, 0, 0.0, 0.0, "P", 100.0)
    return fit_whole_pattern(x, y, standard_uncertainty(y), lines, lattice, *waves)


@pytest.mark.parametrize(
    "condition",
    ["doublet-0.5", "shift-0.05", "displacement-0.1", "width-0.05", "voigt-0.6", "caglioti-0.05",
     "background-0.1", "hump-0.05", "counts-10000"],
)  # fmt: skip
def test_what_measuring_does_is_part_of_the_fit(condition):
    (pattern,) = measured("tetragonal", 1, f"{condition}", first=3)
    fit = fitted(pattern, "tetragonal")
    true = free_parameters("tetragonal", pattern.cell)
    np.testing.assert_allclose(fit.free, true, rtol=3e-4)
    assert np.all(np.abs(fit.free - true) < 6 * fit.uncertainty + 3e-5 * true)
    left = (
        fit.calculated
        - pattern.intensity[np.flatnonzero(pattern.intensity)[0] :][: len(fit.calculated)]
    )
    assert np.sqrt(np.mean(left**2)) < 0.01


@pytest.mark.parametrize("family", ["cubic", "trigonal-hexagonal", "orthorhombic", "monoclinic"])
def test_laboratory_patterns_are_fitted_to_their_noise(family):
    for pattern in measured(family, 1, first=1):
        fit = fitted(pattern, family)
        assert fit.goodness < 1.3
        true = free_parameters(family, pattern.cell)
        np.testing.assert_allclose(fit.free, true, rtol=1e-3)


@pytest.mark.parametrize("family", ["cubic", "tetragonal", "trigonal-hexagonal"])
def test_the_class_follows_from_the_fit_with_the_true_cell(family):
    right = 0
    for pattern in measured(family, 3, first=5):
        fit = fitted(pattern, family)
        problem = problem_of(fit, 1.5406, "uniform", max(fit.goodness, 1.0))
        evidence = class_evidence(problem, class_settings(fit.lines), "uniform")
        classes = ranked([(family, evidence)], "uniform")
        assert sum(entry.probability for entry in classes) == pytest.approx(1)
        right += classes[0].number == pattern.label
    assert right >= 2


def test_lines_of_another_phase_are_no_lines_of_the_lattice():
    (pattern,) = measured("cubic", 1, "")
    grid = pattern.two_theta
    foreign = 0.05 * np.exp(-0.5 * ((grid - 47.123) / 0.1) ** 2)
    there = type(pattern)(grid, pattern.intensity + foreign, pattern.cell, pattern.label, False)
    place, width = np.array([47.12]), np.array([0.2355])
    found = FoundLines(place, np.array([0.01]), np.array([0.05]), width)
    fit = fitted(there, "cubic", 0.0, found)
    (other,) = np.flatnonzero(fit.lattice_line < 0)
    assert fit.two_theta[other] == pytest.approx(47.123, abs=1e-3)
    assert fit.intensity[other] == pytest.approx(0.05 * 0.1 * np.sqrt(2 * np.pi), rel=0.02)


def test_a_lattice_without_lines_in_the_range_is_not_fitted():
    (pattern,) = measured("cubic", 1, "")
    few = type(pattern)(pattern.two_theta[:100], np.ones(100), np.full(6, 3.0), 0, False)
    few.cell[3:] = 90.0
    nothing = FoundLines(*(np.empty(0) for _ in range(4)))
    assert fitted(few, "cubic", 0.0, nothing) is None


def test_a_line_that_hardly_a_point_shows_does_not_set_the_law():
    """It lies beyond the end of the range, and what may leak into it is not known."""
    (pattern,) = measured("tetragonal", 1, "counts-300", first=8)
    whole = fitted(pattern, "tetragonal", 0.0)
    changed = 0
    for line in whole.two_theta[(whole.two_theta > 60) & (whole.two_theta < 85)]:
        kept = pattern.two_theta < line - 1.45 * np.median(whole.width)
        short = replace(
            pattern, two_theta=pattern.two_theta[kept], intensity=pattern.intensity[kept]
        )
        fit = fitted(short, "tetragonal", 0.0)
        problem = problem_of(fit, 1.5406, "wilson", 1.0)
        n = np.arange(len(problem.right))
        diagonal = problem.normal[n, n - problem.first]
        beyond = diagonal < 1e-6 * diagonal.max()
        changed += int(beyond.sum())
        settings = class_settings(fit.lines)
        leaky = replace(problem, leak=np.where(beyond, 1e3 * problem.leak, problem.leak))
        found = [class_evidence(one, settings, "wilson") for one in (problem, leaky)]
        best = found[0] > found[0].max() - 20
        shares = [one[best] - one[best].max() for one in found]
        np.testing.assert_allclose(*shares, atol=0.5)
        if changed:
            break
    assert changed
