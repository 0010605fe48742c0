"""A worker that turns entries into structures and their lines; the only module that imports cctbx.

Run as ``python -m sgbench.structures.cctbx_worker`` by `sgbench.workers`, and not to be imported
beside the rest of sgbench: cctbx ends the process with a segmentation fault when it is imported
after packages such as gemmi, torch or pyarrow, which bring an older C++ runtime. Imported first, it
is safe. That is why neither `sgbench` nor `sgbench.structures` imports anything by itself.

A request is ``{"entry": …, "families": […], "protocol": …}``, dataclasses as dictionaries. The
answer is ``{"structure": …, "two_theta": […], "intensity": […]}`` or ``{"excluded": [reason,
detail]}``.

Form factors are the analytical ones of neutral atoms of International Tables C (1992), four
Gaussians and a constant, without anomalous dispersion; atoms are at rest (all displacement
parameters zero), so that sources which state displacements and sources which do not are treated
alike.
"""

# isort: off
from cctbx import crystal, miller, sgtbx, uctbx, xray
from cctbx.array_family import flex
# isort: on

import re
from functools import cache, lru_cache
from typing import Any

import numpy as np

from sgbench.diffraction import PatternProtocol, lines_of_reflections
from sgbench.structures._cleaning import SYMPREC, Structure, clean
from sgbench.structures.sources import Entry, Excluded
from sgbench.workers import serve

FORM_FACTORS = "it1992"

# Coordinates without any relation, so that no more special position is met by chance.
_ANYWHERE = (0.1234, 0.2717, 0.3911)

NO_LINE = "no line in the window"
NOT_CALCULATED = "structure factors not calculated"


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """Clean an entry and compute its lines."""
    entry = Entry(**request["entry"])
    protocol = PatternProtocol(**request["protocol"])
    structure = clean(entry, request["families"])
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


def reflections(
    structure: Structure, protocol: PatternProtocol
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Return 1/d^2 and |F|^2 (electrons squared) of the reflections that touch the window.

    Without an index limit these are the symmetry-unique reflections, complete, with their
    multiplicity (Friedel mates included) as a factor of |F|^2; systematically absent ones are not
    among them. With a limit they are all reflections in the box |h|, |k|, |l| <= limit, in
    ascending order of h, then k, then l, absent ones included.

    Raises
    ------
    ValueError
        If the positions do not make up the number of atoms of the structure.
    """
    group = _space_group(structure.operators)
    cell = uctbx.unit_cell(structure.cell)
    # The average makes symmetry-equivalent spacings equal to the last digits.
    symmetry = crystal.symmetry(
        unit_cell=group.group().average_unit_cell(cell), space_group_info=group
    )
    model = xray.structure(
        # spglib has put atoms exactly onto special positions, and leaves none closer than this.
        crystal.special_position_settings(symmetry, min_distance_sym_equiv=SYMPREC),
        flex.xray_scatterer(
            [
                xray.scatterer(element, site=position, occupancy=occupancy, u=0.0)
                for element, position, occupancy in zip(
                    structure.elements, structure.positions, structure.occupancies, strict=True
                )
            ]
        ),
    )
    multiplicity = dict(
        zip(structure.positions, (s.multiplicity() for s in model.scatterers()), strict=True)
    )
    if sum(multiplicity.values()) != structure.n_atoms:
        raise ValueError(f"{sum(multiplicity.values())} atoms instead of {structure.n_atoms}")
    model.scattering_type_registry(table=FORM_FACTORS)
    lower, upper = np.radians(protocol.line_range)
    d_min = protocol.wavelength / (2 * float(np.sin(upper / 2)))
    d_max = protocol.wavelength / (2 * float(np.sin(lower / 2))) if lower > 0 else None
    if protocol.hkl_limit is None:
        chosen = miller.build_set(symmetry, anomalous_flag=False, d_min=d_min, d_max=d_max)
    else:
        axis = np.arange(-protocol.hkl_limit, protocol.hkl_limit + 1)
        box = np.stack(np.meshgrid(axis, axis, axis, indexing="ij"), axis=-1).reshape(-1, 3)
        hkl = [tuple(h) for h in box.tolist() if any(h)]
        # Without symmetry, since equivalent reflections are all listed.
        chosen = miller.set(symmetry, flex.miller_index(hkl), anomalous_flag=True)
        chosen = chosen.resolution_filter(d_max=d_max or 0, d_min=d_min)
    if not chosen.size():
        return np.empty(0), np.empty(0)
    factors = chosen.structure_factors_from_scatterers(model, algorithm="direct").f_calc()
    power = flex.norm(factors.data())
    if protocol.hkl_limit is None:
        power *= chosen.multiplicities().data().as_double()
    else:
        # cctbx leaves out centring translations, as if all reflections were present.
        power.set_selected(chosen.sys_absent_flags().data(), 0.0)
    return chosen.d_star_sq().data().as_numpy_array(), power.as_numpy_array()


@lru_cache(maxsize=1024)
def _space_group(operators: tuple[str, ...]) -> Any:
    group = sgtbx.space_group()
    for operator in operators:
        group.expand_smx(sgtbx.rt_mx(operator))
    return sgtbx.space_group_info(group=group)


if __name__ == "__main__":
    serve(answer)
