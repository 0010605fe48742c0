"""What the readers of single structures share: limits, species and labels."""

import re
from collections import Counter
from collections.abc import Callable

import gemmi

from sgbench.structures.sources._entry import (
    NO_COORDINATES,
    UNREADABLE,
    UNREADABLE_SPECIES,
    Entry,
    Excluded,
)

#: Largest text (bytes) and longest list of sites that are read.
MAX_BYTES = 20_000_000
MAX_SITES = 5_000

#: Elements that the X-ray scattering tables know (up to californium).
ELEMENTS = frozenset(gemmi.Element(number).name for number in range(1, 99))
_ISOTOPES = {"D": "H", "T": "H"}

# Mass number, symbol, oxidation number before or after its sign, spin as pymatgen appends it.
_SPECIES = re.compile(r"\d{0,3}([A-Za-z]{1,2})([\d.]*[+-]?|[+-][\d.]+)(,.*)?")
#: Sites that stand for a molecule or group whose hydrogen atoms were not located: H2O, NH4, CH3.
GROUP = re.compile(r"Wat|NH|CH|OH")

# No edge (ångström) is longer.
_LONGEST_EDGE = 1e4
# Farther from the origin than this many cells no coordinate was ever meant to be, and its fraction
# of a cell drowns in rounding.
_FARTHEST = 1e6
_LONGEST_DETAIL = 200


class Exclusion(Exception):
    """Ends the reading of one entry; its arguments are the reason and a detail."""


def read_or_exclude(structure_id: str, read: Callable[[], Entry | Excluded]) -> Entry | Excluded:
    """Return what `read` returns, or the entry as excluded where it raises `Exclusion`."""
    try:
        return read()
    except Exclusion as exclusion:
        reason, detail = exclusion.args
        return Excluded(structure_id, reason, clean_text(detail)[:_LONGEST_DETAIL])


class UniqueIds:
    """Makes ids unique within a source: an id that was there before gets a number after it."""

    def __init__(self) -> None:
        self._times: Counter[str] = Counter()

    def __call__(self, wanted: str) -> str:
        """Return the id, or e.g. ``quartz#2`` where it was there before."""
        unique = wanted
        while unique in self._times:
            self._times[wanted] += 1
            unique = f"{wanted}#{self._times[wanted]}"
        self._times[unique] = 1
        return unique


def clean_text(text: str) -> str:
    """Return a text on one line, in characters that any file can hold."""
    return " ".join(text.encode("utf-8", "replace").decode("utf-8").replace("\0", "").split())


def checked_cell(cell: tuple[float, ...]) -> tuple[float, ...]:
    """Return a cell (ångström and degrees) that there can be, or exclude."""
    names = ("a", "b", "c", "alpha", "beta", "gamma")
    for name, value, limit in zip(names, cell, (_LONGEST_EDGE,) * 3 + (180.0,) * 3, strict=True):
        if not 0 < value < limit:
            raise Exclusion(UNREADABLE, f"cell: {name} is {value:g}")
    try:
        volume = gemmi.UnitCell(*cell).volume
    except RuntimeError:  # an angle too close to 0 or 180 degrees
        volume = 0.0
    if not volume > 0:
        raise Exclusion(UNREADABLE, "cell: no three vectors have these angles")
    return cell


def checked_position(position: tuple[float, float, float], site: str) -> tuple[float, float, float]:
    """Return fractional coordinates that are numbers, or exclude."""
    if not all(abs(value) < _FARTHEST for value in position):
        x, y, z = position
        raise Exclusion(NO_COORDINATES, f"{site} at {x:g}, {y:g}, {z:g}")
    return position


def element_of(species: str) -> str:
    """Return the element of a species such as ``Fe3+``, ``O-2``, ``Cl1-``, ``D`` or ``13C``."""
    found = _SPECIES.fullmatch(species.strip())
    symbol = found[1].capitalize() if found else ""
    symbol = _ISOTOPES.get(symbol, symbol)
    if symbol not in ELEMENTS:
        raise Exclusion(UNREADABLE_SPECIES, species)
    return symbol


def element_of_label(label: str, formula: str) -> str:
    """Return the element of a site label such as ``AlT1``, ``O-H3``, ``Fe1A`` or ``Fe3+``.

    Letters that could be read in two ways are left to the formula: ``CA1`` is calcium only in a
    compound of calcium. Without a formula such a label is excluded, as is one of two elements
    (``SiAl``) or of a molecule (``Wat``).
    """
    letters = re.match(r"[A-Za-z]*", label.strip())
    name = letters[0] if letters else ""
    known = {_ISOTOPES.get(e, e) for e in re.findall(r"[A-Z][a-z]?", formula)} & ELEMENTS
    two, one, rest = name[:2].capitalize(), name[:1].upper(), name[2:]
    if GROUP.match(name) or (rest in ELEMENTS and len(rest) == 2):
        raise Exclusion(UNREADABLE_SPECIES, label)
    if known:
        candidates = [symbol for symbol in (two, _ISOTOPES.get(one, one)) if symbol in known]
    elif name[1:2].islower():
        candidates = [two] if two in ELEMENTS else []
    else:
        candidates = [symbol for symbol in dict.fromkeys((two, one)) if symbol in ELEMENTS]
        candidates = candidates if len(candidates) == 1 else []
    if not candidates:
        raise Exclusion(UNREADABLE_SPECIES, label or "an atom without a label")
    return candidates[0]


def spacegroup_of(label: object) -> int | None:
    """Return the number of a space group given by number or by symbol; None if it is neither."""
    text = str(label).strip()
    if re.fullmatch(r"\d{1,3}(\.0+)?", text):
        number = int(float(text))
        return number if 1 <= number <= 230 else None
    group = find_group(text)
    return None if group is None else int(group.number)


def find_group(symbol: str, alpha: float = 0.0, gamma: float = 0.0) -> gemmi.SpaceGroup | None:
    """Return the space group and setting of a Hermann-Mauguin symbol.

    Parameters
    ----------
    symbol : str
        Also as some databases write it: ``P 2_1/c``, ``F d -3 m Z`` (second origin choice).
    alpha, gamma : float
        Angles of the cell, in degrees, which tell hexagonal from rhombohedral axes.
    """
    if not symbol.isascii():  # gemmi reads no other
        return None
    plain = re.sub(r"[ :]S$", ":1", symbol.replace("_", "").strip())
    plain = re.sub(r"[ :]Z$", ":2", plain)
    return gemmi.find_spacegroup_by_name(plain, alpha, gamma)
