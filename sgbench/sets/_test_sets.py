"""The sets that models are scored on: labelled samples, and what is known of their labels."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from sgbench.conditions.noise import READOUT
from sgbench.designed import (
    CountingNoise,
    Designed,
    GaussianNoise,
    Posterior,
    Split,
    Ulbd,
    exact_posterior,
    noise_posterior,
)
from sgbench.diffraction import PatternProtocol, Samples, free_parameters, reference_height
from sgbench.errors import SgbenchError
from sgbench.measured import TREATMENTS, treat
from sgbench.sets._catalogue import designed_set
from sgbench.sets._spec import DESIGNED, SetSpec
from sgbench.symmetry import PAPER_FAMILIES, family_spacegroups

# So many patterns are in memory at once while chances are computed.
_AT_ONCE = 512

if TYPE_CHECKING:
    from sgbench.collections import LabelledPattern, PatternSet
    from sgbench.structures import CrystalSet


@dataclass(frozen=True)
class TestSet:
    """Labelled samples to score on.

    Attributes
    ----------
    spec : SetSpec
    family : str
    source : str
        Where structures come from, e.g. ``amcsd``; ``designed`` for designed sets.
    samples : Samples
    per_spacegroup : int
        Samples a space group of a designed set; 0 for sets of structures.
    cluster : tuple of str, or None
        Samples with the same entry are near-copies (one mineral measured many times), and intervals
        must not count them as independent. None where samples are independent.
    alike : ndarray of bool, shape (n, n_spacegroups), or None
        The space groups that would have made a sample just as often as its own did. On a designed
        set the label inside an extinction class is a coin that the benchmark tossed: given the
        pattern, each of these groups is as likely. None where labels are no such coins.
    posterior : ndarray of float64, shape (n, n_spacegroups), or None
        The chance of each space group, given the pattern (`sgbench.designed.exact_posterior`): even
        over the groups that are alike, and over those of other classes that show the same lines in
        the sample's cell. None where it is not known (`SetSpec.posterior_is_known`).
    without_noise : Ulbd, or None
        The dataset that the samples are of, where a noise of known law is all that was done to them
        (`SetSpec.noise_is_all`) and chances are known by integration.
    labelled : tuple of LabelledPattern, or None
        What measured samples are of; None for others.
    """

    __test__ = False  # no test of pytest's

    spec: SetSpec
    family: str
    source: str
    samples: Samples
    per_spacegroup: int
    cluster: tuple[str, ...] | None = None
    alike: NDArray[np.bool_] | None = None
    posterior: NDArray[np.float64] | None = None
    without_noise: Ulbd | None = None
    labelled: "tuple[LabelledPattern, ...] | None" = field(default=None, repr=False)

    def __len__(self) -> int:
        return len(self.samples)

    @property
    def name(self) -> str:
        """Name of the set."""
        return self.spec.name

    @property
    def protocol(self) -> PatternProtocol:
        """How lines become patterns."""
        return self.samples.protocol

    def batches(self, size: int) -> Iterator["TestSet"]:
        """Yield its parts in the order of the samples, so many at a time."""
        for first in range(0, len(self), size):
            yield self.take(np.arange(len(self))[first : first + size])

    def take(self, indices: NDArray[np.int64]) -> "TestSet":
        """Return the set of some of its samples, in this order."""
        return replace(
            self,
            samples=self.samples.take(indices),
            cluster=None if self.cluster is None else tuple(self.cluster[i] for i in indices),
            alike=None if self.alike is None else self.alike[indices],
            posterior=None if self.posterior is None else self.posterior[indices],
            labelled=None if self.labelled is None else tuple(self.labelled[i] for i in indices),
        )

    @cached_property
    def oracle(self) -> Posterior | None:
        """What nobody knows better who is told less: `posterior`, or that of the noisy patterns.

        None where neither is known. It is computed when it is first asked for, see
        `sgbench.designed.noise_posterior`.
        """
        if self.posterior is not None:
            return Posterior(self.posterior, np.zeros_like(self.posterior))
        if self.without_noise is None:
            return None
        parts = [
            _noise_posterior(self.spec, self.without_noise, part)
            for part in self.samples.batches(_AT_ONCE)
        ]
        return Posterior(
            np.concatenate([part.probabilities for part in parts]),
            np.concatenate([part.error for part in parts]),
        )

    @cached_property
    def _sha256(self) -> str:
        return self.samples.sha256()

    def checksum(self) -> str:
        """Return a SHA-256 over ids, labels and lines or patterns."""
        return self._sha256

    def row(self) -> dict[str, str]:
        """Return what a row of results says of the set; other data make another row."""
        return {
            "test_set": self.name,
            "family": self.family,
            "source": self.source,
            "test_sha256": self.checksum(),
        }


def open_test_set(
    spec: SetSpec, dataset: Designed, per_spacegroup: int, crystals: Sequence[Path] = ()
) -> TestSet:
    """Return a test set for the family of a designed dataset.

    Parameters
    ----------
    spec : SetSpec
    dataset : Ulbd or UlbdUnion
        Gives the family and the mesh (`family_set`).
    per_spacegroup : int
        Samples a space group of the designed sets.
    crystals : sequence of Path
        Files of line lists of structures and of measured patterns; the one that the set is a part
        of is used.

    Raises
    ------
    SgbenchError
        If it is no test set, the crystals are missing, or none of them fits.
    """
    if spec.part == "train":
        raise SgbenchError(
            f"'{spec.name}' is a set to train on; expected a test set such as ulbd-off-mesh or "
            "cddd. `sgbench dataset test-sets` lists them."
        )
    if spec.origin == DESIGNED:
        found = _designed(spec, dataset, per_spacegroup)
    else:
        # Files need pyarrow, which designed patterns do without.
        from sgbench.collections import find_patterns, is_patterns_file

        if spec.origin == "measured":
            found = _of_patterns(spec, dataset, find_patterns(spec.dataset, crystals))
        else:
            from sgbench.structures import find_crystals

            files = [path for path in crystals if not is_patterns_file(path)]
            found = _of_structures(spec, dataset, find_crystals(spec.dataset, files))
    return replace(found, samples=spec.changed(found.samples))


def _designed(spec: SetSpec, dataset: Designed, per_spacegroup: int) -> TestSet:
    wanted = replace(spec, part="train", family=dataset.family, conditions=())
    if wanted != SetSpec(DESIGNED, family=dataset.family):
        dataset = designed_set(wanted)  # of another law, balance or protocol
    split: Split = "in-mesh" if spec.part == "in-mesh" else "off-mesh"
    samples = dataset.held_out_samples(split, per_spacegroup)
    numbered = tuple(f"{i:06d}-{sample}" for i, sample in enumerate(samples.ids))
    return TestSet(
        # Patterns of another protocol are other data, and their name says so.
        replace(spec, protocol=dataset.protocol.name),
        dataset.family,
        DESIGNED,
        replace(samples, ids=numbered),
        per_spacegroup,
        alike=_alike(dataset, split, per_spacegroup),
        posterior=exact_posterior(dataset, split, per_spacegroup)
        if spec.posterior_is_known
        else None,
        without_noise=dataset
        if isinstance(dataset, Ulbd) and spec.noise_is_all and dataset.family in PAPER_FAMILIES
        else None,
    )


def _noise_posterior(spec: SetSpec, dataset: Ulbd, samples: Samples) -> Posterior:
    (condition,) = spec.conditions
    if samples.cell is None or condition.severity is None:
        raise TypeError("samples of a designed set have cells, and noise has a severity")
    heights = reference_height(samples.cell, samples.protocol)
    noise = (
        GaussianNoise(condition.severity * heights)
        if condition.name == READOUT.name
        else CountingNoise(condition.severity / heights)
    )
    cells = np.stack([free_parameters(dataset.family, cell) for cell in samples.cell])
    return noise_posterior(dataset, cells, samples.unscaled(), noise)


def _alike(dataset: Designed, split: Split, per_spacegroup: int) -> NDArray[np.bool_] | None:
    """Return `TestSet.alike`: the groups of a sample's class that have its cell."""
    if isinstance(dataset, Ulbd):
        if dataset.law.tells_groups_apart:
            return None
        recipes = dataset.held_out_recipes(split, per_spacegroup)
        return dataset.groups_alike(recipes)
    from scipy.linalg import block_diag  # takes a while to import

    known = [_alike(part, split, per_spacegroup) for part in dataset.parts]
    # Families follow each other in the numbers of space groups, and their samples do, too.
    return np.asarray(block_diag(*known), dtype=bool)


def _of_structures(spec: SetSpec, dataset: Designed, crystals: "CrystalSet") -> TestSet:
    if crystals.metadata["protocol"] != asdict(dataset.protocol):
        raise SgbenchError(
            f"the crystals' lines were computed under the protocol "
            f"'{crystals.metadata['protocol'].get('name')}'; expected '{dataset.protocol.name}', "
            f"that of {dataset.name}. Score on designed sets, or with a model of that protocol."
        )
    member = np.isin(crystals.spacegroup, dataset.spacegroups)
    if spec.part == "test":
        member &= np.array(crystals.split(spec.split)) == "test"
    chosen = np.flatnonzero(member)
    if spec.in_domain:
        inside = [
            dataset.in_domain(group, cell)
            for group, cell in zip(crystals.spacegroup[chosen], crystals.cell[chosen], strict=True)
        ]
        chosen = chosen[np.array(inside, dtype=bool)]
    if not len(chosen):
        raise SgbenchError(
            f"the crystals hold no structure of '{spec.name}' for the {dataset.family} family; "
            "expected at least one. Build the set with this family."
        )
    return TestSet(
        spec,
        dataset.family,
        str(crystals.metadata["source"]["name"]),
        crystals.samples(chosen),
        0,
        tuple(f"{crystals.name[i]}/{crystals.spacegroup[i]}" for i in chosen),
    )


def _of_patterns(spec: SetSpec, dataset: Designed, patterns: "PatternSet") -> TestSet:
    chosen = np.flatnonzero(np.isin(patterns.spacegroup, dataset.spacegroups))
    if not len(chosen):
        raise SgbenchError(
            f"'{spec.name}' holds no pattern of the {dataset.family} family; expected at least "
            "one. Ask a model of another family, or of all."
        )
    labelled = [patterns.patterns[i] for i in chosen]
    treatment = TREATMENTS[spec.treatment]
    treated = [treat(one.pattern, treatment, dataset.protocol) for one in labelled]
    clusters = patterns.clusters
    return TestSet(
        spec,
        dataset.family,
        patterns.source,
        Samples(
            tuple(one.pattern_id for one in labelled),
            patterns.spacegroup[chosen],
            dataset.protocol,
            measured=np.stack([one.intensity for one in treated]),
            known=np.stack([one.known for one in treated]),
        ),
        0,
        tuple(clusters[i] for i in chosen),
        labelled=tuple(labelled),
    )


def seen_in_training(
    truth: TestSet, trained: SetSpec | None, crystals: Sequence[Path] = ()
) -> tuple[str, ...]:
    """Tell for each measured sample whether a model was trained on its substance.

    Parameters
    ----------
    truth : TestSet
    trained : SetSpec or None
        What the model was trained on; None for nothing.
    crystals : sequence of Path
        Files of structures; that of the training set is used, where it was structures of crystals.

    Returns
    -------
    tuple of str
        As `sgbench.collections.seen`. Designed and random structures are no substances, so all are
        ``unseen`` then. Empty for sets that were not measured.
    """
    if truth.labelled is None:
        return ()
    from sgbench.collections import UNSEEN, is_patterns_file, seen

    if trained is None or trained.origin != "crystals":
        return (UNSEEN,) * len(truth)
    from sgbench.structures import find_crystals

    files = [path for path in crystals if not is_patterns_file(path)]
    found = find_crystals(trained.dataset, files)
    member = np.isin(found.spacegroup, family_spacegroups(trained.family))
    # What was validated on chose among states of the model, so it counts as trained on.
    member &= np.array(found.split(trained.split)) != "test"
    return seen(truth.labelled, found, member)
