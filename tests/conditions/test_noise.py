import numpy as np
import pytest
from example_samples import lines_at

from sgbench.conditions import Condition
from sgbench.diffraction import CANONICAL, Samples, reference_height
from sgbench.errors import SgbenchError
from sgbench.sets import ULBD

NAMES = [f"sample-{i}" for i in range(64)]
LINES = [20.0, 33.0, 47.0]
CELL = (5.0, 5.0, 5.0, 90, 90, 90)


def unscaled(name, severity, height=30.0):
    """Return patterns of some lines as they are, and as a condition leaves them, unscaled."""
    samples = lines_at(LINES, [height, height / 3, height / 50], CELL, NAMES)
    after = Condition(name, severity).apply(samples)
    (recording,) = after.recorded
    pattern = (height * samples.patterns()).astype(np.float32)
    return pattern, recording.change(pattern.copy(), after)


@pytest.mark.parametrize("n", [1e3, 1e5])
@pytest.mark.parametrize("name", ["counts", "exposure"])
def test_counts_have_poissons_variance_at_a_stated_height(name, n):
    before, after = unscaled(name, n)
    height = 30.0 if name == "counts" else reference_height([CELL], CANONICAL)[0]
    counts = after.astype(np.float64) * n / height
    np.testing.assert_allclose(counts, np.rint(counts), atol=0.02 * n / 1e5)
    expected = before[0].astype(np.float64) * n / height
    some = expected > 5
    z = (counts - expected)[:, some] / np.sqrt(expected[some])
    assert abs(z.mean()) < 4 / np.sqrt(z.size)
    assert z.var() == pytest.approx(1, abs=6 / np.sqrt(z.size))
    assert (counts[:, expected == 0] == 0).all()


@pytest.mark.parametrize("share", [0.001, 0.1])
@pytest.mark.parametrize("name", ["noise", "readout"])
def test_normal_noise_is_a_share_of_a_stated_height(name, share):
    before, after = unscaled(name, share)
    height = 30.0 if name == "noise" else reference_height([CELL], CANONICAL)[0]
    z = (after - before).astype(np.float64) / (share * height)
    assert abs(z.mean()) < 4 / np.sqrt(z.size)
    assert z.var() == pytest.approx(1, abs=6 / np.sqrt(z.size))


@pytest.mark.parametrize("name", ["exposure-1000", "readout-0.03"])
def test_the_level_does_not_depend_on_the_lines(name):
    """Variance where there is no line is that of the weak and the strong pattern alike."""
    kind, _, severity = name.partition("-")
    noise = []
    for height in (3.0, 3e3):
        samples = lines_at([40.0], [height], CELL, NAMES)
        samples = Condition("background", 3 / height).apply(samples)
        samples = Condition(kind, float(severity)).apply(samples)
        background, counting = samples.recorded
        pattern = background.change((height * samples.patterns() * 0).astype(np.float32), samples)
        pattern += np.float32(3.0)
        noise.append(counting.change(pattern, samples).astype(np.float64).var())
    assert noise[0] == pytest.approx(noise[1], rel=1e-6)


def test_background_is_counted_with_the_lines():
    samples = lines_at([40.0], [30.0], CELL, NAMES)
    counted = Condition("counts", 1000).apply(Condition("background", 0.1).apply(samples))
    far = counted.patterns()[:, CANONICAL.two_theta > 60].astype(np.float64)
    # 1000 counts in line and background together, of which the background has a part in eleven
    expected = 1000 / 11
    share = (far.std(axis=1) / far.mean(axis=1)).mean()
    assert share == pytest.approx(1 / np.sqrt(expected), rel=0.01)


def test_without_cells_there_is_no_reference():
    patterns = np.ones((1, CANONICAL.n_points), dtype=np.float32)
    measured = Samples(("a",), np.array([225]), CANONICAL, measured=patterns)
    for samples in (measured, lines_at(LINES)):
        with pytest.raises(SgbenchError, match=r"needs lines and cells.*Use 'counts' or 'noise'"):
            Condition("readout", 0.01).apply(samples).patterns()


def test_noise_goes_below_zero_and_the_maximum_stays_1():
    samples = ULBD["ulbd-cubic"].held_out_samples("off-mesh", 1)
    patterns = Condition("noise", 0.01).apply(samples).patterns()
    assert patterns.min() < 0
    assert (patterns.max(axis=1) == 1).all()
