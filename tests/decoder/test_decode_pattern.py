import numpy as np
import pytest
from measured import K_ALPHA_2, measured

from sgbench.decoder import NoCellFound, decode_pattern
from sgbench.errors import SgbenchError

GRID = np.linspace(10, 80, 3500)


def decoded(pattern, family, **settings):
    return decode_pattern(
        pattern.two_theta, pattern.intensity, **pattern.waves, families=[family], law="uniform",
        **settings,
    )  # fmt: skip


@pytest.mark.parametrize(
    "condition",
    ["laboratory", "counts-10000", "width-0.05", "width-0.05+background-0.05+counts-10000"],
)
def test_cell_and_class_are_found_whatever_measuring_does(condition):
    (pattern,) = measured("tetragonal", 1, condition, first=3)
    found = decoded(pattern, "tetragonal")
    best = found.classes[0]
    assert best.family == "tetragonal"
    assert best.number == pattern.label
    np.testing.assert_allclose(found.cells[best.cell].cell, pattern.cell, rtol=1e-3)
    assert found.cells[best.cell].fit < 1.5


def test_answers_add_up_and_say_what_was_searched():
    (pattern,) = measured("cubic", 1, first=8)
    found = decoded(pattern, "cubic")
    assert found.searched == ("cubic",)
    assert sum(entry.probability for entry in found.classes) == pytest.approx(1)
    assert 0.9 < sum(cell.probability for cell in found.cells) < 1
    assert list(found.classes) == sorted(found.classes, key=lambda entry: -entry.probability)
    first = found.cells[0]
    assert first.volume == pytest.approx(first.cell[0] ** 3)
    assert 0 < first.uncertainty[0] < 0.01 * first.cell[0]
    assert first.uncertainty[3:] == (0.0, 0.0, 0.0)
    assert len(found.lines.two_theta) > 5


def test_counts_with_their_uncertainties_in_uneven_steps():
    (pattern,) = measured("cubic", 1, "counts-10000", first=8)
    kept = np.sort(np.random.default_rng(0).permutation(len(pattern.two_theta))[:6000])
    x, y = pattern.two_theta[kept], pattern.intensity[kept]
    sigma = np.sqrt(np.maximum(y, 1e-4) / 1e4)
    sigma[:10] = np.nan
    found = decode_pattern(x, y, sigma, wavelength=1.5406, families=["cubic"], law="uniform")
    assert found.classes[0].number == pattern.label


@pytest.mark.parametrize("family", ["cubic", "tetragonal"])
def test_lines_in_a_gap_are_neither_there_nor_absent(family):
    (pattern,) = measured(family, 1, "counts-10000", first=8)
    whole = decoded(pattern, family)
    best = whole.cells[whole.classes[0].cell].whole
    strongest = best.two_theta[np.argsort(best.intensity)[-3]]
    kept = np.abs(pattern.two_theta - strongest) > 2.0
    found = decode_pattern(
        pattern.two_theta[kept], pattern.intensity[kept], **pattern.waves, families=[family],
        law="uniform",
    )  # fmt: skip
    assert found.classes[0].number == whole.classes[0].number == pattern.label
    assert found.classes[0].probability > 0.9 * whole.classes[0].probability
    fit = found.cells[0].whole
    assert np.abs(fit.two_theta - strongest).min() > 1.5


def test_a_background_below_zero_is_a_matter_of_where_zero_is():
    (pattern,) = measured("cubic", 1, "background-0.1+counts-10000", first=8)
    intensity = 1e4 * (pattern.intensity - 0.5)
    found = decode_pattern(
        pattern.two_theta, intensity, **pattern.waves, families=["cubic"], law="uniform"
    )
    assert found.classes[0].number == pattern.label


def test_points_that_are_masked_are_left_out():
    (pattern,) = measured("cubic", 1, "counts-10000", first=8)
    y, sigma = pattern.intensity.copy(), np.sqrt(np.maximum(pattern.intensity, 1e-4) / 1e4)
    y[100:110] = sigma[100:110] = np.nan
    found = decode_pattern(
        pattern.two_theta, y, sigma, **pattern.waves, families=["cubic"], law="uniform"
    )
    assert found.classes[0].number == pattern.label
    sigma[105] = 1e-3
    with pytest.raises(SgbenchError, match="are not finite"):
        decode_pattern(pattern.two_theta, y, sigma, wavelength=1.5406)


@pytest.mark.parametrize("lift", [0.5, 2.0])
def test_patterns_below_zero(lift):
    (pattern,) = measured("cubic", 1, "background-0.1+counts-10000", first=8)
    found = decode_pattern(
        pattern.two_theta, pattern.intensity - lift, **pattern.waves, families=["cubic"],
        law="uniform",
    )  # fmt: skip
    assert found.classes[0].number == pattern.label


@pytest.mark.parametrize(
    ("points", "sigma", "words"),
    [(30, 1.0, "30 points are too few"), (3500, 1e-300, "0 points are too few")],
)
def test_points_that_nothing_can_be_told_from(points, sigma, words):
    y = np.full(points, 100.0)
    with pytest.raises(SgbenchError, match=words):
        decode_pattern(GRID[:points], y, np.full(points, sigma), wavelength=1.5406)


def test_many_points_a_line_are_averaged():
    (pattern,) = measured("cubic", 1, "counts-10000", first=8)
    step = np.diff(pattern.two_theta).mean() / 20
    fine = np.arange(pattern.two_theta[0], pattern.two_theta[-1], step)
    mean = 1e4 / 20 * np.maximum(np.interp(fine, pattern.two_theta, pattern.intensity), 0.0)
    counts = np.random.default_rng(2).poisson(mean)
    found = decode_pattern(fine, counts, wavelength=1.5406, families=["cubic"], law="uniform")
    assert found.classes[0].number == pattern.label
    assert len(found.cells[0].whole.angles) < len(fine) / 5


def test_a_pattern_without_lines_has_no_cell_and_says_what_was_seen():
    flat = np.random.default_rng(0).poisson(1000, len(GRID))
    with pytest.raises(NoCellFound, match="no cell was found") as caught:
        decode_pattern(GRID, flat, wavelength=1.5406, families=["cubic"])
    assert caught.value.searched == ("cubic",)
    assert len(caught.value.lines.two_theta) < 3


def lines_at(places, heights):
    shapes = np.exp(-4 * np.log(2) * ((GRID[:, None] - places) / 0.1) ** 2)
    return np.random.default_rng(0).poisson(50 + shapes @ heights).astype(float)


def test_one_line_is_said_to_be_one():
    with pytest.raises(NoCellFound, match=r"one line was seen, at 30\.00 degrees"):
        decode_pattern(
            GRID, lines_at([30.0], [1e4]), wavelength=1.5406, families=["cubic", "tetragonal"]
        )


def test_lines_at_random_places_are_of_no_cell_for_sure():
    rng = np.random.default_rng(5)
    pattern = lines_at(rng.uniform(12, 78, 50), rng.exponential(2000, 50))
    families = ["cubic", "tetragonal", "trigonal-hexagonal"]
    try:
        found = decode_pattern(GRID, pattern, wavelength=1.5406, families=families, time_limit=10)
    except NoCellFound:
        return
    assert found.classes[0].probability < 0.3


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"intensity": np.ones(5)}, "shapes"),
        ({"two_theta": GRID[::-1]}, "ascend"),
        ({"intensity": np.full(len(GRID), np.nan)}, "finite"),
        ({"intensity": np.zeros(len(GRID))}, "above zero"),
        ({"wavelength": -1.0}, "wavelength"),
        ({"second": 1.0}, "wavelength"),
        ({"ratio": 0.5}, "ratio"),
        ({"second": K_ALPHA_2, "ratio": 2.0}, "ratio"),
        ({"wavelength": np.inf}, "wavelength"),
        ({"second": np.inf}, "wavelength"),
        ({"wavelength": "CuKa"}, "expected numbers"),
        ({"families": ["rhombohedral"]}, "families"),
        ({"families": ["cubic", "cubic"]}, "each once"),
        ({"law": "normal"}, "law"),
        ({"time_limit": 0.0}, "time limit"),
        ({"intensity": np.full(len(GRID), 1e300)}, "Scale"),
        ({"intensity": np.full(len(GRID), 1e-300)}, "Scale"),
    ],
)
def test_what_cannot_be_used_is_said(change, said):
    given = {"two_theta": GRID, "intensity": np.ones(len(GRID)), "wavelength": 1.5406, **change}
    with pytest.raises(SgbenchError, match=said):
        decode_pattern(**given)
