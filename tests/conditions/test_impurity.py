"""Lines of second phases against pymatgen's diffractometer."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from example_samples import lines_at
from pymatgen.analysis.diffraction.xrd import XRDCalculator
from pymatgen.core import Lattice, Structure
from scipy import stats

from sgbench.conditions import Condition, impurity
from sgbench.diffraction import CANONICAL, Samples

LISTED = {
    phase["name"]: (number, phase)
    for number, phase in enumerate(
        json.loads(Path(impurity.__file__).with_name("phases.json").read_text(encoding="utf-8"))
    )
}
CALCULATOR = XRDCalculator(CANONICAL.wavelength)
PHASES = impurity.phases(CANONICAL)
NAMES = [f"sample-{i}" for i in range(2000)]


def lines_of_phase(name):
    own = PHASES.lines.take([LISTED[name][0]])
    return own.two_theta, own.intensity


# Phases whose atoms stand in the setting that pymatgen takes a space group's number for. Its form
# factors are those of another table.
@pytest.mark.parametrize("name", ["corundum", "halite", "calcite", "rutile", "zincite", "barite"])
def test_the_lines_of_a_phase(name):
    phase = LISTED[name][1]
    elements, positions = zip(*phase["atoms"], strict=True)
    structure = Structure.from_spacegroup(
        phase["spacegroup"], Lattice.from_parameters(*phase["cell"]), elements, positions
    )
    pattern = CALCULATOR.get_pattern(structure, two_theta_range=(4.4, 90.6))
    height = pattern.y / (1 + np.cos(np.radians(pattern.x)) ** 2)
    two_theta, intensity = lines_of_phase(name)
    strong = height > 0.02 * height.max()
    for angle, expected in zip(pattern.x[strong], height[strong] / height.max(), strict=True):
        near = abs(two_theta - angle) < 0.01
        assert intensity[near].sum() == pytest.approx(expected, rel=0.03, abs=2e-3)
    assert (abs(two_theta[:, None] - pattern.x).min(axis=1) < 1e-3).all()


def test_it_is_drawn_evenly_by_the_name_of_the_sample():
    samples = lines_at([20.0, 50.0], names=NAMES)
    chosen = impurity.chosen_phases(samples)
    counts = Counter(chosen.tolist())
    assert len(counts) == len(PHASES.names) == 32
    assert stats.chisquare([*counts.values()]).pvalue > 1e-3
    assert impurity.chosen_phases(samples.take([77])) == chosen[77]


def test_how_strong_it_is():
    samples = lines_at([20.0, 50.0], [3.0, 7.0], names=NAMES[:40])
    found = Condition("impurity", 0.05).apply(samples).lines
    chosen = impurity.chosen_phases(samples)
    for i, phase in enumerate(chosen):
        own = found.take([i])
        np.testing.assert_array_equal(own.two_theta[:2], [20.0, 50.0])
        np.testing.assert_array_equal(own.intensity[:2], [3.0, 7.0])
        expected = PHASES.lines.take([phase])
        np.testing.assert_array_equal(own.two_theta[2:], expected.two_theta)
        np.testing.assert_allclose(own.intensity[2:], 0.35 * expected.intensity, rtol=1e-5)
        assert own.intensity[2:].max() == pytest.approx(0.35, rel=1e-5)


def test_a_sample_is_never_its_own_impurity():
    for name, scale in (("quartz", 1.0), ("halite", 1.003), ("copper", 0.998)):
        two_theta, intensity = lines_of_phase(name)
        sine = np.sin(np.radians(two_theta) / 2) * scale
        ill = lines_at(np.degrees(2 * np.arcsin(sine)), intensity, names=NAMES)
        other = lines_at([20.0, 50.0], names=NAMES)
        number = LISTED[name][0]
        drawn, chosen = impurity.chosen_phases(other), impurity.chosen_phases(ill)
        assert number in drawn
        assert number not in chosen
        np.testing.assert_array_equal(chosen[drawn != number], drawn[drawn != number])
        np.testing.assert_array_equal(chosen[drawn == number], (number + 1) % 32)


def test_its_lines_are_as_wide_as_the_sample_s_own():
    samples = lines_at([20.0, 60.0], names=NAMES[:3])
    wide = Condition("strain", 0.2).apply(Condition("voigt", 0.3).apply(samples))
    found = Condition("impurity", 0.1).apply(wide).lines
    for i in range(3):
        own, before = found.take([i]), wide.lines.take([i]).profile
        nearer = (own.two_theta > 40).astype(int)
        np.testing.assert_array_equal(own.profile.gaussian, before.gaussian[nearer])
        np.testing.assert_array_equal(own.profile.lorentzian, before.lorentzian[nearer])
    before = Condition("voigt", 0.3).apply(Condition("impurity", 0.1).apply(samples))
    assert len(before.lines.two_theta) == len(before.lines.profile.gaussian)


def test_where_there_is_none():
    """Some of the samples have an impurity, and the others their own lines as they were."""
    samples = lines_at([20.0, 50.0], names=NAMES[:300])
    amount = replace(impurity.Amount.fixed(0.05), low=0.01, share=1 / 3, stream="test")
    found: Samples = impurity.add_phase(samples, amount)
    some = amount.of(samples.ids) > 0
    np.testing.assert_array_equal(np.diff(found.lines.offsets) > 2, some)
    assert 60 < some.sum() < 140
