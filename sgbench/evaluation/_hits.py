"""Hits and their intervals: how often a label is among the most probable, and how sure that is."""

import numpy as np
from numpy.typing import NDArray

_Z95 = 1.959963984540054
_BOOTSTRAPS = 2000


def top_k_hits(
    probabilities: NDArray[np.float32], label: NDArray[np.int64], k_max: int
) -> NDArray[np.float64]:
    """Return how likely the true label is among the k most probable, shape (n, k_max).

    Ties are broken at random, and what is returned is the chance over that; without ties it is 0
    or 1. So a constant guess scores what guessing scores, whatever the order of the labels.
    """
    true = np.take_along_axis(probabilities, label[:, None], axis=1)
    greater = (probabilities > true).sum(axis=1)[:, None]
    tied = (probabilities == true).sum(axis=1)[:, None]
    k = np.arange(1, k_max + 1)[None, :]
    return np.asarray(np.clip((k - greater) / tied, 0.0, 1.0))


def top_k_chances(
    probabilities: NDArray[np.float32], alike: NDArray[np.bool_], k_max: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return how likely the label is among the k most probable, and how likely it can be at most.

    Where each of the groups that are alike would have made the pattern just as often, the label is
    a coin tossed between them, and no answer depends on how it fell. So the mean of these chances
    is an unbiased estimate of the accuracy, has less variance than the share of hits, and cannot
    pass the mean of the bounds (Rao and Blackwell).

    Parameters
    ----------
    probabilities : ndarray of float32, shape (n, n_labels)
    alike : ndarray of bool, shape (n, n_labels)
        `TestSet.alike`
    k_max : int

    Returns
    -------
    chances, bounds : ndarray of float64, shape (n, k_max)
        Mean of `top_k_hits` over the groups that are alike; and k over their number, at most 1.
    """
    members = alike.sum(axis=1)
    first, (_, group) = np.cumsum(members) - members, np.nonzero(alike)
    chances = np.zeros((len(alike), k_max))
    for place in range(members.max()):
        rows = np.flatnonzero(members > place)
        chances[rows] += top_k_hits(probabilities[rows], group[first[rows] + place], k_max)
    chances /= members[:, None]
    bounds = np.minimum(np.arange(1, k_max + 1)[None, :] / members[:, None], 1.0)
    return chances, bounds


def wilson_interval(
    fraction: NDArray[np.float64], n: NDArray[np.float64] | float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return Wilson's 95 % interval (J. Am. Stat. Assoc. 22, 209, 1927) for fractions of n."""
    centre = (fraction + _Z95**2 / (2 * n)) / (1 + _Z95**2 / n)
    half = _Z95 / (1 + _Z95**2 / n) * np.sqrt(fraction * (1 - fraction) / n + _Z95**2 / (4 * n * n))
    return np.maximum(centre - half, 0.0), np.minimum(centre + half, 1.0)


def interval(
    hits: NDArray[np.float64], bounds: NDArray[np.float64], clusters: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return 95 % intervals: Wilson's where samples are independent, else over clusters.

    Wilson's is of the share of what is possible, which lies between 0 and 1. Samples of which less
    is possible weigh less, so n is Kish's effective size; bounds of 1 leave n as it is.
    """
    if len(np.unique(clusters)) < len(hits):
        return _bootstrap_interval(hits, clusters)
    possible = bounds.mean(axis=0)
    effective = bounds.sum(axis=0) ** 2 / (bounds**2).sum(axis=0)
    low, high = wilson_interval(hits.mean(axis=0) / possible, effective)
    return low * possible, high * possible


def _bootstrap_interval(
    hits: NDArray[np.float64], clusters: NDArray[np.int64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Resample whole clusters; the seed is fixed, so a rerun gives the same interval."""
    n_clusters = int(clusters.max()) + 1
    size = np.bincount(clusters).astype(float)
    sums = np.stack([np.bincount(clusters, column) for column in hits.T], axis=1)
    draws = np.random.default_rng(0).multinomial(
        n_clusters, np.full(n_clusters, 1 / n_clusters), size=_BOOTSTRAPS
    )
    means = (draws @ sums) / (draws @ size)[:, None]
    low, high = np.percentile(means, [2.5, 97.5], axis=0)
    # The percentile interval of a perfect score is a point; Wilson's is not.
    floor, roof = wilson_interval(hits.mean(axis=0), n_clusters)
    perfect = low == high
    return np.where(perfect, floor, low), np.where(perfect, roof, high)
