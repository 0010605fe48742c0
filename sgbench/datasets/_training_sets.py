"""The sets that models are trained on, all of one shape: an endless sequence of labelled lines."""

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from sgbench.datasets._evaluation_sets import (
    designed_dataset,
    family_dataset,
    find_crystals,
)
from sgbench.datasets._splits import paper_validation
from sgbench.diffraction import LineList, PatternProtocol
from sgbench.diffraction._random import below, stream_key, words_at
from sgbench.errors import SgbenchError
from sgbench.symmetry import FAMILIES, family_spacegroups

if TYPE_CHECKING:
    from sgbench.datasets._store import CrystalSet

#: Lines of n patterns, and the space groups that they belong to, shape (n,).
Samples = tuple[LineList, NDArray[np.int64]]

#: Datasets of structures that models can be trained on, by a family each: ``cddd-cubic``.
TRAINABLE_STRUCTURES = ("cddd", "gcdd")

_PAPER_SPLIT = "-paper-split"


class TrainingSet(Protocol):
    """What a training needs of a dataset; `Ulbd`, `UlbdUnion` and `TrainingCrystals` are such."""

    @property
    def name(self) -> str:
        """Name of the set, e.g. ``ulbd-cubic``."""

    @property
    def family(self) -> str:
        """Crystal family."""

    @property
    def protocol(self) -> PatternProtocol:
        """How lines become patterns."""

    @property
    def spacegroups(self) -> tuple[int, ...]:
        """Numbers of the space groups of the family."""

    def training_samples(self, first: int, count: int, seed: int) -> Samples:
        """Return samples first, first + 1, … of an endless sequence that the seed determines."""

    def validation_samples(self, per_spacegroup: int) -> Samples:
        """Return samples that are never trained on."""

    def checksum(self) -> str:
        """Return a SHA-256 that tells sets apart."""


@dataclass(frozen=True)
class TrainingCrystals:
    """Structures of one family, drawn from the training part of a split.

    Structures are drawn as often as they occur, so that space groups are as unequal as in the
    database, which is what the paper studies.

    Attributes
    ----------
    name, family : str
    protocol : PatternProtocol
    crystals : CrystalSet
    split : {'grouped', 'paper'}
        The paper's split has no validation part; there it is what `paper_validation` chooses of
        the training part.
    """

    name: str
    family: str
    protocol: PatternProtocol
    crystals: "CrystalSet"
    split: Literal["grouped", "paper"] = "grouped"

    @property
    def spacegroups(self) -> tuple[int, ...]:
        """Numbers of the space groups of the family, those without structures included."""
        return family_spacegroups(self.family)

    def training_samples(self, first: int, count: int, seed: int) -> Samples:
        """Return samples first, first + 1, … of an endless sequence that the seed determines."""
        position = np.arange(first, first + count, dtype=np.int64)
        key = stream_key(f"sgbench/{self.name}/train/{seed}")
        word, *_ = words_at(position, key)
        return self._samples(self._part("train")[below(word, len(self._part("train")))])

    def validation_samples(self, per_spacegroup: int) -> Samples:
        """Return the first structures of each space group in the validation part."""
        part = self._part("validation")
        group = self.crystals.spacegroup[part]
        rank = np.array([np.sum(group[:i] == group[i]) for i in range(len(part))], dtype=np.int64)
        return self._samples(part[rank < per_spacegroup])

    def checksum(self) -> str:
        """Return a SHA-256 over ids, labels, splits and lines of the family's structures."""
        chosen = self._members
        texts = [[self.crystals.structure_id[i], str(self._side[i])] for i in chosen]
        digest = hashlib.sha256(json.dumps([self.name, texts]).encode())
        digest.update(self.crystals.spacegroup[chosen].astype("<i8").tobytes())
        digest.update(self.crystals.lines.take(chosen).portable_bytes())
        return digest.hexdigest()

    @cached_property
    def _members(self) -> NDArray[np.int64]:
        return np.flatnonzero(np.array(self.crystals.family) == self.family)

    @cached_property
    def _side(self) -> NDArray[np.str_]:
        """Part that each structure is in, shape (n,)."""
        if self.split == "grouped":
            return np.array(self.crystals.split_grouped)
        kept = paper_validation(self.crystals.structure_id)
        trained = np.where(kept, "validation", "train")
        return np.where(np.array(self.crystals.split_paper) == "test", "test", trained)

    @cached_property
    def _parts(self) -> dict[str, NDArray[np.int64]]:
        side = self._side[self._members]
        return {name: self._members[side == name] for name in ("train", "validation")}

    def _part(self, name: str) -> NDArray[np.int64]:
        part = self._parts[name]
        if not len(part):
            raise SgbenchError(
                f"{self.name} has no structure in the {name} part of its split; expected at least "
                "one. Build the set with more structures."
            )
        return part

    def _samples(self, chosen: NDArray[np.int64]) -> Samples:
        return self.crystals.lines.take(chosen), self.crystals.spacegroup[chosen]


def training_set(name: str, crystals: Sequence[Path] = ()) -> TrainingSet:
    """Return the set of a name.

    Parameters
    ----------
    name : str
        A designed dataset, or ``cddd-FAMILY`` or ``gcdd-FAMILY`` for the training part of the
        grouped split, or ``cddd-FAMILY-paper-split`` for that of the paper's.
    crystals : sequence of Path
        Files of line lists of structures; the one that the name begins with is used.

    Raises
    ------
    SgbenchError
        If the name is unknown, or the structures are missing.
    """
    parsed = _structures_of(name)
    if parsed is None:
        return designed_dataset(name)
    source, family, split = parsed
    found = find_crystals(source, crystals)
    return TrainingCrystals(name, family, family_dataset(family).protocol, found, split)


def training_family(name: str) -> str:
    """Return the family of a training set, by its name alone.

    Raises
    ------
    SgbenchError
        If the name is unknown.
    """
    parsed = _structures_of(name)
    return designed_dataset(name).family if parsed is None else parsed[1]


def with_family(name: str, family: str) -> str:
    """Return the full name of a training set that is named without its family.

    ``ulbd-physical-no-wilson`` becomes ``ulbd-physical-cubic-no-wilson``.
    """
    return re.sub(rf"(?=-no-|{_PAPER_SPLIT}|$)", f"-{family}", name, count=1)


def is_held_out(test_set: str, train_set: str) -> bool:
    """Tell whether no structure of a test set is in the training or validation part of a set."""
    parsed = _structures_of(train_set)
    if parsed is None or not test_set.startswith(parsed[0]):
        return True
    source, _, split = parsed
    return test_set.startswith(f"{source}-paper-test" if split == "paper" else f"{source}-test")


def _structures_of(name: str) -> tuple[str, str, Literal["grouped", "paper"]] | None:
    """Return source, family and split of a training set of structures; None for other names."""
    source, _, family = name.removesuffix(_PAPER_SPLIT).partition("-")
    if source not in TRAINABLE_STRUCTURES or family not in FAMILIES:
        return None
    return source, family, "paper" if name.endswith(_PAPER_SPLIT) else "grouped"
