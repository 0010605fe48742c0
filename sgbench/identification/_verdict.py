"""What may be said of a pattern, and why nothing can be where that is so."""

from collections.abc import Sequence

import numpy as np

from sgbench.diffraction import FREE_PARAMETERS
from sgbench.identification._answer import LEAST, Cell, ClassAnswer, Evidence, Peak, Verdict
from sgbench.identification._lines import RESOLVED
from sgbench.measured import MeasuredPattern, anode_of
from sgbench.text import percent

# A range as short as this shows no extinction, whatever the cell.
_SHORTEST = 15.0
# Lines that a cell takes beyond two for each of its parameters.
_MORE_LINES = 3
# From this share of the height of all lines on, what the cell does not explain is no impurity.
_OTHER_PHASE = 0.15
# A cell of which fewer lines show than this part, of those that reach as far as so many lines of
# the pattern, explains any pattern.
_SHOWN, _FIRST_LINES = 0.4, 30
# Nickel has 10.9 Å³ a primitive cell, and hardly anything has less.
_SMALLEST = 10.0
# This share of what a cell does not explain is Kα₂ of what it does.
_REPEATED = 0.5
# A cell that is no likelier than this has rivals or, where it has most of what cells have, its own
# lines against it.
_LIKELY_CELL = 0.5
# Fits as bad as this are of lines of another shape, another cell, or a textured sample.
_BAD_FIT = 5.0
# So many classes, and so many lines, are named in a sentence.
_NAMED, _LISTED = 4, 6


def verdict(
    pattern: MeasuredPattern,
    classes: Sequence[ClassAnswer],
    cells: Sequence[Cell],
    peaks: Sequence[Peak],
    not_searched: Sequence[str],
) -> tuple[Verdict, str, tuple[str, ...]]:
    """Return verdict, summary and doubts, as `Identification` has them.

    Parameters
    ----------
    pattern : MeasuredPattern
    classes : sequence of ClassAnswer
        The most probable first; empty where there is no cell.
    cells : sequence of Cell
        The best first.
    peaks : sequence of Peak
    not_searched : sequence of str
        Families.
    """
    against = _against(pattern, classes, cells, peaks, not_searched)
    doubts = (*against, *_doubts(pattern, cells, peaks, not_searched))
    if against or not classes:
        return "cannot tell", f"Nothing can be said: {against[0]}.", doubts
    best = classes[0]
    if best.probability >= LEAST:
        summary = f"{_named(best)}, probability {_chance(best.probability)}. {_groups(best)}"
        return "one class", summary, doubts
    needed = _needed(classes)
    listed = "; ".join(
        f"{_named(one)} {_chance(one.probability)}" + ", without a cell" * (one.cell is None)
        for one in needed[:_NAMED]
    )
    if len(needed) > _NAMED:
        listed += f"; and {len(needed) - _NAMED} more"
    return (
        "several classes",
        f"{len(needed)} classes share {100 * LEAST:.0f} % of the probability: {listed}.",
        doubts,
    )


def _named(one: ClassAnswer) -> str:
    return f"{one.symbol} ({one.family})"


def _chance(probability: float) -> str:
    return f"{percent(probability)} %"


def _groups(one: ClassAnswer) -> str:
    """Say which space groups a class has, with what minerals say of them."""
    total = sum(group.known for group in one.spacegroups)
    said = [
        f"{group.symbol}" + (f" ({group.known} of {total} minerals)" if group.known else "")
        for group in one.spacegroups
    ]
    shown, rest = said[:_NAMED], said[_NAMED:]
    text = ", ".join(shown) + (f" and {len(rest)} more" if rest else "")
    return f"Space group{'s' if len(said) > 1 else ''}: {text}."


def _needed(classes: Sequence[ClassAnswer]) -> list[ClassAnswer]:
    """Return the first classes that together are as probable as an answer has to be."""
    found: list[ClassAnswer] = []
    for one in classes:
        found.append(one)
        if sum(each.probability for each in found) >= LEAST:
            break
    return found


def _against(
    pattern: MeasuredPattern,
    classes: Sequence[ClassAnswer],
    cells: Sequence[Cell],
    peaks: Sequence[Peak],
    not_searched: Sequence[str],
) -> list[str]:
    """Return why nothing can be said, the weightiest reason first."""
    first, last = pattern.two_theta[0], pattern.two_theta[-1]
    reasons = []
    if last - first < _SHORTEST:
        reasons.append(
            f"the range is too short, {first:.2f} to {last:.2f}°; expected {_SHORTEST:g}° at least"
        )
    if not cells:
        if not peaks:
            reasons.append("no line stands out of the background")
        else:
            beyond = f"; {_and(not_searched)} cells were not searched" if not_searched else ""
            reasons.append(f"no cell explains the {len(peaks)} lines that were found{beyond}")
        return reasons
    best = cells[classes[0].cell or 0]
    least = 2 * len(FREE_PARAMETERS[best.family]) + _MORE_LINES
    if best.explained < least:
        reasons.append(
            f"the best cell, {best.family}, explains {best.explained} lines, and so few fit by "
            f"chance; expected {least}"
        )
    if best.volume < _SMALLEST:
        reasons.append(
            f"the best cell, of {best.volume:.1f} Å³, is smaller than that of any crystal; check "
            "the wavelength"
        )
    total = sum(one.height for one in peaks)
    other = sum(one.height for one in peaks if not one.explained)
    if total and other > _OTHER_PHASE * total:
        anode = _not_monochromatic(pattern, peaks)
        cause = ""
        if anode:
            cause = f"Kα₂ of {anode} is likely, which was not given ({_both(anode)}): "
        elif best.probability >= _LIKELY_CELL:  # what another cell leaves is no phase
            cause = "several phases are likely: "
        reasons.append(
            f"{cause}the best cell leaves lines with {percent(other / total)} % of all height "
            "unexplained"
        )
    reasons += _too_large(best, classes[0], peaks, least)
    if classes[0].cell is None:
        searched = classes[0].family not in not_searched
        reasons.append(
            f"what network and frequencies make likeliest, {_named(classes[0])}, has no cell: "
            + (
                "none of its family was found"
                if searched
                else f"{classes[0].family} cells were not searched to the end (--deep does, and "
                "takes more time)"
            )
        )
    if best.probability < _LIKELY_CELL * sum(one.probability for one in cells):
        reasons.append(
            f"several cells fit alike, the best with a probability of {_chance(best.probability)}"
        )
    elif best.probability < _LIKELY_CELL:
        reasons.append(
            "the best cell explains the lines little better than chance would; its probability is "
            f"{_chance(best.probability)}"
        )
    return reasons


def _too_large(best: Cell, first: ClassAnswer, peaks: Sequence[Peak], least: int) -> list[str]:
    """Return why the best cell may have more lines than the pattern, where it has."""
    if first.evidence is None:
        return []
    there, allowed, crowded = _shown(first.evidence, peaks)
    too_large = f"the best cell, of {best.volume:.0f} Å³, may be too large"
    if allowed >= least and there < _SHOWN * allowed:
        return [
            f"{too_large}: {there} of the {allowed} lines that it allows are there, as far as "
            "others do not hide them"
        ]
    if allowed < min(least, crowded):
        return [
            f"{too_large}: {crowded} of the lines that it allows lie so close that no more than "
            f"{allowed} can be told apart"
        ]
    return []


def _not_monochromatic(pattern: MeasuredPattern, peaks: Sequence[Peak]) -> str | None:
    """Return the anode whose Kα₂ repeats the lines that are explained, where others lie there."""
    known = anode_of(pattern)
    if known is None:
        return None
    anode, (first, second) = known
    own = np.array([one.two_theta for one in peaks if one.explained])
    others = [one for one in peaks if not one.explained]
    sine = np.sin(np.radians(own / 2)) * second / first
    repeats = np.degrees(2 * np.arcsin(np.minimum(sine, 1.0)))
    there = sum(
        one.height
        for one in others
        if len(own) and np.abs(repeats - one.two_theta).min() < one.fwhm / 2
    )
    return anode if there > _REPEATED * sum(one.height for one in others) else None


def _both(anode: str) -> str:
    return f"try {anode}Ka as the wavelength"


def _shown(told: Evidence, peaks: Sequence[Peak]) -> tuple[int, int, int]:
    """Count the lines that the first class allows, of those among the first lines of the pattern.

    Returns
    -------
    int, int, int
        Lines that are there, all that are not hidden, and those that others of them hide.
    """
    last = sorted(one.two_theta for one in peaks)[:_FIRST_LINES][-1]
    lines = [line for line in told.lines if line.allowed and line.two_theta <= last + 0.1]
    states = [line.state for line in lines]
    there = states.count("there")
    width = float(np.median([one.fwhm for one in peaks]))
    close = np.diff(sorted(line.two_theta for line in lines)) < RESOLVED * width
    crowded = np.append(close, False) | np.append(False, close)
    hidden = sum(crowded) if lines else 0
    return there, there + states.count("absent"), int(hidden)


def _doubts(
    pattern: MeasuredPattern,
    cells: Sequence[Cell],
    peaks: Sequence[Peak],
    not_searched: Sequence[str],
) -> list[str]:
    found = []
    if cells:
        alone = [one for one in peaks if not one.explained]
        if alone:
            anode = _not_monochromatic(pattern, peaks)
            cause = f", mostly where Kα₂ of {anode} would be ({_both(anode)})" if anode else ""
            found.append(f"the first cell does not explain {_places(alone)}{cause}")
        if cells[0].goodness > _BAD_FIT:
            found.append(
                f"the fit of the whole pattern is {cells[0].goodness:.1f} times worse than its "
                "noise"
            )
    begun = [one for one in not_searched if any(cell.family == one for cell in cells)]
    others = [one for one in not_searched if one not in begun]
    if begun:
        found.append(f"{_and(begun)} cells were not searched to the end, as time ran out")
    if cells and others:
        found.append(f"{_and(others)} cells were not searched")
    return found


def _places(peaks: Sequence[Peak]) -> str:
    """Name the highest of some lines by their angles."""
    highest = sorted(sorted(peaks, key=lambda one: -one.height)[:_LISTED], key=_angle)
    places = _and([f"{one.two_theta:.2f}" for one in highest])
    if len(peaks) > len(highest):
        return f"{len(peaks)} lines, the highest of them at {places}°"
    return f"the line{'s' if len(peaks) > 1 else ''} at {places}°"


def _angle(one: Peak) -> float:
    return one.two_theta


def _and(names: Sequence[str]) -> str:
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1])))
