"""Hits replaced by their expectation over the coin that chose the label inside its class."""

from dataclasses import replace
from functools import cache
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sgbench.diffraction import CANONICAL, LineList, Samples
from sgbench.evaluation import (
    Predictions,
    predict_untrained,
    score,
    top_k_chances,
    top_k_hits,
)
from sgbench.models import get_model
from sgbench.sets import SetSpec, TestSet, family_set, open_test_set
from sgbench.symmetry import PAPER_FAMILIES, Ceiling, class_labels, family_spacegroups

SETS = [*((family, "ulbd-off-mesh") for family in PAPER_FAMILIES),
        *((family, "ulbd-in-mesh") for family in PAPER_FAMILIES),
        ("cubic", "ulbd-imbalanced-in-mesh")]  # fmt: skip


@cache
def truth_of(family: str, name: str) -> TestSet:
    return open_test_set(SetSpec.parse(name), family_set(family), 2 if family == "cubic" else 1)


def score_of(truth: TestSet, values: np.ndarray, scheme: str = "spacegroup"):
    values = values / values.sum(axis=1, keepdims=True)
    groups = family_spacegroups(truth.family)
    return score(
        Predictions(truth.samples.ids, "spacegroup", groups, values.astype(np.float32), {}),
        truth,
        scheme,
    )


# Few values, so that there are ties.
few = st.sampled_from([0.0, 0.125, 0.25, 0.5])


@st.composite
def tiny(draw):
    n = draw(st.integers(1, 5))
    row = st.lists(few, min_size=n, max_size=n)
    members = st.lists(st.booleans(), min_size=n, max_size=n).filter(any)
    return draw(st.lists(st.tuples(row, members), min_size=1, max_size=4))


@given(tiny())
def test_as_counted_over_every_coin_and_every_order_of_ties(samples):
    probabilities = np.array([row for row, _ in samples], dtype=np.float32)
    alike = np.array([members for _, members in samples])
    n = probabilities.shape[1]
    chances, bounds = top_k_chances(probabilities, alike, 5)
    for place, (row, members) in enumerate(samples):
        labels = np.flatnonzero(members)
        orders = list(permutations(range(n)))
        hits = np.zeros(5)
        for label in labels:
            for order in orders:  # labels in the order in which ties are broken
                ranking = sorted(order, key=lambda column: -row[column])
                hits[ranking.index(label) :] += 1
        np.testing.assert_allclose(chances[place], hits / len(labels) / len(orders), atol=1e-12)
        best = [min(k, len(labels)) / len(labels) for k in range(1, 6)]
        np.testing.assert_allclose(bounds[place], best, atol=1e-12)


@pytest.mark.parametrize("ties", [False, True])
def test_it_is_the_mean_over_tosses_of_the_coin(ties):
    """For answers that stay as they are while the labels are drawn again and again."""
    truth = truth_of("cubic", "ulbd-off-mesh")
    draw = np.random.default_rng(1)
    values = draw.dirichlet(np.full(36, 0.3), len(truth))
    values += 0.3 * truth.alike * draw.random((len(truth), 1))  # it knows the class, at times
    values = (np.round(4 * values) / 4 if ties else values).astype(np.float32)
    tosses = 4000
    order = np.argsort(draw.random((tosses, *truth.alike.shape)) * truth.alike, axis=2)
    raw = np.array([top_k_hits(values, labels[:, -1], 5).mean(axis=0) for labels in order])
    expected = top_k_chances(values, truth.alike, 5)[0].mean(axis=0)
    error = raw.std(axis=0) / np.sqrt(tosses)
    assert (error > 0).all()
    assert (np.abs(raw.mean(axis=0) - expected) < 4 * error).all()


def simulated(family: str, right: np.ndarray, per_spacegroup: int, draw: np.random.Generator):
    """Answers of a model that names each class so often, with a favourite group in each class."""
    classes = class_labels(family_spacegroups(family))
    label = np.repeat(np.arange(len(classes)), per_spacegroup)
    named = classes[label]
    wrong = draw.random(len(label)) >= right[named]
    named[wrong] = (named[wrong] + draw.integers(1, len(right), wrong.sum())) % len(right)
    values = 0.5 * (classes == named[:, None]) + 0.01 * draw.random((len(label), len(classes)))
    return label, classes[label][:, None] == classes, values.astype(np.float32)


@pytest.mark.parametrize("family", PAPER_FAMILIES)
def test_it_scatters_less_around_the_same_accuracy(family):
    draw = np.random.default_rng(2)
    n_classes = class_labels(family_spacegroups(family)).max() + 1
    right = draw.uniform(0.5, 1, n_classes)
    raw, expected = [], []
    for _ in range(400):
        label, alike, values = simulated(family, right, 1, draw)
        raw.append(top_k_hits(values, label, 5).mean(axis=0))
        expected.append(top_k_chances(values, alike, 5)[0].mean(axis=0))
    raw, expected = np.array(raw), np.array(expected)
    error = np.hypot(raw.std(axis=0), expected.std(axis=0)) / np.sqrt(len(raw))
    assert (np.abs(raw.mean(axis=0) - expected.mean(axis=0)) < 4 * error).all()
    assert (expected.var(axis=0) <= raw.var(axis=0)).all()
    assert expected[:, 0].var() < 0.8 * raw[:, 0].var()


@pytest.mark.parametrize("key", SETS, ids=" ".join)
@settings(max_examples=25)
@given(seed=st.integers(0, 2**32), concentration=st.sampled_from([1e-3, 0.1, 1.0]),
       known=st.sampled_from(["nothing", "class", "label"]), ties=st.booleans())  # fmt: skip
def test_no_answer_passes_the_ceiling(key, seed, concentration, known, ties):
    """Not even that of somebody who was told the labels."""
    truth = truth_of(*key)
    draw = np.random.default_rng(seed)
    values = draw.dirichlet(np.full(truth.alike.shape[1], concentration), len(truth)) + 1e-9
    if known == "class":
        values += truth.alike * draw.random(values.shape)
    elif known == "label":
        first = family_spacegroups(truth.family)[0]
        values[np.arange(len(truth)), truth.samples.spacegroup - first] += 2
    values = np.round(values, 1) + 1e-3 if ties else values
    found = score_of(truth, values)
    for top, low, high, ceiling in zip(
        found.top, found.top_low, found.top_high, found.ceiling, strict=True
    ):
        assert low <= top + 1e-12
        assert top <= high + 1e-12
        assert top <= ceiling + 1e-12
        assert high <= ceiling + 1e-12
    assert max(found.share) <= 1 + 1e-12
    assert min(found.gap) >= -1e-12
    if known == "label" and not ties:
        assert found.raw[0] == 1
        assert found.top[0] == pytest.approx(found.ceiling[0])


@pytest.mark.parametrize("key", [key for key in SETS if "imbalanced" not in key[1]], ids=" ".join)
def test_who_knows_the_class_lands_on_the_ceiling(key):
    truth = truth_of(*key)
    guess, _ = predict_untrained(get_model("control-oracle"), truth, "spacegroup", "smoke")
    found = score(guess, truth, "spacegroup")
    assert found.top == pytest.approx(found.ceiling, abs=1e-12)
    assert found.top == pytest.approx(found.raw, abs=1e-12)
    assert found.top == pytest.approx(Ceiling.of_family(truth.family).top, abs=1e-12)


def test_luck_with_the_coin_does_not_lift_it_above_the_ceiling():
    """As a first row of 48.1 beside a ceiling of 47.2 did."""
    truth = truth_of("cubic", "ulbd-off-mesh")
    draw = np.random.default_rng(0)
    values = 0.01 + truth.alike * (1 + 0.1 * draw.random(36))  # a favourite in each class
    raw = []
    for _ in range(30):
        column = (draw.random(truth.alike.shape) * truth.alike).argmax(axis=1)
        tossed = replace(truth, samples=replace(truth.samples, spacegroup=195 + column))
        found = score_of(tossed, values)
        assert found.top == pytest.approx(found.ceiling, abs=1e-12)
        raw.append(found.raw[0] - found.ceiling[0])
    assert min(raw) < -0.02
    assert max(raw) > 0.02


@pytest.mark.parametrize(("scheme", "coins"), [("extinction", True), ("spacegroup", False)])
def test_where_no_coin_was_tossed_it_is_the_share_of_hits(scheme, coins):
    """Over extinction classes, and on structures, where intensities tell groups apart."""
    truth = truth_of("cubic", "ulbd-off-mesh")
    if not coins:
        n = 72
        lines = LineList(
            np.zeros(n + 1, dtype=np.int64), np.empty(0), np.empty(0, dtype=np.float32)
        )
        samples = Samples(truth.samples.ids, truth.samples.spacegroup, CANONICAL, lines)
        truth = TestSet(SetSpec.parse("cddd"), "cubic", "amcsd", samples, 0)
    draw = np.random.default_rng(3)
    values = draw.dirichlet(np.full(36, 0.1), len(truth)) + 1e-6
    found = score_of(truth, values, scheme)
    assert found.top == found.raw
    assert 0 < found.top[0] < 1
    favoured = values.copy()
    favoured[np.arange(len(truth)), truth.samples.spacegroup - 195] += 2
    assert score_of(truth, favoured, scheme).top[0] == 1


@pytest.mark.parametrize("family", ["cubic", "trigonal-hexagonal"])
@pytest.mark.parametrize("accuracy", ["even", "hard small classes"])
def test_the_interval_covers_the_true_accuracy(family, accuracy):
    """Of 400 test sets of a model with known accuracies; and it never passes the ceiling."""
    groups = family_spacegroups(family)
    classes = class_labels(groups)
    size = np.bincount(classes)
    right = np.full(len(size), 0.8) if accuracy == "even" else np.where(size <= 2, 0.5, 0.97)
    n = 3 * len(groups)
    lines = LineList(np.zeros(n + 1, dtype=np.int64), np.empty(0), np.empty(0, dtype=np.float32))
    ids = tuple(map(str, range(n)))
    draw = np.random.default_rng(4)
    covered = 0
    true = (right / size)[classes].mean()
    for _ in range(400):
        label, alike, values = simulated(family, right, 3, draw)
        samples = Samples(ids, label + groups[0], CANONICAL, lines)
        truth = TestSet(SetSpec.parse("ulbd-off-mesh"), family, "designed", samples, 3, alike=alike)
        found = score_of(truth, values)
        covered += found.top_low[0] <= true <= found.top_high[0]
        assert found.top_high[0] <= found.ceiling[0] + 1e-12
    assert covered >= 0.93 * 400
