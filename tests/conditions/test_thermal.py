import math
from dataclasses import replace

import numpy as np
import pytest
from example_crystals import crystal_file, crystal_set

from sgbench.conditions import Condition
from sgbench.diffraction import CANONICAL, LineList, Samples
from sgbench.errors import SgbenchError
from sgbench.sets import ULBD, SetSpec, open_test_set, open_training_set

CUBIC = ULBD["ulbd-cubic"]


def open_set(name, *arguments):
    return open_test_set(SetSpec.parse(name), *arguments)


@pytest.mark.parametrize("b", [0.5, 2.0, 10.0])
def test_intensities_fall_off_with_the_angle(b):
    two_theta = [10.0, 31.4159, 89.0]
    lines = LineList(np.array([0, 3]), np.array(two_theta), np.array([1, 2, 3], dtype=np.float32))
    samples = Samples(("a",), np.array([225]), CANONICAL, lines)
    found = Condition("thermal", b).apply(samples)
    for before, after, angle in zip(lines.intensity, found.lines.intensity, two_theta, strict=True):
        s = math.sin(math.radians(angle / 2)) / 1.5406
        assert after == pytest.approx(before * math.exp(-2 * b * s * s), rel=1e-6)
    assert found.lines.intensity.dtype == np.float32
    np.testing.assert_array_equal(found.lines.two_theta, two_theta)
    assert found.patterns().max() == 1


def test_another_wavelength():
    protocol = replace(CANONICAL, wavelength=0.7093)
    lines = LineList(np.array([0, 1]), np.array([40.0]), np.ones(1, dtype=np.float32))
    found = Condition("thermal", 3).apply(Samples(("a",), np.array([2]), protocol, lines))
    s = math.sin(math.radians(20)) / 0.7093
    assert found.lines.intensity[0] == pytest.approx(math.exp(-6 * s * s), rel=1e-6)


def test_measured_patterns_have_no_lines_to_change():
    measured = np.zeros((1, CANONICAL.n_points), dtype=np.float32)
    samples = Samples(("a",), np.array([225]), CANONICAL, measured=measured)
    with pytest.raises(SgbenchError, match=r"'thermal' changes lines.*Leave the condition out"):
        Condition("thermal", 2).apply(samples)


def test_a_test_set_under_a_condition(tmp_path):
    files = [crystal_file(tmp_path, crystal_set())]
    for name in ("ulbd-off-mesh", "cddd"):
        ideal, found = (
            open_set(name, CUBIC, 2, files),
            open_set(f"{name}+thermal-2", CUBIC, 2, files),
        )
        assert found.name == f"{name}+thermal-2"
        assert found.samples.ids == ideal.samples.ids
        assert found.row()["test_sha256"] != ideal.row()["test_sha256"]
        expected = Condition("thermal", 2).apply(ideal.samples)
        assert found.checksum() == expected.sha256()
        assert (found.cluster, found.source) == (ideal.cluster, ideal.source)


def test_a_training_set_under_a_condition(tmp_path):
    """It has the draws of the ideal one, changed, and another checksum.

    What is sampled twice has two names, so that what conditions draw is drawn twice.
    """
    files = [crystal_file(tmp_path, crystal_set())]
    for name in ("ulbd-cubic", "ulbd-cubic@0.5x3", "cddd-cubic", "cddd-cubic-stratified"):
        ideal = open_training_set(SetSpec.parse(name), files)
        found = open_training_set(SetSpec.parse(f"{name}+thermal-2"), files)
        assert (found.name, found.spec.family) == (f"{name}+thermal-2", "cubic")
        assert found.protocol == ideal.protocol
        assert found.spacegroups == ideal.spacegroups
        drawn = ideal.training_samples(5, 4, seed=1)
        names = tuple(f"1-{5 + i:09d}-{name}" for i, name in enumerate(drawn.ids))
        for before, after in (
            (replace(drawn, ids=names), found.training_samples(5, 4, seed=1)),
            (ideal.validation_samples(2), found.validation_samples(2)),
        ):
            assert after.sha256() == Condition("thermal", 2).apply(before).sha256()
            assert after.sha256() != before.sha256()
        harder = open_training_set(SetSpec.parse(f"{name}+thermal-3"), files)
        assert len({ideal.checksum(), found.checksum(), harder.checksum()}) == 3
