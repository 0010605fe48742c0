"""Impurity: lines of a second phase, one of those that laboratories find in their samples."""

import json
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from sgbench.conditions._amount import Amount, words
from sgbench.conditions._condition import ConditionKind, by_line, lines_of
from sgbench.diffraction import (
    LineList,
    PatternProtocol,
    Profile,
    Samples,
    lorentz_factor,
    two_theta_of,
)
from sgbench.philox import below

# A sample is of the phase itself if each strong line of the one has one of the other within this
# (relative in d), as when the phase is warm, strained or a little mixed.
_SAME_SPACING = 5e-3
# What is strong, beside the strongest line.
_STRONG = 0.1


@dataclass(frozen=True)
class Phases:
    """Lines of the phases that impurities are of.

    Attributes
    ----------
    names : tuple of str, length n
    lines : LineList
        Of n patterns, the strongest line of each 1, and one more pattern that has none.
    """

    names: tuple[str, ...]
    lines: LineList


@lru_cache(maxsize=8)
def phases(protocol: PatternProtocol) -> Phases:
    """Return the phases as a protocol's wavelength and window show them.

    Their cells, atoms and publications stand beside their lines in ``phases.json``, which
    ``tools/phases.py`` makes from the American Mineralogist Crystal Structure Database (Downs &
    Hall-Wallace 2003, American Mineralogist 88, 247).
    """
    listed = json.loads(Path(__file__).with_name("phases.json").read_text(encoding="utf-8"))
    low, high = protocol.q_range
    two_theta, intensity = [], []
    for phase in listed:
        q, power = np.array(phase["q"]), np.array(phase["power"])
        shown = (low < q) & (q < high)
        angle = two_theta_of(q[shown], protocol.wavelength)
        height = power[shown] * lorentz_factor(angle)
        two_theta.append(angle)
        intensity.append(height / max(height, default=1.0))
    counts = [0, *(len(angle) for angle in two_theta), 0]
    return Phases(
        tuple(phase["name"] for phase in listed),
        LineList(
            np.cumsum(counts),
            np.concatenate(two_theta),
            np.concatenate(intensity).astype(np.float32),
        ),
    )


def chosen_phases(samples: Samples) -> NDArray[np.int64]:
    """Return which phase each sample would have beside it, shape (n,).

    It is drawn by the sample's name, evenly; a sample that is of this phase has the next one.
    """
    lines, found = lines_of(samples, "impurity"), phases(samples.protocol)
    count = len(found.names)
    chosen = below(words(samples.ids, "impurity/phase", 1)[:, 0], count)
    for i, phase in enumerate(chosen):
        own = slice(*lines.offsets[i : i + 2])
        for following in range(phase, phase + count):
            other = slice(*found.lines.offsets[following % count : following % count + 2])
            if not _are_the_same(
                lines.two_theta[own], lines.intensity[own],
                found.lines.two_theta[other], found.lines.intensity[other],
            ):  # fmt: skip
                chosen[i] = following % count
                break
    return np.asarray(chosen)


def _are_the_same(
    two_theta: NDArray[np.float64],
    intensity: NDArray[np.float32],
    other_two_theta: NDArray[np.float64],
    other_intensity: NDArray[np.float32],
) -> bool:
    """Tell whether each strong line of either of two phases is near to a line of the other."""
    first, second = (
        (np.log(np.sin(np.radians(angle) / 2)), height)
        for angle, height in ((two_theta, intensity), (other_two_theta, other_intensity))
    )
    return _has(*first, second[0]) and _has(*second, first[0])


def _has(
    spacing: NDArray[np.float64], intensity: NDArray[np.float32], others: NDArray[np.float64]
) -> bool:
    if not len(spacing) or not len(others):
        return False
    strong = spacing[intensity >= _STRONG * intensity.max()]
    ascending = np.sort(others)
    place = np.searchsorted(ascending, strong)
    above = ascending[np.minimum(place, len(ascending) - 1)] - strong
    beneath = strong - ascending[np.maximum(place - 1, 0)]
    nearest = np.minimum(np.abs(above), np.abs(beneath))
    return bool((nearest < _SAME_SPACING).all())


def add_phase(samples: Samples, share: Amount) -> Samples:
    """Add lines of another phase, the strongest so many times as strong as the sample's own."""
    lines = lines_of(samples, "impurity")
    shares = share.of(samples.ids)
    impure = np.flatnonzero(shares != 0)
    found = phases(samples.protocol)
    chosen = np.full(len(samples), len(found.names))
    chosen[impure] = chosen_phases(samples.take(impure))
    added = found.lines.take(chosen)
    strongest = np.zeros(len(samples))
    for i in impure:
        strongest[i] = lines.intensity[slice(*lines.offsets[i : i + 2])].max(initial=0.0)
    intensity = added.intensity * by_line(added, shares * strongest)
    added = replace(
        added, intensity=intensity.astype(np.float32), profile=_instrument(lines, added)
    )
    return replace(samples, lines=_together(lines, added))


def _instrument(lines: LineList, added: LineList) -> Profile | None:
    """Return the profiles of added lines: that of the nearest line, as the instrument is one."""
    if lines.profile is None:
        return None
    nearest = np.zeros(len(added.two_theta), dtype=np.int64)
    for i in np.flatnonzero(np.diff(added.offsets)):
        own, other = slice(*lines.offsets[i : i + 2]), slice(*added.offsets[i : i + 2])
        apart = np.abs(lines.two_theta[own, None] - added.two_theta[None, other])
        nearest[other] = own.start + apart.argmin(axis=0)
    return lines.profile.take(nearest)


def _together(lines: LineList, added: LineList) -> LineList:
    """Return line lists whose patterns have the lines of both."""
    both = LineList.concatenate([lines, added])
    n, first = len(lines), lines.offsets[-1]
    # Of each pattern its own lines, then the added ones.
    pattern = np.concatenate([by_line(one, np.arange(n)) for one in (lines, added)])
    order = np.argsort(pattern, kind="stable")
    return LineList(
        lines.offsets + both.offsets[n:] - first,
        both.two_theta[order],
        both.intensity[order],
        None if both.profile is None else both.profile.take(order),
    )


IMPURITY = ConditionKind(
    "impurity",
    "of the strongest line",
    "lines of a second phase, one of 32 that are common, drawn by the sample's name",
    "phases: Downs & Hall-Wallace (2003), American Mineralogist 88, 247",
    (0.005, 0.01, 0.02, 0.05, 0.1),
    0.0,
    1.0,
    add_phase,
)
