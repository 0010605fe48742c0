"""Models in memory, over patterns of a few points: what they are called with does not matter."""

import numpy as np
import pytest
import torch
from onnx_examples import N_LABELS

from sgbench.errors import SgbenchError
from sgbench.submission import Track, evaluate
from sgbench.submission._adapters import probabilities_of

LABELS = (3, 4, 7)
RNG = np.random.default_rng(0)
BATCHES = [RNG.random((5, 8), dtype=np.float32), RNG.random((3, 8), dtype=np.float32)]
LOGITS = RNG.normal(size=(8, 3))
PROBABILITIES = np.exp(LOGITS) / np.exp(LOGITS).sum(axis=1, keepdims=True)


class Recalling:
    """Answers with given numbers, row by row."""

    def __init__(self, answers, convert=lambda x: x):
        self.answers, self.place, self.convert = np.asarray(answers), 0, convert

    def __call__(self, patterns):
        self.place += len(patterns)
        return self.convert(self.answers[self.place - len(patterns) : self.place])


class Module(torch.nn.Module):
    def __init__(self, answers, convert=torch.as_tensor):
        super().__init__()
        self.recall = Recalling(answers, convert)

    def forward(self, patterns):
        assert patterns.shape[1:] == (1, 8)
        return self.recall(patterns)


class Classifier:
    def __init__(self, classes, answers=None):
        self.classes_ = classes
        self.answers = answers

    def predict_proba(self, patterns):
        return np.eye(len(self.classes_))[np.zeros(len(patterns), dtype=int)]


def said(model):
    return probabilities_of(model, BATCHES, LABELS)


@pytest.mark.parametrize("kind", [torch.float64, torch.float32, torch.float16, torch.bfloat16])
def test_a_module_that_ends_in_a_softmax_gets_no_other(kind):
    convert = lambda x: torch.as_tensor(x).to(kind)  # noqa: E731
    tolerance = 10 * torch.finfo(kind).eps
    for answers in (LOGITS, PROBABILITIES, np.log(PROBABILITIES)):
        found = said(Module(answers, convert))
        np.testing.assert_allclose(found, PROBABILITIES, atol=tolerance)
        np.testing.assert_allclose(found.sum(axis=1), 1, atol=1e-12)
    # Logits of which some look like probabilities are logits.
    mixed = np.concatenate([np.full((5, 3), 1 / 3), 2 * np.eye(3)])
    assert said(Module(mixed, convert))[5:].max() == pytest.approx(0.787, abs=1e-3)


def test_a_softmax_in_the_module_changes_no_score(samples):
    truth = np.concatenate([one.samples.spacegroup for one in samples.sets])[samples.order]
    sure = np.full((len(truth), N_LABELS), 0.4 / 35)
    sure[np.arange(len(truth)), truth - 195] = 0.6

    class Sure(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.recall = Recalling(sure, torch.as_tensor)

        def forward(self, patterns):
            return self.recall(patterns)

    by_function = evaluate(Recalling(sure), scale="smoke")
    by_module = evaluate(Sure(), scale="smoke")
    for one, other in zip(by_function, by_module, strict=True):
        assert one.top == pytest.approx(other.top, abs=1e-9)
        assert one.ece == pytest.approx(other.ece, abs=1e-6)
    assert by_module[1].class_scheme == "extinction"
    assert by_module[1].top[0] == 1


@pytest.mark.parametrize(
    "convert",
    [
        lambda x: x,
        lambda x: x.tolist(),
        torch.as_tensor,
        lambda x: torch.as_tensor(x, dtype=torch.float64).requires_grad_(),
    ],
)
def test_functions_may_answer_in_any_form_of_numbers(convert):
    np.testing.assert_allclose(said(Recalling(PROBABILITIES, convert)), PROBABILITIES, atol=1e-7)
    whole = said(Recalling(np.eye(3, dtype=bool)[[0, 1, 2, 0, 1, 2, 0, 1]], convert=np.asarray))
    assert whole.dtype == np.float64


@pytest.mark.parametrize(
    ("model", "words"),
    [
        (Module(LOGITS, lambda x: (torch.as_tensor(x),)), "the model's answer is a tuple, not"),
        (Module(LOGITS, lambda x: {"logits": x}), "the model's answer is a dict, not"),
        (Module(LOGITS, lambda x: torch.as_tensor(x)[:, None]), "has shape (5, 1, 3); expected"),
        (lambda x: None, "the model's answer is a NoneType, not"),
        (lambda x: [["0.5", "0.5", "0"]] * len(x), "an array of <U3, not real numbers"),
        (lambda x: [[None] * 3] * len(x), "an array of object, not real numbers"),
        (lambda x: np.full((len(x), 3), 0.5 + 0j), "an array of complex128, not real numbers"),
        (lambda x: [[1, 0, 0], [1]], "the model's answer is a list, not"),
        (lambda x: list(torch.ones(len(x), 3).requires_grad_()), "the model's answer is a list"),
        (lambda x: np.ma.masked_less(np.eye(3)[[0] * len(x)], 0.5), "not real numbers"),
        (lambda x: np.ones(len(x)), "has shape (5,); expected (5, 3)"),
        (lambda x: 1 / 0, "the model fails on patterns of shape (5, 8) (ZeroDivisionError"),
        (Classifier(["P2", "P21"]), "the classifier's class 'P2' is no whole number"),
        (Classifier([3.4, 4.6]), "the classifier's class '3.4' is no whole number"),
        (Classifier([float("nan")]), "the classifier's class 'nan' is no whole number"),
        (Classifier([[3, 4], [4, None]]), "the classifier's class 'None' is no whole number"),
        (Classifier([]), "the classifier's classes_ are empty"),
        (Classifier([3, 3, 4]), "the classifier's classes_ are doubled"),
        (Classifier([0, 1, 2, 3]), "the classifier knows the classes 0 to 3"),
        (Classifier(None), "has no classes_; expected a fitted classifier"),
        (object(), "cannot predict with object"),
    ],
)
def test_what_is_no_answer_is_said_in_a_sentence(model, words):
    with pytest.raises(SgbenchError) as error:
        said(model)
    assert words in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("classes", [[4, 7], [1, 2], [4.0, 7.0], ["4", "7"], np.array([4, 7])])
def test_classes_are_groups_or_places(classes):
    assert said(Classifier(classes)).tolist() == [[0, 1, 0]] * 8


def test_an_unknown_class_scheme():
    with pytest.raises(SgbenchError, match="unknown class scheme 'groups'"):
        Track("ulbd-cubic", "smoke").labels("groups")
