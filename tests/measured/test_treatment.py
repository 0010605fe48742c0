"""The chain from a measured pattern to a protocol's grid."""

from dataclasses import replace

import numpy as np
import pytest

from sgbench.diffraction import CANONICAL, lorentz_factor
from sgbench.errors import SgbenchError
from sgbench.measured import TREATED, UNTREATED, measured_pattern, treat
from sgbench.measured._treatment import anode_of, background, doublet_of, line_width
from sgbench.sets import SetSpec, family_set, open_test_set

GRID = CANONICAL.two_theta
CU = 1.5405929, 1.5444274
PLACES = 21.3, 33.0, 58.4, 79.0


def lines(angles, places=PLACES, width=0.1, wavelength=CANONICAL.wavelength, height=100.0):
    """Lines that the protocol has at these places, as another wavelength shows them."""
    at = np.degrees(
        2 * np.arcsin(np.sin(np.radians(places) / 2) * wavelength / CANONICAL.wavelength)
    )
    return sum(height * np.exp(-4 * np.log(2) * ((angles - one) / width) ** 2) for one in at)


def places_of(pattern):
    inner = pattern[1:-1]
    tops = (inner > pattern[:-2]) & (inner >= pattern[2:]) & (inner > 0.2)
    return GRID[1:-1][tops]


@pytest.mark.parametrize("wavelength", [0.7093, 1.5406, 1.789])
@pytest.mark.parametrize("treatment", [TREATED, UNTREATED])
def test_lines_land_where_the_protocol_has_them(wavelength, treatment):
    angles = np.arange(1.5, 130, 0.01)
    pattern = measured_pattern(angles, 5 + lines(angles, wavelength=wavelength), None, wavelength)
    found = treat(pattern, treatment)
    assert places_of(found.intensity) == pytest.approx(PLACES, abs=0.015)
    assert found.intensity.max() == 1
    assert found.known.all()


def test_what_was_not_measured_is_marked_and_zero():
    angles = np.concatenate([np.arange(20, 40, 0.02), np.arange(45, 80.001, 0.02)])
    found = treat(measured_pattern(angles, 50 + lines(angles), wavelength=1.5406), UNTREATED)
    outside = (GRID < 19.9) | ((GRID > 40.1) & (GRID < 44.9)) | (GRID > 80.1)
    inside = ((GRID > 20.1) & (GRID < 39.9)) | ((GRID > 45.1) & (GRID < 79.9))
    assert not found.known[outside].any()
    assert found.known[inside].all()
    assert not found.intensity[~found.known].any()
    assert "not measured" in found.steps[0]


@pytest.mark.parametrize("off", [-1e-12, 0.0, 1e-12])
def test_ends_on_points_of_the_grid_are_measured_on_every_machine(off):
    """Sines of other processors differ in the last digit."""
    angles = np.delete(GRID[500:-500], np.s_[1000:1100])
    ends = np.array([angles[0], angles[999], angles[1000], angles[-1]])
    angles[[0, 999, 1000, -1]] += off * np.array([1, -1, 1, -1])
    found = treat(measured_pattern(angles, 50 + lines(angles), wavelength=1.5406), UNTREATED)
    assert found.known.sum() == len(angles)
    assert found.known[np.searchsorted(GRID, ends - 1e-6)].all()


def test_areas_stay_however_coarse_the_steps_are():
    heights = []
    for step in (0.001, 0.01, 0.03):
        angles = np.arange(10, 85, step)
        found = treat(measured_pattern(angles, lines(angles), wavelength=1.5406), UNTREATED)
        heights.append(found.intensity.sum())
    assert heights == pytest.approx([heights[0]] * 3, rel=0.03)


def test_the_lorentz_factor_becomes_that_of_the_new_angles():
    angles = np.arange(5, 60, 0.002)
    ideal = lorentz_factor(np.array(PLACES))
    at = np.degrees(2 * np.arcsin(np.sin(np.radians(PLACES) / 2) * 0.7 / CANONICAL.wavelength))
    y = sum(
        lorentz_factor(one) * np.exp(-4 * np.log(2) * ((angles - one) / 0.05) ** 2) for one in at
    )
    found = treat(measured_pattern(angles, y, wavelength=0.7), UNTREATED)
    heights = [found.intensity[np.abs(GRID - one) < 0.2].max() for one in PLACES]
    assert heights == pytest.approx(ideal / ideal.max(), rel=0.02)


def test_the_second_line_of_a_doublet_is_taken_off():
    angles = np.arange(10, 89, 0.01)
    first = lines(angles, wavelength=CU[0], width=0.08)
    both = first + lines(angles, wavelength=CU[1], width=0.08, height=50.0)
    alone = replace(TREATED, broadens=False, background=0.0)
    kept = treat(measured_pattern(angles, both, wavelength="CuKa"), UNTREATED).intensity
    left = treat(measured_pattern(angles, both, wavelength="CuKa"), alone)
    wanted = treat(measured_pattern(angles, first, wavelength=CU[0]), UNTREATED).intensity
    assert np.abs(kept - wanted).max() > 0.4
    assert np.abs(left.intensity - wanted).max() < 0.01
    assert any("Rachinger" in step for step in left.steps)


def test_the_mean_of_an_anode_stands_for_both_lines():
    angles = np.arange(10, 80, 0.02)
    mean = measured_pattern(angles, lines(angles), wavelength=1.541871)
    assert [one.value for one in doublet_of(mean)] == pytest.approx(CU)
    assert doublet_of(measured_pattern(angles, lines(angles), wavelength=1.5406)) == ()
    assert doublet_of(measured_pattern(angles, lines(angles), wavelength=(0.7, 1.4))) == ()


def test_an_anode_is_known_by_its_first_line_alone():
    angles = np.arange(20, 60, 0.02)

    def of(wavelength):
        return anode_of(measured_pattern(angles, lines(angles), wavelength=wavelength))

    assert of(CU[0]) == ("Cu", pytest.approx(CU))
    assert of(1.7889960)[0] == "Co"
    assert of(CU) is None
    assert of((CU[0] * 2 + CU[1]) / 3) is None
    assert of(1.2) is None


@pytest.mark.parametrize(("width", "expected"), [(0.05, 0.2355), (0.4, 0.4)])
def test_lines_become_as_wide_as_the_protocol_s_and_never_narrower(width, expected):
    angles = np.arange(10, 85, 0.005)
    pattern = measured_pattern(angles, lines(angles, width=width), wavelength=1.5406)
    found = treat(pattern, replace(TREATED, background=0.0))
    assert line_width(found.intensity.astype(float), CANONICAL) == pytest.approx(expected, rel=0.05)


def test_a_background_goes_and_lines_stay():
    angles = np.arange(10, 85, 0.01)
    smooth = 40 + 3000 / angles + 30 * np.exp(-(((angles - 25) / 6) ** 2))
    with_it = treat(measured_pattern(angles, lines(angles) + smooth, wavelength=1.5406))
    without = treat(measured_pattern(angles, lines(angles), wavelength=1.5406))
    assert np.abs(with_it.intensity - without.intensity).max() < 0.03
    flat = np.ones(500)
    assert np.array_equal(background(flat, 40), flat)


def test_the_treatment_brings_simulated_patterns_nearer_to_their_ideal():
    name = "ulbd-mineral-cells-off-mesh"
    dataset = family_set("cubic")
    there = open_test_set(SetSpec.parse(f"{name}+laboratory"), dataset, 1).samples.take(range(12))
    ideal = open_test_set(SetSpec.parse(name), dataset, 1).samples.take(range(12)).patterns()
    gains = []
    for measured, wanted in zip(there.patterns(), ideal, strict=True):
        first, last = np.flatnonzero(measured)[[0, -1]]
        part = slice(first, last + 1)
        pattern = measured_pattern(GRID[part], measured[part], wavelength="CuKa")
        both = [treat(pattern, one) for one in (UNTREATED, TREATED)]
        gains.append([_cosine(one.intensity, wanted * one.known) for one in both])
    before, after = np.median(gains, axis=0)
    assert after > before + 0.05


def _cosine(one, other):
    return one @ other / np.sqrt((one @ one) * (other @ other))


def test_what_cannot_be_treated_is_told():
    angles = np.arange(10, 80, 0.02)
    with pytest.raises(SgbenchError, match="wavelength of this pattern is not known"):
        treat(measured_pattern(angles, lines(angles)))
    with pytest.raises(SgbenchError, match="nothing of this pattern lies between"):
        treat(measured_pattern(np.arange(120, 160, 0.02), lines(angles)[:2000], wavelength=1.54))
    with pytest.raises(SgbenchError, match="above zero"):
        treat(measured_pattern(angles, -1 - lines(angles), wavelength=1.5406), UNTREATED)
