"""What lives in Python as one function: from patterns to numbers over the labels, checked."""

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sgbench.checked import FileKind
from sgbench.errors import SgbenchError
from sgbench.files import require_file

#: Patterns, shape (n, 8192), to probabilities or logits.
Predict = Callable[[NDArray[np.float32]], Any]

# Rows of numbers from 0 to 1 that add up to 1 within this are probabilities and no logits: half
# precision is as coarse.
_COARSE = 1e-2
_UNREADABLE = FileKind("a readable model", "an ONNX file that ONNX Runtime takes. Export it again.")
_MEND = "Mend it, or choose another track or class scheme."


def probabilities_of(
    model: Any, batches: Iterable[NDArray[np.float32]], labels: tuple[int, ...]
) -> NDArray[np.float64]:
    """Return what a model says of patterns.

    Parameters
    ----------
    model : callable, scikit-learn classifier, torch.nn.Module, or path of an ONNX file
    batches : iterable of ndarray of float32, shape (m, 8192)
    labels : tuple of int
        Space groups that columns stand for.

    Returns
    -------
    ndarray, shape (n, n_labels)
        As the model gives them; what a module or a file gives is made probabilities, if it is
        logits.

    Raises
    ------
    SgbenchError
        If the model cannot be called, fails, or answers with anything but numbers in a row a
        pattern and a column a label.
    """
    predict, may_give_logits = _function_of(model, labels)
    parts = []
    for patterns in batches:
        try:
            answer = predict(patterns)
        except SgbenchError:
            raise
        except Exception as error:
            raise SgbenchError(
                f"the model fails on patterns of shape {patterns.shape} ({_in_short(error)}); "
                "expected an answer. Mend it."
            ) from error
        parts.append(_numbers(answer, (len(patterns), len(labels))))
    values = np.concatenate(parts)
    if not may_give_logits:
        return values
    if are_probabilities(values):
        return np.asarray(values / values.sum(axis=1, keepdims=True))
    return softmax(values)


def are_probabilities(values: NDArray[np.floating[Any]]) -> bool:
    """Tell whether rows are probabilities already, which logits of many patterns never look like.

    Another softmax would make them all but equal.
    """
    off = np.abs(values.sum(axis=1, dtype=np.float64) - 1)
    return bool(np.all((values >= 0) & (values <= 1 + _COARSE)) and np.all(off <= _COARSE))


def softmax(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return probabilities, shape (n, n_labels); NaN for rows that hold anything not finite."""
    finite = np.isfinite(logits).all(axis=1, keepdims=True)
    shifted = np.where(finite, logits, np.nan)
    exponential = np.exp(shifted - shifted.max(axis=1, keepdims=True))
    return np.asarray(exponential / exponential.sum(axis=1, keepdims=True))


def _function_of(model: Any, labels: tuple[int, ...]) -> tuple[Predict, bool]:
    """Return a function, and whether it may give logits."""
    if isinstance(model, str | Path):
        return _of_onnx(Path(model)), True
    torch = sys.modules.get("torch")  # a module of torch exists only where torch does
    if torch is not None and isinstance(model, torch.nn.Module):
        return _of_module(model), True
    if hasattr(model, "predict_proba"):
        return _of_classifier(model, labels), False
    if callable(model):
        return model, False
    raise SgbenchError(
        f"cannot predict with {type(model).__name__}; expected a function, a scikit-learn "
        "classifier with predict_proba, a torch.nn.Module, or the path of an ONNX file. Wrap it "
        "in a function."
    )


def _of_module(module: Any) -> Predict:
    import torch

    parameter = next(module.parameters(), None)
    device = torch.device("cpu") if parameter is None else parameter.device

    def predict(patterns: NDArray[np.float32]) -> Any:
        was_training = module.training
        module.eval()
        try:
            with torch.inference_mode():
                return module(torch.as_tensor(patterns, device=device)[:, None, :])
        finally:
            module.train(was_training)

    return predict


def _of_onnx(path: Path) -> Predict:
    import onnxruntime

    require_file(path, "an ONNX model. Export it again.")
    try:
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    except Exception as error:  # of many kinds, all of which mean the same here
        raise _UNREADABLE.damaged(path, _in_short(error)) from None
    inputs, outputs = session.get_inputs(), [one.name for one in session.get_outputs()]
    if len(inputs) != 1:
        raise _UNREADABLE.damaged(path, f"it has {len(inputs)} inputs, and patterns are one")
    (takes,) = inputs
    # scikit-learn's converters put the most probable label first.
    gives = "probabilities" if "probabilities" in outputs else outputs[0]

    def predict(patterns: NDArray[np.float32]) -> Any:
        shaped = patterns[:, None, :] if len(takes.shape) == 3 else patterns
        return session.run([gives], {takes.name: shaped})[0]

    return predict


def _in_short(error: Exception) -> str:
    return " ".join(f"{type(error).__name__}: {error}".split())[:100]


def _of_classifier(classifier: Any, labels: tuple[int, ...]) -> Predict:
    known = _classes(classifier)
    if set(known) <= set(labels):
        columns = np.searchsorted(labels, known)
    elif set(known) <= set(range(len(labels))):
        columns = np.array(known)
    else:
        raise SgbenchError(
            f"the classifier knows the classes {min(known)} to {max(known)}; expected space groups "
            f"of {labels[0]} to {labels[-1]}, or labels counted from 0. Choose another track."
        )

    def predict(patterns: NDArray[np.float32]) -> Any:
        found = _numbers(classifier.predict_proba(patterns), (len(patterns), len(known)))
        values = np.zeros((len(patterns), len(labels)))
        values[:, columns] = found
        return values

    return predict


def _classes(classifier: Any) -> list[int]:
    """Return a classifier's classes as whole numbers."""
    given = getattr(classifier, "classes_", None)
    if given is None:
        raise SgbenchError(
            f"the {type(classifier).__name__} has no classes_; expected a fitted classifier. Fit "
            "it, or wrap it in a function."
        )
    known = []
    for one in np.asarray(given, dtype=object).ravel():
        try:
            number = int(one)
            is_whole = isinstance(one, str) or bool(number == one)
        except (TypeError, ValueError, OverflowError):
            is_whole = False
        if not is_whole:
            raise SgbenchError(
                f"the classifier's class {str(one)[:40]!r} is no whole number; expected numbers "
                "of space groups, or labels counted from 0. Fit it to those."
            )
        known.append(number)
    if not known or len(set(known)) < len(known):
        raise SgbenchError(
            f"the classifier's classes_ are {'doubled' if known else 'empty'}; expected each "
            "class once. Fit it to numbers of space groups."
        )
    return known


def _numbers(answer: Any, shape: tuple[int, int]) -> NDArray[np.float64]:
    """Return an answer as numbers of a shape; raise where it is something else."""
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(answer, torch.Tensor):
        answer = answer.detach().cpu()
        answer = answer.double().numpy() if answer.is_floating_point() else answer.numpy()
    is_sequence = isinstance(answer, list | np.ndarray) or hasattr(answer, "__array__")
    try:
        values = np.asarray(answer) if is_sequence else None
    except (RuntimeError, TypeError, ValueError):  # rows of unequal length, tensors in a list
        values = None
    if values is None or values.dtype.kind not in "fiub" or np.ma.is_masked(answer):
        kind = f"a {type(answer).__name__}" if values is None else f"an array of {values.dtype}"
        raise SgbenchError(
            f"the model's answer is {kind}, not real numbers in rows of equal "
            f"length; expected an array of shape {shape}. {_MEND}"
        )
    if values.shape != shape:
        raise SgbenchError(
            f"the model's answer has shape {values.shape}; expected {shape}, a row a pattern and a "
            f"column a label. {_MEND}"
        )
    return values.astype(np.float64)
