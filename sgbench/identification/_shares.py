"""How often known structures have each space group of a class."""

import json
from functools import cache
from importlib.resources import files

from sgbench.identification._answer import Spacegroup
from sgbench.symmetry import spacegroup_symbol


@cache
def _known() -> dict[int, int]:
    # Made by tools/spacegroup_shares.py.
    text = files(__package__).joinpath("known_structures.json").read_text(encoding="utf-8")
    return {int(number): count for number, count in json.loads(text)["minerals"].items()}


def shares(spacegroups: tuple[int, ...]) -> tuple[Spacegroup, ...]:
    """Return the space groups of a class, the ones that most minerals have first.

    Parameters
    ----------
    spacegroups : tuple of int
        All of the class.
    """
    known = {number: _known().get(number, 0) for number in spacegroups}
    total = sum(known.values())
    return tuple(
        Spacegroup(
            number, spacegroup_symbol(number), known[number],
            known[number] / total if total else None,
        )
        for number in sorted(spacegroups, key=lambda one: (-known[one], one))
    )  # fmt: skip
