"""Columns of numbers under any head: xy, xye, chi, csv, and what programs export as such."""

import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

from sgbench.checked import printed
from sgbench.measured._numbers import number, row
from sgbench.measured._pattern import NotReadable, Scan
from sgbench.measured._wavelengths import Wavelength, in_text, is_likely

_ANGLE = re.compile(
    r"2[\s_-]*(th|theta|θ|ϑ)|two[\s_-]*theta|tth|\bangle\b|winkel|°2", re.IGNORECASE
)
_Q = re.compile(r"(?:^|[^A-Za-z])[qQ](?:$|[^A-Za-z])")
_OTHER_AXES = (
    (re.compile(r"time[\s_-]*of[\s_-]*flight|\bTOF\b|μs|microsec", re.IGNORECASE),
     "a time of flight"),
    (re.compile(r"energy|\bkeV\b", re.IGNORECASE), "an energy"),
    (re.compile(r"\bd[\s_-]?spacing|\bd-?value", re.IGNORECASE), "a d-spacing"),
    (re.compile(r"^\W*(omega|theta|phi|chi|psi)\b", re.IGNORECASE), "an angle other than 2θ"),
)  # fmt: skip
_INTENSITY = re.compile(r"intens|count|\bcts\b|\bcps\b|^\W*(I|y)([\W_]?obs)?\W*$|signal", re.I)
_SIGMA = re.compile(r"sigma|σ|\be\.?s\.?d|err|\bstd|\bs\.?u\.?\b|uncert|^\W*e\W*$", re.IGNORECASE)
_NOT_MEASURED = re.compile(r"calc|berechn|back|bkg|diff|fit\b|resid", re.IGNORECASE)
_COMMENT = re.compile(r"^\s*(#|!|;|%|//|/\*|'|\"|\*)")
_ENTRY = re.compile(r"^[\s#!;%/*'\"]*([A-Za-z][^:=\t]{0,40}?)\s*[:=]\s*(\S.*)$")
# Shorter pieces of ascending angles are disorder, longer ones scans.
_SHORTEST_SCAN = 20
_MOST_SCANS = 1000


def read_columns(lines: Sequence[str], commas: bool) -> list[Scan]:
    """Return the scans of a file that has an angle and an intensity a line.

    Raises
    ------
    NotReadable
        If it has no such columns, or columns of something else.
    """
    rows = [row(line, commas) if line.strip() else [] for line in lines]
    widths = Counter(len(one) for one in rows if one is not None and len(one) >= 2)
    if not widths:
        single = sum(one is not None and len(one) == 1 for one in rows)
        if single > len(lines) / 2:
            raise NotReadable(
                f"it has one column of {single} numbers, and nothing says at which angles they are"
            )
        raise NotReadable("it has no columns of numbers")
    width = max(widths, key=lambda one: (widths[one], one))
    parted = _part(lines, rows) if width == 2 else 0
    kept = [place for place, one in enumerate(rows) if one is not None and len(one) == width]
    first = kept[0]
    head = [line for line in lines[:first] if line.strip()]
    data = np.array([rows[place] for place in kept], dtype=float)
    _refuse_others(lines, rows, data, len(kept))
    names = _names(head, width)
    empty = np.isnan(data).all(axis=0)
    if names:
        names = [name for name, gone in zip(names, empty, strict=True) if not gone]
    data = data[:, ~empty]
    if data.shape[1] < 2:
        raise NotReadable("all but one of its columns are empty or no numbers")
    angle, intensity, sigma, notes = _chosen(names, data)
    if parted:
        notes.append(f"angle and intensity had grown together and were parted (lines: {parted})")
    strange = [
        place for place in range(first, kept[-1])
        if rows[place] is None or (rows[place] and len(rows[place] or ()) != width)
    ]  # fmt: skip
    strange = [place for place in strange if not _COMMENT.match(lines[place])]
    if strange:
        words = printed(lines[strange[0]].strip()[:40])
        notes.append(
            f"lines between the points that are none: {len(strange)}, the first is '{words}'"
        )
    wavelengths = in_text(head) or _alone(rows[:first], len(kept))
    return [
        Scan(
            data[part, angle],
            data[part, intensity],
            None if sigma is None else data[part, sigma],
            wavelengths,
            entries(head),
            list(notes),
        )
        for part in _scans(data[:, angle])
    ]


def _part(lines: Sequence[str], rows: list[list[float] | None]) -> int:
    """Part numbers that have grown together, ``14.168110228`` for 14.1681 and 10228.

    Programs that write fixed columns leave no blank where a count has too many digits. Such a line
    is taken apart where that gives the next angle.
    """
    pairs = [place for place, one in enumerate(rows) if one is not None and len(one) == 2]
    single = [
        place for place in range(pairs[0] + 1, len(rows))
        if len(rows[place] or ()) == 1 and "." in lines[place]
    ]  # fmt: skip
    if not single or len(pairs) < _SHORTEST_SCAN:
        return 0
    words = (lines[place].split()[0] for place in pairs)
    decimals = max(len(word.partition(".")[2]) for word in words)
    step = float(np.median(np.diff([rows[place][0] for place in pairs])))  # type: ignore[index]
    done = 0
    for place in single:
        whole, _, rest = lines[place].strip().partition(".")
        before = rows[place - 1]
        if not before or len(before) != 2:
            continue
        cuts = [
            (abs(angle - before[0] - step), angle, count)
            for cut in range(1, min(decimals, len(rest) - 1) + 1)
            if (angle := number(f"{whole}.{rest[:cut]}")) is not None
            and (count := number(rest[cut:])) is not None
        ]
        if cuts and min(cuts)[0] < 0.2 * step:
            rows[place] = list(min(cuts)[1:])
            done += 1
    return done


def ascends(scan: Scan) -> bool:
    """Tell whether the angles of a scan ascend or descend nearly everywhere, as angles do."""
    steps = np.diff(np.asarray(scan.two_theta, dtype=float))
    return bool(max((steps > 0).mean(), (steps < 0).mean()) > 0.9) if len(steps) else False


def entries(head: Sequence[str]) -> dict[str, str]:
    """Return what a head states as ``key: value`` or ``key = value``, or its first line."""
    found: dict[str, str] = {}
    for line in head[:200]:
        if entry := _ENTRY.match(line):
            found.setdefault(entry[1].strip(), entry[2].strip())
    if not found and head:
        title = head[0].strip(" #!;%/*'\"\t")
        found = {"title": title} if any(letter.isalpha() for letter in title) else {}
    return found


def _refuse_others(
    lines: Sequence[str], rows: Sequence[list[float] | None], data: "np.ndarray", points: int
) -> None:
    """Refuse lists of reflections and prose."""
    sample = data[:200]
    whole = (sample[:, :3] == np.round(sample[:, :3])).all() and data.shape[1] >= 4
    if whole and np.abs(sample[:, :3]).max(initial=0) < 100 and np.ptp(sample[:, 1]) > 0:
        raise NotReadable("it is a list of reflections: three Miller indices lead each line")
    written = sum(1 for line in lines if line.strip())
    if points < 0.5 * written and points < 100:
        raise NotReadable(f"it is prose: {points} of its {written} lines are columns of numbers")


def _names(head: Sequence[str], width: int) -> list[str]:
    """Return the names of the columns, which the last lines of a head may hold."""
    for line in reversed(head[-3:]):
        text = line.strip().lstrip("#!;%'\"* ").strip()
        for mark in (r"\t", ";", ",", r"\s{2,}", r"\s+"):
            cells = re.split(mark, text)
            if len(cells) == width and any(
                _ANGLE.search(cell) or _INTENSITY.search(cell) or _Q.search(cell) for cell in cells
            ):
                return [cell.strip().strip('"#') for cell in cells]
    return []


def _chosen(names: list[str], data: "np.ndarray") -> tuple[int, int, int | None, list[str]]:
    """Return which columns are angle, intensity and σ, and what is to be told about that."""
    width = data.shape[1]
    if not names:
        return (*_unnamed(data),)
    angles = [place for place, name in enumerate(names) if _ANGLE.search(name)]
    if not angles:
        for what, axis in ((_Q, "a scattering vector Q"), *_OTHER_AXES):
            if what.search(names[0]):
                raise NotReadable(
                    f"its axis, '{printed(names[0])}', is {axis}, and only patterns over 2θ at "
                    "one wavelength are read"
                )
    angle = angles[0] if angles else 0
    others = [place for place in range(width) if place != angle]
    counted = [
        place for place in others
        if _INTENSITY.search(names[place]) and not _NOT_MEASURED.search(names[place])
        and not _SIGMA.search(names[place])
    ]  # fmt: skip
    intensity = counted[0] if counted else others[0]
    uncertain = [place for place in others if _SIGMA.search(names[place]) and place != intensity]
    notes = []
    if width > 3:
        notes.append(f"of {width} columns, '{printed(names[angle])}' and "
                     f"'{printed(names[intensity])}' were taken")  # fmt: skip
    return angle, intensity, uncertain[0] if uncertain else None, notes


def _unnamed(data: "np.ndarray") -> tuple[int, int, int | None, list[str]]:
    width = data.shape[1]
    if width == 2:
        return 0, 1, None, []
    y, third = data[:, 1], data[:, 2]
    known = np.isfinite(third) & np.isfinite(y)
    y, third = y[known], third[known]
    if not len(third) or (third < 0).any() or np.ptp(third) == 0:
        return 0, 1, None, ["the third column is no σ and was left out"]
    counts = np.sqrt(np.maximum(y, 0))
    as_counts = np.median(np.abs(third - counts)) <= 0.3 * max(float(np.median(counts)), 1e-30)
    as_calculated = np.median(np.abs(third - y)) <= 0.2 * float(np.median(np.abs(y)))
    if as_calculated and not as_counts:
        return 0, 1, None, ["the third column looks like a calculated pattern and was left out"]
    more = [f"of {width} columns, the first three were taken"] if width > 3 else []
    return 0, 1, 2, more


def _alone(rows: Sequence[list[float] | None], points: int) -> tuple[Wavelength, ...]:
    """Return the wavelength that some programs (DASH) write alone on the first line."""
    for one in rows:
        if one is not None and len(one) == 1:
            value = one[0]
            if is_likely(value) and value != round(value) and value < 5 and value != points:
                return (Wavelength(value, 1.0, "the first line, which is this number alone"),)
            return ()
    return ()


def _scans(angles: "np.ndarray") -> list[slice]:
    """Return the pieces of a column that are scans of their own: each ascends, and is long."""
    breaks = np.flatnonzero(np.diff(angles) < 0) + 1
    spans = [np.ptp(piece) for piece in np.split(angles, breaks)]
    # Ranges that overlap a little are one pattern that was measured in parts.
    back = [
        angles[place - 1] - angles[place] > 0.5 * min(spans[number], spans[number + 1])
        for number, place in enumerate(breaks)
    ]
    if len(breaks) and not all(back):
        return [slice(0, len(angles))]
    edges = [0, *breaks.tolist(), len(angles)]
    pieces = [slice(a, b) for a, b in pairwise(edges)]
    if len(pieces) > _MOST_SCANS or min(b.stop - b.start for b in pieces) < _SHORTEST_SCAN:
        return [slice(0, len(angles))]
    return pieces
