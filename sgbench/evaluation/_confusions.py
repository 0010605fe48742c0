"""What a model takes for what, and which reflection conditions it missed or invented."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sgbench.evaluation._scores import Score
from sgbench.symmetry import (
    ZONES,
    Forms,
    Zone,
    absences,
    condition_words,
    extinction_classes,
    family_of,
    family_spacegroups,
    relabellings,
    zone_forms,
)

# Every modulus in a condition divides 4 or 6: indices up to 12 show each of them more than once.
_INDEX_LIMIT = 12
_FORMS_MODULUS = 24


class _Run(NamedTuple):
    model: str
    train_set: str
    test_set: str
    source: str
    test_sha256: str
    family: str
    scale: str


@dataclass(frozen=True)
class Confusion:
    """One extinction class taken for another, by one model on one test set.

    Attributes
    ----------
    model, train_set, test_set, source, test_sha256, family, scale : str
    true_class, predicted_class : str
        Extinction symbols.
    n : int
        Samples of the true class that were taken for the predicted one, summed over seeds.
    n_true : int
        Samples of the true class, summed over seeds.
    share : float
        ``n / n_true``
    missed : tuple of str
        Reflection conditions of the true class that the predicted one lacks, that is, absences
        that the model did not see; ``00l: l = 4n (only l = 2n seen)`` where it has a weaker one.
    invented : tuple of str
        Reflection conditions of the predicted class that the true one lacks, that is, lines that
        are there and that the guess forbids.
    sentence : str
        ``P 42/n - - taken for P 4/n - -: missed 00l: l = 2n``
    """

    model: str
    train_set: str
    test_set: str
    source: str
    test_sha256: str
    family: str
    scale: str
    true_class: str
    predicted_class: str
    n: int
    n_true: int
    share: float
    missed: tuple[str, ...]
    invented: tuple[str, ...]
    sentence: str


def confusions(scores: Sequence[Score]) -> list[Confusion]:
    """List which extinction classes models take for which others, most frequent first.

    Parameters
    ----------
    scores : sequence of Score
        Those over extinction classes are used, except of controls. Seeds are summed.

    Returns
    -------
    list of Confusion
        Descending by `n`.
    """
    pairs: Counter[tuple[_Run, int, int]] = Counter()
    total: Counter[tuple[_Run, int]] = Counter()
    for result in scores:
        origin = result.provenance
        if result.class_scheme != "extinction" or origin.get("status") == "control":
            continue
        run = _Run(
            origin["model"], origin["train_set"], result.test_set, result.source,
            result.test_sha256, result.family, origin["scale"],
        )  # fmt: skip
        for true, predicted, n in result.confusion:
            total[run, true] += n
            if true != predicted:
                pairs[run, true, predicted] += n
    classes_of = {
        family: extinction_classes(family_spacegroups(family))
        for family in {run.family for run, *_ in pairs}
    }
    found = []
    for (run, true, predicted), n in pairs.items():
        classes = classes_of[run.family]
        missed, invented = condition_differences(
            classes[true].spacegroups[0], classes[predicted].spacegroups[0]
        )
        symbols = classes[true].symbol, classes[predicted].symbol
        n_true = total[run, true]
        found.append(
            Confusion(
                *run, *symbols, n, n_true, n / n_true, missed, invented,
                _sentence(*symbols, missed, invented),
            )
        )  # fmt: skip
    return sorted(
        found,
        key=lambda one: (-one.n, one.model, one.train_set, one.test_set, one.family, one.sentence),
    )


@cache
def condition_differences(true: int, predicted: int) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return which reflection conditions one space group has over another, and the reverse.

    A condition of a group is lacking in the other if it extinguishes a reflection that the group's
    conditions on larger zones leave and that the other group has. So conditions are compared by
    what they extinguish and not by their words: ``00l: l = 2n`` is not missed by a guess of an
    I lattice, which makes the same demand.

    A pattern does not label axes. Where the family leaves a choice, the axes are those of the
    group with the lower number, and the other is relabelled to share as many absences as it can.

    Parameters
    ----------
    true, predicted : int
        Space groups. Those of different families differ by more than conditions.

    Returns
    -------
    missed, invented : tuple of str
        Both are empty for groups of one extinction class, and of different families.
    """
    if family_of(true) != family_of(predicted):
        return (), ()
    if true > predicted:
        return condition_differences(predicted, true)[::-1]
    matrix = _best_relabelling(true, predicted)
    missed, invented = [], []
    for zone in ZONES[family_of(true)]:
        basis = np.array(zone.basis) @ matrix
        relabelled = Zone(zone.name, tuple(map(tuple, basis.tolist())), zone.free)
        ours, theirs = zone_forms(true, zone), zone_forms(predicted, relabelled)
        missed += _lacking(zone, ours, theirs[0])
        invented += _lacking(zone, theirs, ours[0])
    return tuple(missed), tuple(invented)


def _best_relabelling(fixed: int, moved: int) -> NDArray[np.int32]:
    choices = relabellings(family_of(fixed))
    if len(choices) == 1:
        return choices[0]
    hkl = _indices(3)
    target = absences(fixed, hkl)
    return min(choices, key=lambda matrix: int((absences(moved, hkl @ matrix) != target).sum()))


def _lacking(zone: Zone, own: tuple[Forms, Forms], other: Forms) -> list[str]:
    """Put into words what a group demands of a zone and another does not, if it does so."""
    forms, from_larger_zones = own
    own_part = _extinct(forms) & ~_extinct(from_larger_zones)
    if not (own_part & ~_extinct(other)).any():
        return []
    text = f"{zone.name}: {condition_words(forms, zone.free)}"
    if len(other) > 1 and other < forms:
        text += f" (only {condition_words(other, zone.free)} seen)"
    return [text]


# A few hundred sets of demands come back in all pairs of classes.
@cache
def _extinct(forms: Forms) -> NDArray[np.bool_]:
    """Tell which of a zone's reflections up to the limit a set of demands forbids."""
    demands = np.array(sorted(forms), dtype=np.int32)
    indices = _indices(demands.shape[1])
    return np.asarray((indices @ demands.T % _FORMS_MODULUS != 0).any(axis=1))


@cache
def _indices(n: int) -> NDArray[np.int32]:
    """Return all that n free indices can be, up to the limit."""
    axis = range(-_INDEX_LIMIT, _INDEX_LIMIT + 1)
    return np.array(list(product(axis, repeat=n)), dtype=np.int32)


def _sentence(true: str, predicted: str, missed: tuple[str, ...], invented: tuple[str, ...]) -> str:
    parts = [
        f"{verb} {' and '.join(conditions)}"
        for verb, conditions in (("missed", missed), ("invented", invented))
        if conditions
    ]
    return f"{true} taken for {predicted}: {', '.join(parts) or 'another crystal family'}"
