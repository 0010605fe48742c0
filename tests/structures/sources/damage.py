"""CIFs for tests: good ones of random space groups, and ones damaged in the ways of real files."""

import random
from collections.abc import Callable
from dataclasses import dataclass

import gemmi
import numpy as np
from gemmi import cif

ELEMENTS = ("H", "C", "N", "O", "Na", "Mg", "Al", "Si", "S", "Cl", "K", "Ca", "Ti", "Fe", "Cu", "U")


@dataclass(frozen=True)
class Crystal:
    """A structure of a random space group, in any tabulated setting of it."""

    group: gemmi.SpaceGroup
    cell: tuple[float, ...]
    elements: tuple[str, ...]
    positions: tuple[tuple[float, float, float], ...]
    occupancies: tuple[float, ...]

    @property
    def operators(self) -> tuple[str, ...]:
        return tuple(op.wrap().triplet() for op in self.group.operations())


def random_crystal(rng: random.Random, group: gemmi.SpaceGroup | None = None) -> Crystal:
    group = group or rng.choice(list(gemmi.spacegroup_table()))
    n_sites = rng.randint(1, 6)
    return Crystal(
        group=group,
        cell=_random_cell(rng, group),
        elements=tuple(rng.choice(ELEMENTS) for _ in range(n_sites)),
        positions=tuple(
            tuple(rng.choice((0.0, 0.25, 0.5, round(rng.random(), 5))) for _ in range(3))
            for _ in range(n_sites)
        ),
        occupancies=tuple(rng.choice((1.0, 1.0, 0.5)) for _ in range(n_sites)),
    )


def _random_cell(rng: random.Random, group: gemmi.SpaceGroup) -> tuple[float, ...]:
    edges = [rng.uniform(4, 14) for _ in range(3)]
    vectors = np.diag(edges) + np.array([[rng.uniform(-1, 1) for _ in range(3)] for _ in range(3)])
    metric = vectors @ vectors.T
    rotations = [np.array(op.rot) / gemmi.Op.DEN for op in group.operations().sym_ops]
    metric = np.mean([rotation.T @ metric @ rotation for rotation in rotations], axis=0)
    lengths = np.sqrt(np.diag(metric))
    angles = [
        np.degrees(np.arccos(metric[i, j] / (lengths[i] * lengths[j])))
        for i, j in ((1, 2), (0, 2), (0, 1))
    ]
    return tuple(round(float(x), 6) for x in (*lengths, *angles))


def cif_of(crystal: Crystal, symmetry: str = "operators") -> str:
    """Return a CIF; `symmetry` says how the group is given: operators, symbol, hall or number."""
    block = cif.Document().add_new_block("sample")
    block.set_pair("_chemical_name_mineral", "Testite")
    for tag, value in zip(
        ("length_a", "length_b", "length_c", "angle_alpha", "angle_beta", "angle_gamma"),
        crystal.cell,
        strict=True,
    ):
        block.set_pair(f"_cell_{tag}", f"{value}")
    if symmetry == "operators":
        block.set_pair("_space_group_IT_number", str(crystal.group.number))
        block.set_pair("_space_group_name_H-M_alt", cif.quote(crystal.group.xhm()))
        loop = block.init_loop("_space_group_symop_", ["id", "operation_xyz"])
        for number, operator in enumerate(crystal.operators, start=1):
            loop.add_row([str(number), cif.quote(operator)])
    elif symmetry == "symbol":
        block.set_pair("_symmetry_space_group_name_H-M", cif.quote(crystal.group.xhm()))
    elif symmetry == "hall":
        block.set_pair("_space_group_name_Hall", cif.quote(crystal.group.hall))
    else:
        block.set_pair("_symmetry_Int_Tables_number", str(crystal.group.number))
    loop = block.init_loop(
        "_atom_site_", ["label", "type_symbol", "fract_x", "fract_y", "fract_z", "occupancy"]
    )
    for number, (element, position, occupancy) in enumerate(
        zip(crystal.elements, crystal.positions, crystal.occupancies, strict=True), start=1
    ):
        loop.add_row(
            [f"{element}{number}", element, *(f"{x:.5f}" for x in position), f"{occupancy:g}"]
        )
    return block.as_string()


def damaged_cifs(n: int, seed: int = 0) -> list[tuple[str, bytes, str]]:
    """Return n damaged CIFs as (name, content, kind of damage), the kinds in turn.

    The file of a million atoms is among them once.
    """
    rng = random.Random(seed)
    damaged: list[tuple[str, bytes, str]] = []
    while len(damaged) < n:
        for kind, damage in DAMAGE.items():
            if kind == "a million atoms" and len(damaged) >= len(DAMAGE):
                continue
            # Not in P 1, whose files have less that could be wrong.
            group = rng.choice([g for g in gemmi.spacegroup_table() if g.number > 2])
            text = cif_of(random_crystal(rng, group))
            name = f"{len(damaged):04d}-{kind.replace(' ', '-')}"
            damaged.append((name, damage(rng, text), kind))
    return damaged[:n]


def _lines(change: Callable[[random.Random, list[str]], list[str]]):
    def damage(rng: random.Random, text: str) -> bytes:
        return "\n".join(change(rng, text.split("\n"))).encode()

    return damage


def _with_value(*tags: str, value: str):
    """Give every tag of these another value."""

    def change(rng: random.Random, lines: list[str]) -> list[str]:
        return [f"{x.split()[0]} {value}" if x.startswith(tags) else x for x in lines]

    return _lines(change)


def _without(*tags: str):
    return _lines(lambda rng, lines: [line for line in lines if not line.startswith(tags)])


def _is_operator(line: str) -> bool:
    return line[:1].isdigit() and line.count(",") == 2


def _in_operators(change: Callable[[random.Random, list[str]], list[str]]):
    def damage(rng: random.Random, lines: list[str]) -> list[str]:
        places = [i for i, line in enumerate(lines) if _is_operator(line)]
        changed = change(rng, [lines[i] for i in places])
        return [*lines[: places[0]], *changed, *lines[places[-1] + 1 :]]

    return _lines(damage)


def _in_atoms(change: Callable[[random.Random, list[str]], list[str]]):
    """Change the values of one atom: label, type symbol, x, y, z, occupancy."""

    def damage(rng: random.Random, lines: list[str]) -> list[str]:
        start = lines.index("_atom_site_occupancy") + 1
        end = max(i for i, line in enumerate(lines) if line.strip()) + 1
        chosen = rng.randrange(start, end)
        lines[chosen] = " ".join(change(rng, lines[chosen].split()))
        return lines

    return _lines(damage)


def _truncated(rng: random.Random, text: str) -> bytes:
    return text[: rng.randrange(1, text.index("_atom_site_label"))].encode()


def _truncated_in_atoms(rng: random.Random, text: str) -> bytes:
    start = text.index("_atom_site_occupancy") + len("_atom_site_occupancy")
    row = text[start:].split("\n")[1]
    return text[: start + 1 + rng.randrange(1, len(row) - 2)].rstrip().encode()


def _million(rng: random.Random, text: str) -> bytes:
    return text.encode() + b"H1 H 0 0 0 1\n" * 1_000_000


def _latin(rng: random.Random, text: str) -> bytes:
    return text.replace("Testite", "'M\xfcllerit, \xe9tude \xb0'").encode("latin-1")


def _junk(rng: random.Random, text: str) -> bytes:
    return rng.randbytes(rng.randrange(1, 5000))


def _flipped(rng: random.Random, text: str) -> bytes:
    content = bytearray(text.encode())
    for _ in range(rng.randrange(1, 40)):
        content[rng.randrange(len(content))] = rng.randrange(256)
    return bytes(content)


def _at_one_point(rng: random.Random, lines: list[str]) -> list[str]:
    start = lines.index("_atom_site_occupancy") + 1
    atoms = [f"{element}{i} {element} 0.1 0.2 0.3 1" for i, element in enumerate(ELEMENTS)]
    return [*lines[:start], *atoms, ""]


def _replaced_triplet(rng: random.Random, rows: list[str]) -> list[str]:
    return [*rows[:-1], f"{len(rows)} {rng.choice(_WRONG_TRIPLETS)}"]


def _one_missing(rng: random.Random, rows: list[str]) -> list[str]:
    # Of two, the identity: what it leaves is no group, where the identity alone would be one.
    del rows[rng.randrange(len(rows)) if len(rows) > 2 else 0]
    return rows


def _other_number(rng: random.Random, lines: list[str]) -> list[str]:
    row = next(i for i, line in enumerate(lines) if line.startswith("_space_group_IT_number"))
    number = int(lines[row].split()[1])
    other = rng.choice([n for n in range(1, 231) if n != number])
    lines[row] = f"_space_group_IT_number {other}"
    return [line for line in lines if "H-M" not in line]


_WRONG_TRIPLETS = (
    "'x,y'",
    "'x,y,q'",
    "'x,y,z,t'",
    "'2*x+,y,z'",
    "'x;y;z'",
    "''",
    "'1/0+x,y,z'",
    "?",
)
_LENGTHS = ("_cell_length_a", "_cell_length_b")
_ANGLES = ("_cell_angle_alpha", "_cell_angle_beta", "_cell_angle_gamma")

#: Kinds of damage, and what does each.
DAMAGE: dict[str, Callable[[random.Random, str], bytes]] = {
    "empty": lambda rng, text: b"",
    "only white space": lambda rng, text: b" \r\n\t\n",
    "truncated": _truncated,
    "truncated within an atom": _truncated_in_atoms,
    "binary junk": _junk,
    "flipped bytes": _flipped,
    "zero bytes": lambda rng, text: bytes(rng.randrange(1, 3000)),
    "not UTF-8": _latin,
    "UTF-16": lambda rng, text: text.encode("utf-16"),
    "HTML instead": lambda rng, text: b"<!DOCTYPE html><html><body>404 Not Found</body></html>",
    "alien tags": lambda rng, text: b"data_x\n_my_program.secret 5\n_other 'thing'\n",
    "no data block": lambda rng, text: text.split("\n", 1)[1].encode(),
    "doubled tag": _lines(lambda rng, lines: [*lines[:2], "_cell_length_a 5", *lines[2:]]),
    "doubled block": lambda rng, text: (text + text).encode(),
    "wrong symmetry operator": _in_operators(_replaced_triplet),
    "operator missing": _in_operators(_one_missing),
    "operator out of place": _in_operators(lambda rng, rows: [*rows, "999 'x+1/24,y,-z+1/3'"]),
    "operator that shears": _in_operators(lambda rng, rows: [*rows, "999 'x+y,y,z'"]),
    "operator that flattens": _in_operators(lambda rng, rows: [*rows, "999 'x,x,x'"]),
    "thousands of operators": _in_operators(
        lambda rng, rows: [*rows, *(f"{i} 'x,y,z'" for i in range(9999))]
    ),
    "no symmetry at all": lambda rng, text: _without("_space_group")(
        rng, text.replace("loop_\n_space_group_symop_id\n", "loop_\n_a\n_b\n", 1)
    ),
    "no cell": _without("_cell_"),
    "half a cell": _without("_cell_angle"),
    "cell of question marks": _with_value("_cell_", value="?"),
    "cell that is not a number": _with_value("_cell_length_b", value="NaN"),
    "infinite cell": _with_value("_cell_length_c", value="inf"),
    "cell of words": _with_value("_cell_length_a", value="'see text'"),
    "cell of zero": _with_value(*_LENGTHS, value="0"),
    "negative cell": _with_value(*_LENGTHS, value="-5.43(2)"),
    "huge cell": _with_value(*_LENGTHS, value="1e200"),
    "angles of zero": _with_value(*_ANGLES, value="0.0"),
    "angles that cannot be": _with_value(*_ANGLES, value="150"),
    "angle of 180": _with_value("_cell_angle_beta", value="180"),
    "coordinate that is not a number": _in_atoms(lambda rng, a: [*a[:2], "NaN", *a[3:]]),
    "infinite coordinate": _in_atoms(lambda rng, a: [*a[:3], "-inf", *a[4:]]),
    "coordinate of words": _in_atoms(lambda rng, a: [*a[:4], "half", *a[5:]]),
    "coordinate missing": _in_atoms(lambda rng, a: [*a[:2], rng.choice("?."), *a[3:]]),
    "coordinate with a comma": _in_atoms(lambda rng, a: [*a[:2], "0,125", *a[3:]]),
    "coordinate far away": _in_atoms(lambda rng, a: [*a[:2], "1e300", *a[3:]]),
    "unknown element": _in_atoms(
        lambda rng, a: ["Xx1", rng.choice(("Xx", "X", "Wat", "M")), *a[2:]]
    ),
    "element missing": _in_atoms(lambda rng, a: ["?", "?", *a[2:]]),
    "occupancy above one": _in_atoms(lambda rng, a: [*a[:5], rng.choice(("1.7", "300"))]),
    "negative occupancy": _in_atoms(lambda rng, a: [*a[:5], "-0.5"]),
    "occupancy of words": _in_atoms(lambda rng, a: [*a[:5], rng.choice(("full", "?", "nan"))]),
    "row too short": _in_atoms(lambda rng, a: a[:-1]),
    "row too long": _in_atoms(lambda rng, a: [*a, "0.5"]),
    "unterminated text": lambda rng, text: text.encode() + b"_publ_section_title\n;\nNever ends\n",
    "unterminated quote": lambda rng, text: text.replace("Testite", "'Testite").encode(),
    "label against operators": _lines(_other_number),
    "label out of range": _with_value("_space_group_IT_number", value="231"),
    "no atoms": lambda rng, text: text[: text.rindex("loop_")].encode(),
    "all atoms at one point": _lines(_at_one_point),
    "a million atoms": _million,
}
