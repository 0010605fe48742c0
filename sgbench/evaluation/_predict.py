"""Predictions of trained networks and of controls, in one shape."""

from typing import TYPE_CHECKING, Any

import numpy as np

from sgbench.datasets import EvaluationSet, Ulbd
from sgbench.diffraction import render
from sgbench.evaluation._predictions import Predictions
from sgbench.models import control_probabilities

if TYPE_CHECKING:
    import torch

    from sgbench.training import TrainedModel

_BATCH = 256


def predict_set(
    trained: "TrainedModel", truth: EvaluationSet, device: "torch.device"
) -> Predictions:
    """Predict a test set with a trained network."""
    import torch

    network = trained.network.to(device).eval()
    on_device = device if device.type != "cpu" else None
    parts = []
    with torch.inference_mode():
        for first in range(0, len(truth), _BATCH):
            chunk = truth.lines.take(np.arange(first, min(first + _BATCH, len(truth))))
            patterns = torch.as_tensor(render(chunk, truth.protocol, on_device))
            logits = network(trained.spec.scale_input(patterns))
            parts.append(torch.softmax(logits.double(), dim=1).float().cpu().numpy())
    plan = trained.provenance["plan"]
    kept = (
        "model_version", "dataset_sha256", "hardware", "parameters", "train_patterns",
        "train_seconds", "plan_sha256", "scale", "mlflow_run",
    )  # fmt: skip
    return Predictions(
        truth.sample_ids,
        "spacegroup",
        trained.dataset.spacegroups,
        np.concatenate(parts),
        {
            "model": plan["model"],
            "train_set": plan["dataset"],
            "seed": plan["seed"],
            **{name: trained.provenance.get(name) for name in kept},
            **_test(truth, trained.dataset),
        },
    )


def predict_control(
    name: str, dataset: Ulbd, truth: EvaluationSet, class_scheme: str, scale: str
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


def _test(truth: EvaluationSet, dataset: Ulbd) -> dict[str, Any]:
    return {
        "test_set": truth.name,
        "dataset": dataset.name,
        "per_spacegroup": truth.per_spacegroup,
    }
