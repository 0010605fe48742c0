"""Designed patterns of several families at once: `ulbd-all` holds all 230 space groups."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sgbench.datasets._ulbd import ULBD, Split, Ulbd
from sgbench.diffraction import LineList, PatternProtocol
from sgbench.diffraction._random import below, stream_key, words_at
from sgbench.symmetry import FAMILIES, family_of


@dataclass(frozen=True)
class UlbdUnion:
    """All space groups, each with the cells of its own family's dataset.

    Attributes
    ----------
    name : str
    version : int
        Raised when the choice of space groups changes; the parts have versions of their own.
    parts : tuple of Ulbd
        One a family, by ascending space groups, all under one protocol.
    """

    name: str
    version: int
    parts: tuple[Ulbd, ...]

    @property
    def family(self) -> str:
        """Name of all families together."""
        return "all"

    @property
    def protocol(self) -> PatternProtocol:
        """How lines become patterns."""
        return self.parts[0].protocol

    @property
    def spacegroups(self) -> tuple[int, ...]:
        """Numbers of the parts' space groups."""
        return tuple(number for part in self.parts for number in part.spacegroups)

    def training_samples(
        self, first: int, count: int, seed: int
    ) -> tuple[LineList, NDArray[np.int64]]:
        """Return samples first, first + 1, … of an endless sequence; every group is as likely."""
        position = np.arange(first, first + count, dtype=np.int64)
        key = stream_key(f"sgbench/{self.name}/{self.version}/train/{seed}")
        word, *_ = words_at(position, key)
        groups = np.array(self.spacegroups)
        spacegroup = groups[below(word, len(groups))]
        lines, places = [], []
        for part in self.parts:
            mine = np.flatnonzero(np.isin(spacegroup, part.spacegroups))
            if len(mine):
                recipes = part.training_recipes_at(position[mine], seed, spacegroup[mine])
                lines.append(part.lines(recipes))
                places.append(mine)
        return LineList.concatenate(lines).take(np.argsort(np.concatenate(places))), spacegroup

    def validation_samples(self, per_spacegroup: int) -> tuple[LineList, NDArray[np.int64]]:
        """Return lines and space groups of the parts' validation samples."""
        _, spacegroup, lines = self.held_out_samples("validation", per_spacegroup)
        return lines, spacegroup

    def held_out_samples(
        self, split: Split, per_spacegroup: int
    ) -> tuple[list[str], NDArray[np.int64], LineList]:
        """Return ids, space groups and lines of the parts' held-out samples."""
        ids, spacegroups, lines = zip(
            *(part.held_out_samples(split, per_spacegroup) for part in self.parts), strict=True
        )
        return (
            [sample for part in ids for sample in part],
            np.concatenate(spacegroups),
            LineList.concatenate(lines),
        )

    def in_domain(self, spacegroup: int, cell: ArrayLike) -> bool:
        """Tell whether a cell (a, b, c, alpha, beta, gamma) lies in its family's range."""
        family = family_of(spacegroup)
        return next(p for p in self.parts if p.family == family).in_domain(spacegroup, cell)

    def describe(self) -> dict[str, Any]:
        """Return the specification as plain data."""
        return {
            "name": self.name,
            "version": self.version,
            "parts": [part.describe() for part in self.parts],
        }

    def checksum(self) -> str:
        """Return a SHA-256 over the specification and the parts' checksums."""
        specification = [self.name, self.version, [part.checksum() for part in self.parts]]
        return hashlib.sha256(json.dumps(specification).encode()).hexdigest()


#: All families at once.
ULBD_ALL = UlbdUnion(
    "ulbd-all",
    1,
    tuple(
        sorted(
            (ULBD[f"ulbd-{family}"] for family in FAMILIES if family != "all"),
            key=lambda part: part.spacegroups[0],
        )
    ),
)
