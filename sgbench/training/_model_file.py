"""Trained models and their files."""

import csv
import json
import zipfile
from dataclasses import dataclass, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from sgbench.errors import SgbenchError
from sgbench.files import write_atomically
from sgbench.models import EstimatorSpec, NetworkSpec, get_model
from sgbench.sets import SetSpec
from sgbench.symmetry import family_spacegroups
from sgbench.training._estimators import load_estimator, save_estimator
from sgbench.training._plan import Progress
from sgbench.training._torch_files import save_torch

if TYPE_CHECKING:
    from sklearn.base import ClassifierMixin


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
    if _is_estimator(path):
        classifier, provenance = load_estimator(path)
        found = get_model(provenance["plan"]["model"])
        assert isinstance(found, EstimatorSpec)
        return FittedEstimator(found, classifier, provenance)
    try:
        content = torch.load(path, map_location=device, weights_only=True)
        provenance = json.loads(content["provenance"])
        spec = get_model(provenance["plan"]["model"])
        assert isinstance(spec, NetworkSpec)
        spacegroups = family_spacegroups(SetSpec.parse(provenance["plan"]["dataset"]).family)
        network = spec.build(len(spacegroups)).to(device)
        network.load_state_dict(content["weights"])
    except SgbenchError:
        raise
    except Exception as error:  # torch.load fails in many ways, all of which mean the same here
        raise SgbenchError(
            f"{path} is not a readable model ({type(error).__name__}); expected a file that "
            "`sgbench train` writes. Train it again."
        ) from error
    return TrainedModel(spec, network, provenance)


def write_history(path: Path, trained: Trained) -> None:
    """Write the validations of a training as CSV, a column a field of `Progress`.

    An estimator, which is fitted at once, leaves the head of the table alone.
    """
    with write_atomically(path) as temporary, open(temporary, "w", newline="") as handle:
        writer = csv.DictWriter(handle, [f.name for f in fields(Progress)], lineterminator="\n")
        writer.writeheader()
        writer.writerows(trained.provenance["history"])


def _is_estimator(path: Path) -> bool:
    """Tell the two kinds of files apart: both are archives, and only one has a schema."""
    try:
        with zipfile.ZipFile(path) as archive:
            return "schema.json" in archive.namelist()
    except (OSError, zipfile.BadZipFile):
        return False
