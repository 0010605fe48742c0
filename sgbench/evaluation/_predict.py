"""Predictions of trained models and of controls, in one shape."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from sgbench.datasets import Designed, EvaluationSet, Ulbd, evaluation_dataset, is_held_out
from sgbench.diffraction import FREE_PARAMETERS, LineList, render
from sgbench.errors import SgbenchError
from sgbench.evaluation._predictions import Predictions
from sgbench.models import control_probabilities
from sgbench.symmetry import family_spacegroups

if TYPE_CHECKING:
    import pandas as pd
    import torch

    from sgbench.decoder import Decoded
    from sgbench.training import Trained, TrainedModel

_BATCH, _CPU_BATCH = 256, 32
_Part = TypeVar("_Part")
#: Name of the model that needs no training.
DECODER = "decoder-pawley"


def predict_set(trained: "Trained", truth: EvaluationSet, device: "torch.device") -> Predictions:
    """Predict a test set with a trained model, and measure how fast it goes.

    Raises
    ------
    SgbenchError
        If the model was trained on structures of the test set.
    """
    from sgbench.training import TrainedModel
    from sgbench.training._estimators import estimator_probabilities

    plan = trained.provenance["plan"]
    family = trained.provenance["family"]
    if not is_held_out(truth.name, plan["dataset"]):
        raise SgbenchError(
            f"'{truth.name}' holds structures that a model of {plan['dataset']} was trained on; "
            "expected a set that was held out. Use the one whose name has '-test'."
        )
    spacegroups = family_spacegroups(family)
    if isinstance(trained, TrainedModel):
        parts, speed = _network_probabilities(trained, truth, device)
    else:
        parts, speed = _timed(
            truth.lines,
            _BATCH,
            lambda chunk: estimator_probabilities(
                trained.classifier, trained.spec, chunk, truth.protocol, spacegroups
            ),
        )
    kept = (
        "model_version", "dataset_sha256", "hardware", "parameters", "train_patterns",
        "train_seconds", "plan_sha256", "scale", "mlflow_run", "mlflow_experiment",
    )  # fmt: skip
    return Predictions(
        truth.sample_ids,
        "spacegroup",
        spacegroups,
        np.concatenate(parts),
        {
            "model": plan["model"],
            "train_set": plan["dataset"],
            "seed": plan["seed"],
            **{name: trained.provenance.get(name) for name in kept},
            **_test(truth, evaluation_dataset(plan["dataset"], family)),
        },
        speed,
    )


def _timed(
    lines: LineList, batch: int, predict: Callable[[LineList], _Part]
) -> tuple[list[_Part], float]:
    """Predict in batches; return what each gave, and patterns a second.

    Rendering counts. The first batch does not where there are more, since kernels are compiled and
    memory is set aside in it.
    """
    n, counted = len(lines), 0
    parts = []
    started = time.perf_counter()
    for first in range(0, n, batch):
        parts.append(predict(lines.take(np.arange(first, min(first + batch, n)))))
        if first == 0 and n >= 2 * batch:
            started, counted = time.perf_counter(), batch
    return parts, (n - counted) / (time.perf_counter() - started)


def _network_probabilities(
    trained: "TrainedModel", truth: EvaluationSet, device: "torch.device"
) -> tuple[list[NDArray[np.float32]], float]:
    import torch

    from sgbench.training._device import keep_freed_memory

    network = trained.network.to(device).eval()
    on_cpu = device.type == "cpu"
    on_device = None if on_cpu else device
    if on_cpu:
        keep_freed_memory()

    def predict(chunk: LineList) -> NDArray[np.float32]:
        patterns = torch.as_tensor(render(chunk, truth.protocol, on_device))
        logits = network(trained.spec.scale_input(patterns))
        found: NDArray[np.float32] = torch.softmax(logits.double(), dim=1).float().cpu().numpy()
        return found

    with torch.inference_mode():
        # Activations of few patterns stay in a processor's cache.
        return _timed(truth.lines, _CPU_BATCH if on_cpu else _BATCH, predict)


def predict_control(
    name: str, dataset: Designed, truth: EvaluationSet, class_scheme: str, scale: str
) -> Predictions:
    """Predict a test set with a control."""
    return Predictions(
        truth.sample_ids,
        class_scheme,
        dataset.spacegroups,
        control_probabilities(name, truth.spacegroup, dataset.spacegroups, class_scheme),
        {
            "model": name,
            "train_set": "none",
            "seed": 0,
            "scale": scale,
            "status": "control",
            "parameters": 0,
            "train_patterns": 0,
            **_test(truth, dataset),
        },
    )


def predict_decoder(
    dataset: Ulbd, truth: EvaluationSet, scale: str
) -> tuple[Predictions, "pd.DataFrame"]:
    """Predict a test set with the decoder, which needs no training and is told the family.

    Cells are looked for in the range of the designed dataset.

    Returns
    -------
    Predictions
        Over space groups; those of a class share its probability evenly.
    DataFrame
        The cell found for each sample: its id, the free parameters (NaN where none was found) and
        the misfit.
    """
    import pandas as pd

    from sgbench.decoder import decode, spacegroup_probabilities

    def predict(chunk: LineList) -> "Decoded":
        return decode(
            render(chunk, truth.protocol), truth.protocol, dataset.family, dataset.largest_cell,
            dataset.shortest_edge,
        )  # fmt: skip

    parts, speed = _timed(truth.lines, _BATCH, predict)
    classes = np.concatenate([part.class_probabilities for part in parts])
    cells = pd.DataFrame(
        np.concatenate([part.cells for part in parts]),
        columns=list(FREE_PARAMETERS[dataset.family]),
    )
    cells.insert(0, "sample_id", truth.sample_ids)
    cells["misfit"] = np.concatenate([part.misfit for part in parts])
    predictions = Predictions(
        truth.sample_ids,
        "spacegroup",
        dataset.spacegroups,
        spacegroup_probabilities(classes, dataset.family).astype(np.float32),
        {
            "model": DECODER,
            "train_set": "none",
            "seed": 0,
            "scale": scale,
            "status": "reference",
            "parameters": 0,
            "train_patterns": 0,
            **_test(truth, dataset),
        },
        speed,
    )
    return predictions, cells


def _test(truth: EvaluationSet, dataset: Designed) -> dict[str, Any]:
    return {
        "test_set": truth.name,
        "dataset": dataset.name,
        "per_spacegroup": truth.per_spacegroup,
    }
