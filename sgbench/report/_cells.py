"""How cells and patterns of structures are distributed within space groups."""

from collections import Counter

import numpy as np
from numpy.typing import NDArray

from sgbench.diffraction import PatternProtocol, render
from sgbench.structures import FEW, CrystalSet

BIN_WIDTH = 0.2  # ångström, as in the article's Figs. 2 and 4
#: Structures of a space group whose patterns are compared, at most.
PATTERNS_A_GROUP = 60

_FEWEST_BINS = 10
_UNIFORM_DRAWS = 200


def relative_spread(values: NDArray[np.float64], bin_width: float = BIN_WIDTH) -> float | None:
    """Return how widely values spread over their range, relative to uniform ones.

    Parameters
    ----------
    values : ndarray of float, shape (n,)
        Ångström.
    bin_width : float
        Ångström.

    Returns
    -------
    float or None
        The least number of bins that hold half of the values, divided by its mean for as many
        uniform draws over the same bins: near 1 if uniform, near 0 if they cluster. None where the
        range has fewer than ten bins.
    """
    index = np.floor(values / bin_width + 1e-9).astype(np.int64)
    index -= index.min()
    n_bins = int(index.max()) + 1
    if n_bins < _FEWEST_BINS:
        return None
    draws = np.random.default_rng(0).multinomial(
        len(values), np.full(n_bins, 1 / n_bins), size=_UNIFORM_DRAWS
    )
    return float(_bins_of_half(np.bincount(index)[None, :])[0] / _bins_of_half(draws).mean())


def _bins_of_half(counts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the least number of bins, of each row, that hold half of its values."""
    filled = np.sort(counts, axis=1)[:, ::-1].cumsum(axis=1)
    return np.asarray((2 * filled < filled[:, -1:]).sum(axis=1) + 1)


def spreads(crystals: CrystalSet) -> dict[tuple[int, int], float]:
    """Return the `relative_spread` of each edge (0-2) of each space group with `FEW` structures."""
    return {
        (group, edge): spread
        for group, n in sorted(Counter(crystals.spacegroup.tolist()).items())
        if n >= FEW
        for edge in range(3)
        if (spread := relative_spread(crystals.cell[crystals.spacegroup == group, edge]))
        is not None
    }


def paired_spreads(real: CrystalSet, random: CrystalSet) -> list[tuple[float, float]]:
    """Return the `relative_spread` of edges in two sets, from as many structures of each."""
    draw = np.random.default_rng(0)
    counts = [Counter(crystals.spacegroup.tolist()) for crystals in (real, random)]
    found = []
    for group in sorted(counts[0]):
        n = min(count[group] for count in counts)
        if n < FEW:
            continue
        cells = [
            draw.permutation(crystals.cell[crystals.spacegroup == group])[:n]
            for crystals in (real, random)
        ]
        for edge in range(3):
            one, other = (relative_spread(cell[:, edge]) for cell in cells)
            if one is not None and other is not None:
                found.append((one, other))
    return found


def similarities(crystals: CrystalSet) -> tuple[list[float], list[float]]:
    """Return cosine similarities of patterns within space groups with `FEW` structures.

    Returns
    -------
    near, far : list of float
        Of pairs with different names whose edges all agree within 1 %, and of pairs with an edge
        that differs by more than 10 %.
    """
    protocol = PatternProtocol(**crystals.metadata["protocol"])
    near: list[float] = []
    far: list[float] = []
    for group, n in sorted(Counter(crystals.spacegroup.tolist()).items()):
        if n < FEW:
            continue
        members = np.flatnonzero(crystals.spacegroup == group)
        members = members[np.linspace(0, n - 1, min(n, PATTERNS_A_GROUP)).astype(np.int64)]
        patterns = render(crystals.lines.take(members), protocol)
        patterns = patterns / np.linalg.norm(patterns, axis=1, keepdims=True)
        edges = np.log(crystals.cell[members, :3])
        first, second = np.triu_indices(len(members), 1)
        apart = np.abs(edges[first] - edges[second]).max(axis=1)
        names = np.array([crystals.name[i] for i in members])
        other = names[first] != names[second]
        similarity = (patterns @ patterns.T)[first, second]
        near += similarity[other & (apart < np.log(1.01))].tolist()
        far += similarity[other & (apart > np.log(1.10))].tolist()
    return near, far
