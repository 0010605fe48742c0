"""Poisson and normal draws for the points of patterns, keyed by the names of samples.

A draw is a function of stream, name and point: the blocks of Philox that it takes have the point
and the number of the attempt in their counter. Compiled code and torch take the same ones.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sgbench.conditions._amount import name_words
from sgbench.philox import stream_key

#: Means below it are drawn by inversion; Hörmann's bounds hold from here on.
SMALL_MEAN = 10.0


def count(patterns: Any, per_unit: NDArray[np.float64], names: Sequence[str], stream: str) -> Any:
    """Return patterns whose points have been counted: Poisson numbers, in the patterns' own unit.

    By inversion for small means, and by transformed rejection with squeeze (PTRS; Hörmann 1993,
    Insurance: Mathematics and Economics 12, 39) for the others; both are exact.

    Parameters
    ----------
    patterns : ndarray or torch.Tensor of float32, shape (n, n_points)
        Written over. Points below zero count as zero.
    per_unit : ndarray, shape (n,)
        Expected counts of a point of height 1; a pattern with 0 stays as it is.
    names : sequence of str, length n
    stream : str
    """
    words, key = name_words(names), stream_key(f"sgbench/condition/{stream}")
    if isinstance(patterns, np.ndarray):
        from sgbench.conditions._draws_numba import count_points

        count_points(patterns, per_unit, words.astype(np.uint64), *map(np.uint64, key))
        return patterns
    from sgbench.conditions._draws_torch import count_on_device

    return count_on_device(patterns, per_unit, words, key)


def add_normal(patterns: Any, sigma: NDArray[np.float64], names: Sequence[str], stream: str) -> Any:
    """Return patterns with normal noise (Box & Muller 1958, Ann. Math. Stat. 29, 610).

    Parameters
    ----------
    patterns : ndarray or torch.Tensor of float32, shape (n, n_points)
        Written over.
    sigma : ndarray, shape (n,)
    names : sequence of str, length n
    stream : str
    """
    words, key = name_words(names), stream_key(f"sgbench/condition/{stream}")
    if isinstance(patterns, np.ndarray):
        from sgbench.conditions._draws_numba import add_normal_to_points

        add_normal_to_points(patterns, sigma, words.astype(np.uint64), *map(np.uint64, key))
        return patterns
    from sgbench.conditions._draws_torch import add_normal_on_device

    return add_normal_on_device(patterns, sigma, words, key)
