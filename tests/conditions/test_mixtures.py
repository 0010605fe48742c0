"""Mixtures: what they consist of, and that what is measured is what they say."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from sgbench.conditions import CONDITIONS, Condition
from sgbench.diffraction import CANONICAL
from sgbench.sets import ULBD, SetSpec, open_training_set

MIXTURES = [name for name, kind in CONDITIONS.items() if kind.parts]
GRID = CANONICAL.two_theta


def parts(name):
    return {kind.name: (kind, amount) for kind, amount in CONDITIONS[name].parts}


def test_laboratory_is_what_was_agreed():
    found = {name: str(amount) for name, (_, amount) in parts("laboratory").items()}
    assert found == {
        "texture": "uniform 0.7…1 by laboratory/texture",
        "impurity": "uniform 0…0.05 in 0.333333 of all by laboratory/impurity",
        "width": "uniform 0.04…0.15 by laboratory/width",
        "voigt": "uniform 0.2…0.8 by laboratory/voigt",
        "doublet": "0.5",
        "displacement": "uniform -0.1…0.1 by laboratory/displacement",
        "shift": "uniform -0.05…0.05 by laboratory/shift",
        "start": "uniform 5…15 by laboratory/start",
        "end": "uniform 70…90 by laboratory/end",
        "background": "uniform 0.01…0.1 by laboratory/background",
        "counts": "log-uniform 1000…100000 by laboratory/counts",
    }


@pytest.mark.parametrize("name", MIXTURES)
def test_parts_come_in_the_order_of_physics_with_streams_of_their_own(name):
    """What the catalogue has in that order; a range is cut before background and counts."""
    order = [one for one in CONDITIONS if one not in ("start", "end")]
    order[order.index("background") : order.index("background")] = ["start", "end"]
    places = [order.index(kind.name) for kind, _ in CONDITIONS[name].parts]
    assert places == sorted(places)
    drawn = [amount.stream for _, amount in CONDITIONS[name].parts]
    assert len({*drawn}) == len(drawn)
    assert all(stream.startswith(f"{name}/") for stream in drawn)
    for kind, amount in CONDITIONS[name].parts:
        assert abs(amount.high) <= kind.largest
        assert abs(amount.low) <= kind.largest


@pytest.fixture(scope="module")
def measured():
    samples = ULBD["ulbd-cubic"].held_out_samples("validation", 12)
    found = Condition("laboratory").apply(samples)
    return found, found.patterns()


def test_patterns_begin_and_end_where_they_were_drawn_to(measured):
    samples, patterns = measured
    amounts = {name: amount.of(samples.ids) for name, (_, amount) in parts("laboratory").items()}
    first = GRID[(patterns > 0).argmax(axis=1)]
    last = GRID[len(GRID) - 1 - (patterns[:, ::-1] > 0).argmax(axis=1)]
    np.testing.assert_allclose(first, np.maximum(amounts["start"], 5), atol=0.1)
    np.testing.assert_allclose(last, amounts["end"], atol=0.1)
    assert stats.kstest(first, stats.uniform(5, 10).cdf).pvalue > 1e-3


def test_background_and_counts_are_those_that_were_drawn(measured):
    """Points are multiples of a count; the strongest of the range expects N with the background."""
    samples, patterns = measured
    amounts = {name: amount.of(samples.ids) for name, (_, amount) in parts("laboratory").items()}
    inside = [row[(GRID > 15) & (GRID < 70)] for row in patterns.astype(np.float64)]
    one_count = np.array([np.diff(np.unique(row)).min() for row in inside])
    strongest = 1 / one_count
    # Of a line's several points near its top, one is by chance a little above what is expected.
    apart = (strongest / amounts["counts"] - 1) * np.sqrt(amounts["counts"])
    assert np.quantile(apart, 0.02) > -2
    assert np.quantile(apart, 0.98) < 5
    # What few lines leave uncovered is the background, as a share of lines and background.
    level = np.array([np.quantile(row, 0.05) for row in inside])
    expected = amounts["background"] / (1 + amounts["background"])
    assert stats.spearmanr(level, expected).statistic > 0.9


def test_amounts_of_parts_are_independent(measured):
    samples, _ = measured
    drawn = [a.of(samples.ids) for _, a in CONDITIONS["laboratory"].parts if a.low != a.high]
    related = np.corrcoef(drawn)[np.triu_indices(len(drawn), 1)]
    assert np.abs(related).max() < 4.5 / np.sqrt(len(samples))


def test_the_checksum_of_a_training_set_holds_versions_and_amounts(monkeypatch):
    spec = SetSpec.parse("ulbd-cubic+laboratory")
    before = open_training_set(spec).checksum()
    assert open_training_set(spec).checksum() == before
    for change in ("version", "amount"):
        old = CONDITIONS["laboratory"]
        (kind, amount), *rest = old.parts
        newer = replace(kind, version=kind.version + 1)
        part = (newer, amount) if change == "version" else (kind, amount.named("other"))
        with monkeypatch.context() as patch:
            patch.setitem(CONDITIONS, "laboratory", replace(old, parts=(part, *rest)))
            assert open_training_set(spec).checksum() != before
