"""Designed patterns of several families at once: `ulbd-all` holds all 230 space groups."""

import hashlib
import json
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from sgbench.designed._dataset import Ulbd
from sgbench.designed._laws import IntensityLaw
from sgbench.designed._recipes import Split
from sgbench.diffraction import PatternProtocol, Samples
from sgbench.philox import below, stream_key, words_at
from sgbench.symmetry import family_of


@dataclass(frozen=True)
class UlbdUnion:
    """All space groups, each with the cells of its own family's dataset.

    Attributes
    ----------
    name : str
    version : int
        Raised when the choice of space groups changes; the parts have versions of their own.
    parts : tuple of Ulbd
        One a family, by ascending space groups, all under one protocol and one law.
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
    def law(self) -> IntensityLaw:
        """How random intensities are distributed."""
        return self.parts[0].law

    @property
    def spacegroups(self) -> tuple[int, ...]:
        """Numbers of the parts' space groups."""
        return tuple(number for part in self.parts for number in part.spacegroups)

    def training_samples(self, first: int, count: int, seed: int) -> Samples:
        """Return samples first, first + 1, … of an endless sequence; every group is as likely."""
        position = np.arange(first, first + count, dtype=np.int64)
        key = stream_key(f"sgbench/{self.name}/{self.version}/train/{seed}")
        word, *_ = words_at(position, key)
        groups = np.array(self.spacegroups)
        spacegroup = groups[below(word, len(groups))]
        found, places = [], []
        for part in self.parts:
            mine = np.flatnonzero(np.isin(spacegroup, part.spacegroups))
            if len(mine):
                recipes = part.training_recipes_at(position[mine], seed, spacegroup[mine])
                found.append(part.samples(recipes))
                places.append(mine)
        return Samples.concatenate(found).take(np.argsort(np.concatenate(places)))

    def validation_samples(self, per_spacegroup: int) -> Samples:
        """Return the parts' validation samples."""
        return self.held_out_samples("validation", per_spacegroup)

    def held_out_samples(self, split: Split, per_spacegroup: int) -> Samples:
        """Return the parts' held-out samples."""
        return Samples.concatenate(
            [part.held_out_samples(split, per_spacegroup) for part in self.parts]
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
