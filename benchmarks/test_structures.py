"""Speed from structures to lines, against pymatgen's XRDCalculator on the same structures."""

import hashlib

import gemmi
import numpy as np
import pytest
from timing import seconds

from sgbench.diffraction import CANONICAL, PROTOCOLS, lines_of_reflections
from sgbench.structures._cleaning import Structure, clean
from sgbench.structures._reflections import reflections
from sgbench.structures.sources import Entry
from sgbench.structures.sources.amcsd import amcsd
from sgbench.symmetry import FAMILIES, crystal_system

SYSTEMS = (
    "triclinic", "monoclinic", "orthorhombic", "tetragonal", "trigonal", "hexagonal", "cubic",
)  # fmt: skip
PER_SYSTEM = 6

pytestmark = pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning")


@pytest.fixture(scope="module")
def entries() -> list[Entry]:
    """Minerals of each crystal system, from small to large: quantiles of the cell's volume."""
    of_system = {system: [] for system in SYSTEMS}
    for entry in amcsd().read():
        if isinstance(entry, Entry):
            of_system[crystal_system(entry.spacegroup)].append(entry)
    chosen = []
    for members in of_system.values():
        members.sort(key=lambda e: hashlib.sha256(e.structure_id.encode()).digest())
        some = sorted(members[:100], key=lambda e: gemmi.UnitCell(*e.cell).volume)
        chosen += [some[int(len(some) * (i + 0.5) / PER_SYSTEM)] for i in range(PER_SYSTEM)]
    return chosen


@pytest.fixture(scope="module")
def structures(entries) -> list[Structure]:
    cleaned = (clean(entry, sorted(set(FAMILIES) - {"all"})) for entry in entries)
    kept = [structure for structure in cleaned if isinstance(structure, Structure)]
    assert len(kept) >= 30
    return kept


def for_pymatgen(structure: Structure):
    """All atoms of the cell, each position with all that is on it."""
    from pymatgen.core import Lattice
    from pymatgen.core import Structure as PymatgenStructure

    contents = {position: {} for position in structure.positions}
    for element, position, occupancy in zip(
        structure.elements, structure.positions, structure.occupancies, strict=True
    ):
        contents[position][element] = contents[position].get(element, 0.0) + occupancy
    species, atoms = [], []
    for position, content in contents.items():
        images = np.array(
            [gemmi.Op(operator).apply_to_xyz(list(position)) for operator in structure.operators]
        )
        apart = images[:, None] - images
        same = (np.abs(apart - np.rint(apart)) < 1e-4).all(axis=2)
        images = images[same.argmax(axis=1) == np.arange(len(images))]
        atoms.append(images)
        total = max(sum(content.values()), 1.0)  # some published ones are above 1 by a trifle
        species += [{e: n / total for e, n in content.items()}] * len(images)
    atoms = np.concatenate(atoms)
    assert len(atoms) == structure.n_atoms
    return PymatgenStructure(Lattice.from_parameters(*structure.cell), species, atoms)


def lines(structure: Structure, protocol=CANONICAL):
    return lines_of_reflections(*reflections(structure, protocol), protocol)


def test_lines_of_structures_against_pymatgen(benchmark, structures):
    from pymatgen.analysis.diffraction.xrd import XRDCalculator

    calculator = XRDCalculator(wavelength=CANONICAL.wavelength)

    def theirs(structure):
        return calculator.get_pattern(structure, scaled=False, two_theta_range=CANONICAL.line_range)

    lines(structures[0])  # compiles
    fast, slow = [], []
    for structure in structures:
        given = for_pymatgen(structure)
        one, (two_theta, _) = seconds(lines, structure, repeats=10)
        other, pattern = seconds(theirs, given, repeats=2)
        fast.append(one)
        slow.append(other)
        strong = np.asarray(pattern.x)[np.asarray(pattern.y) > 1e-2 * max(pattern.y)]
        assert np.abs(two_theta[:, None] - strong).min(axis=0).max() < 0.01
    ratios = np.array(slow) / np.array(fast)
    benchmark.pedantic(lambda: [lines(structure) for structure in structures], rounds=5)
    benchmark.extra_info["structures"] = len(structures)
    benchmark.extra_info["milliseconds_a_structure"] = 1e3 * float(np.mean(fast))
    benchmark.extra_info["milliseconds_of_pymatgen"] = 1e3 * float(np.mean(slow))
    benchmark.extra_info["times_pymatgen"] = dict(
        zip(("least", "median", "most"), np.quantile(ratios, (0, 0.5, 1)).tolist(), strict=True)
    ) | {"in_all": sum(slow) / sum(fast)}
    assert np.median(ratios) >= 10
    assert sum(slow) / sum(fast) >= 10


@pytest.mark.parametrize("protocol", PROTOCOLS.values(), ids=lambda p: p.name)
def test_the_whole_path_of_a_structure(benchmark, entries, protocol):
    """What cleaning costs beside the lines, most of it in spglib."""
    families = sorted(set(FAMILIES) - {"all"})

    def cleaned():
        return [clean(entry, families) for entry in entries]

    kept = [structure for structure in cleaned() if isinstance(structure, Structure)]
    cleaning, _ = seconds(cleaned, repeats=3)
    for structure in kept:  # reflections of a box are kept for each group
        lines(structure, protocol)
    benchmark.pedantic(lambda: [lines(structure, protocol) for structure in kept], rounds=5)
    computing = benchmark.stats.stats.min
    benchmark.extra_info["milliseconds_of_cleaning"] = 1e3 * cleaning / len(entries)
    benchmark.extra_info["milliseconds_of_lines"] = 1e3 * computing / len(kept)
    benchmark.extra_info["share_of_lines"] = computing / (computing + cleaning)
