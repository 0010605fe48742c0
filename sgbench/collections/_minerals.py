"""What a pattern is of, and whether a model may have seen it.

Some collections name no substances. A pattern of theirs is matched with the structures of its own
space group: it is of the one whose computed pattern it resembles most, if it resembles it enough.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sgbench.collections._entry import LabelledPattern
from sgbench.collections._store import PatternSet
from sgbench.diffraction import CANONICAL, render
from sgbench.measured import treat

if TYPE_CHECKING:
    from sgbench.structures import CrystalSet

#: Cosine of the square roots of two patterns from which on one is of the other's substance. It was
#: set on the even half of development data (227 patterns): 5 % of these resemble a structure of
#: another space group of their family as much, of as many as there are of their own group.
LEAST_LIKENESS = 0.80
# Cells may differ by this much (as a whole, relative) and zeros by this many degrees.
_STRAINS = np.linspace(-0.01, 0.01, 9)
_SHIFTS = np.linspace(-0.1, 0.1, 11)
_POOLED, _FLOOR = 4, 0.02
_SAME_CELL = 0.02
_AT_ONCE, _REFINED = 256, 200

SEEN, UNSEEN, UNKNOWN = "seen", "unseen", "unknown"


def named_by_minerals(patterns: PatternSet, crystals: "CrystalSet") -> PatternSet:
    """Return a collection whose nameless patterns are named by the structures that they match.

    Those that match none stay without a name. Labels stay what the source says.

    Parameters
    ----------
    patterns : PatternSet
    crystals : CrystalSet
        Structures, of which those of a pattern's space group are compared.
    """
    named = list(patterns.patterns)
    by_group: dict[int, list[int]] = defaultdict(list)
    for i, one in enumerate(named):
        if not one.substance and one.spacegroup is not None:
            by_group[one.spacegroup].append(i)
    for group, members in sorted(by_group.items()):
        candidates = np.flatnonzero(crystals.spacegroup == group)
        if not len(candidates):
            continue
        found = likenesses([named[i] for i in members], crystals.take(candidates))
        for i, scores in zip(members, found, strict=True):
            best = int(np.argmax(scores))
            if scores[best] >= LEAST_LIKENESS:
                match = candidates[best]
                named[i] = replace(
                    named[i],
                    substance=crystals.name[match],
                    prototype=crystals.prototype[match],
                    cell=tuple(crystals.cell[match].tolist()),
                )
    told = {"named_by": f"likeness of at least {LEAST_LIKENESS:g} to a structure of the same group"}
    return replace(patterns, patterns=tuple(named), metadata=patterns.metadata | told)


def likenesses(patterns: Sequence[LabelledPattern], crystals: "CrystalSet") -> NDArray[np.float32]:
    """Return how much each pattern resembles each structure, shape (n, len(crystals)).

    It is the largest cosine of the square roots of the treated pattern and of the computed one,
    over cells that differ by up to 1 % as a whole and zeros that differ by up to 0.1 degrees.
    """
    parts = [np.arange(first, min(first + _AT_ONCE, len(crystals)))
             for first in range(0, len(crystals), _AT_ONCE)]  # fmt: skip
    computed = np.concatenate(
        [features(render(crystals.lines.take(part), CANONICAL)) for part in parts]
    )
    return np.stack([likeness(one, computed) for one in patterns])


def features(patterns: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return square roots at a quarter of the resolution, each row of length 1, shape (n, m).

    What is below a fiftieth of the strongest line, as noise is, counts as nothing.
    """
    rows = np.sqrt(np.clip(patterns - _FLOOR, 0, None))
    rows = rows.reshape(len(rows), -1, _POOLED).mean(axis=2)
    length = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.maximum(length, 1e-12), dtype=np.float32)


def likeness(one: LabelledPattern, computed: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return how much a pattern resembles each of some computed ones, shape (n,).

    It is the largest cosine over cells that differ a little, and for the most alike over zeros
    that differ a little as well.
    """
    mine = features(treat(one.pattern).intensity[None, :])[0]
    found = (_variants(mine, [0.0]) @ computed.T).max(axis=0)
    # What is unlike without a shift of the zero is so with it.
    best = np.argsort(-found)[:_REFINED]
    found[best] = (_variants(mine, _SHIFTS) @ computed[best].T).max(axis=0)
    return np.asarray(found)


def _variants(mine: NDArray[np.float32], shifts: ArrayLike) -> NDArray[np.float32]:
    """Return features as other cells and zeros show them, shape (n, m), of length 1 each."""
    grid = CANONICAL.two_theta.reshape(-1, _POOLED).mean(axis=1)
    sine = np.sin(np.radians(grid) / 2)[None, :] * (1 + _STRAINS[:, None])
    angles = np.degrees(2 * np.arcsin(np.minimum(sine, 1.0)))
    places = (angles[:, None, :] + np.asarray(shifts)[None, :, None]).reshape(-1, len(grid))
    variants = np.interp(places, grid, mine).astype(np.float32)
    length = np.linalg.norm(variants, axis=1, keepdims=True)
    return np.asarray(variants / np.maximum(length, 1e-12))


def seen(
    patterns: Sequence[LabelledPattern], crystals: "CrystalSet", trained_on: NDArray[np.bool_]
) -> tuple[str, ...]:
    """Tell for each pattern whether its substance was trained on.

    It was where a structure of its name was, or one of its prototype with a cell that differs by
    less than 2 % in every edge and angle.

    Parameters
    ----------
    patterns : sequence of LabelledPattern
    crystals : CrystalSet
    trained_on : ndarray of bool, shape (len(crystals),)

    Returns
    -------
    tuple of str
        ``seen``, ``unseen``, or ``unknown`` where neither name nor prototype are known.
    """
    chosen = np.flatnonzero(trained_on)
    names = {crystals.name[i].casefold() for i in chosen}
    cells: dict[str, list[NDArray[np.float64]]] = defaultdict(list)
    for i in chosen:
        cells[crystals.prototype[i]].append(crystals.cell[i])
    return tuple(_seen(one, names, cells.get(one.prototype, ())) for one in patterns)


def _seen(one: LabelledPattern, names: set[str], cells: Iterable[NDArray[np.float64]]) -> str:
    if not one.substance and not one.prototype:
        return UNKNOWN
    if one.substance.casefold() in names:
        return SEEN
    mine = np.array(one.cell or [np.inf] * 6)
    near = any((np.abs(mine / other - 1) < _SAME_CELL).all() for other in cells)
    return SEEN if near else UNSEEN
