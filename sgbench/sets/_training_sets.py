"""The sets that models are trained on: an endless sequence of labelled samples."""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sgbench.designed import Designed, exact_posterior
from sgbench.diffraction import PatternProtocol, Samples
from sgbench.errors import SgbenchError
from sgbench.philox import below, stream_key, words_at
from sgbench.sets._catalogue import designed_set, family_set
from sgbench.sets._spec import DESIGNED, SetSpec
from sgbench.symmetry import family_spacegroups

if TYPE_CHECKING:
    from sgbench.structures import CrystalSet


@dataclass(frozen=True)
class TrainingSet:
    """A training set that is open.

    Attributes
    ----------
    spec : SetSpec
    protocol : PatternProtocol
    training_samples : callable
        Takes first, count and seed; returns samples first, first + 1, … of an endless sequence that
        the seed determines.
    validation_samples : callable
        Takes a number of samples a space group; returns samples that are never trained on.
    checksum : callable
        Returns a SHA-256 that tells sets apart.
    designed : Ulbd, UlbdUnion or None
        The dataset whose samples these are, where nothing is done to them.
    """

    spec: SetSpec
    protocol: PatternProtocol
    training_samples: Callable[[int, int, int], Samples]
    validation_samples: Callable[[int], Samples]
    checksum: Callable[[], str]
    designed: Designed | None = None

    @property
    def name(self) -> str:
        """Name of the set, e.g. ``ulbd-cubic``."""
        return self.spec.name

    @property
    def spacegroups(self) -> tuple[int, ...]:
        """Numbers of the space groups of the family, those without samples included."""
        return family_spacegroups(self.spec.family)

    def least_validation_loss(self, per_spacegroup: int) -> float | None:
        """Return the mean of -ln p of the true space groups under the exact posterior, in nats.

        It is of `validation_samples`. None where the posterior is not known.
        """
        if self.designed is None:
            return None
        posterior = exact_posterior(self.designed, "validation", per_spacegroup)
        if posterior is None:
            return None
        true = self.validation_samples(per_spacegroup).spacegroup - self.spacegroups[0]
        return float(-np.log(np.take_along_axis(posterior, true[:, None], axis=1)).mean())


@dataclass(frozen=True)
class TrainingCrystals:
    """Structures of one family, drawn from the training part of a split.

    Structures are drawn as often as they occur, so that space groups are as unequal as in the
    database, which is what the paper studies.

    Attributes
    ----------
    spec : SetSpec
        Its split is ``grouped`` or ``stratified``; the latter has no validation part, and there it
        is what `stratified_validation` chooses of the training part.
    protocol : PatternProtocol
    crystals : CrystalSet
    """

    spec: SetSpec
    protocol: PatternProtocol
    crystals: "CrystalSet"

    def training_samples(self, first: int, count: int, seed: int) -> Samples:
        """Return samples first, first + 1, … of an endless sequence that the seed determines."""
        position = np.arange(first, first + count, dtype=np.int64)
        word, *_ = words_at(position, stream_key(f"sgbench/{self.spec.key}/train/{seed}"))
        part = self._part("train")
        return self.crystals.samples(part[below(word, len(part))])

    def validation_samples(self, per_spacegroup: int) -> Samples:
        """Return the first structures of each space group in the validation part."""
        part = self._part("validation")
        group = self.crystals.spacegroup[part]
        rank = np.array([np.sum(group[:i] == group[i]) for i in range(len(part))], dtype=np.int64)
        return self.crystals.samples(part[rank < per_spacegroup])

    def checksum(self) -> str:
        """Return a SHA-256 over ids, labels, splits and lines of the family's structures."""
        chosen = self._members
        texts = [[self.crystals.structure_id[i], str(self._side[i])] for i in chosen]
        digest = hashlib.sha256(json.dumps([self.spec.key, texts]).encode())
        digest.update(self.crystals.spacegroup[chosen].astype("<i8").tobytes())
        digest.update(self.crystals.lines.take(chosen).portable_bytes())
        return digest.hexdigest()

    @cached_property
    def _members(self) -> NDArray[np.int64]:
        return np.flatnonzero(
            np.isin(self.crystals.spacegroup, family_spacegroups(self.spec.family))
        )

    @cached_property
    def _side(self) -> NDArray[np.str_]:
        """Part that each structure is in, shape (n,)."""
        side = np.array(self.crystals.split(self.spec.split))
        if self.spec.split == "grouped":
            return side
        from sgbench.structures import stratified_validation

        kept = stratified_validation(self.crystals.structure_id)
        return np.where((side == "train") & kept, "validation", side)

    @cached_property
    def _parts(self) -> dict[str, NDArray[np.int64]]:
        side = self._side[self._members]
        return {name: self._members[side == name] for name in ("train", "validation")}

    def _part(self, name: str) -> NDArray[np.int64]:
        part = self._parts[name]
        if not len(part):
            raise SgbenchError(
                f"{self.spec.name} has no structure in the {name} part of its split; expected at "
                "least one. Build the set with more structures."
            )
        return part


def open_training_set(spec: SetSpec, crystals: Sequence[Path] = ()) -> TrainingSet:
    """Return what a set yields to a training.

    Parameters
    ----------
    spec : SetSpec
    crystals : sequence of Path
        Files of line lists of structures; the one that the set is a part of is used.

    Raises
    ------
    SgbenchError
        If it is no training set, or the structures are missing.
    """
    if spec.part != "train":
        raise SgbenchError(
            f"'{spec.name}' is a set to score on; expected a training set such as ulbd-cubic or "
            "cddd-cubic. Name one with its family."
        )
    ideal = replace(spec, conditions=())
    source: Designed | TrainingCrystals
    if spec.origin == DESIGNED:
        source = designed_set(ideal)
    else:
        from sgbench.collections import is_patterns_file
        from sgbench.structures import find_crystals

        files = [path for path in crystals if not is_patterns_file(path)]
        found = find_crystals(spec.dataset, files)
        source = TrainingCrystals(ideal, family_set(spec.family).protocol, found)
    opened = TrainingSet(
        spec, source.protocol, source.training_samples, source.validation_samples, source.checksum,
        None if isinstance(source, TrainingCrystals) else source,
    )  # fmt: skip
    return _under_conditions(opened) if spec.conditions else opened


def _under_conditions(ideal: TrainingSet) -> TrainingSet:
    """Return a training set whose samples are changed by the conditions that its name has.

    Cells and intensities are drawn as without conditions. A training sees the same sample more than
    once, and each time under draws of its own, since they are keyed by its place in the sequence.
    """

    def training_samples(first: int, count: int, seed: int) -> Samples:
        drawn = ideal.training_samples(first, count, seed)
        places = enumerate(drawn.ids, start=first)
        named = replace(drawn, ids=tuple(f"{seed}-{place:09d}-{name}" for place, name in places))
        return ideal.spec.changed(named)

    done = "; ".join(condition.identity() for condition in ideal.spec.conditions)
    return replace(
        ideal,
        training_samples=training_samples,
        validation_samples=lambda per_spacegroup: ideal.spec.changed(
            ideal.validation_samples(per_spacegroup)
        ),
        checksum=lambda: hashlib.sha256(f"{done} {ideal.checksum()}".encode()).hexdigest(),
        designed=None,
    )
