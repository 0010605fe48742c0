"""From a trained network and its scores to reference weights, where rounding changes no answer."""

import platform
from collections.abc import Sequence
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import torch

from sgbench.errors import SgbenchError
from sgbench.evaluation import Predictions, predict_set, read_score
from sgbench.pretrained._weights import HOME, Figures, Pretrained, Rounding, write_pretrained
from sgbench.sets import DESIGNED, SetSpec, TestSet, family_set, open_test_set
from sgbench.training import TrainedModel, load_model, restore_network
from sgbench.version import __version__

_CPU = torch.device("cpu")
# A probability may move by so much.
_LARGEST = 1e-3
# Tensors of fewer numbers stay in single precision. They are a tenth of the reference network's
# file, and most of what half precision would change (docs/reference-weights.md).
_HALVED_FROM = 100_000
# What these lie in is the exporter's.
_NOT_EXPORTED = ("mlflow_run", "mlflow_experiment")
# Only designed patterns went in, which are sgbench's own.
_LICENCE = "MIT"


def export_weights(
    model: Path, scores: Sequence[Path], home: Path = HOME, per_spacegroup: int = 50
) -> Path:
    """Write the weights of a trained network in half precision, with what is known of them.

    Both precisions answer held-out patterns of the law that the network was trained on. No
    probability, of a space group or of an extinction class, may differ by more than 0.001, and the
    most probable class must be the same wherever such a difference cannot swap the two most
    probable ones, that is, where they are more than 0.002 apart. Nearer ones are ties within what
    is allowed, and are counted.

    Parameters
    ----------
    model : Path
        As `train` writes it.
    scores : sequence of Path
        Files of its scores.
    home : Path, optional
        Folder of weights, by default that of the package.
    per_spacegroup : int, optional
        Held-out patterns a space group.

    Returns
    -------
    Path
        Of the weights; their description lies beside them.

    Raises
    ------
    SgbenchError
        If it is no network of a designed set, the scores are another model's, or half precision
        changes its answers; nothing is written then.
    """
    trained = load_model(model, _CPU)
    if not isinstance(trained, TrainedModel):
        raise SgbenchError(
            f"{model} holds '{trained.spec.name}', an estimator; expected a network. Name one."
        )
    train_set = SetSpec.parse(trained.provenance["plan"]["dataset"])
    if train_set.origin != DESIGNED:
        raise SgbenchError(
            f"{model} was trained on {train_set.name}, whose structures have a licence of their "
            "own; expected a network of a designed set. Name one."
        )
    provenance = {k: v for k, v in trained.provenance.items() if k not in _NOT_EXPORTED}
    figures = tuple(_figures(path, provenance) for path in scores)
    if not figures:
        raise SgbenchError(
            f"there is no score of {model}; expected the files that `sgbench evaluate` makes of "
            "its predictions. Name at least one."
        )
    halves = {
        name: value.half() if value.is_floating_point() and value.numel() >= _HALVED_FROM else value
        for name, value in trained.network.state_dict().items()
    }
    described = Pretrained(
        provenance, "", figures, _rounding(model, trained, halves, train_set, per_spacegroup),
        _LICENCE, _versions(),
    )  # fmt: skip
    return write_pretrained(halves, described, home)


def _figures(path: Path, provenance: dict[str, Any]) -> Figures:
    """Return the figures of a score, once it is found to be the model's."""
    found = read_score(path)
    for name in ("plan_sha256", "dataset_sha256"):
        if found.provenance.get(name) != provenance.get(name):
            raise SgbenchError(
                f"{path} is a score of another training ({name} differs); expected one of this "
                "model. Predict and evaluate again, or name its own."
            )
    return Figures.of(found)


def _rounding(
    model: Path,
    trained: TrainedModel,
    halves: dict[str, torch.Tensor],
    train_set: SetSpec,
    per_spacegroup: int,
) -> Rounding:
    """Compare the answers of both precisions.

    Raises
    ------
    SgbenchError
        If they differ by too much.
    """
    spec = replace(train_set, part="off-mesh", family="", mesh=None)
    dataset = family_set(train_set.family, train_set.protocol)
    truth = open_test_set(spec, dataset, per_spacegroup)
    wanted = trained.network.state_dict()
    rounded = {name: value.to(wanted[name].dtype) for name, value in halves.items()}
    other = restore_network(model, trained.provenance, rounded, _CPU)
    found = compared(predict_set(trained, truth, _CPU), predict_set(other, truth, _CPU), truth)
    if found.largest > _LARGEST:
        raise SgbenchError(
            f"half precision moves a probability of {model} by {found.largest:.1e} on "
            f"{truth.name}; expected at most {_LARGEST:g}. Train it longer, or keep it as it is."
        )
    return found


def compared(full: Predictions, half: Predictions, truth: TestSet) -> Rounding:
    """Return how far the answers of two precisions are apart."""
    by_class = full.by_class().probabilities, half.by_class().probabilities
    apart = np.diff(np.sort(by_class[0], axis=1)[:, -2:], axis=1)[:, 0]
    swapped = by_class[0].argmax(axis=1) != by_class[1].argmax(axis=1)
    differences = (full.probabilities - half.probabilities, by_class[0] - by_class[1])
    return Rounding(
        truth.name,
        truth.checksum(),
        len(truth),
        max(float(np.abs(one).max()) for one in differences),
        near_ties=int((apart <= 2 * _LARGEST).sum()),
        swapped=int(swapped.sum()),
    )


def _versions() -> dict[str, str]:
    others = {name: version(name) for name in ("numpy", "safetensors", "torch")}
    return {"sgbench": __version__, "python": platform.python_version(), **others}
