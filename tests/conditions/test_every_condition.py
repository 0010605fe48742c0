"""What every condition has to do, whatever it is."""

from dataclasses import replace

import numpy as np
import pytest

from sgbench.conditions import CONDITIONS, Condition
from sgbench.errors import SgbenchError
from sgbench.sets import ULBD, SetSpec

EVERY = pytest.mark.parametrize("name", CONDITIONS)


def some_of(name):
    """Return the condition at two severities, or a mixture, which has none."""
    severities = CONDITIONS[name].severities
    return (
        [Condition(name, one) for one in (severities[1], severities[4])]
        if severities
        else [Condition(name)]
    )


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
    assert len(kind.severities) in (0, 5)
    assert bool(kind.severities) != bool(kind.parts)
    for condition in some_of(name):
        said = condition.describe()
        assert kind.text in said
        assert kind.parts or f"{condition.severity:g} {kind.unit}" in said
        spec = SetSpec.parse(f"ulbd-off-mesh+{condition}")
        assert said in spec.describe()
        assert spec.name == f"ulbd-off-mesh+{condition}"


@EVERY
def test_severities_are_different_and_possible(name):
    kind = CONDITIONS[name]
    assert len({*kind.severities}) == len(kind.severities)
    assert all(kind.least < severity <= kind.largest for severity in kind.severities)


@EVERY
def test_its_version_and_its_parts_are_part_of_what_it_is(name):
    kind = CONDITIONS[name]
    assert kind.identity() != replace(kind, version=kind.version + 1).identity()
    for part, amount in kind.parts:
        assert part.identity() in kind.identity()
        assert str(amount) in kind.identity()


@EVERY
def test_a_sample_is_changed_the_same_in_any_batch(name, samples):
    condition = some_of(name)[-1]
    together = condition.apply(samples)
    patterns = together.patterns()
    for i in range(len(samples)):
        alone = condition.apply(samples.take([i]))
        assert alone.sha256() == together.take([i]).sha256()
        np.testing.assert_array_equal(alone.patterns(), patterns[[i]])
    backwards = condition.apply(samples.take(np.arange(len(samples))[::-1]))
    assert backwards.take(np.arange(len(samples))[::-1]).sha256() == together.sha256()


@EVERY
def test_it_is_the_same_on_a_device(name, samples):
    """A count may differ where patterns that differ by rounding lie on two sides of a bound."""
    changed = some_of(name)[-1].apply(samples)
    apart = np.abs(changed.patterns("cpu").numpy() - changed.patterns())
    assert (apart > 1e-4).mean() < 1e-3
    assert np.median(apart) < 1e-5


@EVERY
def test_it_keeps_what_is_known_of_the_samples_and_changes_the_rest(name, samples):
    before = samples.sha256()
    found = [condition.apply(samples) for condition in some_of(name)]
    assert len({before, *(one.sha256() for one in found)}) == 1 + len(found)
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
        ("cddd+thermal-1.2.3", r"'thermal-1\.2\.3' states no severity in plain digits"),
        ("cddd+thermal--2", r"'thermal--2' states no severity in plain digits"),
        ("cddd+thermal-2+", r"unknown condition ''"),
        ("cddd+thermal-2+thermal-1", r"thermal is named twice; expected each once"),
        ("ulbd-off-mesh+laboratory-3", r"laboratory is written without a severity"),
        ("cddd+exposure-1000", r"exposure refers to intensities as designed sets have them"),
        ("ulbd-off-mesh+start-5", r"start of 5 ° is out of range; expected more than 5"),
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
