"""Labelled samples: lines, or patterns where there are no lines, behind one interface."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
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
class Recording:
    """What a detector does to patterns, once lines have become points.

    Attributes
    ----------
    name : str
        What it is, how much of it there is, and its version: all that the change depends on.
    change : callable
        Takes patterns of shape (n, n_points), as an ndarray or a tensor, and the samples that they
        are of, and returns changed patterns of the same kind. Patterns of lines come unscaled: a
        line without a profile of its own is as high as its intensity. What is random in it is keyed
        by the names of the samples.
    """

    name: str
    change: "Callable[[Any, Samples], Any]" = field(compare=False)


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
    cell : ndarray of float64, shape (n, 6), or None
        a, b, c (ångström), alpha, beta, gamma (degrees), where they are known.
    recorded : tuple of Recording
        What is done to the patterns, in this order.
    known : ndarray of bool, shape (n, n_points), or None
        Which points were measured, where not all were; the others are 0.
    """

    ids: tuple[str, ...]
    spacegroup: NDArray[np.int64]
    protocol: PatternProtocol
    lines: LineList | None = None
    measured: NDArray[np.float32] | None = None
    cell: NDArray[np.float64] | None = None
    recorded: tuple[Recording, ...] = ()
    known: NDArray[np.bool_] | None = None

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
            cell=None if self.cell is None else self.cell[i],
            known=None if self.known is None else self.known[i],
        )

    def batches(self, size: int) -> Iterator["Samples"]:
        """Yield the samples in their order, so many at a time; the last batch may be smaller."""
        for first in range(0, len(self), size):
            yield self.take(np.arange(first, min(first + size, len(self))))

    def patterns(self, device: "str | torch.device | None" = None) -> Any:
        """Return the patterns, shape (n, n_points), float32, maximum 1.

        Noise may take points below zero.

        Parameters
        ----------
        device : str or torch.device, optional
            As of `render`: None gives an ndarray, a torch device a tensor on it.
        """
        patterns = self._recorded(device, scaled=not self.recorded)
        if not self.recorded:
            return patterns
        top = patterns.max(axis=1) if device is None else patterns.amax(dim=1)
        if not bool((top > 0).all()):
            raise SgbenchError(
                f"{int((top <= 0).sum())} of {len(self)} patterns have no point above zero after "
                f"{', '.join(one.name for one in self.recorded)}; expected at least one each. "
                "Choose another severity."
            )
        return patterns / top[:, None]

    def unscaled(self) -> NDArray[np.float32]:
        """Return the patterns as they were recorded, before they are scaled to a maximum of 1.

        A line of the protocol's profile is as high as its intensity.
        """
        return np.asarray(self._recorded(None, scaled=False))

    def _recorded(self, device: "str | torch.device | None", *, scaled: bool) -> Any:
        patterns = self._undisturbed(device, scaled)
        for recording in self.recorded:
            patterns = recording.change(patterns, self)
        return patterns

    def _undisturbed(self, device: "str | torch.device | None", scaled: bool) -> Any:
        if self.lines is not None:
            return render(self.lines, self.protocol, device, scaled=scaled)
        # What is recorded may be written into them.
        measured = self.measured if not self.recorded else self.measured.copy()  # type: ignore[union-attr]
        if device is None:
            return measured
        import torch

        return torch.as_tensor(measured, device=device)

    def sha256(self) -> str:
        """Return a SHA-256 of ids, labels, lines or patterns, and what is done to patterns.

        Lines enter as `LineList.portable_bytes`.
        """
        digest = hashlib.sha256("\n".join(self.ids).encode())
        digest.update(self.spacegroup.astype("<i8").tobytes())
        if self.lines is not None:
            digest.update(self.lines.portable_bytes())
        if self.measured is not None:
            digest.update(np.rint(self.measured * 1e5).astype("<i8").tobytes())
        for recording in self.recorded:
            digest.update(f"\n{recording.name}".encode())
        return digest.hexdigest()

    @classmethod
    def concatenate(cls, parts: "Sequence[Samples]") -> "Samples":
        """Return the samples of several parts of one protocol, one after the other."""
        lines = [part.lines for part in parts if part.lines is not None]
        measured = [part.measured for part in parts if part.measured is not None]
        cells = [part.cell for part in parts if part.cell is not None]
        known = [part.known for part in parts if part.known is not None]
        if len({part.recorded for part in parts}) > 1:
            raise SgbenchError(
                "parts of a set are recorded in different ways; expected one. Put ideal samples "
                "together first."
            )
        return cls(
            tuple(name for part in parts for name in part.ids),
            np.concatenate([part.spacegroup for part in parts]),
            parts[0].protocol,
            LineList.concatenate(lines) if lines else None,
            np.concatenate(measured) if measured else None,
            np.concatenate(cells) if len(cells) == len(parts) else None,
            parts[0].recorded,
            np.concatenate(known) if len(known) == len(parts) else None,
        )
