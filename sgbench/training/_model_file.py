"""Trained networks and their files."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from sgbench.datasets import ULBD, Ulbd
from sgbench.errors import SgbenchError
from sgbench.files import write_atomically
from sgbench.models import ModelSpec, get_model


@dataclass(frozen=True)
class TrainedModel:
    """A trained network and where it comes from."""

    spec: ModelSpec
    network: torch.nn.Module
    provenance: dict[str, Any]

    @property
    def dataset(self) -> Ulbd:
        """The designed dataset that it was trained on."""
        return ULBD[self.provenance["plan"]["dataset"]]


def save_model(path: Path, trained: TrainedModel) -> None:
    """Write weights and provenance; `load_model` reads them without unpickling objects."""
    with write_atomically(path) as temporary:
        torch.save(
            {
                "weights": trained.network.state_dict(),
                "provenance": json.dumps(trained.provenance),
            },
            temporary,
        )


def load_model(path: Path, device: torch.device) -> TrainedModel:
    """Read a trained network.

    Raises
    ------
    SgbenchError
        If the file is missing, truncated or something else.
    """
    try:
        content = torch.load(path, map_location=device, weights_only=True)
        provenance = json.loads(content["provenance"])
        spec = get_model(provenance["plan"]["model"])
        dataset = ULBD[provenance["plan"]["dataset"]]
        network = spec.build(len(dataset.spacegroups)).to(device)
        network.load_state_dict(content["weights"])
    except SgbenchError:
        raise
    except Exception as error:  # torch.load fails in many ways, all of which mean the same here
        raise SgbenchError(
            f"{path} is not a readable model ({type(error).__name__}); expected a file that "
            "`sgbench train` writes. Train it again."
        ) from error
    return TrainedModel(spec, network, provenance)
