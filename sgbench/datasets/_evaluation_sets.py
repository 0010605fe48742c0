"""The sets that models are scored on, all of one shape: ids, labels and lines."""

import hashlib
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sgbench.datasets._ulbd import ULBD, Ulbd
from sgbench.diffraction import LineList, PatternProtocol, free_parameters
from sgbench.errors import SgbenchError
from sgbench.symmetry import family_spacegroups

if TYPE_CHECKING:
    from sgbench.datasets._store import CrystalSet

#: Names of the test sets, and what they hold.
TEST_SETS = {
    "ulbd-in-mesh": "designed patterns at mesh cells, with random intensities never trained on",
    "ulbd-off-mesh": "designed patterns with cells between the mesh points",
    "cddd": "ordered mineral structures of the American Mineralogist database",
    "cddd-in-domain": "those of them whose cell lies inside the range of the ULBD's mesh",
}


@dataclass(frozen=True)
class EvaluationSet:
    """Labelled samples to score on.

    Attributes
    ----------
    name, family : str
    protocol : PatternProtocol
    sample_ids : tuple of str
    spacegroup : ndarray of int64, shape (n,)
        True space groups.
    lines : LineList
    per_spacegroup : int
        Samples a space group of a designed set; 0 for sets of structures.
    cluster : tuple of str, or None
        Samples with the same entry are near-copies (one mineral measured many times), and intervals
        must not count them as independent. None where samples are independent.
    """

    name: str
    family: str
    protocol: PatternProtocol
    sample_ids: tuple[str, ...]
    spacegroup: NDArray[np.int64]
    lines: LineList
    per_spacegroup: int
    cluster: tuple[str, ...] | None = None

    def __len__(self) -> int:
        return len(self.sample_ids)

    def sha256(self) -> str:
        """Return a SHA-256 over ids, labels and lines (see `LineList.portable_bytes`)."""
        digest = hashlib.sha256("\n".join(self.sample_ids).encode())
        digest.update(self.spacegroup.astype("<i8").tobytes())
        digest.update(self.lines.portable_bytes())
        return digest.hexdigest()


def evaluation_set(
    name: str, dataset: Ulbd, per_spacegroup: int, crystals: Path | None = None
) -> EvaluationSet:
    """Return one of `TEST_SETS` for the family of a designed dataset.

    Parameters
    ----------
    name : str
    dataset : Ulbd
        Gives the family and the mesh.
    per_spacegroup : int
        Samples a space group of the designed sets.
    crystals : Path, optional
        Line lists of structures, for the sets that hold real ones.

    Raises
    ------
    SgbenchError
        If the name is unknown, the crystals are missing, or none of them fits.
    """
    builders: dict[str, Callable[[], EvaluationSet]] = {
        "ulbd-in-mesh": lambda: _designed(name, dataset, per_spacegroup),
        "ulbd-off-mesh": lambda: _designed(name, dataset, per_spacegroup),
        "cddd": lambda: _real(name, dataset, _crystals(name, crystals)),
        "cddd-in-domain": lambda: _real(name, dataset, _crystals(name, crystals)),
    }
    if name not in builders:
        raise SgbenchError(
            f"unknown test set '{name}'; expected one of {', '.join(TEST_SETS)}. Choose one."
        )
    return builders[name]()


def designed_dataset(name: str) -> Ulbd:
    """Look a designed dataset up by its name.

    Raises
    ------
    SgbenchError
        If there is none of this name.
    """
    if name not in ULBD:
        raise SgbenchError(
            f"unknown dataset '{name}'; expected one of {', '.join(ULBD)}. Choose one of these."
        )
    return ULBD[name]


def family_dataset(family: str) -> Ulbd:
    """Return the canonical designed dataset of a family.

    Raises
    ------
    SgbenchError
        If the family is unknown, or has none.
    """
    family_spacegroups(family)  # names the families if that is what is wrong
    return designed_dataset(f"ulbd-{family}")


def _designed(name: str, dataset: Ulbd, per_spacegroup: int) -> EvaluationSet:
    split = "in-mesh" if name == "ulbd-in-mesh" else "off-mesh"
    recipes = dataset.held_out_recipes(split, per_spacegroup)  # type: ignore[arg-type]
    return EvaluationSet(
        name,
        dataset.family,
        dataset.protocol,
        tuple(f"{i:06d}-{sample}" for i, sample in enumerate(recipes.sample_ids)),
        recipes.spacegroup,
        dataset.lines(recipes),
        per_spacegroup,
    )


def _crystals(name: str, path: Path | None) -> "CrystalSet":
    if path is None:
        raise SgbenchError(
            f"the test set '{name}' needs line lists of structures; none was given. "
            "Build them with `sgbench dataset build cddd` and pass the file with --crystals."
        )
    from sgbench.datasets._store import read_crystals

    return read_crystals(path)


def _real(name: str, dataset: Ulbd, crystals: "CrystalSet") -> EvaluationSet:
    if crystals.metadata["protocol"] != asdict(dataset.protocol):
        raise SgbenchError(
            f"the crystals' lines were computed under the protocol "
            f"'{crystals.metadata['protocol'].get('name')}'; expected '{dataset.protocol.name}', "
            f"that of {dataset.name}. Score on designed sets, or with a model of that protocol."
        )
    chosen = np.flatnonzero(np.array(crystals.family) == dataset.family)
    if name == "cddd-in-domain":
        chosen = np.array([i for i in chosen if _in_domain(dataset, crystals.cell[i])], dtype=int)
    if not len(chosen):
        raise SgbenchError(
            f"the crystals hold no structure of '{name}' for the {dataset.family} family; expected "
            "at least one. Build the set with this family."
        )
    return EvaluationSet(
        name,
        dataset.family,
        dataset.protocol,
        tuple(crystals.structure_id[i] for i in chosen),
        crystals.spacegroup[chosen],
        crystals.lines.take(chosen),
        0,
        tuple(f"{crystals.name[i]}/{crystals.spacegroup[i]}" for i in chosen),
    )


def _in_domain(dataset: Ulbd, cell: NDArray[np.float64]) -> bool:
    free = free_parameters(dataset.family, cell, tolerance=0.05)
    return all(
        axis.start <= value < axis.stop for axis, value in zip(dataset.axes, free, strict=True)
    )
