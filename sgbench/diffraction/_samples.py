"""Labelled samples: lines, or patterns where there are no lines, behind one interface."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sgbench.diffraction._lines import LineList
from sgbench.diffraction._protocol import PatternProtocol
from sgbench.diffraction._render import render
from sgbench.errors import SgbenchError

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Samples:
    """Patterns of known space groups, as a set yields them: all at once, or batch by batch.

    Attributes
    ----------
    ids : tuple of str, length n
        Names of the samples; a draw that a sample needs is keyed by its name.
    spacegroup : ndarray of int64, shape (n,)
    protocol : PatternProtocol
        How lines become patterns, and the grid of patterns that were measured.
    lines : LineList or None
        Positions and intensities of n patterns.
    measured : ndarray of float32, shape (n, n_points), or None
        Patterns on the protocol's grid, where there are no lines.
    """

    ids: tuple[str, ...]
    spacegroup: NDArray[np.int64]
    protocol: PatternProtocol
    lines: LineList | None = None
    measured: NDArray[np.float32] | None = None

    def __post_init__(self) -> None:
        held = [one for one in (self.lines, self.measured) if one is not None]
        if len(held) != 1 or not len(self.ids) == len(self.spacegroup) == len(held[0]):
            raise SgbenchError(
                f"{len(self.ids)} samples with {len(self.spacegroup)} labels need as many line "
                "lists, or as many patterns. Give one of the two for each sample."
            )
        points = self.protocol.n_points
        if self.measured is not None and self.measured.shape[1:] != (points,):
            raise SgbenchError(
                f"patterns of shape {self.measured.shape} need {points} points each, those of the "
                f"protocol '{self.protocol.name}'. Bring them onto its grid."
            )

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, indices: ArrayLike) -> "Samples":
        """Return some of the samples, in the order asked for."""
        i = np.asarray(indices, dtype=np.int64)
        return replace(
            self,
            ids=tuple(self.ids[k] for k in i),
            spacegroup=self.spacegroup[i],
            lines=None if self.lines is None else self.lines.take(i),
            measured=None if self.measured is None else self.measured[i],
        )

    def batches(self, size: int) -> Iterator["Samples"]:
        """Yield the samples in their order, so many at a time; the last batch may be smaller."""
        for first in range(0, len(self), size):
            yield self.take(np.arange(first, min(first + size, len(self))))

    def patterns(self, device: "str | torch.device | None" = None) -> Any:
        """Return the patterns, shape (n, n_points), float32, maximum 1.

        Parameters
        ----------
        device : str or torch.device, optional
            As of `render`: None gives an ndarray, a torch device a tensor on it.
        """
        if self.lines is not None:
            return render(self.lines, self.protocol, device)
        if device is None:
            return self.measured
        import torch

        return torch.as_tensor(self.measured, device=device)

    def sha256(self) -> str:
        """Return a SHA-256 of ids, labels and lines (`LineList.portable_bytes`) or patterns."""
        digest = hashlib.sha256("\n".join(self.ids).encode())
        digest.update(self.spacegroup.astype("<i8").tobytes())
        if self.lines is not None:
            digest.update(self.lines.portable_bytes())
        if self.measured is not None:
            digest.update(np.rint(self.measured * 1e5).astype("<i8").tobytes())
        return digest.hexdigest()

    @classmethod
    def concatenate(cls, parts: "Sequence[Samples]") -> "Samples":
        """Return the samples of several parts of one protocol, one after the other."""
        lines = [part.lines for part in parts if part.lines is not None]
        measured = [part.measured for part in parts if part.measured is not None]
        return cls(
            tuple(name for part in parts for name in part.ids),
            np.concatenate([part.spacegroup for part in parts]),
            parts[0].protocol,
            LineList.concatenate(lines) if lines else None,
            np.concatenate(measured) if measured else None,
        )
