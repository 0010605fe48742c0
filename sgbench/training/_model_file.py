"""Trained models and their files."""

import csv
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_type_hints

import numpy as np
import torch

from sgbench.checked import Count, FileKind, NotNegative, Number, Text, printed, record
from sgbench.diffraction import PROTOCOLS
from sgbench.errors import SgbenchError
from sgbench.files import write_atomically
from sgbench.models import EstimatorSpec, ModelSpec, NetworkSpec, TrainingPlan, get_model
from sgbench.sets import DESIGNED, SetSpec, open_training_set
from sgbench.symmetry import family_spacegroups
from sgbench.training._estimators import load_estimator, save_estimator
from sgbench.training._progress import Progress
from sgbench.training._torch_files import save_torch

if TYPE_CHECKING:
    from sklearn.base import ClassifierMixin


_KIND = FileKind("a readable model", "a file that `sgbench train` writes. Train it again.")
# Earlier versions gave the warm-up as a share.
_PLAN = get_type_hints(TrainingPlan) | {"seed": Count, "warmup": Number | None}
_Validation: Any = record("Validation", dict.fromkeys(get_type_hints(Progress), Number))
# What predicting, scoring and the history lean on; there may be more.
_ORIGIN = record(
    "Origin",
    {
        "plan": record(
            "Plan", _PLAN, _PLAN.keys() - {"model", "dataset", "seed"}
        ),
        "history": list[_Validation],
        **dict.fromkeys(("family", "scale", "hardware", "dataset_sha256", "plan_sha256"), Text),
        **dict.fromkeys(("parameters", "train_patterns", "train_seconds"), NotNegative),
    },
    (
        "history", "family", "scale", "hardware", "dataset_sha256", "plan_sha256", "parameters",
        "train_patterns", "train_seconds",
    ),
    others=True,
)  # fmt: skip


@dataclass(frozen=True)
class TrainedModel:
    """A trained network and where it comes from."""

    spec: NetworkSpec
    network: torch.nn.Module
    provenance: dict[str, Any]


@dataclass(frozen=True)
class FittedEstimator:
    """A fitted scikit-learn classifier and where it comes from."""

    spec: EstimatorSpec
    classifier: "ClassifierMixin"
    provenance: dict[str, Any]


Trained = TrainedModel | FittedEstimator


def save_model(path: Path, trained: Trained) -> None:
    """Write a model and its provenance; `load_model` reads them without unpickling objects."""
    if isinstance(trained, FittedEstimator):
        save_estimator(path, trained.classifier, trained.provenance)
        return
    content = {
        "weights": trained.network.state_dict(), "provenance": json.dumps(trained.provenance),
    }  # fmt: skip
    save_torch(path, content)


def load_model(path: Path, device: torch.device) -> Trained:
    """Read a trained model.

    Raises
    ------
    SgbenchError
        If the file is missing, truncated or something else.
    """
    path = Path(path)
    if _is_estimator(path):
        classifier, stated = load_estimator(path)
        provenance, spec = _origin(path, stated)
        if not isinstance(spec, EstimatorSpec):
            raise _KIND.damaged(path, f"'{spec.name}' is no estimator")
        with _KIND.decoding(path):
            _try(classifier, spec, SetSpec.parse(provenance["plan"]["dataset"]))
        return FittedEstimator(spec, classifier, provenance)
    with _KIND.decoding(path):
        if path.is_file() and not zipfile.is_zipfile(path):  # torch speaks of its opcodes then
            raise _KIND.damaged(path, "it is no archive of tensors")
        content = torch.load(path, map_location=device, weights_only=True)
        weights, text = content["weights"], content["provenance"].encode()
    return restore_network(path, _KIND.parse_json(path, text), weights, device)


def restore_network(
    path: Path,
    stated: object,
    weights: Mapping[str, torch.Tensor],
    device: torch.device,
    kind: FileKind = _KIND,
) -> TrainedModel:
    """Return a network with weights from a file, once they are found to fit.

    Parameters
    ----------
    path : Path
        Of the file, which an error names.
    stated : object
        What the file says of where the weights come from.
    weights : mapping of str to Tensor
        On the device.
    device : torch.device
    kind : FileKind, optional
        What the file is meant to be.

    Raises
    ------
    SgbenchError
        If the file states no network, or has other weights than that network, or such as are not
        finite.
    """
    provenance, spec = _origin(path, stated, kind)
    if not isinstance(spec, NetworkSpec):
        raise kind.damaged(path, f"'{spec.name}' is no network")
    spacegroups = family_spacegroups(SetSpec.parse(provenance["plan"]["dataset"]).family)
    network = spec.build(len(spacegroups)).to(device)
    with kind.decoding(path):
        _check_weights(weights, network.state_dict())
        network.load_state_dict(weights)
    return TrainedModel(spec, network, provenance)


def _origin(path: Path, stated: object, kind: FileKind = _KIND) -> tuple[dict[str, Any], ModelSpec]:
    """Return where a model comes from, and what it is."""
    provenance: dict[str, Any] = kind.checked(path, stated, _ORIGIN)
    plan = provenance["plan"]
    try:
        family_spacegroups(SetSpec.parse(plan["dataset"]).family)
        return provenance, get_model(plan["model"])
    except SgbenchError as error:
        raise kind.damaged(path, printed(str(error))) from None


def _check_weights(found: Mapping[str, Any], wanted: Mapping[str, torch.Tensor]) -> None:
    """Compare weights with a network's; loading would convert other kinds of numbers.

    Raises
    ------
    ValueError
        If a tensor is missing or another, or a weight is not finite.
    """
    if found.keys() != wanted.keys():
        raise ValueError(f"it has other weights: {min(found.keys() ^ wanted.keys())}")
    for name, weight in wanted.items():
        given = found[name]
        if (given.shape, given.dtype, given.layout) != (weight.shape, weight.dtype, weight.layout):
            raise ValueError(f"the weights '{name}' have another shape or kind")
        if not torch.isfinite(given).all():
            raise ValueError(f"the weights '{name}' are not finite")


def _try(classifier: Any, spec: EstimatorSpec, train_set: SetSpec) -> None:
    """Ask an estimator about one pattern, since none of its parts says that it fits the others.

    Raises
    ------
    ValueError
        If it knows other labels than space groups of its family, or other features.
    """
    kind, own = type(classifier).__name__, type(spec.build(0)).__name__
    if kind != own:
        raise ValueError(f"it holds a {kind}, and '{spec.name}' is a {own}")
    classes = np.asarray(classifier.classes_)
    groups = family_spacegroups(train_set.family)
    if classes.dtype.kind not in "iu" or not set(classes.tolist()) <= set(groups):
        raise ValueError("its classes are no space groups of its family")
    if (np.diff(classes) <= 0).any():
        raise ValueError("its classes are not in ascending order")
    protocol = PROTOCOLS[train_set.protocol]
    features = spec.features(np.ones((1, protocol.n_points), dtype=np.float32), protocol)
    answer = classifier.predict_proba(features)
    if answer.shape != (1, len(classes)) or not np.isfinite(answer).all():
        raise ValueError("its answer is none")


def write_history(path: Path, trained: Trained) -> None:
    """Write the validations of a training as CSV, a column a field of `Progress`.

    One more, ``regret``, is the validation loss minus that of the exact posterior on the same
    samples; it is empty where this is not known. An estimator, which is fitted at once, leaves the
    head of the table alone.
    """
    history = trained.provenance["history"]
    least = _least_loss(TrainingPlan(**trained.provenance["plan"])) if history else None
    names = [*(field.name for field in fields(Progress)), "regret"]
    with write_atomically(path) as temporary, open(temporary, "w", newline="") as handle:
        writer = csv.DictWriter(handle, names, lineterminator="\n")
        writer.writeheader()
        for row in history:
            regret = None if least is None else row["validation_loss"] - least
            writer.writerow({**row, "regret": regret})


def _least_loss(plan: TrainingPlan) -> float | None:
    spec = SetSpec.parse(plan.dataset)
    if spec.origin != DESIGNED:
        return None
    return open_training_set(spec).least_validation_loss(plan.validation_per_spacegroup)


def _is_estimator(path: Path) -> bool:
    """Tell the two kinds of files apart: both are archives, and only one has a schema."""
    try:
        with zipfile.ZipFile(path) as archive:
            return "schema.json" in archive.namelist()
    except Exception:  # damage shows in many ways; the reader of networks says that it is none
        return False
