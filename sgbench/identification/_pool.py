"""How decoder, network and what crystals mostly are are combined, as simulated patterns taught."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from sgbench.decoder import RankedClass
from sgbench.diffraction import FREE_PARAMETERS
from sgbench.identification._shares import shares
from sgbench.symmetry import extinction_classes, family_spacegroups

_LEAST = 1e-12
# Structures of each class beside those that are known.
_MORE = 0.5


@dataclass(frozen=True)
class Pool:
    """What decoder, network and literature are worth.

    Either one of the decoder's cells is right, or none is. With q the decoder's probabilities of
    classes if one is, n the network's, g the share of the 230 space groups that a class has, and f
    the share of known structures, a class has the weight

        (1 - d) q^a (f/g)^e (n/g)^b / Z + d f^e g^(1-e) (n/g)^b / Z'

    where Z and Z' are the sums of what stands before (n/g)^b. To network and decoder all space
    groups are alike, so what they say is divided by g. d is the chance that no cell is right: its
    logit is `doubt` and `slope` times the logit of the decoder's own doubt. Experts are raised to
    powers since they see the same pattern (Genest & Zidek 1986, Statistical Science 1, 114).

    Attributes
    ----------
    decoder, network, literature : float
        a, b and e.
    doubt, slope : float
    """

    decoder: float
    network: float
    literature: float
    doubt: float
    slope: float


# Fitted by tools/pooling.py, where cubic, tetragonal, trigonal and hexagonal cells are searched:
# with a network that was asked, and without one.
_WITH_NETWORK = Pool(decoder=0.73, network=0.50, literature=0.97, doubt=0.0, slope=0.32)
_ALONE = Pool(decoder=0.96, network=0.0, literature=1.08, doubt=0.0, slope=0.47)


def pool_for(asked: bool, whole: bool) -> Pool:
    """Return what decoder, network and literature are worth.

    Parameters
    ----------
    asked : bool
        Whether the network was.
    whole : bool
        Whether cells of all families were searched. Then the decoder's doubt is what it says
        (docs/decoder.md).
    """
    pool = _WITH_NETWORK if asked else _ALONE
    return replace(pool, doubt=0.0, slope=1.0) if whole else pool


@dataclass(frozen=True)
class FamilyClass:
    """An extinction class of a crystal family."""

    family: str
    symbol: str
    spacegroups: tuple[int, ...]


@dataclass(frozen=True)
class PooledClass(FamilyClass):
    """The same with what is said of it.

    Attributes
    ----------
    probability : float
    decoder : float
        What the decoder says by itself; 0 where it found no cell of the family.
    network : float or None
        What the network says by itself; None where it was not asked.
    cell : int or None
        Which of the decoder's cells it was judged on; None where it has none.
    """

    probability: float
    decoder: float
    network: float | None
    cell: int | None


@cache
def every_class() -> tuple[FamilyClass, ...]:
    """Return the extinction classes of all crystal families."""
    return tuple(
        FamilyClass(family, one.symbol, one.spacegroups)
        for family in FREE_PARAMETERS
        for one in extinction_classes(family_spacegroups(family))
    )


def pooled(
    decoded: Sequence[RankedClass],
    doubt: float,
    chances: NDArray[np.float64] | None,
    pool: Pool,
) -> tuple[PooledClass, ...]:
    """Combine what the decoder says of classes with what the network says of space groups.

    Parameters
    ----------
    decoded : sequence of RankedClass
        Empty where no cell was found.
    doubt : float
        The decoder's chance that none of its cells is right.
    chances : ndarray of float64, shape (230,), or None
        Of the space groups, by the network, where it was asked.
    pool : Pool

    Returns
    -------
    tuple of PooledClass
        All classes of all crystal families, the most probable first.
    """
    known = {(one.family, one.spacegroups): one for one in decoded}
    every = every_class()
    found = [known.get((one.family, one.spacegroups)) for one in every]
    q = np.array([np.nan if one is None else one.share for one in found])
    n = None if chances is None else of_classes(chances)
    p = combined(q, n, doubt, known_minerals(), pool)
    return tuple(
        PooledClass(
            every[i].family, every[i].symbol, every[i].spacegroups, float(p[i]),
            one.probability if (one := found[i]) is not None else 0.0,
            None if n is None else float(n[i]),
            one.cell if one is not None else None,
        )
        for i in np.argsort(-p, kind="stable")
    )  # fmt: skip


def combined(
    q: NDArray[np.float64],
    n: NDArray[np.float64] | None,
    doubt: float,
    known: NDArray[np.float64],
    pool: Pool,
) -> NDArray[np.float64]:
    """Return the pooled probabilities of classes, as `Pool` says.

    Parameters
    ----------
    q : ndarray of float64, shape (n_classes,)
        The decoder's, if one of its cells is right; NaN for classes of families without a cell.
    n : ndarray of float64, shape (n_classes,), or None
        The network's, where it was asked.
    doubt : float
        The decoder's; without a cell nothing depends on it.
    known : ndarray of float64, shape (n_classes,)
        Structures of each class that are known.
    pool : Pool
    """
    log_groups = np.log(_groups())
    share = (known + _MORE) / (known + _MORE).sum()
    literature = pool.literature * (np.log(share) - log_groups)
    network = 0.0 if n is None else pool.network * (np.log(np.maximum(n, _LEAST)) - log_groups)
    without = _normal(literature + log_groups)
    there = ~np.isnan(q)
    wrong = 1.0
    within = np.zeros(len(q))
    if there.any():
        odds = np.log(np.clip(doubt, _LEAST, 1 - _LEAST)) - np.log1p(-np.clip(doubt, 0, 1 - _LEAST))
        wrong = float(1 / (1 + np.exp(-(pool.doubt + pool.slope * odds))))
        decoder = pool.decoder * np.log(np.maximum(q[there], _LEAST))
        within[there] = _normal(decoder + literature[there])
    # Scaled by the largest, as the powers of small numbers may be too small for a number.
    logarithm = np.log(np.maximum((1 - wrong) * within + wrong * without, 1e-300)) + network
    return _normal(logarithm)


def of_classes(chances: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return probabilities of classes from those of the 230 space groups."""
    return np.array([chances[np.array(one.spacegroups) - 1].sum() for one in every_class()])


@cache
def known_minerals() -> NDArray[np.float64]:
    """Return how many minerals of each class are known, shape (n_classes,)."""
    counts = [sum(group.known for group in shares(one.spacegroups)) for one in every_class()]
    return np.array(counts, dtype=np.float64)


@cache
def _groups() -> NDArray[np.float64]:
    """Return the share of the 230 space groups that each class has, shape (n_classes,)."""
    return np.array([len(one.spacegroups) for one in every_class()]) / 230


def _normal(logarithms: NDArray[np.float64]) -> NDArray[np.float64]:
    values = np.exp(logarithms - logarithms.max())
    return np.asarray(values / values.sum())
