"""Structure factors by cctbx: JSON lines in, JSON lines out, one structure a line.

Run as ``python -m sgbench.cctbx_worker``. No other module imports cctbx, and this one is not to be
imported beside the rest of sgbench: cctbx ends the process with a segmentation fault when it is
imported after packages such as gemmi, torch or pyarrow, which bring an older C++ runtime. That is
also why the workers are plain subprocesses (multiprocessing would import the caller's main module
first) and why this module stands at the top of a package whose ``__init__`` imports nothing.

A request is ``{"cell": [6 numbers], "operators": ["-x,1/2+y,-z", …], "elements": ["Si", …],
"positions": [[x, y, z], …], "d_min": …, "d_max": …}`` in ångström, degrees and fractions. The
answer is ``{"q": [1/d^2, …], "power": [multiplicity |F|^2, …]}``, one value for each
symmetry-unique reflection, or ``{"error": "what cctbx said"}``. Form factors are the analytical
ones of neutral atoms of International Tables C (1992), four Gaussians and a constant, without
anomalous dispersion; atoms are at rest (all displacement parameters zero), so that sources which
state displacements and sources which do not are treated alike.
"""

import json
import os
import sys
from typing import Any

from cctbx import crystal, miller, sgtbx, uctbx, xray
from cctbx.array_family import flex

FORM_FACTORS = "it1992"

# Sites this close (ångström) to a special position belong on it; callers send them exactly there.
_SPECIAL_POSITION_TOLERANCE = 0.1


def unique_reflections(request: dict[str, Any]) -> dict[str, list[float]]:
    """Return 1/d^2 and multiplicity * |F|^2 of every unique reflection between d_min and d_max.

    Parameters
    ----------
    request : dict
        As in the module's description.

    Returns
    -------
    dict
        Lists ``q`` (1/ångström^2) and ``power`` (electrons squared) of equal length. Systematically
        absent reflections are not among them; multiplicities count Friedel mates.
    """
    group = sgtbx.space_group()
    for operator in request["operators"]:
        group.expand_smx(sgtbx.rt_mx(operator))
    cell = uctbx.unit_cell(request["cell"])
    if not group.is_compatible_unit_cell(cell):
        raise ValueError("the cell does not fit the symmetry operators")
    # The average makes symmetry-equivalent spacings equal to the last digits.
    symmetry = crystal.symmetry(unit_cell=group.average_unit_cell(cell), space_group=group)
    structure = xray.structure(
        crystal.special_position_settings(
            symmetry, min_distance_sym_equiv=_SPECIAL_POSITION_TOLERANCE
        ),
        flex.xray_scatterer(
            [
                xray.scatterer(element, site=position, u=0.0)
                for element, position in zip(request["elements"], request["positions"], strict=True)
            ]
        ),
    )
    structure.scattering_type_registry(table=FORM_FACTORS)
    reflections = miller.build_set(
        symmetry, anomalous_flag=False, d_min=request["d_min"], d_max=request["d_max"]
    )
    if not reflections.size():
        return {"q": [], "power": []}
    factors = reflections.structure_factors_from_scatterers(structure, algorithm="direct").f_calc()
    power = flex.norm(factors.data()) * reflections.multiplicities().data().as_double()
    return {"q": list(reflections.d_star_sq().data()), "power": list(power)}


def main() -> None:
    """Answer requests from standard input until it ends."""
    # Whatever a library prints must not be taken for an answer, so it goes to standard error.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    for line in sys.stdin:
        try:
            answer: dict[str, Any] = unique_reflections(json.loads(line))
        except Exception as error:  # one bad structure must not take the others with it
            answer = {"error": " ".join(str(error).split()) or type(error).__name__}
        answers.write(json.dumps(answer) + "\n")
        answers.flush()


if __name__ == "__main__":
    main()
