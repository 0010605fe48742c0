"""Classifiers of patterns: scikit-learn's own checks, and what they make of real patterns."""

import numpy as np
import pytest
import torch
from sklearn.base import clone
from sklearn.utils.estimator_checks import parametrize_with_checks
from torch import nn

import sgbench
from sgbench.errors import SgbenchError
from sgbench.estimators import DecoderClassifier, NetworkClassifier
from sgbench.models import REFERENCE, _registry, register_model
from sgbench.sets import SetSpec, open_training_set
from sgbench.submission import _track
from sgbench.symmetry import class_labels, family_spacegroups

SMALL = "small-network-of-a-test"
# The checks that cannot hold, by name, and why. None is known. One is skipped, which needs a
# setting of scipy; where `poor_score` is set, it says what that leaves out.
EXPECTED_FAILURES: dict[str, str] = {}


@pytest.fixture(scope="module", autouse=True)
def _small_network():
    """As deep as the checks need, which fit it some hundred times; no other module knows it."""

    @register_model(SMALL, paper="none")
    def small(n_outputs):
        return nn.Sequential(nn.AvgPool1d(64), nn.Flatten(), nn.Linear(128, n_outputs))

    yield
    del _registry._REGISTRY[SMALL]


@parametrize_with_checks(
    [DecoderClassifier(), NetworkClassifier(SMALL, epochs=2, random_state=0)],
    expected_failed_checks=lambda estimator: EXPECTED_FAILURES,
)
def test_checks_of_scikit_learn(estimator, check):
    check(estimator)


@pytest.fixture(scope="module")
def data():
    samples = open_training_set(SetSpec.parse("ulbd-cubic")).training_samples(0, 60, seed=0)
    return samples.patterns(), samples.spacegroup


def finer(patterns):
    """The same patterns with a point between any two."""
    n = patterns.shape[1]
    place, new = np.arange(n), np.arange(2 * n - 1) / 2
    return np.stack([np.interp(new, place, pattern) for pattern in patterns])


def test_the_decoder_learns_any_label_that_follows_from_symmetry(data):
    patterns, spacegroups = data
    classes = class_labels(family_spacegroups("cubic"))
    symbols = np.array([f"class {classes[number - 195]}" for number in spacegroups])
    decoder = DecoderClassifier("cubic").fit(patterns[:40], symbols[:40])
    assert decoder.labels_of_class_.sum(axis=1) == pytest.approx(1)
    known = np.isin(symbols, decoder.classes_)
    assert known[40:].sum() > 10
    assert decoder.score(patterns[40:][known[40:]], symbols[40:][known[40:]]) == 1
    few = patterns[:3]
    expected = decoder.predict_proba(few)
    np.testing.assert_allclose(decoder.predict_proba(1000 * few), expected, atol=1e-6)
    on_finer = clone(decoder).fit(finer(patterns[:40]), symbols[:40])
    np.testing.assert_allclose(on_finer.predict_proba(finer(few)), expected, atol=1e-4)


def test_the_reference_network_is_trained_from_its_random_state(data):
    patterns, spacegroups = (part[:16] for part in data)
    before = torch.get_rng_state()
    fitted = [
        NetworkClassifier(epochs=1, batch_size=8, random_state=seed).fit(patterns, spacegroups)
        for seed in (1, 1, 2)
    ]
    assert torch.equal(torch.get_rng_state(), before)
    one, same, other = (network.predict_proba(patterns[:2]) for network in fitted)
    np.testing.assert_array_equal(one, same)
    assert not np.allclose(one, other)


def test_a_network_learns_what_it_is_given(data):
    patterns, spacegroups = (part[:20] for part in data)
    network = NetworkClassifier(SMALL, epochs=200, peak_rate=0.01, random_state=0)
    network.fit(patterns, spacegroups)
    assert network.score(patterns, spacegroups) == 1
    expected = network.predict_proba(patterns[:2])
    scaled = torch.as_tensor(patterns[:2])[:, None]
    with torch.inference_mode():
        logits = network.network_(scaled).double()
    np.testing.assert_allclose(torch.softmax(logits, 1).numpy(), expected, atol=1e-6)


def test_they_are_evaluated_as_they_are(data, monkeypatch):
    monkeypatch.setitem(_track.PER_SPACEGROUP, "smoke", 1)
    network = NetworkClassifier(SMALL, epochs=1, random_state=0).fit(*data)
    found = sgbench.evaluate(network, scale="smoke")
    assert repr(found).startswith("NetworkClassifier on ulbd-cubic")


@pytest.mark.parametrize(
    ("estimator", "words"),
    [
        (NetworkClassifier("forest-suzuki2020"), "unknown model"),
        (NetworkClassifier("extra-trees-suzuki2020"), "is no network that learns from labels"),
        (NetworkClassifier("fcn-wang2024.soft"), f"expected one such as {REFERENCE}"),
        (NetworkClassifier(SMALL, epochs=0), "epochs is 0; expected a whole number of at least 1"),
        (NetworkClassifier(SMALL, epochs=1.5), "epochs is 1.5; expected a whole number"),
        (NetworkClassifier(SMALL, batch_size=0), "batch_size is 0; expected a whole number"),
        (NetworkClassifier(SMALL, peak_rate=float("nan")), "peak_rate is nan; expected a number"),
        (NetworkClassifier(SMALL, device="tpu"), "unknown device 'tpu'"),
        (DecoderClassifier("triclinic"), "cannot index the family 'triclinic'"),
        (DecoderClassifier("cubic", largest_cell=(1.0,)), "cannot be searched"),
    ],
)
def test_what_cannot_be_fitted_is_said(data, estimator, words):
    with pytest.raises(SgbenchError, match=words):
        estimator.fit(*data)
