"""The designed datasets: for each set of that origin, its cells, its law and its protocol."""

from dataclasses import replace
from functools import cache

from sgbench.designed import (
    LAWS,
    Designed,
    LogUniformCells,
    MeshAxis,
    ReducedCells,
    Ulbd,
    UlbdUnion,
)
from sgbench.diffraction import PROTOCOLS
from sgbench.errors import SgbenchError
from sgbench.sets._lattice_ranges import CUBIC_RANGES
from sgbench.sets._spec import DESIGNED_SETS, Mesh, SetSpec
from sgbench.symmetry import FAMILIES, family_spacegroups

# The canonical tetragonal and trigonal-hexagonal meshes are ours, since the published steps are
# either impossibly fine or so coarse that a network learns the cells by heart; their ranges hold
# most cells of known crystals (docs/protocol.md).
_AXES = {
    "cubic": (MeshAxis(5.0, 15.0, 0.05),),
    "tetragonal": (MeshAxis(3.0, 10.0, 0.05), MeshAxis(3.0, 15.0, 0.05)),
    "trigonal-hexagonal": (MeshAxis(3.0, 12.0, 0.05), MeshAxis(3.0, 20.0, 0.05)),
}
_PUBLISHED_AXES = {
    "cubic": _AXES["cubic"],
    "tetragonal": (MeshAxis(5.0, 15.0, 0.05),) * 2,
    "trigonal-hexagonal": (MeshAxis(10.0, 15.0, 0.5),) * 2,
}
# In the imbalanced set, each space group has the cells between its smallest and its largest in the
# CDDD, as in Fig. 8.
_IMBALANCED_AXES = (MeshAxis(2.5, 25.0, 0.05),)
# 3-15 Å hold most cells of known crystals; that many lattices are more than a training sees twice.
_LATTICES = 100_000
_REDUCED = ReducedCells(3.0, 15.0, _LATTICES)
# From below the shortest to above the longest edges of the minerals in the AMCSD, whose tetragonal
# ones are 2.5-15.2 and 2.7-42.2 Å and whose trigonal and hexagonal ones 2.2-17.8 and 2.4-43.2 Å.
# Cubic ones are 2.6-25.0 Å: in 2.5 % the cell is smaller, where some classes show no line at all in
# the window, and in 0.4 % it is larger than the volume allows. Reduced edges are 2.2-31.5 Å
# (orthorhombic), 2.8-24.6 (monoclinic) and 2.8-17.3 (triclinic).
_MINERAL_EDGES = {
    "cubic": ((3.1, 17.1),),
    "tetragonal": ((2.5, 15.5), (2.5, 42.5)),
    "trigonal-hexagonal": ((2.2, 18.0), (2.3, 43.5)),
    "orthorhombic": ((2.2, 32.0),) * 3,
    "monoclinic": ((2.7, 25.0),) * 3,
    "triclinic": ((2.7, 18.0),) * 3,
}
_LARGEST_VOLUME = 5000.0
#: The space groups whose cells the paper shows in Figs. 2 and 4 (P 2 2 2 and P 4/m n c).
CELLS_OF = (16, 128)
_VERSION = 1


@cache
def designed_set(spec: SetSpec) -> Designed:
    """Return the dataset of a designed training set.

    Raises
    ------
    SgbenchError
        If there is none of this kind, its mesh cannot be had, or the name has conditions: those
        change samples that are drawn, and not the dataset.
    """
    if spec.conditions:
        raise SgbenchError(
            f"'{spec.name}' has conditions of measurement, which are applied when a model is "
            "trained or scored; expected a dataset without them. Name "
            f"{replace(spec, conditions=()).name}."
        )
    plain = replace(spec, mesh=None)
    if plain not in DESIGNED_SETS:
        names = ", ".join(one.name for one in DESIGNED_SETS)
        raise SgbenchError(
            f"'{spec.name}' is no designed dataset; expected one of {names}, or one of them with "
            "another mesh, NAME@STEPxPATTERNS. Choose one."
        )
    if spec.family == "all":
        return _union(spec)
    domain = _domain(spec)
    dataset = Ulbd(
        plain.name,
        _VERSION,
        spec.family,
        PROTOCOLS[spec.protocol],
        () if domain else _axes(spec),
        ranges=() if spec.balanced else CUBIC_RANGES,
        law=LAWS[spec.law],
        # The same cells get the same draws under every law.
        drawn_as="" if spec.law == "uniform" else replace(plain, law="uniform").name,
        domain=domain,
    )
    return dataset if spec.mesh is None else _on_mesh(dataset, spec.mesh, spec.name)


def _domain(spec: SetSpec) -> ReducedCells | LogUniformCells | None:
    if spec.cells == "mineral":
        return LogUniformCells(_MINERAL_EDGES[spec.family], _LARGEST_VOLUME, _LATTICES)
    return None if spec.family in _AXES else _REDUCED


def _axes(spec: SetSpec) -> tuple[MeshAxis, ...]:
    if not spec.balanced:
        return _IMBALANCED_AXES
    return (_PUBLISHED_AXES if spec.protocol == "published" else _AXES)[spec.family]


def family_set(family: str, protocol: str = "canonical") -> Designed:
    """Return the designed dataset that models of a family and a protocol are tested on.

    Raises
    ------
    SgbenchError
        If the family is unknown, or has none.
    """
    family_spacegroups(family)  # names the families if that is what is wrong
    return designed_set(SetSpec("designed", family=family, protocol=protocol))


@cache
def _union(spec: SetSpec) -> UlbdUnion:
    if spec.mesh:
        raise SgbenchError(
            f"{spec.name} has no mesh of its own, since its parts have theirs; expected a set of "
            "one family. Name one."
        )
    parts = (designed_set(spec.of(family)) for family in FAMILIES if family != "all")
    ordered = sorted((part for part in parts if isinstance(part, Ulbd)), key=_first_group)
    return UlbdUnion(spec.name, _VERSION, tuple(ordered))


def _first_group(part: Ulbd) -> int:
    return part.spacegroups[0]


def _on_mesh(dataset: Ulbd, mesh: Mesh, name: str) -> Ulbd:
    if dataset.domain:
        raise SgbenchError(
            f"{dataset.name} has no lattice step, since its cells are those of a sequence; "
            "expected a dataset with a mesh. Name one of a family with one or two cell edges."
        )
    if mesh.axes and len(mesh.axes) != len(dataset.axes):
        raise SgbenchError(
            f"'{name}' gives {len(mesh.axes)} ranges; expected one for each of the "
            f"{len(dataset.axes)} free parameters of {dataset.family} cells. Mend the name."
        )
    if mesh.axes:
        return replace(dataset, name=name, axes=tuple(MeshAxis(*axis) for axis in mesh.axes))
    axes = tuple(replace(axis, step=mesh.step) for axis in dataset.axes)
    return replace(dataset, name=name, axes=axes, train_patterns=mesh.patterns)


def _catalogue() -> dict[str, Ulbd]:
    datasets = (designed_set(spec) for spec in DESIGNED_SETS)
    return {dataset.name: dataset for dataset in datasets if isinstance(dataset, Ulbd)}


#: The designed datasets of one family, by name.
ULBD: dict[str, Ulbd] = _catalogue()
#: All families at once.
ULBD_ALL = _union(SetSpec("designed", family="all"))
