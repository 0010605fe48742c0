"""Each estimator by itself: its settings, and what it learns from a small problem."""

import numpy as np
import pytest

from sgbench.diffraction import render
from sgbench.models import EstimatorSpec, get_model, model_names
from sgbench.sets import ULBD

NAMES = (
    "extra-trees-suzuki2020",
    "gradient-boosting",
    "nearest-neighbours",
    "random-forest-suzuki2020",
)
DATASET = ULBD["ulbd-cubic"]
# Lattice centrings and glide planes that the first lines of a pattern tell apart: P, I and F.
GROUPS = (221, 229, 225)


@pytest.fixture(scope="module")
def patterns():
    """Patterns of three space groups for training, and as many off the mesh."""
    training = DATASET.training_recipes(0, 8000, seed=0)
    training = training.take(np.nonzero(np.isin(training.spacegroup, GROUPS))[0])
    test = DATASET.held_out_recipes("off-mesh", 50)
    test = test.take(np.nonzero(np.isin(test.spacegroup, GROUPS))[0])
    return [(render(DATASET.lines(r), DATASET.protocol), r.spacegroup) for r in (training, test)]


def test_the_estimators_are_registered():
    found = [name for name in model_names() if isinstance(get_model(name), EstimatorSpec)]
    assert set(NAMES) <= set(found)


@pytest.mark.parametrize("name", NAMES)
def test_defaults_are_a_number_of_patterns(name):
    spec = get_model(name)
    assert spec.paper
    assert set(spec.defaults) == {"patterns"}
    assert spec.defaults["patterns"] >= 20_000


def test_the_trees_are_those_of_the_authors_notebook():
    trees = get_model("extra-trees-suzuki2020").build(7)
    assert (trees.n_estimators, trees.max_depth, trees.max_features) == (50, 25, None)
    assert (trees.random_state, trees.bootstrap, trees.min_samples_leaf) == (7, False, 1)
    forest = get_model("random-forest-suzuki2020").build(7)
    assert (forest.n_estimators, forest.max_depth, forest.max_features) == (50, 25, "sqrt")
    assert (forest.random_state, forest.bootstrap) == (7, True)


@pytest.mark.parametrize("name", NAMES)
def test_learning_three_centrings(name, patterns):
    spec = get_model(name)
    (train, spacegroup), (test, truth) = patterns
    classifier = spec.build(0).fit(spec.features(train, DATASET.protocol), spacegroup)
    probabilities = classifier.predict_proba(spec.features(test, DATASET.protocol))
    assert sorted(classifier.classes_) == sorted(GROUPS)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-6)
    right = classifier.classes_[probabilities.argmax(axis=1)] == truth
    assert right.mean() > (0.65 if name == "nearest-neighbours" else 0.95)


@pytest.mark.parametrize("name", NAMES)
def test_the_seed_decides(name, patterns):
    spec = get_model(name)
    (train, spacegroup), (test, _) = patterns
    features = spec.features(train, DATASET.protocol)
    seen = spec.features(test, DATASET.protocol)
    one, same, other = (
        spec.build(seed).fit(features, spacegroup).predict_proba(seen) for seed in (1, 1, 2)
    )
    assert np.array_equal(one, same)
    # Neighbours involve no chance, and boosting none where it uses all samples and features.
    assert np.array_equal(one, other) == (name in ("nearest-neighbours", "gradient-boosting"))
