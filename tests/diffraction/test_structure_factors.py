"""Lines of structures against closed forms, brute force, cctbx, gemmi and pymatgen."""

import json
import subprocess
import sys
from dataclasses import asdict, replace
from statistics import median

import gemmi
import numpy as np
import pytest
from reference_lines import (
    PER_SYSTEM,
    SYSTEMS,
    Case,
    Comparison,
    Lines,
    ask,
    brute_force,
    compared,
    filled,
    is_disordered,
    lines_of,
    lorentz,
    powers,
    reflections,
    sample,
    two_theta_of,
)

from sgbench.diffraction import CANONICAL, PUBLISHED, PatternProtocol
from sgbench.diffraction._structure_factors import lines_of_reflections
from sgbench.structures.sources import Entry
from sgbench.symmetry import absences, crystal_system


@pytest.fixture(scope="module")
def cases() -> tuple[Case, ...]:
    return sample()


def cubic(spacegroup: int, edge: float, *atoms: tuple) -> Entry:
    """A cubic structure of atoms given by element, position and occupancy."""
    elements, positions, occupancies = zip(*atoms, strict=True)
    group = gemmi.find_spacegroup_by_number(spacegroup)
    return Entry(
        structure_id="cubic",
        name="",
        spacegroup=spacegroup,
        cell=(edge, edge, edge, 90.0, 90.0, 90.0),
        operators=tuple(op.triplet() for op in group.operations()),
        elements=elements,
        positions=positions,
        occupancies=occupancies,
    )


ORIGIN, MIDDLE = (0.0, 0.0, 0.0), (0.5, 0.5, 0.5)
HALITE = cubic(225, 5.64, ("Na", ORIGIN, 1.0), ("Cl", MIDDLE, 1.0))
CAESIUM_CHLORIDE = cubic(221, 4.12, ("Cs", ORIGIN, 1.0), ("Cl", MIDDLE, 1.0))
# Sylvite-like: a mixed site and vacancies
MIXED = cubic(225, 6.0, ("Na", ORIGIN, 0.25), ("K", ORIGIN, 0.75), ("Cl", MIDDLE, 0.9))


def lines_of_entry(entry: Entry, protocol: PatternProtocol = CANONICAL) -> Lines:
    (answer,) = ask([entry], protocol)
    return lines_of(answer)


def test_reflections_of_equal_spacing_are_one_line():
    q, power = [0.2, 0.1, 0.1 * (1 + 1e-9)], [5.0, 2.0, 3.0]
    two_theta, intensity = lines_of_reflections(q, power, CANONICAL)
    assert len(two_theta) == 2
    np.testing.assert_allclose(intensity / lorentz(two_theta), [5.0, 5.0], rtol=1e-6)
    apart, _ = lines_of_reflections([0.1, 0.1 * (1 + 1e-6)], [2.0, 3.0], CANONICAL)
    assert len(apart) == 2


def test_the_published_code_keeps_the_first_reflection_of_a_line():
    q = [0.2, 0.1, 0.1 * (1 + 1e-9), 0.1 * (1 + 1e-5)]
    two_theta, intensity = lines_of_reflections(q, [5.0, 2.0, 3.0, 4.0], PUBLISHED)
    assert len(two_theta) == 3
    np.testing.assert_array_equal(two_theta, np.round(two_theta, 6))
    np.testing.assert_allclose(intensity / lorentz(two_theta), [2.0, 4.0, 5.0], rtol=1e-6)


@pytest.mark.parametrize("protocol", [CANONICAL, PUBLISHED])
def test_lines_without_power_are_none(protocol):
    two_theta, _ = lines_of_reflections([0.1, 0.2, 0.3], [1e-29, 1.0, 1e-9], protocol)
    assert len(two_theta) == 2
    for array in lines_of_reflections([], [], protocol):
        assert len(array) == 0
    two_theta, intensity = lines_of_reflections([0.1], [0.0], protocol)
    assert len(two_theta) == len(intensity) == 0


@pytest.mark.parametrize(
    ("entry", "per_cell", "centred"),
    [(HALITE, 4, True), (CAESIUM_CHLORIDE, 1, False), (MIXED, 4, True)],
)
def test_binary_cubic_structures_in_closed_form(entry, per_cell, centred):
    """F = n (f1 ± f2): plus where h + k + l is even, for both types of structure."""
    lines: dict[int, float] = {}
    for hkl, q in zip(*reflections(entry.cell, CANONICAL), strict=True):
        if not centred or len(set(hkl % 2)) == 1:
            f = dict.fromkeys((ORIGIN, MIDDLE), 0.0)
            for element, position, occupancy in zip(
                entry.elements, entry.positions, entry.occupancies, strict=True
            ):
                f[position] += occupancy * gemmi.Element(element).it92.calculate_sf(q / 4)
            sign = -1 if sum(hkl) % 2 else 1
            n = int(hkl @ hkl)
            power = (per_cell * (f[ORIGIN] + sign * f[MIDDLE])) ** 2
            lines[n] = lines.get(n, 0.0) + power
    order = sorted(lines)
    two_theta = two_theta_of(np.array(order) / entry.cell[0] ** 2)
    found = lines_of_entry(entry)
    np.testing.assert_allclose(found.two_theta, two_theta, rtol=1e-9)
    expected = np.array([lines[n] for n in order]) * lorentz(two_theta)
    np.testing.assert_allclose(found.intensity, expected, rtol=1e-5)


def test_what_a_structure_extinguishes_is_no_line():
    """222 of diamond is allowed by F d -3 m, but not by atoms at its special position."""
    diamond = cubic(227, 3.567, ("C", ORIGIN, 1.0))
    short = replace(CANONICAL, wavelength=0.7)
    assert not absences(227, [[2, 2, 2]]).any()
    position = two_theta_of(12 / 3.567**2, short)
    assert np.abs(lines_of_entry(diamond, short).two_theta - position).min() > 0.5


def test_the_sample(cases):
    """As many structures of each system, ordered and disordered, in many settings."""
    systems = [crystal_system(case.structure.spacegroup) for case in cases]
    assert [systems.count(system) for system in SYSTEMS] == [PER_SYSTEM] * 7
    assert len(cases) >= 200
    assert len({case.structure.spacegroup for case in cases}) > 100
    for ordered in (True, False):
        chosen = [s for s, c in zip(systems, cases, strict=True) if c.structure.ordered == ordered]
        assert all(chosen.count(system) >= 10 for system in SYSTEMS)
    assert any(is_disordered(case.entry) for case in cases)
    assert any(case.entry.cell[3] == case.entry.cell[5] != 90 for case in cases)  # rhombohedral
    # Some are not given in the standard setting, by their cell or by their operators.
    standard = [np.allclose(case.entry.cell, case.structure.cell, rtol=1e-3) for case in cases]
    assert standard.count(False) > 10
    centred = [len(c.structure.operators) > len(unique_rotations(c)) for c in cases]
    assert centred.count(True) > 50


def unique_rotations(case: Case) -> set[tuple]:
    return {tuple(map(tuple, gemmi.Op(o).rot)) for o in case.structure.operators}


@pytest.mark.parametrize("protocol", [CANONICAL, PUBLISHED], ids=lambda p: p.name)
def test_positions_are_those_of_gemmi(cases, protocol):
    for case in cases:
        _, q = reflections(case.structure.cell, protocol)
        angles = np.unique(two_theta_of(q, protocol))
        found = case.lines[protocol.name].two_theta
        assert len(found) == len(np.unique(found))
        above = np.searchsorted(angles, found).clip(1, len(angles) - 1)
        distance = np.minimum(np.abs(angles[above] - found), np.abs(angles[above - 1] - found))
        assert distance.max() < 1e-6, case.entry


def by_system(cases, compare) -> dict[str, list[Comparison]]:
    found: dict[str, list[Comparison]] = {system: [] for system in SYSTEMS}
    for case in cases:
        found[crystal_system(case.structure.spacegroup)].append(compare(case))
    return found


def show(title: str, found: dict[str, list[Comparison]]) -> None:
    """Print what docs/protocol.md states (pytest -s shows it)."""
    print(f"\n{title}: n, shift; median, maximum of strongest; median, maximum of line")
    for system, each in found.items():
        of = {key: [getattr(x, key) for x in each] for key in ("shift", "of_strongest", "of_line")}
        print(
            f"{system:13} {len(each)} {max(of['shift']):.1e}; "
            f"{median(of['of_strongest']):.1e} {max(of['of_strongest']):.1e}; "
            f"{median(of['of_line']):.1e} {max(of['of_line']):.1e}"
        )


def test_lines_agree_with_brute_force(cases):
    """From what the source states, summed over the whole sphere of its own setting.

    What differs is single precision of stored intensities, and coordinates that are rounded off
    their special positions: the reference leaves them there.
    """
    found = by_system(cases, lambda c: compared(c.lines["canonical"], brute_force(c.entry)))
    show("brute force", found)
    for each in found.values():
        assert max(x.shift for x in each) < 5e-5
        assert max(x.of_strongest for x in each) < 1e-3
        assert max(x.of_line for x in each) < 1e-2
        assert median(x.of_line for x in each) < 1e-6


def published_by_hand(case: Case) -> Lines:
    """The first reflection met at each angle, by a dictionary; in the stored setting."""
    q, power = powers(case.structure, PUBLISHED)
    lines: dict[float, float] = {}
    for angle, value in zip(two_theta_of(q, PUBLISHED).tolist(), power.tolist(), strict=True):
        lines.setdefault(round(angle, 6), value)
    two_theta = np.array(sorted(lines))
    intensity = np.array([lines[angle] for angle in two_theta.tolist()]) * lorentz(two_theta)
    return Lines(two_theta, intensity)


def test_published_lines_agree_with_brute_force(cases):
    found = by_system(cases, lambda c: compared(c.lines["published"], published_by_hand(c)))
    show("published", found)
    for each in found.values():
        assert max(x.shift for x in each) < 1e-6
        assert max(x.of_strongest for x in each) < 1e-5
        assert max(x.of_line for x in each) < 1e-4


def test_the_protocols_differ_as_they_should(cases):
    for case in cases:
        canonical, published = case.lines["canonical"], case.lines["published"]
        assert published.two_theta.max() <= 90
        # No first reflection is more than the sum of all.
        for angle, intensity in zip(published.two_theta, published.intensity, strict=True):
            near = np.abs(canonical.two_theta - angle) < 1e-5
            assert canonical.intensity[near].sum() >= intensity * (1 - 1e-6)


# In a process of its own, as cctbx must be imported first. Form factors, special positions,
# asymmetric units, multiplicities and absences are all its own.
_CCTBX = """
from cctbx import crystal, miller, sgtbx, uctbx, xray
from cctbx.array_family import flex
import json, sys
asked = json.load(sys.stdin)
for structure in asked["structures"]:
    group = sgtbx.space_group()
    for operator in structure["operators"]:
        group.expand_smx(sgtbx.rt_mx(operator))
    symmetry = crystal.symmetry(
        unit_cell=group.average_unit_cell(uctbx.unit_cell(structure["cell"])),
        space_group_info=sgtbx.space_group_info(group=group),
    )
    atoms = zip(structure["elements"], structure["positions"], structure["occupancies"])
    model = xray.structure(
        crystal.special_position_settings(symmetry, min_distance_sym_equiv=0.01),
        flex.xray_scatterer(
            [xray.scatterer(e, site=x, occupancy=o, u=0.0) for e, x, o in atoms]
        ),
    )
    model.scattering_type_registry(table="it1992")
    d_max, d_min = asked["d"]
    if asked["hkl_limit"] is None:
        chosen = miller.build_set(symmetry, anomalous_flag=False, d_min=d_min, d_max=d_max)
    else:
        axis = range(-asked["hkl_limit"], asked["hkl_limit"] + 1)
        box = [(h, k, l) for h in axis for k in axis for l in axis if h or k or l]
        chosen = miller.set(symmetry, flex.miller_index(box), anomalous_flag=True)
        chosen = chosen.resolution_filter(d_max=d_max, d_min=d_min)
    factors = chosen.structure_factors_from_scatterers(model, algorithm="direct").f_calc()
    power = flex.norm(factors.data())
    if asked["hkl_limit"] is None:
        power *= chosen.multiplicities().data().as_double()
    else:
        power.set_selected(chosen.sys_absent_flags().data(), 0.0)
    print(json.dumps([list(chosen.d_star_sq().data()), list(power)]))
"""


@pytest.mark.parametrize("protocol", [CANONICAL, PUBLISHED], ids=lambda p: p.name)
def test_lines_agree_with_cctbx(cases, protocol):
    """Which computed the lines of the published datasets."""
    some = cases[:: 1 if protocol is CANONICAL else 10]
    asked = {
        "structures": [asdict(case.structure) for case in some],
        "d": [1 / np.sqrt(q) for q in protocol.q_range],
        "hkl_limit": protocol.hkl_limit,
    }
    done = subprocess.run(
        [sys.executable, "-c", _CCTBX],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=True,
    )
    for case, answer in zip(some, done.stdout.splitlines(), strict=True):
        two_theta, intensity = lines_of_reflections(*json.loads(answer), protocol)
        found = case.lines[protocol.name]
        np.testing.assert_allclose(found.two_theta, two_theta, rtol=0, atol=1e-11)
        np.testing.assert_allclose(found.intensity, intensity, rtol=2e-7)
        assert (found.intensity == intensity).mean() > 0.999


def tabulated(entry: Entry) -> gemmi.SpaceGroup | None:
    """The space group in the entry's setting and origin, if gemmi's table has it."""
    ops = [gemmi.Op(operator) for operator in entry.operators]
    return gemmi.find_spacegroup_by_ops(gemmi.GroupOps(ops))


def by_gemmi(entry: Entry) -> Lines:
    """By gemmi's own symmetry: unique reflections, images of atoms, special positions."""
    group = tabulated(entry)
    small = gemmi.SmallStructure()
    small.cell = gemmi.UnitCell(*entry.cell)
    small.symops = list(entry.operators)
    small.determine_and_set_spacegroup("S")
    for element, position, occupancy in zip(
        entry.elements, entry.positions, entry.occupancies, strict=True
    ):
        site = gemmi.SmallStructure.Site()
        site.element = gemmi.Element(element)
        site.fract = gemmi.Fractional(*position)
        site.occ = occupancy
        small.add_site(site)
    small.setup_cell_images()
    small.change_occupancies_to_crystallographic(0.1)
    low, high = (
        CANONICAL.wavelength / (2 * np.sin(np.radians(angle / 2)))
        for angle in CANONICAL.line_range[::-1]
    )
    hkl = gemmi.make_miller_array(small.cell, group, low, high)
    calculator = gemmi.StructureFactorCalculatorX(small.cell)
    power = np.array(
        [abs(calculator.calculate_sf_from_small_structure(small, h)) ** 2 for h in hkl.tolist()]
    )
    rotations = np.array([op.rot for op in group.operations().sym_ops]) // gemmi.Op.DEN
    equivalent = np.einsum("nj,mjk->nmk", hkl, np.concatenate([rotations, -rotations]))
    multiplicity = [len(np.unique(each, axis=0)) for each in equivalent]
    two_theta = two_theta_of(small.cell.calculate_1_d2_array(hkl))
    return Lines(two_theta, power * multiplicity * lorentz(two_theta))


def test_lines_agree_with_gemmi(cases):
    known = [case for case in cases if tabulated(case.entry)]
    assert len(known) >= 200
    found = by_system(known, lambda c: compared(c.lines["canonical"], by_gemmi(c.entry)))
    show("gemmi", found)
    for each in found.values():
        assert max(x.of_strongest for x in each) < 1e-3
        assert max(x.of_line for x in each) < 1e-2
        assert median(x.of_line for x in each) < 1e-5


def by_pymatgen(entry: Entry) -> Lines:
    """With pymatgen's form factors, and its polarisation factor taken out."""
    from pymatgen.analysis.diffraction.xrd import XRDCalculator
    from pymatgen.core import Lattice, Structure

    atoms, weights, number = filled(entry.operators, entry.cell, entry.positions)
    structure = Structure(
        Lattice.from_parameters(*entry.cell),
        [
            {entry.elements[i]: entry.occupancies[i] * w}
            for i, w in zip(number, weights, strict=True)
        ],
        atoms,
    )
    calculator = XRDCalculator(wavelength=CANONICAL.wavelength)
    pattern = calculator.get_pattern(structure, scaled=False, two_theta_range=CANONICAL.line_range)
    two_theta = np.asarray(pattern.x)
    polarisation = (1 + np.cos(np.radians(two_theta)) ** 2) / 2
    return Lines(two_theta, np.asarray(pattern.y) / polarisation)


def fit_of_pymatgen(element: str, stol2: np.ndarray) -> np.ndarray:
    """Its form factor: fitted to electron scattering, by the formula of Mott and Bethe."""
    from pymatgen.analysis.diffraction.xrd import ATOMIC_SCATTERING_PARAMS

    a, b = np.array(ATOMIC_SCATTERING_PARAMS[element]).T
    number = gemmi.Element(element).atomic_number
    return number - 41.78214 * stol2 * (np.exp(-np.outer(stol2, b)) @ a)


@pytest.mark.filterwarnings("ignore::UserWarning", "ignore::DeprecationWarning:pymatgen")
def test_lines_agree_with_pymatgen(cases):
    """Once its polarisation factor is out, only its form factors differ, and they explain it."""
    # Some refined occupancies are above 1 by a trifle, which pymatgen refuses.
    entries = {
        c.entry.structure_id: replace(
            c.entry, occupancies=tuple(min(x, 1.0) for x in c.entry.occupancies)
        )
        for c in cases
    }
    theirs = {structure_id: by_pymatgen(entry) for structure_id, entry in entries.items()}
    direct = by_system(
        cases, lambda c: compared(c.lines["canonical"], theirs[c.entry.structure_id])
    )
    explained = by_system(
        cases,
        lambda c: compared(
            brute_force(entries[c.entry.structure_id], fit_of_pymatgen),
            theirs[c.entry.structure_id],
        ),
    )
    show("pymatgen", direct)
    show("brute force with pymatgen's form factors", explained)
    for system in SYSTEMS:
        # It leaves out lines below 1e-5 of the strongest.
        assert max(x.of_strongest for x in explained[system]) < 5e-5
        assert max(x.of_line for x in explained[system]) < 1e-3
        assert max(x.shift for x in direct[system]) < 1e-5
        assert median(x.of_strongest for x in direct[system]) < 0.01
        assert max(x.of_strongest for x in direct[system]) < 0.05


@pytest.mark.parametrize("protocol", [CANONICAL, PUBLISHED], ids=lambda p: p.name)
def test_absent_reflections_never_appear(cases, protocol):
    could_appear = dict.fromkeys(SYSTEMS, 0)
    for case in cases:
        structure = case.structure
        hkl, q = reflections(structure.cell, protocol)
        absent = absences(structure.spacegroup, hkl)
        angles = two_theta_of(q, protocol)
        allowed = np.unique(angles[~absent])
        found = case.lines[protocol.name].two_theta
        assert np.abs(found[:, None] - allowed).min(axis=1).max() < 1e-5, case.entry
        forbidden = angles[absent]
        alone = np.abs(forbidden[:, None] - allowed).min(axis=1) > 1e-4
        could_appear[crystal_system(structure.spacegroup)] += len(np.unique(forbidden[alone]))
    assert could_appear.pop("triclinic") == 0
    assert all(n > 100 for n in could_appear.values()), could_appear
