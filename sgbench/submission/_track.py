"""Tracks: what is to be predicted, under names and in an order that say nothing about labels."""

import hashlib
import hmac
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sgbench.designed import Designed, Ulbd, UlbdUnion
from sgbench.diffraction import Samples
from sgbench.errors import SgbenchError
from sgbench.evaluation import CLASS_SCHEMES, current_name_of
from sgbench.sets import IN_MESH, OFF_MESH, SEALED, SetSpec, TestSet, family_set, open_test_set
from sgbench.symmetry import FAMILIES, extinction_classes

#: Samples a space group in each designed test set: those of the workflow's scales, so that a
#: submission stands beside the reference models.
PER_SPACEGROUP = {"smoke": 20, "laptop": 100, "overnight": 300, "full": 1000}

_TEST_SETS = (IN_MESH, OFF_MESH)
_TRACKS = {spec.name: spec for spec in (SetSpec("designed", family=family) for family in FAMILIES)}
_PUBLIC_KEY = b"sgbench public track"


@dataclass(frozen=True)
class Track:
    """A family and a size of its test sets.

    Attributes
    ----------
    name : str
        ``ulbd-FAMILY``
    scale : {'smoke', 'laptop', 'overnight', 'full'}
    """

    name: str
    scale: str

    def __post_init__(self) -> None:
        if self.name not in _TRACKS:
            raise SgbenchError(
                f"unknown track '{self.name}'; expected one of {', '.join(_TRACKS)}. Choose one."
            )
        # What an earlier version called a scale is taken for what it is called now.
        object.__setattr__(self, "scale", current_name_of("scale", self.scale))
        if self.scale not in PER_SPACEGROUP:
            raise SgbenchError(
                f"unknown scale '{self.scale}'; expected one of {', '.join(PER_SPACEGROUP)}. "
                "Choose one."
            )

    @property
    def family(self) -> str:
        """Crystal family."""
        return _TRACKS[self.name].family

    @cached_property
    def dataset(self) -> Designed:
        """The designed dataset that gives the cells."""
        return family_set(self.family)

    @property
    def per_spacegroup(self) -> int:
        """Samples a space group in each designed test set."""
        return PER_SPACEGROUP[self.scale]

    def labels(self, class_scheme: str) -> tuple[int, ...]:
        """Return what columns stand for: space groups, or the lowest of each extinction class.

        Raises
        ------
        SgbenchError
            If the class scheme is unknown.
        """
        if class_scheme not in CLASS_SCHEMES:
            raise SgbenchError(
                f"unknown class scheme '{class_scheme}'; expected one of "
                f"{', '.join(CLASS_SCHEMES)}. Choose one."
            )
        if class_scheme == "spacegroup":
            return self.dataset.spacegroups
        return tuple(cls.spacegroups[0] for cls in extinction_classes(self.dataset.spacegroups))

    def checksum(self) -> str:
        """Return a SHA-256 that changes with anything that is to be predicted."""
        names = [spec.name for spec in _TEST_SETS]
        specification = [self.name, self.per_spacegroup, names, self.dataset.checksum()]
        return hashlib.sha256(json.dumps(specification).encode()).hexdigest()


@dataclass(frozen=True)
class Shuffled:
    """The samples of a track as those see them who predict: shuffled, with meaningless ids.

    Attributes
    ----------
    sets : tuple of TestSet
        Labels and ids as the scorer knows them.
    ids : tuple of str
        In the order in which patterns are given out.
    order : ndarray of int64, shape (n,)
        Place of each sample in the sets laid end to end.
    """

    sets: tuple[TestSet, ...]
    ids: tuple[str, ...]
    order: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def _samples(self) -> Samples:
        return Samples.concatenate([truth.samples for truth in self.sets]).take(self.order)

    @property
    def n_points(self) -> int:
        """Points of a pattern."""
        return self.sets[0].protocol.n_points

    def patterns(self, batch_size: int, count: int | None = None) -> Iterator[NDArray[np.float32]]:
        """Yield patterns in batches, shape (batch_size, n_points), maximum 1; the last is smaller.

        Parameters
        ----------
        batch_size : int
        count : int, optional
            Only so many of the first.
        """
        stop = min(len(self), count or len(self))
        for samples in self._samples.take(np.arange(stop)).batches(batch_size):
            yield samples.patterns()

    def apart(self, values: NDArray[np.float32]) -> Iterator[tuple[TestSet, NDArray[np.float32]]]:
        """Yield each set with its rows of some values, in its own order."""
        sorted_back = np.empty_like(values)
        sorted_back[self.order] = values
        ends = np.cumsum([len(truth) for truth in self.sets])
        yield from zip(self.sets, np.split(sorted_back, ends[:-1]), strict=True)


def public_samples(track: Track, crystals: Sequence[Path] = (), train_set: str = "") -> Shuffled:
    """Return the samples that anybody can make.

    Parameters
    ----------
    track : Track
    crystals : sequence of Path, optional
        Files of line lists of structures, each of which adds two test sets: its structures, and
        those of them in the range of the designed mesh; of structures that `train_set` names, only
        the held-out part.
    train_set : str, optional
    """
    specs = list(_TEST_SETS)
    trained = SetSpec.find(train_set)
    for path in crystals:
        from sgbench.structures import read_metadata

        held_out = SetSpec.parse(read_metadata(path)["name"])
        if trained is not None and not held_out.held_out_from(trained):
            held_out = replace(held_out, part="test", split=trained.split or "grouped")
        specs += [held_out, replace(held_out, in_domain=True)]
    sets = [open_test_set(one, track.dataset, track.per_spacegroup, crystals) for one in specs]
    return _shuffled(sets, _PUBLIC_KEY)


def sealed_samples(track: Track, secret: str) -> Shuffled:
    """Return samples that only those can make who know the secret.

    Cells lie between the mesh points; they, the intensities, the order and the ids are functions of
    the secret.
    """
    key = secret.encode()
    dataset = _keyed(track.dataset, hmac.digest(key, track.name.encode(), "sha256").hex())
    return _shuffled([open_test_set(SEALED, dataset, track.per_spacegroup)], key)


def _keyed(dataset: Designed, word: str) -> Designed:
    """Return a dataset with the same cells to choose from and random keys of its own."""
    if isinstance(dataset, UlbdUnion):
        return replace(dataset, parts=tuple(_keyed_part(part, word) for part in dataset.parts))
    return _keyed_part(dataset, word)


def _keyed_part(dataset: Ulbd, word: str) -> Ulbd:
    return replace(dataset, drawn_as=f"{dataset.name}/sealed/{word}")


def _shuffled(sets: Sequence[TestSet], key: bytes) -> Shuffled:
    # A keyed hash is a name that says nothing, and sorting by it is a shuffle.
    ids = [
        hmac.digest(key, f"{truth.name}/{sample}".encode(), "sha256").hex()[:20]
        for truth in sets
        for sample in truth.samples.ids
    ]
    order = np.argsort(np.array(ids), kind="stable")
    return Shuffled(tuple(sets), tuple(ids[i] for i in order), order)
