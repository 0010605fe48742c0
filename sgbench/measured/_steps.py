"""Intensities without angles: heads of start, step and stop, and GSAS's and ILL's fixed columns."""

import re
from collections.abc import Sequence

import numpy as np

from sgbench.measured._columns import entries
from sgbench.measured._numbers import fields, number, row
from sgbench.measured._pattern import MOST_POINTS, NotReadable, Scan
from sgbench.measured._wavelengths import Wavelength, in_text, is_likely

# How far into a file a head of start, step and stop may stand.
_DEEPEST_HEAD = 60
_FEWEST = 20
_BANK = re.compile(r"^BANK\s+(\d+)\s+(\d+)\s+(\d+)\s+(\w+)(.*)$", re.IGNORECASE)
_TIMES = ("RALF", "SLOG", "LOG6", "TIME_MAP", "LPSD", "EDS")
_COMMENT = re.compile(r"^\s*[#!]")


def read_steps(lines: Sequence[str], commas: bool) -> list[Scan]:
    """Return the scan of a file whose head gives start, step and stop, or nothing.

    Programs order these three in several ways and put words before and behind them. A line is
    taken for such a head where the file holds as many numbers as it says.
    """
    best: tuple[float, Scan] | None = None
    for place, line in enumerate(lines[:_DEEPEST_HEAD]):
        leading = _leading(line, commas)
        for start, step, points, used in _heads(leading):
            told = ""
            values = _without_angles(lines, place + 1, start, step, commas)
            if len(values) >= _FEWEST:
                if len(values) != points:
                    told = f"the head says {points} points, {len(values)} are there with angles"
                points = len(values)
            else:
                values = _values(lines, place + 1, commas, 2 * points + 20)
            scan = _as_scan(values, start, step, points, lines, place, leading, used)
            if scan is None:
                continue
            if scan.exact:
                scan.notes += [told] if told else []
                return [scan]
            missing = abs(len(values) - points)
            if best is None or missing < best[0]:
                best = missing, scan
    return [] if best is None else [best[1]]


def _leading(line: str, commas: bool) -> list[float]:
    """Return the numbers that a line begins with."""
    found = []
    for word in (line.replace(",", ".") if commas else line.replace(",", " ")).split()[:6]:
        value = number(word)
        if value is None or not np.isfinite(value):
            break
        found.append(value)
    return found


def _heads(leading: Sequence[float]) -> list[tuple[float, float, int, int]]:
    """Return what a line can mean as a head: start, step, number of points, numbers used."""
    found = []
    if len(leading) >= 3:
        a, b, c = leading[:3]
        for start, step, stop in ((a, b, c), (a, c, b)):
            if 0 < step < 1 and -60 <= start < stop <= 180:
                points = round((stop - start) / step) + 1
                if _FEWEST <= points <= MOST_POINTS:
                    found.append((start, step, points, 3))
        if a == round(a) and _FEWEST <= a <= MOST_POINTS and 0 < b < 1 and -60 <= c < 180:
            found.append((c, b, int(a), 3))
    return found


def _values(lines: Sequence[str], first: int, commas: bool, most: int) -> list[float]:
    """Return the numbers of a file from a line on, up to the next words, and not many too many."""
    found: list[float] = []
    for line in lines[first:]:
        if not line.strip() or _COMMENT.match(line):
            continue
        numbers = row(line, commas)
        if numbers is None:
            if found:
                break
            return []
        found += numbers
        if len(found) > most:
            break
    return found


def _without_angles(
    lines: Sequence[str], first: int, start: float, step: float, commas: bool
) -> list[float]:
    """Return counts behind each line of which their angle stands, as DBWS writes; else nothing."""
    kept: list[float] = []
    for line in lines[first:]:
        if not line.strip():
            continue
        numbers = row(line, commas) or []
        last = start + step * (len(kept) + len(numbers) - 2)
        # Wherever of its line the angle belongs to.
        if len(numbers) < 2 or abs(numbers[-1] - last) > 1.1 * step * len(numbers):
            return []
        kept += numbers[:-1]
    return kept


def _as_scan(
    values: list[float], start: float, step: float, points: int, lines: Sequence[str], place: int,
    leading: Sequence[float], used: int,
) -> Scan | None:  # fmt: skip
    """Return a scan where a file holds about as many values as its head says."""
    notes, sigma = [], None
    count = len(values)
    if abs(count - points) <= 1:
        points = count
    elif abs(count - 2 * points) <= 10:
        # The intensities first, their uncertainties behind them; a last line may be damaged.
        sigma = np.full(points, np.nan)
        known = values[points : 2 * points]
        sigma[: len(known)] = known
        if (sigma < 0).any() or np.nanmedian(sigma) > np.nanmedian(np.abs(values[:points])):
            return None
    elif points < count <= points + 20 and not any(values[points:]):
        pass
    elif points < count < 1.7 * points:
        notes.append(f"the head says {points} points, the file holds {count}; those at the end "
                     "were left out")  # fmt: skip
    elif count >= _FEWEST and 0.5 * points <= count < points:
        notes.append(f"the head says {points} points, the file holds {count}")
        points = count
    else:
        return None
    head = [line for line in lines[:place] if line.strip()]
    rest = re.split(r"\s+", lines[place].strip().replace(",", " "), maxsplit=used)
    title = [*head, rest[used] if len(rest) > used else ""]
    wavelengths = in_text(title)
    if not wavelengths and len(leading) > used and _is_a_wavelength(leading[used]):
        wavelengths = (Wavelength(leading[used], 1.0, "head: the number behind the start"),)
    return Scan(
        start + step * np.arange(points),
        values[:points],
        sigma,
        wavelengths,
        entries([line for line in title if line.strip()]),
        notes,
        exact=not notes,
    )


def _is_a_wavelength(value: float) -> bool:
    return is_likely(value) and value < 5 and value != round(value)


def is_ill(lines: Sequence[str]) -> bool:
    """Tell whether a file is of D1A, D1B, D2B or an instrument that writes as they do."""
    return _ill_head(lines) is not None


def _ill_head(lines: Sequence[str]) -> tuple[float, float, int, int] | None:
    """Return start, step, first line of counts and width of a count."""
    numbers = [row(line, False) for line in lines[:6]]
    if len(numbers) < 6:
        return None
    step, start, monitor = numbers[1], numbers[2], numbers[3]
    if step and start and monitor and (len(step), len(start), len(monitor)) == (6, 1, 4):
        return (start[0], step[2], 4, 8) if 0 < step[2] < 1 else None
    scan, count = numbers[3], lines[4].split()
    if scan and len(scan) == 12 and 0 < scan[8] < 1 and count and count[0].isdigit():
        return scan[2], scan[8], 5, 10
    return None


def read_ill(lines: Sequence[str]) -> list[Scan]:
    """Return the scan of a file with the number of detectors before each count (D1A, D1B, D2B)."""
    head = _ill_head(lines)
    assert head is not None
    start, step, first, width = head
    counts, detectors = [], []
    for line in lines[first:]:
        if number(line.strip() or "x") in (-1000.0, -10000.0):
            break
        for field in fields(line, width):
            if field.strip():
                detectors.append(number(field[:2]) if field[:2].strip() else 1.0)
                counts.append(number(field[2:]))
    if None in counts or None in detectors:
        raise NotReadable("its columns of detectors and counts hold something that is no number")
    y, n = np.array(counts, dtype=float), np.array(detectors, dtype=float)
    y = np.where(n > 0, y, np.nan)
    sigma = np.sqrt(np.maximum(y, 1) / np.maximum(n, 1))
    notes = ["σ is from the counts and the number of detectors at each point"]
    return [
        Scan(start + step * np.arange(len(y)), y, sigma, in_text(lines[:3]), entries(lines[:3]),
             notes)
    ]  # fmt: skip


def is_gsas(lines: Sequence[str]) -> bool:
    """Tell whether a file has banks of GSAS."""
    return any(_BANK.match(line) for line in lines[:300])


def read_gsas(lines: Sequence[str]) -> list[Scan]:
    """Return the banks of a file of GSAS."""
    places = [place for place, line in enumerate(lines) if _BANK.match(line)]
    head = [line for line in lines[: places[0]] if line.strip()]
    about, wavelengths = entries(head), in_text(head)
    found = []
    for place, end in zip(places, [*places[1:], len(lines)], strict=True):
        scan = _bank(lines[place], lines[place + 1 : end])
        scan.metadata, scan.wavelengths = dict(about), wavelengths
        found.append(scan)
    return found


def _bank(head: str, lines: Sequence[str]) -> Scan:
    match = _BANK.match(head)
    assert match is not None
    points, binning = int(match[2]), match[4].upper()
    words = match[5].split()
    style = words[-1].upper() if words and not words[-1].replace(".", "").isdigit() else "STD"
    numbers = [value for value in map(number, words) if value is not None]
    if binning in _TIMES or style == "ALT" or not binning.startswith("CONS"):
        return Scan(refused=(
            f"its bank is {binning} {style}: a time of flight, an energy or unequal bins, and only "
            "patterns over 2θ at one wavelength are read"
        ))  # fmt: skip
    if not 0 < points <= MOST_POINTS or len(numbers) < 2:
        return Scan(refused="its BANK line does not say how many points there are, and where")
    start, step = numbers[0] / 100, numbers[1] / 100
    y: list[float | None] = []
    if style in ("FXYE", "FXY"):
        columns = [row(line, False) for line in lines if line.strip() and line[0] not in "#"]
        wanted = 3 if style == "FXYE" else 2
        table = np.array(
            [one[:wanted] for one in columns if one is not None and len(one) >= wanted]
        )[:points]
        if not len(table):
            return Scan(refused="its bank holds no points")
        scan = Scan(table[:, 0] / 100, table[:, 1], table[:, 2] if wanted == 3 else None)
    else:
        sigma: list[float | None] = []
        detectors_told = False
        for line in lines:
            if not line.strip() or line.startswith("#"):
                continue
            if style == "ESD":
                cells = [number(cell) for cell in fields(line, 8) if cell.strip()]
                if None in cells or len(cells) % 2:
                    cells = [number(cell) for cell in line.split()]
                y += cells[::2]
                sigma += cells[1::2]
            else:
                for cell in fields(line, 8):
                    if cell.strip():
                        detectors_told |= bool(cell[:2].strip())
                        detectors = number(cell[:2]) if cell[:2].strip() else 1.0
                        value = number(cell[2:])
                        y.append(value)
                        sigma.append(_of_counts(value, detectors))
            if len(y) >= points:
                break
        if None in y or None in sigma or len(y) != len(sigma):
            return Scan(refused="its bank holds something that is no number")
        y, sigma = y[:points], sigma[:points]
        told = style == "ESD" or detectors_told
        scan = Scan(start + step * np.arange(len(y)), y, sigma if told else None)
        if detectors_told:
            scan.notes.append("σ is from the counts and the number of detectors at each point")
    if len(scan.two_theta) != points:
        scan.notes.append(f"the head says {points} points, the file holds {len(scan.two_theta)}")
    return scan


def _of_counts(value: float | None, detectors: float | None) -> float | None:
    if value is None or detectors is None:
        return None
    return float(np.sqrt(max(value, 1.0) / max(detectors, 1.0)))
