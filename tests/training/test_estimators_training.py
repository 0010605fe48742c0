import copy
import json
import zipfile
from dataclasses import replace

import joblib
import numpy as np
import pytest
import skops.io
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from sgbench.diffraction import Samples
from sgbench.errors import SgbenchError
from sgbench.models import get_model
from sgbench.sets import ULBD
from sgbench.training import _estimators
from sgbench.training._estimators import (
    estimator_probabilities,
    fit_estimator,
    load_estimator,
    save_estimator,
)

DATASET = ULBD["ulbd-cubic"]
PROTOCOL, GROUPS = DATASET.protocol, DATASET.spacegroups
NAMES = (
    "extra-trees-suzuki2020",
    "gradient-boosting",
    "nearest-neighbours",
    "random-forest-suzuki2020",
)
PROVENANCE = {"plan": {"model": "some", "seed": 3}, "hardware": "a box with 2 cores – µ"}


def samples(count: int, batch: int = 500, seed: int = 0):
    for first in range(0, count, batch):
        yield DATASET.training_samples(first, min(batch, count - first), seed)


def small(name: str):
    """Return the estimator with fewer trees."""
    spec = get_model(name)
    fewer = {
        "extra-trees-suzuki2020": {"n_estimators": 10},
        "gradient-boosting": {"max_iter": 5},
        "nearest-neighbours": {},
        "random-forest-suzuki2020": {"n_estimators": 10},
    }
    return replace(spec, build=lambda seed: spec.build(seed).set_params(**fewer[name]))


def fitted(name: str, count: int = 1500, **changes):
    return fit_estimator(small(name), samples(count, **changes), seed=0)


@pytest.fixture(scope="module")
def classifiers():
    return {name: fitted(name) for name in NAMES}


@pytest.fixture(scope="module")
def test_set():
    return DATASET.held_out_samples("off-mesh", 10)


def probabilities(name, classifier, test_set):
    return estimator_probabilities(classifier, get_model(name), test_set, GROUPS)


@pytest.mark.parametrize("name", NAMES)
def test_fitting_and_predicting(name, classifiers, test_set):
    found = probabilities(name, classifiers[name], test_set)
    assert found.shape == (360, 36)
    assert found.dtype == np.float32
    assert (found >= 0).all()
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-5)
    by_class = found @ np.eye(17, dtype=np.float32)[DATASET.labels]
    right = (by_class.argmax(axis=1) == DATASET.labels[test_set.spacegroup - GROUPS[0]]).mean()
    # Always naming the largest of the 17 classes gets 8 of the 36 groups, 22 %.
    assert right > (0.4 if name == "nearest-neighbours" else 0.85)


def test_reports_and_batches():
    """What is fitted depends on the samples, not on how they are cut."""
    seen = []
    spec = small("random-forest-suzuki2020")
    one = fit_estimator(spec, samples(700, batch=300), 0, report=seen.append)
    assert seen == [300, 600, 700]
    other = fit_estimator(spec, samples(700, batch=700), 0)
    features = spec.features(next(samples(100, seed=5)).patterns(), PROTOCOL)
    assert np.array_equal(one.predict_proba(features), other.predict_proba(features))


def test_patterns_are_not_kept(monkeypatch):
    largest, original = [], Samples.patterns

    def counted(samples):
        largest.append(len(samples))
        return original(samples)

    monkeypatch.setattr(Samples, "patterns", counted)
    classifier = fitted("random-forest-suzuki2020", 600, batch=100)
    assert largest == [100] * 6
    probabilities("random-forest-suzuki2020", classifier, next(samples(600, batch=600)))
    assert largest[6:] == [256, 256, 88]


@pytest.mark.parametrize("name", NAMES)
def test_threads_do_not_matter(name, classifiers, test_set, monkeypatch):
    seen = []
    original = joblib.parallel_config

    def spied(backend, n_jobs):
        seen.append(n_jobs)
        return original(backend, n_jobs=n_jobs)

    monkeypatch.setattr(joblib, "parallel_config", spied)
    monkeypatch.setattr(_estimators.torch, "get_num_threads", lambda: 3)
    again = fitted(name)
    assert seen == [3]
    expected = probabilities(name, classifiers[name], test_set)
    assert np.array_equal(probabilities(name, again, test_set), expected)


def test_groups_that_training_lacks(test_set):
    whole = next(samples(800, batch=800))
    kept = np.nonzero(np.isin(whole.spacegroup, (200, 215, 230)))[0]
    spec = small("random-forest-suzuki2020")
    few = fit_estimator(spec, [whole.take(kept)], 0)
    found = estimator_probabilities(few, spec, test_set, GROUPS)
    columns = [200 - 195, 215 - 195, 230 - 195]
    assert (np.delete(found, columns, axis=1) == 0).all()
    assert (found[:, columns].max(axis=0) > 0.5).all()
    np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-5)


def test_another_family(classifiers, test_set):
    name = "nearest-neighbours"
    with pytest.raises(SgbenchError, match="fitted on space group 195; expected groups of 75-142"):
        estimator_probabilities(classifiers[name], get_model(name), test_set, tuple(range(75, 143)))


# Files.


@pytest.mark.parametrize("name", NAMES)
def test_a_file_predicts_the_same_bits(name, classifiers, test_set, tmp_path):
    path = tmp_path / "folder" / "model.pt"
    save_estimator(path, classifiers[name], PROVENANCE)
    assert [p.name for p in path.parent.iterdir()] == ["model.pt"]
    loaded, provenance = load_estimator(path)
    assert provenance == PROVENANCE
    assert type(loaded) is type(classifiers[name])
    expected = probabilities(name, classifiers[name], test_set)
    assert np.array_equal(probabilities(name, loaded, test_set), expected)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("share", [0.0, 0.3, 0.9, 0.999])
def test_a_truncated_file(name, share, classifiers, tmp_path):
    save_estimator(tmp_path / "a.pt", classifiers[name], PROVENANCE)
    content = (tmp_path / "a.pt").read_bytes()
    (tmp_path / "a.pt").write_bytes(content[: int(share * len(content))])
    with pytest.raises(SgbenchError, match="not a readable estimator"):
        load_estimator(tmp_path / "a.pt")


def test_flipped_bytes(classifiers, tmp_path):
    """The archive's checksums show any change of what matters."""
    save_estimator(tmp_path / "a.pt", classifiers["random-forest-suzuki2020"], PROVENANCE)
    content = bytearray((tmp_path / "a.pt").read_bytes())
    for place in np.linspace(1000, 0.8 * len(content), 5).astype(int):
        damaged = content.copy()
        damaged[place] ^= 0xFF
        (tmp_path / "b.pt").write_bytes(damaged)
        with pytest.raises(SgbenchError, match="not a readable estimator"):
            load_estimator(tmp_path / "b.pt")


def test_no_file(tmp_path):
    with pytest.raises(SgbenchError, match=r"none\.pt is missing"):
        load_estimator(tmp_path / "none.pt")


def test_files_of_something_else(tmp_path):
    (tmp_path / "a.pt").write_text("step,patterns\n")
    with zipfile.ZipFile(tmp_path / "b.pt", "w") as archive:
        archive.writestr("data.pkl", b"cos\nsystem\n(S'true'\ntR.")
    with zipfile.ZipFile(tmp_path / "c.pt", "w") as archive:
        archive.writestr("schema.json", json.dumps({"x": 1}))
    joblib.dump({"classifier": 1}, tmp_path / "d.pt")
    for name in "abcd":
        with pytest.raises(SgbenchError, match="not a readable estimator"):
            load_estimator(tmp_path / f"{name}.pt")


def write(path, content):
    skops.io.dump(content, path)
    return path


def test_what_no_estimator_needs_is_refused(classifiers, tmp_path):
    """Also where skops itself would trust it."""
    features = np.random.default_rng(0).random((20, 3))
    labels = np.arange(20) % 2
    regression = LogisticRegression().fit(features, labels)
    hidden = copy.copy(classifiers["nearest-neighbours"])
    hidden._tree = regression
    for classifier in (regression, hidden, np.sqrt, print):
        path = write(tmp_path / "a.pt", {"classifier": classifier, "provenance": "{}"})
        with pytest.raises(SgbenchError, match=r"it holds (Object|Function|Type|UFunc)"):
            load_estimator(path)


def test_content_that_is_no_classifier(classifiers, tmp_path):
    forest = classifiers["random-forest-suzuki2020"]
    for content in (
        {"classifier": forest.estimators_[0], "provenance": "{}"},
        {"classifier": [forest], "provenance": "{}"},
        {"classifier": forest},
        {"classifier": forest, "provenance": "not JSON"},
        [forest],
    ):
        with pytest.raises(SgbenchError, match="not a readable estimator"):
            load_estimator(write(tmp_path / "a.pt", content))


def a_child_outside(forest):
    forest.estimators_[3].tree_.children_left[0] = 10**6


def a_circle(forest):
    forest.estimators_[0].tree_.children_right[0] = 0


def no_such_feature(forest):
    forest.estimators_[0].tree_.feature[0] = 11


def another_number_of_features(forest):
    forest.n_features_in_ = 3


def boosted_child_outside(boosting):
    boosting._predictors[2][1].nodes["right"][0] = 10**6


def boosted_feature(boosting):
    boosting._predictors[0][0].nodes["feature_idx"][0] = -1


def boosted_category(boosting):
    boosting._predictors[0][0].nodes["is_categorical"][0] = 1


def no_such_label(neighbours):
    neighbours._y[4] = 36


def too_few_labels(neighbours):
    neighbours._y = neighbours._y[:-1]


def a_search_tree(neighbours):
    neighbours._fit_method = "kd_tree"


@pytest.mark.parametrize(
    ("name", "damage", "message"),
    [
        ("random-forest-suzuki2020", a_child_outside, "leads outside itself"),
        ("extra-trees-suzuki2020", a_circle, "leads outside itself"),
        ("extra-trees-suzuki2020", no_such_feature, "a feature that is not there"),
        ("extra-trees-suzuki2020", another_number_of_features, "a feature that is not there"),
        ("gradient-boosting", boosted_child_outside, "leads outside itself"),
        ("gradient-boosting", boosted_feature, "a feature that is not there"),
        ("gradient-boosting", boosted_category, "splits on categories"),
        ("nearest-neighbours", no_such_label, "has no class"),
        ("nearest-neighbours", too_few_labels, "has no class"),
        ("nearest-neighbours", a_search_tree, "holds a search tree"),
    ],
)
def test_forged_indices_never_reach_compiled_code(name, damage, message, classifiers, tmp_path):
    forged = copy.deepcopy(classifiers[name])
    damage(forged)
    save_estimator(tmp_path / "a.pt", forged, PROVENANCE)
    with pytest.raises(SgbenchError, match=message):
        load_estimator(tmp_path / "a.pt")


def test_a_file_is_whole_or_not_there(tmp_path, monkeypatch, classifiers):
    small = KNeighborsClassifier(1, algorithm="brute").fit(np.eye(3), [195, 196, 197])
    save_estimator(tmp_path / "a.pt", small, PROVENANCE)
    before = (tmp_path / "a.pt").read_bytes()

    def dies(content, path, **settings):
        path.write_bytes(b"half")
        raise OSError("disk full")

    monkeypatch.setattr(skops.io, "dump", dies)
    with pytest.raises(SgbenchError, match="disk full"):
        save_estimator(tmp_path / "a.pt", classifiers["nearest-neighbours"], PROVENANCE)
    assert (tmp_path / "a.pt").read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["a.pt"]
