"""Settings of space groups: from what a file says of its symmetry to operators."""

import re
from collections.abc import Iterable, Sequence
from functools import cache

import gemmi
import numpy as np
import spglib

from sgbench.structures._filled_cell import lattice_vectors
from sgbench.structures.sources._entry import UNREADABLE, Exclusion

# What stands after a symbol: which origin, hexagonal or rhombohedral axes. Databases write S and Z
# for the first and the second origin. A number after a blank may as well be of the symbol.
_SUFFIX = re.compile(r"(?: *: *([12])| *:? *([HRSZ]))$", re.IGNORECASE)
_BLANK_SUFFIX = re.compile(r" +([12])()$")
_CHOICES = {"S": "1", "Z": "2"}
_HALL_NUMBERS = range(1, 531)
_MOST_CHARACTERS = 40
# A cell that breaks the symmetry by more than this (of the product of two edges) has another.
_MISFIT = 2e-3
# Settings that fit a cell equally well differ by no more than rounding.
_ROUNDING = 1e-6


def spacegroup_of(label: object) -> int | None:
    """Return the number of a space group given by number or by symbol; None if it is neither."""
    text = str(label).strip()
    if re.fullmatch(r"\d{1,3}(\.0+)?", text):
        number = int(float(text))
        return number if 1 <= number <= 230 else None
    return next((int(one.number) for one in settings_of(text)), None)


def settings_of(symbol: str) -> tuple[gemmi.SpaceGroup, ...]:
    """Return all settings, of one space group, that a Hermann-Mauguin symbol may stand for.

    Parameters
    ----------
    symbol : str
        Short or full, with or without blanks, in small letters or capitals, also as some databases
        write it: ``P 2_1/c``, ``F 4/m -3 2/m``, ``FD-3MZ``.

    Returns
    -------
    tuple of gemmi.SpaceGroup
        Empty where the symbol is not understood. A short monoclinic symbol does not say which axis
        is unique, and one without a suffix neither where the origin lies nor which axes a
        rhombohedral cell has.
    """
    text = symbol.strip()
    if not text.isascii() or len(text) > _MOST_CHARACTERS:  # gemmi reads no other
        return ()
    suffix = _SUFFIX.search(text)
    if not suffix:
        if found := _known(text):
            return found
        suffix = _BLANK_SUFFIX.search(text)
    if not suffix:
        return ()
    choice = (suffix[1] or suffix[2]).upper()
    ext = _CHOICES.get(choice, choice)
    return tuple(one for one in _known(text[: suffix.start()]) if one.ext == ext)


def settings_of_number(number: int) -> tuple[gemmi.SpaceGroup, ...]:
    """Return the standard setting of a space group, with either origin or axes."""
    return _known(gemmi.find_spacegroup_by_number(number).hm)


def all_settings(number: int) -> tuple[gemmi.SpaceGroup, ...]:
    """Return all settings of a space group."""
    return tuple(one for one in gemmi.spacegroup_table() if one.number == number)


def chosen_setting(
    candidates: Iterable[gemmi.SpaceGroup], cell: Sequence[float], code: str, stated: str
) -> gemmi.SpaceGroup:
    """Return the one setting that fits a cell and a code.

    Parameters
    ----------
    candidates : iterable of gemmi.SpaceGroup
    cell : sequence of float, length 6
        Ångström and degrees.
    code : str
        As ``_space_group_IT_coordinate_system_code`` of CIF has it, e.g. ``2``, ``h``, ``-b1`` or
        ``1ba-c``; empty where the file has none.
    stated : str
        How the file names the space group, for messages.

    Raises
    ------
    Exclusion
        If none fits, or several do.
    """
    coded = [one for one in candidates if _fits_code(one, code.strip().lower())]
    if not coded:
        raise Exclusion(UNREADABLE, f"'{stated}' has no setting of the code '{code}'")
    misfits = np.array([_misfit(one, cell) for one in coded])
    if misfits.min() > _MISFIT:
        raise Exclusion(UNREADABLE, f"the cell does not fit '{stated}'")
    fitting = [
        one
        for one, misfit in zip(coded, misfits, strict=True)
        if misfit < misfits.min() + _ROUNDING
    ]
    if len(fitting) > 1:
        # Where all angles are right, convention makes the axis b the unique one.
        fitting = [one for one in fitting if _unique_axis(one) == "b"] or fitting
    if len(fitting) > 1:
        # What is left open decides what the structure is, and nothing else tells.
        what = "origin" if len({one.hm for one in fitting}) == 1 else "setting"
        raise Exclusion(UNREADABLE, f"no operators, and '{stated}' leaves the {what} open")
    return fitting[0]


def _known(symbol: str) -> tuple[gemmi.SpaceGroup, ...]:
    table = _table()
    key = _key(symbol)
    if key in table:
        return table[key]
    # gemmi knows other spellings, such as F m 3 m, H 3 2 and C m c e.
    group: gemmi.SpaceGroup | None = gemmi.find_spacegroup_by_name(symbol.replace("_", ""))
    if not isinstance(group, gemmi.SpaceGroup):
        return ()
    return (group,) if key.startswith("h") else table[_key(group.hm)]


def _key(symbol: str) -> str:
    return re.sub(r"[\s_]", "", symbol).lower()


@cache
def _table() -> dict[str, tuple[gemmi.SpaceGroup, ...]]:
    """Return all settings by their short and full symbols, without blanks, in small letters."""
    found: dict[str, list[gemmi.SpaceGroup]] = {}
    for group in gemmi.spacegroup_table():
        for key in {_key(group.hm), _key(_without_ones(group))}:
            same = found.setdefault(key, [])
            if not same or group.number == same[0].number:  # C 2 is no short form of C 1 1 2
                same.append(group)
    for number in _HALL_NUMBERS:
        kind = spglib.get_spacegroup_type(number)
        assert kind is not None  # of a number in the table
        short = _key(kind.international.split("=")[-1])
        if short in found:
            found.setdefault(_key(kind.international_full), found[short])
    return {key: tuple(groups) for key, groups in found.items()}


def _without_ones(group: gemmi.SpaceGroup) -> str:
    """Return the symbol of a monoclinic setting without the axes that nothing lies along."""
    return str(group.hm.replace(" 1", "") if _unique_axis(group) else group.hm)


def _unique_axis(group: gemmi.SpaceGroup) -> str:
    """Return the unique axis of a monoclinic setting; empty for other groups."""
    if group.crystal_system() != gemmi.CrystalSystem.Monoclinic:
        return ""
    _, *axes = group.hm.split()
    return next(name for name, axis in zip("abc", axes, strict=True) if axis != "1")


def _fits_code(group: gemmi.SpaceGroup, code: str) -> bool:
    origin, axes = (code[0], code[1:]) if code[:1] in ("1", "2") else ("", code)
    if group.ext in ("1", "2") and origin:
        if origin != group.ext:
            return False
    elif group.ext in ("H", "R") and code in ("h", "r"):
        return bool(code.upper() == group.ext)
    if axis := _unique_axis(group):
        is_named = any(digit in group.qualifier for digit in "123")
        return axes in ("", axis, group.qualifier) or (not is_named and axes.strip("-123") == axis)
    if group.crystal_system() == gemmi.CrystalSystem.Orthorhombic and axes:
        return bool(axes == (group.qualifier or "abc"))
    return True


def _misfit(group: gemmi.SpaceGroup, cell: Sequence[float]) -> float:
    """Return how far the operators change the metric of a cell, of products of its edges."""
    vectors = lattice_vectors(np.array(cell))
    metric = vectors @ vectors.T
    rotations = np.array([op.rot for op in group.operations().sym_ops]) / gemmi.Op.DEN
    change = rotations.transpose(0, 2, 1) @ metric @ rotations - metric
    return float(np.max(np.abs(change) / np.outer(cell[:3], cell[:3])))
