"""Weights and their descriptions: what they say, and how they are found, checked and loaded."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

from annotated_types import Len

from sgbench.checked import Count, FileKind, NotNegative, Several, Text, record
from sgbench.errors import SgbenchError
from sgbench.evaluation import Score
from sgbench.files import all_or_none, write_atomically
from sgbench.symmetry import TOP_K

if TYPE_CHECKING:
    import torch

    from sgbench.training import TrainedModel

#: Where the weights lie that come with the package.
HOME = Path(__file__).parent / "weights"
#: What all of them may take, and so one of them.
MOST_BYTES = 40_000_000

_DESCRIPTION, _WEIGHTS = ".json", ".safetensors"
_KIND = FileKind(
    "readable reference weights",
    "what `sgbench export-weights` writes, a description and its weights. Install sgbench again, "
    "or export them again.",
)
_Fractions = Annotated[tuple[NotNegative, ...], Len(TOP_K, TOP_K)]
# What a listing and the name lean on; loading checks all of it.
_ORIGIN = record(
    "Origin",
    {
        "plan": record("Plan", {"model": Text, "dataset": Text}, others=True),
        "family": Text,
        "parameters": NotNegative,
        "train_patterns": NotNegative,
    },
    others=True,
)


@dataclass(frozen=True)
class Figures:
    """What the weights reached on a test set; see `sgbench.evaluation.Score`.

    Attributes
    ----------
    test_set, source, test_sha256, class_scheme : str
    n_test : int
    top, top_low, top_high, ceiling : tuple of float
        Top-1 to top-5, as fractions.
    """

    test_set: Text
    source: Text
    test_sha256: Text
    class_scheme: Text
    n_test: Several
    top: _Fractions
    top_low: _Fractions
    top_high: _Fractions
    ceiling: _Fractions

    @classmethod
    def of(cls, score: Score) -> "Figures":
        """Return the figures of a score."""
        names = [field.name for field in fields(cls)]
        return cls(**{name: getattr(score, name) for name in names})


@dataclass(frozen=True)
class Rounding:
    """How far half precision moves the answers of a network.

    Attributes
    ----------
    test_set, test_sha256 : str
        Samples that both precisions answered.
    n_test : int
    largest : float
        Largest difference of a probability, of a space group or of an extinction class.
    near_ties : int
        Samples whose two most probable classes are so close that the allowed difference may swap
        them.
    swapped : int
        Those of them whose most probable class is another one in half precision.
    """

    test_set: Text
    test_sha256: Text
    n_test: Several
    largest: NotNegative
    near_ties: Count
    swapped: Count


@dataclass(frozen=True)
class Pretrained:
    """What lies beside the weights.

    Attributes
    ----------
    provenance : mapping
        That of the trained model: its plan, checksums of plan and training data, validations.
    weights_sha256 : str
        Of the bytes of the file of weights.
    scores : tuple of Figures
        Of the weights before they were rounded.
    rounding : Rounding
    licence : str
        An identifier of SPDX.
    versions : mapping of str to str
        Of what exported the weights.
    """

    provenance: Mapping[str, Any]
    weights_sha256: Text
    scores: tuple[Figures, ...]
    rounding: Rounding
    licence: Text
    versions: Mapping[str, Text]

    @property
    def name(self) -> str:
        """Training set and model, e.g. ``ulbd-cubic/fcn-wang2024.soft``."""
        plan = self.provenance["plan"]
        return f"{plan['dataset']}/{plan['model']}"

    def top1(self, test_set: str, class_scheme: str) -> float | None:
        """Return a top-1 accuracy, or None where there is no such score."""
        for one in self.scores:
            if (one.test_set, one.class_scheme) == (test_set, class_scheme):
                return one.top[0]
        return None


def pretrained_names(home: Path = HOME) -> tuple[str, ...]:
    """Return the names of all weights, sorted."""
    found = (path.relative_to(home).as_posix() for path in home.glob(f"*/*{_DESCRIPTION}"))
    return tuple(sorted(name.removesuffix(_DESCRIPTION) for name in found))


def read_pretrained(name: str, home: Path = HOME) -> Pretrained:
    """Return the description of weights.

    Raises
    ------
    SgbenchError
        If there are none of this name, or the description is damaged.
    """
    known = pretrained_names(home)
    if name not in known:
        of_set = [one for one in known if one.startswith(f"{name}/")]
        near = of_set or get_close_matches(name, known, n=3, cutoff=0.4) or known
        raise SgbenchError(
            f"there are no reference weights '{name}'; expected "
            f"{', '.join(near) or 'a name, of which there is none yet'}. `sgbench models "
            "--pretrained` lists them."
        )
    path = home / f"{name}{_DESCRIPTION}"
    found: Pretrained = _KIND.read_json(path, Pretrained)
    _KIND.checked(path, found.provenance, _ORIGIN)
    if found.name != name:
        raise _KIND.damaged(path, f"it describes {found.name}")
    return found


def load_pretrained(name: str, device: "torch.device", home: Path = HOME) -> "TrainedModel":
    """Return a network with reference weights, in single precision.

    Parameters
    ----------
    name : str
        E.g. ``ulbd-cubic/fcn-wang2024.soft``.
    device : torch.device
    home : Path, optional
        Folder of weights, by default that of the package.

    Returns
    -------
    TrainedModel
        Its provenance has `weights_sha256` beside what the description has.

    Raises
    ------
    SgbenchError
        If there are none of this name; or their SHA-256, names, shapes or kinds are not those that
        they should be, or a weight is not finite.
    """
    import safetensors.torch
    import torch

    from sgbench.training import restore_network

    description = read_pretrained(name, home)
    path = home / f"{name}{_WEIGHTS}"
    content = _KIND.read_bytes(path, MOST_BYTES)
    found = hashlib.sha256(content).hexdigest()
    if found != description.weights_sha256:
        raise _KIND.damaged(path, f"its SHA-256 begins with {found[:8]}, which is not as described")
    with _KIND.decoding(path):
        stored = safetensors.torch.load(content)
    weights = {
        key: (value.float() if value.dtype == torch.float16 else value).to(device)
        for key, value in stored.items()
    }
    provenance = {**description.provenance, "weights_sha256": found}
    return restore_network(path, provenance, weights, device, _KIND)


def write_pretrained(
    weights: Mapping[str, "torch.Tensor"], described: Pretrained, home: Path
) -> Path:
    """Write weights and their description, both or none; return the path of the weights.

    Parameters
    ----------
    weights : mapping of str to Tensor
        In half precision.
    described : Pretrained
        With any SHA-256, since that of the weights takes its place.
    home : Path
        Folder of weights.
    """
    import safetensors.torch

    content = safetensors.torch.save(dict(weights))
    found = replace(described, weights_sha256=hashlib.sha256(content).hexdigest())
    path = home / f"{found.name}{_WEIGHTS}"
    with all_or_none():
        with write_atomically(path) as temporary:
            temporary.write_bytes(content)
        with write_atomically(home / f"{found.name}{_DESCRIPTION}") as temporary:
            temporary.write_text(json.dumps(asdict(found), indent=1, sort_keys=True) + "\n")
    return path
