"""Which patterns of a source can be a test, and why the others cannot.

Rules look at patterns and labels and never at what a model answers.
"""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from sgbench.collections._entry import LabelledPattern
from sgbench.diffraction import CANONICAL
from sgbench.errors import SgbenchError
from sgbench.measured import TREATED, treat
from sgbench.sourced import Excluded
from sgbench.symmetry import FAMILIES

#: Any change of what is left out raises it.
AUDIT_VERSION = 1

CALCULATED = "calculated pattern"
DUPLICATE = "duplicate"
NO_LABEL = "no space group"
NO_WAVELENGTH = "no wavelength"
OTHER_SYMMETRY = "label is not the structure's own symmetry"
SEVERAL_PHASES = "several phases declared"
TOO_SHORT = "too short a range"
UNREADABLE = "unreadable"
#: Why a pattern is left out, and what that means.
REASONS = {
    UNREADABLE: "no reader finds a powder pattern in it",
    CALCULATED: "the source says that it was not measured",
    NO_LABEL: "the source names none, or none that there is",
    SEVERAL_PHASES: "the source names more than one phase",
    OTHER_SYMMETRY: "spglib finds another space group in the structure that comes with it",
    NO_WAVELENGTH: "neither the file nor the source states one",
    TOO_SHORT: "fewer than 30 degrees of the protocol's window were measured",
    DUPLICATE: "its points are those of a pattern before it",
}
# Degrees of the protocol's window that a pattern covers at least.
_LEAST_RANGE = 30.0
# Patterns that agree better than this (cosine) are one measurement.
_SAME = 0.9999
_AT_ONCE = 512


def audit(
    found: Iterable[LabelledPattern | Excluded],
) -> tuple[tuple[LabelledPattern, ...], tuple[Excluded, ...]]:
    """Return the patterns that can be tests, and the others with reasons.

    A pattern that comes with a structure gets the cell of that structure in the standard setting,
    and its formula where the source does not name the substance.

    Parameters
    ----------
    found : iterable of LabelledPattern or Excluded
        As a source yields them.
    """
    kept: list[LabelledPattern] = []
    treated: list[NDArray[np.float32]] = []
    excluded: list[Excluded] = []
    for one in found:
        answer = one if isinstance(one, Excluded) else _audited(one)
        if isinstance(answer, Excluded):
            excluded.append(answer)
        else:
            kept.append(answer[0])
            treated.append(answer[1])
    copies = _copies(treated)
    excluded += [
        Excluded(kept[i].pattern_id, DUPLICATE, f"of {kept[of].pattern_id}")
        for i, of in sorted(copies.items())
    ]
    return tuple(one for i, one in enumerate(kept) if i not in copies), tuple(excluded)


def _audited(one: LabelledPattern) -> tuple[LabelledPattern, NDArray[np.float32]] | Excluded:
    def out(reason: str, detail: str = "") -> Excluded:
        return Excluded(one.pattern_id, reason, detail)

    if one.calculated:
        return out(CALCULATED, "the source says so")
    if one.spacegroup not in FAMILIES["all"]:
        return out(NO_LABEL)
    if one.phases > 1:
        return out(SEVERAL_PHASES, f"{one.phases}")
    if not one.pattern.wavelengths:
        return out(NO_WAVELENGTH)
    try:
        found = treat(one.pattern, TREATED, CANONICAL)
    except SgbenchError as error:
        return out(TOO_SHORT, str(error).partition(";")[0])
    covered = float(found.known.sum()) * CANONICAL.step
    if covered < _LEAST_RANGE:
        return out(TOO_SHORT, f"{covered:.1f} degrees")
    if one.structure is not None:
        from sgbench.structures import clean  # needs spglib

        own = clean(replace(one.structure, spacegroup=None), tuple(FAMILIES))
        if isinstance(own, Excluded):
            return out(OTHER_SYMMETRY, f"the structure cannot be cleaned: {own.reason}")
        if own.spacegroup != one.spacegroup:
            return out(OTHER_SYMMETRY, f"label {one.spacegroup}, spglib {own.spacegroup}")
        one = replace(
            one, cell=own.cell, prototype=own.prototype, substance=one.substance or own.formula
        )
    return one, found.intensity


def _copies(patterns: list[NDArray[np.float32]]) -> dict[int, int]:
    """Return which patterns are copies, and of which earlier one each is."""
    if not patterns:
        return {}
    rows = np.stack(patterns)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    copies: dict[int, int] = {}
    for first in range(0, len(rows), _AT_ONCE):
        likeness = rows[first : first + _AT_ONCE] @ rows[: first + _AT_ONCE].T
        for row, of in zip(*np.nonzero(likeness > _SAME), strict=True):
            i = first + int(row)
            if of < i and i not in copies and int(of) not in copies:
                copies[i] = int(of)
    return copies
