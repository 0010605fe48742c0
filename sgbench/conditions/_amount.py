"""How much of a condition each sample has: the same for all, or drawn by the sample's name."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from sgbench.philox import philox4x32, stream_key, to_unit

_MASK = 0xFFFFFFFF


def words(names: Sequence[str], stream: str, count: int) -> NDArray[np.int64]:
    """Return random words of 32 bits, shape (n, count), that names and stream determine.

    Parameters
    ----------
    names : sequence of str, length n
        Of samples.
    stream : str
        What they are drawn for; other streams have other words.
    count : int
        Words a sample.
    """
    first, second = name_words(names).T
    blocks = np.arange(-(-count // 4))[None, :]
    zero = np.zeros((len(names), blocks.shape[1]), dtype=np.int64)
    counter = blocks + zero, zero, first[:, None] + zero, second[:, None] + zero
    found = philox4x32(counter, stream_key(f"sgbench/condition/{stream}"))
    return np.stack(found, axis=2).reshape(len(names), 4 * blocks.shape[1])[:, :count]


def name_words(names: Sequence[str]) -> NDArray[np.int64]:
    """Return two words of 32 bits, shape (n, 2), for each name: the first of its BLAKE2b."""
    digests = b"".join(hashlib.blake2b(name.encode(), digest_size=8).digest() for name in names)
    return np.frombuffer(digests, dtype="<u4").reshape(-1, 2).astype(np.int64)


@dataclass(frozen=True)
class Amount:
    """How much there is of something in each sample.

    Attributes
    ----------
    low, high : float
        The same for all samples if they are equal.
    law : {'uniform', 'log-uniform'}
    share : float
        Fraction of the samples that have any; the others have 0.
    stream : str
        What it is drawn for.
    """

    low: float
    high: float
    law: Literal["uniform", "log-uniform"] = "uniform"
    share: float = 1.0
    stream: str = ""

    @classmethod
    def fixed(cls, value: float) -> "Amount":
        """Return the same amount for all samples."""
        return cls(value, value)

    def named(self, stream: str) -> "Amount":
        """Return the amount that is drawn for something else."""
        return replace(self, stream=stream)

    def __str__(self) -> str:
        if self.low == self.high and self.share == 1:
            return f"{self.low:g}"
        share = "" if self.share == 1 else f" in {self.share:g} of all"
        return f"{self.law} {self.low:g}…{self.high:g}{share} by {self.stream}"

    def of(self, names: Sequence[str]) -> NDArray[np.float64]:
        """Return the amount in each sample, shape (n,)."""
        if self.low == self.high and self.share == 1:
            return np.full(len(names), self.low)
        drawn, chosen = to_unit(words(names, self.stream, 2)).T
        if self.law == "uniform":
            found = self.low + (self.high - self.low) * drawn
        else:
            found = self.low * (self.high / self.low) ** drawn
        return np.where(chosen <= self.share, found, 0.0)
