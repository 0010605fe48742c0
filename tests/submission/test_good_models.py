"""ONNX models of scikit-learn and torch score what they score in Python."""

import warnings
from pathlib import Path

import numpy as np
import pytest
from onnx_examples import batch_statistics, contract, linear, save
from submission_examples import CLASSES, LABELS, description, write

from sgbench.submission import check_submission, evaluate, score_submission


@pytest.fixture
def folder(tmp_path):
    found = tmp_path / "submissions" / "mine"
    write(found, description(onnx=contract()))
    return found


@pytest.fixture
def data(samples):
    (patterns,) = samples.patterns(len(samples))
    truth = np.concatenate([one.samples.spacegroup for one in samples.sets])[samples.order]
    return patterns, truth


def agree(folder, model, **options):
    found = check_submission(folder)
    assert not found.problems, "\n".join(map(str, found.problems))
    scores = score_submission(folder)
    expected = evaluate(model, "ulbd-cubic", "smoke", **options)
    assert [(s.test_set, s.class_scheme) for s in scores] == [
        (s.test_set, s.class_scheme) for s in expected
    ]
    for one, other in zip(scores, expected, strict=True):
        assert one.top == pytest.approx(other.top, abs=1e-6)
        assert one.raw == pytest.approx(other.raw, abs=1e-6)
        assert one.ece == pytest.approx(other.ece, abs=1e-4)
        assert one.provenance["patterns_per_second"] > 0
    return scores


def pooled(patterns, width=16):
    return np.sqrt(patterns.reshape(len(patterns), -1, width).max(axis=2))


def test_scikit_learn_by_skl2onnx(folder, data):
    from skl2onnx import to_onnx
    from sklearn.ensemble import ExtraTreesClassifier

    patterns, truth = data
    trees = ExtraTreesClassifier(10, random_state=0).fit(pooled(patterns), truth)
    proto = to_onnx(trees, pooled(patterns[:1]), options={"zipmap": False})
    save(folder, proto)
    takes = contract(
        input="X", output="probabilities", shape=["n", 512], max_pool=16, scaling="sqrt",
    )  # fmt: skip
    write(folder, description(onnx=takes))
    scores = agree(folder, lambda x: trees.predict_proba(pooled(x)))
    assert scores[0].raw[0] == 1  # it was trained on them


def test_torch_by_torch_onnx(folder):
    import torch

    torch.manual_seed(0)
    network = torch.nn.Sequential(
        torch.nn.Conv1d(1, 4, 16, stride=16),
        torch.nn.BatchNorm1d(4),
        torch.nn.ReLU(),
        torch.nn.Dropout(),
        torch.nn.Flatten(),
        torch.nn.Linear(4 * 512, len(LABELS)),
    ).eval()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            network, (torch.rand(2, 1, 8192),), folder / "model.onnx", input_names=["pattern"],
            output_names=["out"], dynamic_shapes=({0: torch.export.Dim("n")},), dynamo=True,
            external_data=False, verbose=False,
        )  # fmt: skip
    write(folder, description(onnx=contract(shape=["n", 1, 8192], gives="logits")))
    agree(folder, network)


def test_a_fixed_batch_is_filled_up(folder, samples):
    assert len(samples) % 7
    save(folder, linear(shape=(7, 8192)))
    write(folder, description(onnx=contract(batch_size=7)))
    weights = np.random.default_rng(0).normal(size=(8192, 36)).astype(np.float32)

    def model(patterns):
        logits = patterns @ weights
        exponential = np.exp(logits - logits.max(axis=1, keepdims=True))
        return exponential / exponential.sum(axis=1, keepdims=True)

    agree(folder, model)


def test_models_over_classes(folder):
    save(folder, linear(n_labels=len(CLASSES)))
    write(folder, description(class_scheme="extinction", onnx=contract()))
    scores = score_submission(folder)
    assert {one.class_scheme for one in scores} == {"extinction"}


def test_missing_labels_have_no_probability(folder):
    save(folder, linear(n_labels=2))
    write(folder, description(onnx=contract(labels=[196, 230])))
    scores = score_submission(folder)
    predicted = {guess for one in scores[:1] for _, guess, _ in one.confusion}
    assert predicted <= {196, 230}


def test_the_example_of_the_project_holds_together():
    root = Path(__file__).parents[2] / "submissions"
    folders = [path for path in root.iterdir() if path.is_dir()]
    assert folders
    for one in folders:
        assert check_submission(one).problems == ()


def test_neighbours_in_a_batch_are_found_out(folder):
    save(folder, batch_statistics())
    (problem,) = check_submission(folder).problems
    assert "depends on the others" in str(problem)


def test_classifiers_are_taken_as_they_are(data):
    from sklearn.neighbors import KNeighborsClassifier

    patterns, truth = data
    by_number = evaluate(KNeighborsClassifier(1).fit(patterns, truth), scale="smoke")
    by_place = evaluate(KNeighborsClassifier(1).fit(patterns, truth - 195), scale="smoke")
    assert [one.top for one in by_number] == [one.top for one in by_place]
    assert [one.raw for one in by_number] == [one.raw for one in by_place]
    assert by_number[0].raw[0] == 1


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (lambda x: np.zeros((len(x), 3)), "has shape"),
        (lambda x: np.zeros((len(x), 36)), "do not sum to 1"),
        (lambda x: np.full((len(x), 36), np.nan), "not finite"),
        (7, "cannot predict with int"),
        ("a word", "a word is missing; expected an ONNX model"),
    ],
)
def test_what_is_no_model_is_refused(model, words):
    with pytest.raises(ValueError, match=words):
        evaluate(model, scale="smoke")
