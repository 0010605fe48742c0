"""What every condition has to do, whatever it is."""

import numpy as np
import pytest

from sgbench.conditions import CONDITIONS, Condition
from sgbench.errors import SgbenchError
from sgbench.sets import ULBD, SetSpec

EVERY = pytest.mark.parametrize("name", CONDITIONS)


@pytest.fixture(scope="module")
def samples():
    return ULBD["ulbd-tetragonal"].held_out_samples("off-mesh", 1).take(np.arange(0, 68, 9))


@EVERY
def test_it_says_what_it_does(name):
    kind = CONDITIONS[name]
    assert kind.name == name
    assert name.isalpha()
    assert name.islower()
    assert kind.source
    for severity in (kind.largest / 4, kind.largest):
        said = Condition(name, severity).describe()
        assert kind.text in said
        assert f"{severity:g} {kind.unit}" in said
        assert said in SetSpec.parse(f"cddd+{Condition(name, severity)}").describe()


@EVERY
def test_a_sample_is_changed_the_same_in_any_batch(name, samples):
    condition = Condition(name, CONDITIONS[name].largest / 3)
    together = condition.apply(samples)
    for i in range(len(samples)):
        assert condition.apply(samples.take([i])).sha256() == together.take([i]).sha256()
    backwards = condition.apply(samples.take(np.arange(len(samples))[::-1]))
    assert backwards.take(np.arange(len(samples))[::-1]).sha256() == together.sha256()


@EVERY
def test_it_keeps_what_is_known_of_the_samples_and_changes_the_rest(name, samples):
    before = samples.sha256()
    found = [Condition(name, share * CONDITIONS[name].largest).apply(samples) for share in (0.2, 1)]
    assert len({before, *(one.sha256() for one in found)}) == 3
    assert samples.sha256() == before  # not changed in place
    for one in found:
        assert one.ids == samples.ids
        assert one.protocol == samples.protocol
        np.testing.assert_array_equal(one.spacegroup, samples.spacegroup)
        patterns = one.patterns()
        assert np.isfinite(patterns).all()
        np.testing.assert_allclose(patterns.max(axis=1), 1)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("cddd+fog-2", "unknown condition 'fog'; expected one of .*thermal"),
        ("cddd+thermal-0", r"thermal of 0 Å² is out of range; .* at most 10\. Choose another"),
        ("cddd-cubic+thermal-10.5", r"thermal of 10\.5 Å² is out of range"),
        ("cddd+thermal", r"thermal is written with a severity; expected a name such as thermal-2"),
        ("cddd+thermal-1.2.3", r"unknown set 'cddd\+thermal-1\.2\.3'"),
        ("cddd+thermal--2", r"unknown set"),
        ("cddd+thermal-2+", r"unknown set"),
    ],
)
def test_conditions_that_cannot_be(name, message):
    with pytest.raises(SgbenchError, match=message):
        SetSpec.parse(name)
    assert SetSpec.find(name) is None


@pytest.mark.parametrize("severity", [float("nan"), float("inf"), -1.0])
def test_severities_that_are_no_amount(severity):
    with pytest.raises(SgbenchError, match="out of range"):
        Condition("thermal", severity)
