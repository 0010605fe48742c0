"""The answer as text for a terminal."""

import math
import textwrap
from collections.abc import Sequence
from typing import Any

from sgbench.diffraction import FREE_PARAMETERS
from sgbench.identification._answer import ClassAnswer, Evidence, Identification, Line
from sgbench.text import percent, table_text

_WIDTH = 100
# Lines of a class that are told one by one, and classes and groups that a table names.
_MOST_LINES, _MOST_LISTED, _MOST_CLASSES, _MOST_GROUPS = 12, 8, 8, 3
# Classes that are named whatever their probability, and the least of the others.
_FEWEST_CLASSES, _LEAST_CHANCE = 3, 1e-3
_PARAMETERS = ("a", "b", "c", "alpha", "beta", "gamma")
_GREEK = {"alpha": "α", "beta": "β", "gamma": "γ"}


def answer_text(answer: Identification) -> str:
    """Return the answer as text: what was measured, the verdict, cells, classes and evidence."""
    parts = [_head(answer), _said(answer)]
    if answer.cells:
        parts.append("Cells, the best first\n\n" + table_text(cell_rows(answer)))
    if answer.classes:
        parts.append(
            f"Extinction classes. {network_text(answer)}\n\n" + table_text(class_rows(answer))
        )
    told = [(one, one.evidence) for one in answer.classes if one.evidence]
    for place, (one, lines) in enumerate(told):
        parts.append((_other_evidence if place else _first_evidence)(one, lines))
    return "\n".join(parts)


def summary_rows(answers: Sequence[Identification]) -> list[dict[str, Any]]:
    """Return a row for each answer, for a table of several."""
    rows = []
    for one in answers:
        best = one.classes[0] if one.classes else None
        rows.append(
            {
                "file": one.name,
                "verdict": one.verdict,
                "class": best.symbol if best else "",
                "family": best.family if best else "",
                "probability (%)": percent(best.probability) if best else "",
                "space groups": group_text(best, short=True) if best else "",
                "cell": cell_text(best.family, one.cells[best.cell].cell)
                if best and best.cell is not None
                else "",
                "doubt": one.doubts[0] if one.doubts else "",
            }
        )
    return rows


def head_text(answer: Identification) -> str:
    """Say what was measured."""
    pattern = answer.pattern
    waves = " and ".join(f"{one.value:.6g}" for one in pattern.wavelengths)
    return (
        f"{len(pattern)} points from {pattern.two_theta[0]:g} to {pattern.two_theta[-1]:g}° in "
        f"steps of {pattern.step:.4g}°, {waves} Å ({pattern.wavelengths[0].source}); "
        f"{len(answer.peaks)} lines found"
    )


def _head(answer: Identification) -> str:
    lines = [answer.name] if answer.name else []
    lines += [head_text(answer), *answer.pattern.notes]
    return "\n".join(map(_wrapped, lines)) + "\n"


def _said(answer: Identification) -> str:
    lines = [f"Verdict: {answer.verdict}.", answer.summary]
    lines += [f"- {doubt}" for doubt in answer.doubts]
    if answer.classes and answer.verdict == "cannot tell":
        lines.append("What follows was found all the same, and is not to be leaned on.")
    return "\n".join(map(_wrapped, lines)) + "\n"


def cell_rows(answer: Identification) -> list[dict[str, Any]]:
    """Return the cells as rows of a table."""
    return [
        {
            "family": one.family,
            "cell (Å, °)": cell_text(one.family, one.cell, one.uncertainty),
            "volume (Å³)": f"{one.volume:.2f}",
            "M20": f"{one.m20:.1f}",
            "F20": f"{one.f_n:.1f}",
            "lines": f"{one.explained} of {one.found}",
            "zero (°)": f"{one.zero:.3f}",
            "fit": f"{one.goodness:.2f}",
            "probability (%)": percent(one.probability),
        }
        for one in answer.cells
    ]


def class_rows(answer: Identification) -> list[dict[str, Any]]:
    """Return the leading classes as rows of a table."""
    rows = []
    for place, one in enumerate(answer.classes[:_MOST_CLASSES]):
        if place >= _FEWEST_CLASSES and one.probability < _LEAST_CHANCE:
            break
        told = one.evidence
        rows.append(
            {
                "class": one.symbol,
                "family": one.family,
                "probability (%)": percent(one.probability),
                "each alone (%)": ", ".join(
                    percent(said) if said else "–" for said in (one.decoder, one.network)
                ),
                "space groups (number): minerals": group_text(one),
                "forbidden lines": forbidden_text(told) if told else "",
                "against the first": against_text(told) if told else "",
            }
        )
    return rows


def network_text(answer: Identification) -> str:
    """Say whether the network had a say."""
    if answer.network.not_asked:
        return f"The network was not asked: {answer.network.not_asked}."
    return "Behind the probability stands what decoder and network say alone."


def group_text(one: ClassAnswer, short: bool = False) -> str:
    """Name the space groups of a class, with how many minerals have each."""
    groups = one.spacegroups
    said = [
        f"{group.symbol} ({group.number})" + ("" if short else f": {group.known}")
        for group in groups[:_MOST_GROUPS]
    ]
    return ", ".join(said) + (f", {len(groups) - _MOST_GROUPS} more" if len(groups) > _MOST_GROUPS
                              else "")  # fmt: skip


def forbidden_text(told: Evidence) -> str:
    """Count the lines that a class forbids by what the pattern has there."""
    counts = {state: len(told.of(False, state)) for state in ("absent", "there", "hidden")}
    if not sum(counts.values()):
        return "none"
    return ", ".join(f"{count} {state}" for state, count in counts.items() if count)


def against_text(told: Evidence) -> str:
    """Say how many lines tell a class from the first one."""
    found = told.against_first
    if found is None:
        return ""
    hidden = f", {found.hidden} hidden" if found.hidden else ""
    return f"{found.lines} line{'s' * (found.lines != 1)} differ{'s' * (found.lines == 1)}{hidden}"


def telling(told: Evidence) -> list[Line]:
    """Return the lines that matter most for a class, by angle.

    Those that it forbids and that are there, those that it forbids and that are not, and the
    forbidden ones that others hide.
    """
    found = [
        *sorted(told.of(False, "there"), key=lambda line: -line.intensity),
        *sorted(told.of(False, "absent"), key=lambda line: line.uncertainty),
        *told.of(False, "hidden"),
    ]
    return sorted(found[:_MOST_LINES], key=lambda line: line.two_theta)


def line_words(line: Line) -> str:
    """Say what a class demands of a line and what the pattern has there."""
    if line.state == "hidden":
        return "forbidden; other lines hide it, or it is too uncertain to tell"
    return f"forbidden and {line.state}"


def _first_evidence(one: ClassAnswer, told: Evidence) -> str:
    """Return the lines that speak for or against the first class as a table."""
    lines = [f"Evidence for {_on_axes(one, told)}"]
    rows = [
        {
            "h k l": hkl_text(line),
            "2θ (°)": f"{line.two_theta:.3f}",
            "d (Å)": f"{line.d:.4f}",
            "intensity (%)": intensity_text(line),
            "what is there": line_words(line),
        }
        for line in telling(told)
    ]
    if rows:
        lines += ["", table_text(rows).rstrip()]
        if more := sum(not line.allowed for line in told.lines) - len(rows):
            lines.append(f"and {more} more that it forbids ({forbidden_text(told)} in all)")
    lines.append(f"  {allowed_text(told)}")
    return "\n".join(map(_wrapped_unless_table, lines)) + "\n"


def _other_evidence(one: ClassAnswer, told: Evidence) -> str:
    """Say what speaks against another class."""
    lines = [f"Against {_on_axes(one, told)}"]
    if there := told.of(False, "there"):
        lines.append(f"  forbidden and there: {_listed(there)}")
    if missing := missing_lines(told):
        lines.append(f"  allowed, not by the first, and not there: {_listed(missing)}")
    if len(lines) == 1:
        lines.append("  nothing")
    return "\n".join(map(_wrapped, lines)) + "\n"


def _on_axes(one: ClassAnswer, told: Evidence) -> str:
    conditions = "; ".join(one.conditions) or "no conditions"
    return f"{one.symbol} on axes {cell_text(one.family, told.cell)}: {conditions}"


def allowed_text(told: Evidence) -> str:
    """Count the lines that a class allows by what the pattern has there."""
    states = [line.state for line in told.lines if line.allowed]
    return (
        f"of the {len(states)} lines that it allows, {states.count('there')} are there, "
        f"{states.count('absent')} are absent and {states.count('hidden')} hidden"
    )


def missing_lines(told: Evidence) -> list[Line]:
    """Return the lines that are not there, of those that a class allows and the first does not."""
    places = told.against_first.missing if told.against_first else ()
    return [told.lines[place] for place in places]


def _listed(lines: Sequence[Line]) -> str:
    strongest = sorted(lines, key=lambda line: -line.intensity)[:_MOST_LISTED]
    named = ", ".join(
        f"{hkl_text(line)} at {line.two_theta:.2f}°"
        for line in sorted(strongest, key=lambda line: line.two_theta)
    )
    more = len(lines) - len(strongest)
    return named + (f" and {more} more" if more else "")


def hkl_text(line: Line) -> str:
    """Return the indices of a line with blanks between them."""
    return " ".join(map(str, line.hkl))


def intensity_text(line: Line) -> str:
    """Return intensity and uncertainty in percent of the strongest line."""
    return f"{round(line.intensity, 2) + 0.0:.2f} ± {line.uncertainty:.2f}"


def cell_text(family: str, cell: Sequence[float], uncertainty: Sequence[float] = ()) -> str:
    """Return the free parameters of a cell with their uncertainties, in a line."""
    errors = list(uncertainty) or [0.0] * 6
    named = zip(_PARAMETERS, cell, errors, strict=True)
    return ", ".join(
        f"{_GREEK.get(name, name)} {_with_error(value, error, 2 if name in _GREEK else 4)}"
        for name, value, error in named
        if name in FREE_PARAMETERS[family]
    )


def _with_error(value: float, error: float, digits: int) -> str:
    """Return a value with the uncertainty of its last digits, as crystallographers write it.

    The uncertainty has one digit, or two where the first of them is 1.
    """
    if not (math.isfinite(error) and error > 0):
        return f"{value:.{digits}f}"
    power = math.floor(math.log10(error))
    places = min(max(-power + (error < 1.95 * 10**power), 0), 6)
    return f"{value:.{places}f}({max(round(error * 10**places), 1)})"


def _wrapped(text: str) -> str:
    return textwrap.fill(
        text, _WIDTH, break_long_words=False, break_on_hyphens=False, subsequent_indent="  "
    )


def _wrapped_unless_table(text: str) -> str:
    return text if "\n" in text else _wrapped(text)
