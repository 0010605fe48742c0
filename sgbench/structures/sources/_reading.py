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
    Exclusion,
)

#: Largest text (bytes) and longest list of sites that are read.
MAX_BYTES = 20_000_000
MAX_SITES = 5_000

#: Elements that the X-ray scattering tables know (up to californium).
ELEMENTS = frozenset(gemmi.Element(number).name for number in range(1, 99))
_ISOTOPES = {"D": "H", "T": "H"}

# Mass number, symbol, oxidation number before or after its sign, spin as pymatgen appends it.
_SPECIES = re.compile(r"\d{0,3}([A-Za-z]{1,2})([\d.]*[+-]?|[+-][\d.]+)(,.*)?")
#: Sites that stand for a molecule or group whose hydrogen atoms were not located: H3O, NH4, CH3.
GROUP = re.compile(r"Wat|NH|CH|OH|H[23]O")
_MOLECULE = re.compile(rf"{GROUP.pattern}|[BCNPS]O[234]")
# A tetrahedral site, not a nucleus of tritium.
_TETRAHEDRAL = re.compile(r"[Tt][\d.]+")

# No edge (ångström) is longer.
_LONGEST_EDGE = 1e4
# Farther from the origin than this many cells no coordinate was ever meant to be, and its fraction
# of a cell drowns in rounding.
_FARTHEST = 1e6
_LONGEST_DETAIL = 200


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
    if symbol not in ELEMENTS or _TETRAHEDRAL.fullmatch(species.strip()):
        raise Exclusion(UNREADABLE_SPECIES, species)
    return symbol


def element_of_label(label: str, formula: str) -> str:
    """Return the element of a site label such as ``AlT1``, ``O-H3``, ``Fe1A`` or ``Fe3+``.

    A label that merely begins with the letters of an element (``Oct``, ``Vac``, ``Site``) is
    excluded: after them there may be nothing, a number, or what commonly names a kind of site.
    Letters that could be read in two ways are left to the formula: ``CA1`` is calcium only in a
    compound of calcium. Without a formula such a label is excluded, as is one of two elements
    (``SiAl``, ``Fe/Mg``) or of a molecule (``Wat``).
    """
    text = label.strip()
    letters = re.match(r"[A-Za-z]*", text)
    name = letters[0] if letters else ""
    if _MOLECULE.match(text) or _is_mixed(name, text[len(name) :]):
        raise Exclusion(UNREADABLE_SPECIES, label)
    stated = set(re.findall(r"[A-Z][a-z]?", formula)) & (ELEMENTS | {"D"})
    candidates = [
        symbol
        for symbol in dict.fromkeys((name[:2].capitalize(), name[:1].upper()))
        if symbol in (stated or ELEMENTS) and _is_designation(name, symbol, bool(stated))
    ]
    if name[:2] in candidates:  # a small letter after a capital one is of the symbol
        candidates = [name[:2]]
    if len(candidates) != 1:
        raise Exclusion(UNREADABLE_SPECIES, label or "an atom without a label")
    return _ISOTOPES.get(candidates[0], candidates[0])


def _is_mixed(name: str, after: str) -> bool:
    """Tell whether a label, its first letters and what comes after them, names two elements."""
    second = {name[2:], *re.findall(r"[A-Z][a-z]", after)}
    return any(len(one) == 2 and one in ELEMENTS for one in second) or bool(
        re.search(r"([/,&]|(?<!\d)\+)\s*[A-Z]", after)  # Fe3+M is of one
    )


def _is_designation(name: str, symbol: str, is_stated: bool) -> bool:
    """Tell whether the letters after an element's symbol can stand for a kind of site."""
    rest = name[len(symbol) :]
    if not rest:
        return True
    if len(symbol) == 2:  # MgOct, FeM and SiIV, but neither Cat nor CAT
        return name[1].islower() and rest[0].isupper()
    if re.fullmatch(r"[A-Z][a-z]?|[IVX]+", rest):  # OW, ODw and OIII, but not OCT
        return True
    # Ow and OsA, but neither Oct nor Va
    return is_stated and symbol in ("O", "H") and bool(re.fullmatch(r"[a-z][A-Z]?", rest))
