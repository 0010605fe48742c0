"""Structures from CIF (Crystallographic Information File, version 1.1)."""

import math
import re
from functools import lru_cache

import gemmi
import numpy as np
from gemmi import cif
from numpy.typing import NDArray

from sgbench.structures.sources._bytes import encoding_of
from sgbench.structures.sources._entry import (
    NO_COORDINATES,
    TOO_LARGE,
    UNREADABLE,
    Entry,
    Excluded,
    Exclusion,
)
from sgbench.structures.sources._reading import (
    MAX_BYTES,
    MAX_SITES,
    checked_cell,
    checked_position,
    clean_text,
    element_of,
    element_of_label,
    read_or_exclude,
)
from sgbench.structures.sources._symbols import (
    all_settings,
    chosen_setting,
    settings_of,
    settings_of_number,
    spacegroup_of,
)

IDENTITY = "x,y,z"

# Data names of the current dictionary; the older ones have an underscore where these have a dot.
_CELL = tuple(f"_cell.length_{edge}" for edge in "abc") + tuple(
    f"_cell.angle_{angle}" for angle in ("alpha", "beta", "gamma")
)
_OPERATORS = ("_space_group_symop.operation_xyz", "_symmetry_equiv.pos_as_xyz")
_NUMBER = ("_space_group.IT_number", "_symmetry.Int_Tables_number")
_SYMBOL = (
    "_space_group.name_H-M_alt",
    "_symmetry.space_group_name_H-M",
    "_space_group.name_H-M_full",
    "_space_group.name_H-M",
)
_CODE = "_space_group.IT_coordinate_system_code"
_HALL = ("_space_group.name_Hall", "_symmetry.space_group_name_Hall")

# A group has at most 192 operators in a conventional cell, and this many in one twice as large.
_MOST_OPERATORS = 384
# Entries of a rotation matrix beyond this are of no cell that anyone would choose.
_LARGEST_ROTATION = 8

_ESCAPED = re.compile(r"\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8}))")


def entry_from_cif(
    text: str | bytes,
    structure_id: str,
    *,
    name: str | None = None,
    spacegroup: int | None = None,
    citation: str | None = None,
) -> Entry | Excluded:
    """Read the first structure of a CIF.

    Parameters
    ----------
    text : str or bytes
        UTF-8; what is not is read as Latin-1.
    structure_id : str
    name : str, optional
        By default the mineral name in the file, if it has one.
    spacegroup : int, optional
        Label from elsewhere. By default that of the file: its number, else its symbol, else what
        its operators stand for. A file in P 1 is taken to list all atoms of a cell without saying
        anything about the true group, and has no label.
    citation : str, optional
        By default authors, year, title and journal, as far as the file has them.

    Returns
    -------
    Entry or Excluded
        Whatever the text is, never an exception.
    """

    def read() -> Entry:
        block = _block_with_atoms(_parsed(text))
        cell = checked_cell(tuple(_required_number(block, tag) for tag in _CELL))
        operators = _operators(block, cell)
        elements, positions, occupancies = _atoms(block)
        return Entry(
            structure_id=structure_id,
            name=_first(block, "_chemical_name.mineral") if name is None else name,
            spacegroup=_label(block, operators) if spacegroup is None else spacegroup,
            cell=cell,
            operators=operators,
            elements=elements,
            positions=positions,
            occupancies=occupancies,
            citation=_citation(block) if citation is None else citation,
        )

    return read_or_exclude(structure_id, read)


def _parsed(text: str | bytes) -> cif.Document:
    if len(text) > MAX_BYTES:
        raise Exclusion(TOO_LARGE, f"{len(text)} bytes")
    # CIF is ASCII. What else people write (in names of authors, mostly) is carried through the
    # parser as escapes; a mark of the order of bytes, or of the end of a file, means nothing.
    plain = _decoded(text).removeprefix("\ufeff").rstrip("\x1a\0 \t\r\n") + "\n"
    try:
        return cif.read_string(plain.encode("ascii", "backslashreplace"))
    except (RuntimeError, ValueError) as error:
        raise Exclusion(UNREADABLE, str(error)) from error


def _decoded(text: str | bytes) -> str:
    if isinstance(text, str):
        return text
    encoding = encoding_of(text)
    try:
        return text.decode(encoding)
    except UnicodeDecodeError:
        return text.decode("latin-1" if encoding == "utf-8" else encoding, "replace")


def _block_with_atoms(document: cif.Document) -> cif.Block:
    if not len(document):
        raise Exclusion(UNREADABLE, "no data block")
    for block in document:
        if any(_texts(block, "_atom_site.fract_x")):
            return block
    raise Exclusion(NO_COORDINATES, "no fractional coordinates of atoms")


def _texts(block: cif.Block, *tags: str) -> list[str]:
    """Return the values of the first of the tags of which any is known; empty for unknown ones."""
    found: list[str] = []
    for tag in tags:
        for spelling in (tag, tag.replace(".", "_")):
            values = list(block.find_values(spelling))
            texts = ["" if _is_unknown(value) else cif.as_string(value) for value in values]
            if any(texts):
                return texts
            found = found or texts
    return found


def _is_unknown(value: str) -> bool:
    return cif.is_null(value) or cif.as_string(value).strip() == "?"  # quoted, too


def _first(block: cif.Block, *tags: str) -> str:
    """Return the first known value of any of the tags, as readable text."""
    for tag in tags:
        for value in _texts(block, tag):
            if value.strip():
                return clean_text(_ESCAPED.sub(_unescaped, value))
    return ""


def _unescaped(found: re.Match[str]) -> str:
    return chr(int(found[1] or found[2] or found[3], 16))


def _required_number(block: cif.Block, tag: str) -> float:
    values = _texts(block, tag)
    number = _number(values[0]) if values else math.nan
    if math.isnan(number):
        found = f"is '{values[0]}'" if any(values) else "is missing"
        raise Exclusion(UNREADABLE, f"{tag.replace('.', '_')} {found}")
    return number


def _number(text: str) -> float:
    """Return a number without its standard uncertainty; NaN for what is none."""
    return float(cif.as_number(cif.as_string(text).strip()))


def _operators(block: cif.Block, cell: tuple[float, ...]) -> tuple[str, ...]:
    if any(given := _texts(block, *_OPERATORS)):
        return closed_group(tuple(given))
    if hall := _first(block, *_HALL):
        try:
            return _triplets(gemmi.symops_from_hall(hall))
        except (RuntimeError, ValueError):
            pass  # the other descriptions may still be right
    return _triplets(_setting(block, cell).operations())


def _setting(block: cif.Block, cell: tuple[float, ...]) -> gemmi.SpaceGroup:
    symbols = list(filter(None, (_first(block, tag) for tag in _SYMBOL)))
    number = spacegroup_of(_first(block, *_NUMBER))
    code = _first(block, _CODE)
    for symbol in symbols:
        stated = spacegroup_of(symbol) if symbol.isdecimal() else None
        candidates = settings_of_number(stated) if stated else settings_of(symbol)
        if candidates:
            return chosen_setting(candidates, cell, code, symbol)
    if number is not None and not symbols:
        return chosen_setting(settings_of_number(number), cell, code, str(number))
    # A symbol that is not understood may mean any setting of its group.
    settings = () if number is None else all_settings(number)
    if symbols and len(settings) != 1:
        raise Exclusion(UNREADABLE, f"the space group '{symbols[0]}' is not understood")
    if not settings:
        raise Exclusion(UNREADABLE, "neither symmetry operators nor a space group")
    return settings[0]


def _triplets(operations: gemmi.GroupOps) -> tuple[str, ...]:
    return tuple(operation.wrap().triplet() for operation in operations)


@lru_cache(maxsize=1024)
def closed_group(operators: tuple[str, ...]) -> tuple[str, ...]:
    """Return symmetry operators in one notation, each once.

    Raises
    ------
    Exclusion
        If one of them cannot be read, or they are not all operators of a group, centring included.
    """
    if len(operators) > _MOST_OPERATORS:
        raise Exclusion(UNREADABLE, f"{len(operators)} symmetry operators")
    parsed: dict[str, gemmi.Op] = {}
    for text in operators:
        if not re.fullmatch(r"[xyzXYZ\d+\-*/., ]+", text, re.ASCII):
            raise Exclusion(UNREADABLE, f"symmetry operator '{text}'")
        try:
            operator = gemmi.Op(text).wrap()
        except RuntimeError as error:
            raise Exclusion(UNREADABLE, f"symmetry operator '{text}'") from error
        parsed[operator.triplet()] = operator
    den = gemmi.Op.DEN
    rotations = np.array([operator.rot for operator in parsed.values()])
    shifts = np.array([operator.tran for operator in parsed.values()])
    integral = (rotations % den == 0).all() and (np.abs(rotations) <= _LARGEST_ROTATION * den).all()
    rotations //= den
    if not integral or not (np.abs(np.rint(np.linalg.det(rotations))) == 1).all():
        raise Exclusion(UNREADABLE, "symmetry operators that are not isometries")
    # A finite set that is closed under multiplication is a group.
    products = np.einsum("aij,bjk->abik", rotations, rotations)
    moved = (np.einsum("aij,bj->abi", rotations, shifts) + shifts[:, None]) % den
    if (
        np.abs(products).max() > _LARGEST_ROTATION
        or not np.isin(_codes(products, moved), _codes(rotations, shifts)).all()
    ):
        raise Exclusion(UNREADABLE, f"{len(parsed)} symmetry operators that are not a group")
    return tuple(parsed)


def _codes(rotations: NDArray[np.int64], shifts: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return one number for each operator; shapes (..., 3, 3) and (..., 3) to (...)."""
    bases = (2 * _LARGEST_ROTATION + 1,) * 9 + (gemmi.Op.DEN,) * 3
    digits = np.concatenate(
        [rotations.reshape(*rotations.shape[:-2], 9) + _LARGEST_ROTATION, shifts], axis=-1
    )
    return np.asarray(digits @ np.cumprod([1, *bases[:-1]]))


def _label(block: cif.Block, operators: tuple[str, ...]) -> int | None:
    number = spacegroup_of(_first(block, *_NUMBER)) or spacegroup_of(_first(block, *_SYMBOL))
    if operators == (IDENTITY,):
        return None if number == 1 else number
    if number is None:  # of a symbol that gemmi does not know, such as P 4/m -3 2/m
        group = gemmi.find_spacegroup_by_ops(gemmi.GroupOps([gemmi.Op(op) for op in operators]))
        number = None if group is None else int(group.number)
    return number


def _atoms(
    block: cif.Block,
) -> tuple[tuple[str, ...], tuple[tuple[float, float, float], ...], tuple[float, ...]]:
    """Return elements, positions and occupancies."""
    coordinates = [_texts(block, f"_atom_site.fract_{axis}") for axis in "xyz"]
    n_sites = len(coordinates[0])
    if n_sites > MAX_SITES:
        raise Exclusion(TOO_LARGE, f"{n_sites} sites")

    def column(name: str, default: str) -> list[str]:
        return _texts(block, f"_atom_site.{name}") or [default] * n_sites

    labels, types = column("label", ""), column("type_symbol", "")
    given = list(block.find_values("_atom_site_occupancy")) or list(
        block.find_values("_atom_site.occupancy")
    )
    occupancies = given or ["1"] * n_sites
    flags, hydrogens = column("calc_flag", ""), column("attached_hydrogens", "")
    columns = (*coordinates, labels, types, occupancies, flags, hydrogens)
    if any(len(values) != n_sites for values in columns):
        raise Exclusion(UNREADABLE, "lists of atoms of unequal length")

    formula = _first(block, "_chemical_formula.sum")
    sites = []
    for x, y, z, label, species, occupancy, flag, attached in zip(*columns, strict=True):
        if flag == "dum":  # a dummy, such as the centre of a ring
            continue
        if attached not in ("", "0"):
            raise Exclusion(NO_COORDINATES, f"of {attached} hydrogen atoms attached to {label}")
        sites.append(
            (
                element_of(species) if species else element_of_label(label, formula),
                checked_position((_number(x), _number(y), _number(z)), label or species),
                1.0 if occupancy == "." else _number(occupancy),
            )
        )
    if not sites:
        raise Exclusion(NO_COORDINATES, "no atom that is not a dummy")
    elements, positions, amounts = zip(*sites, strict=True)
    if not all(map(math.isfinite, amounts)):
        raise Exclusion(UNREADABLE, "occupancy that is no number")
    return elements, positions, amounts


def _citation(block: cif.Block) -> str:
    """Return authors, year, title, journal, volume and pages, as far as they are known."""
    authors = [
        clean_text(_ESCAPED.sub(_unescaped, author))
        for author in _texts(block, "_publ_author.name", "_citation_author.name")
    ]
    year = _first(block, "_journal.year", "_citation.year")
    title = _first(block, "_publ_section.title", "_citation.title")
    journal = _first(block, "_journal.name_full", "_citation.journal_abbrev")
    volume = _first(block, "_journal.volume", "_citation.journal_volume")
    pages = "-".join(
        dict.fromkeys(
            filter(None, (_first(block, f"_journal.page_{end}") for end in ("first", "last")))
        )
    )
    who = f"{', '.join(filter(None, authors))} {f'({year})' if year else ''}".strip()
    where = ", ".join(filter(None, (f"{journal} {volume}".strip(), pages)))
    doi = _first(block, "_journal.paper_doi", "_citation.doi")
    return ". ".join(filter(None, (who, title, where, f"doi:{doi}" if doi else "")))
