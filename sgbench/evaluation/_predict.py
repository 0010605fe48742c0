"""Predictions of trained models and of those that need no training, in one shape."""

import time
from collections.abc import Callable, Hashable, Iterable, Iterator
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from sgbench.errors import SgbenchError
from sgbench.evaluation._predictions import Predictions
from sgbench.models import Answer, UntrainedSpec
from sgbench.progress import task
from sgbench.provenance import made_with
from sgbench.sets import SetSpec, TestSet
from sgbench.symmetry import family_spacegroups

if TYPE_CHECKING:
    import torch

    from sgbench.training import Trained, TrainedModel

_BATCH, _CPU_BATCH = 256, 32
_Part = TypeVar("_Part")
_KEPT = (
    "model_version", "dataset_sha256", "hardware", "parameters", "train_patterns",
    "train_seconds", "plan_sha256", "start_sha256", "scale", "mlflow_run", "mlflow_experiment",
)  # fmt: skip


def predict_set(trained: "Trained", truth: TestSet, device: "torch.device") -> Predictions:
    """Predict a test set with a trained model, and measure how fast it goes.

    Raises
    ------
    SgbenchError
        If the model was trained on structures of the test set.
    """
    return next(predict_sets(trained, [truth], device))


def predict_sets(
    trained: "Trained", truths: Iterable[TestSet], device: "torch.device"
) -> Iterator[Predictions]:
    """Predict test sets with a trained model, a structure once however many sets it stands in.

    Yields
    ------
    Predictions
        Of each set in turn. Their speed is that of what was new in the set, or the last one before
        if nothing was.

    Raises
    ------
    SgbenchError
        If the model was trained on structures of a test set.
    """
    plan = trained.provenance["plan"]
    train_set = SetSpec.parse(plan["dataset"])
    structures: dict[Hashable, NDArray[np.float32]] = {}
    speed = None
    for truth in truths:
        if not truth.spec.held_out_from(train_set):
            raise SgbenchError(
                f"'{truth.name}' holds structures that a model of {train_set.name} was trained on; "
                "expected a set that was held out. Use the one whose name has '-test'."
            )
        # A designed sample stands in one set alone.
        known = structures if truth.spec.dataset else {}
        keys = _keys(truth)
        fresh = np.array([i for i, key in enumerate(keys) if key not in known], dtype=np.int64)
        if len(fresh):
            new = truth if len(fresh) == len(truth) else truth.take(fresh)
            parts, speed = _trained_probabilities(trained, new, train_set.family, device)
            known |= zip((keys[i] for i in fresh), np.concatenate(parts), strict=True)
        yield Predictions(
            truth.samples.ids,
            "spacegroup",
            family_spacegroups(train_set.family),
            np.stack([known[key] for key in keys]),
            {
                "model": trained.spec.name,
                "train_set": train_set.name,
                "seed": plan["seed"],
                **{name: trained.provenance.get(name) for name in _KEPT},
                **made_with(),
                **_test(truth, train_set.protocol),
            },
            speed,
        )


def _keys(truth: TestSet) -> list[Hashable]:
    """Return what tells samples apart: all that there is to a structure, or the place in a set."""
    if not truth.spec.dataset:
        return list(range(len(truth)))
    one_each = (truth.samples.take(np.array([i])) for i in range(len(truth)))
    return [(truth.protocol, one.sha256()) for one in one_each]


def _trained_probabilities(
    trained: "Trained", truth: TestSet, family: str, device: "torch.device"
) -> tuple[list[NDArray[np.float32]], float]:
    from sgbench.training import TrainedModel, estimator_probabilities, memory_in_words

    with memory_in_words("predicting", "predict fewer samples a space group"):
        if isinstance(trained, TrainedModel):
            return _network_probabilities(trained, truth, device)
        return _timed(
            truth,
            _BATCH,
            lambda batch: estimator_probabilities(
                trained.classifier, trained.spec, batch.samples, family_spacegroups(family)
            ),
        )


def predict_untrained(
    spec: UntrainedSpec, truth: TestSet, class_scheme: str, scale: str
) -> tuple[Predictions, dict[str, NDArray[Any]]]:
    """Predict a test set with a model that needs no training.

    Returns
    -------
    Predictions
    dict of str to ndarray, shape (n,) each
        What else the model found of each sample.

    Raises
    ------
    SgbenchError
        If the model cannot be asked about the family.
    """
    if truth.family not in spec.families:
        raise SgbenchError(
            f"{spec.name} cannot predict the family '{truth.family}'; expected one of "
            f"{', '.join(spec.families)}. Name one of these."
        )
    answers, speed = _timed(
        truth,
        spec.batch or len(truth),
        lambda batch: spec.answer(batch, class_scheme),
    )
    predictions = Predictions(
        truth.samples.ids,
        class_scheme,
        family_spacegroups(truth.family),
        np.concatenate([one.probabilities for one in answers]),
        {
            "model": spec.name,
            "train_set": "none",
            "seed": 0,
            "scale": scale,
            "status": spec.status,
            "parameters": 0,
            "train_patterns": 0,
            **made_with(),
            **_test(truth, truth.protocol.name),
        },
        # A control that knows the labels reads no pattern, so its speed says nothing.
        None if spec.status == "control" else speed,
    )
    return predictions, _joined(answers)


def _joined(answers: list[Answer]) -> dict[str, NDArray[Any]]:
    return {
        name: np.concatenate([one.details[name] for one in answers]) for name in answers[0].details
    }


def _timed(
    truth: TestSet, batch: int, predict: Callable[[TestSet], _Part]
) -> tuple[list[_Part], float]:
    """Predict in batches; return what each gave, and patterns a second.

    Rendering counts. The first batch does not where there are more, since kernels are compiled and
    memory is set aside in it.
    """
    n, counted = len(truth), 0
    parts = []
    started = time.perf_counter()
    with task(f"predicting {truth.name}", n) as shown:
        for asked in shown.counted(truth.batches(batch)):
            parts.append(predict(asked))
            if len(parts) == 1 and n >= 2 * batch:
                started, counted = time.perf_counter(), batch
    return parts, (n - counted) / (time.perf_counter() - started)


def _network_probabilities(
    trained: "TrainedModel", truth: TestSet, device: "torch.device"
) -> tuple[list[NDArray[np.float32]], float]:
    import torch

    from sgbench.training import keep_freed_memory

    network = trained.network.to(device).eval()
    on_cpu = device.type == "cpu"
    on_device = None if on_cpu else device
    if on_cpu:
        keep_freed_memory()

    def predict(asked: TestSet) -> NDArray[np.float32]:
        patterns = torch.as_tensor(asked.samples.patterns(on_device))
        logits = network(trained.spec.scale_input(patterns))
        found: NDArray[np.float32] = torch.softmax(logits.double(), dim=1).float().cpu().numpy()
        return found

    with torch.inference_mode():
        # Activations of few patterns stay in a processor's cache.
        return _timed(truth, _CPU_BATCH if on_cpu else _BATCH, predict)


def _test(truth: TestSet, protocol: str) -> dict[str, Any]:
    return {
        "test_set": truth.name,
        "family": truth.family,
        "protocol": protocol,
        "source": truth.source,
        "per_spacegroup": truth.per_spacegroup,
    }
