"""A worker that turns entries into structures and their lines; the only module that imports cctbx.

Run as ``python -m sgbench.structures.cctbx_worker`` by `sgbench.workers`, and not to be imported
beside the rest of sgbench: cctbx ends the process with a segmentation fault when it is imported
after packages such as gemmi, torch or pyarrow, which bring an older C++ runtime. Imported first, it
is safe. That is why neither `sgbench` nor `sgbench.structures` imports anything by itself.

A request is ``{"entry": …, "families": […], "protocol": …}``, dataclasses as dictionaries. The
answer is ``{"structure": …, "two_theta": […], "intensity": […]}`` or ``{"excluded": [reason,
detail]}``.

cctbx knows the normaliser of each space group; structure factors are computed without it.
"""

# isort: off
from cctbx import sgtbx
# isort: on

import re
from dataclasses import replace
from functools import cache, lru_cache
from typing import Any

from sgbench.diffraction import PatternProtocol, lines_of_reflections
from sgbench.structures._cleaning import SYMPREC, clean
from sgbench.structures._reflections import reflections
from sgbench.structures.sources import Entry, Excluded
from sgbench.workers import serve

# Coordinates without any relation, so that no more special position is met by chance.
_ANYWHERE = (0.1234, 0.2717, 0.3911)

NO_LINE = "no line in the window"
NOT_CALCULATED = "structure factors not calculated"

# Answers that are kept in mind: a source that lists a structure twice mostly does so soon after.
_REMEMBERED = 512


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """Clean an entry and compute its lines."""
    plain = request["entry"]
    tuples = {key: tuple(value) for key, value in plain.items() if isinstance(value, list)}
    tuples["positions"] = tuple(map(tuple, plain["positions"]))
    entry = Entry(**plain | tuples)
    # Work is done once for entries that differ only in what they are called.
    said = _answer(
        replace(entry, structure_id="", name="", citation=""),
        tuple(request["families"]),
        PatternProtocol(**request["protocol"]),
    )
    if "excluded" in said:
        return said
    structure = said["structure"] | {
        "structure_id": entry.structure_id,
        "name": entry.name or said["structure"]["formula"],
        "citation": entry.citation,
    }
    return said | {"structure": structure}


@lru_cache(maxsize=_REMEMBERED)
def _answer(entry: Entry, families: tuple[str, ...], protocol: PatternProtocol) -> dict[str, Any]:
    structure = clean(entry, families)
    if isinstance(structure, Excluded):
        return {"excluded": [structure.reason, structure.detail]}
    try:
        q, power = reflections(structure, protocol)
    except MemoryError:  # of the machine and not of the structure
        raise
    except Exception as error:  # one bad structure must not take the others with it
        return {"excluded": [NOT_CALCULATED, " ".join(str(error).split())[:200]]}
    two_theta, intensity = lines_of_reflections(q, power, protocol)
    if not len(two_theta):
        return {"excluded": [NO_LINE, ""]}
    return {
        "structure": vars(structure) | {"prototype": standard_prototype(structure.prototype)},
        "two_theta": two_theta.tolist(),
        "intensity": intensity.tolist(),
    }


def standard_prototype(prototype: str) -> str:
    """Return the prototype with the Wyckoff letters that come first among equivalent choices.

    Where the origin of a cell may be put at several places (CsCl with either atom at 0, 0, 0), the
    letters of one structure depend on the choice. The choices are those of the Euclidean
    normaliser of the space group (ITA section 3.5).

    Parameters
    ----------
    prototype : str
        As in `Structure`, e.g. ``ABC3_221_abd``.

    Returns
    -------
    str
        E.g. ``ABC3_221_abc``.
    """
    formula, number, occupied = prototype.split("_")
    letters = re.findall(r"([A-Za-z])(\d*)", occupied)
    choices = (
        "".join(letter + count for letter, count in sorted((names[x], n) for x, n in letters))
        for names in _equivalent_letters(int(number))
    )
    return f"{formula}_{number}_{min(choices)}"


@cache
def _equivalent_letters(spacegroup: int) -> tuple[dict[str, str], ...]:
    """Return how the normaliser of a space group renames Wyckoff letters, in every possible way."""
    info = sgtbx.space_group_info(spacegroup)
    table = sgtbx.wyckoff_table(info.type())
    cell = info.any_compatible_unit_cell(volume=1000)
    moves = list(info.type().addl_generators_of_euclidean_normalizer(True, True))
    moves += [
        sgtbx.rt_mx(f"x+{v[0]}/{modulus},y+{v[1]}/{modulus},z+{v[2]}/{modulus}")
        for shift in sgtbx.structure_seminvariants(info.group()).vectors_and_moduli()
        if (modulus := shift.m)
        for v in (shift.v,)
    ]
    positions = [table.position(i) for i in range(table.size())]
    renamings = [
        {
            position.letter(): table.mapping(
                cell, move * (position.special_op() * _ANYWHERE), SYMPREC
            )
            .position()
            .letter()
            for position in positions
        }
        for move in moves
    ]
    start = {position.letter(): position.letter() for position in positions}
    found, unfinished = {tuple(start.items()): start}, [start]
    while unfinished:
        names = unfinished.pop()
        for renaming in renamings:
            further = {letter: renaming[name] for letter, name in names.items()}
            if tuple(further.items()) not in found:
                found[tuple(further.items())] = further
                unfinished.append(further)
    return tuple(found.values())


if __name__ == "__main__":
    serve(answer)
