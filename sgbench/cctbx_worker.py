"""A worker that turns entries into structures and their lines; the only module that imports cctbx.

Run as ``python -m sgbench.cctbx_worker`` by `sgbench.workers`, and not to be imported beside the
rest of sgbench: cctbx ends the process with a segmentation fault when it is imported after packages
such as gemmi, torch or pyarrow, which bring an older C++ runtime. Imported first, it is safe. That
is also why this module stands at the top of a package whose ``__init__`` imports nothing.

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

from functools import lru_cache
from typing import Any

import numpy as np

from sgbench.datasets._cleaning import SYMPREC, Structure, clean
from sgbench.datasets.sources._entry import Entry, Excluded
from sgbench.diffraction import PatternProtocol
from sgbench.diffraction._structure_factors import lines_of_reflections
from sgbench.workers import serve

FORM_FACTORS = "it1992"

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
    except Exception as error:  # one bad structure must not take the others with it
        return {"excluded": [NOT_CALCULATED, " ".join(str(error).split())[:200]]}
    two_theta, intensity = lines_of_reflections(q, power, protocol)
    if not len(two_theta):
        return {"excluded": [NO_LINE, ""]}
    return {
        "structure": vars(structure),
        "two_theta": two_theta.tolist(),
        "intensity": intensity.tolist(),
    }


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
