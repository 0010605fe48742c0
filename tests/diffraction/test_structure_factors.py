from dataclasses import dataclass, replace

import gemmi
import numpy as np
import pytest
from numpy.typing import NDArray

from sgbench.datasets.sources import Structure, amcsd
from sgbench.datasets.sources._structure import fill_cell
from sgbench.diffraction import CANONICAL, PUBLISHED, PatternProtocol, _structure_factors
from sgbench.diffraction._lines import lorentz_factor
from sgbench.diffraction._structure_factors import (
    NO_LINE,
    CrystalLines,
    Failure,
    structure_factor_lines,
    sum_lines,
)
from sgbench.errors import SgbenchError
from sgbench.symmetry import absences, family_of

ENTRIES = {
    "halite": 3397,
    "pyrite": 6,
    "diamond": 11242,
    "cuprite": 9326,
    "rutile": 9161,
    "zircon": 237,
    "chalcopyrite": 9476,
    "quartz": 789,
    "calcite": 98,
    "ilmenite": 925,
    "cinnabar": 12137,
    "fluorapatite": 1256,
    "delafossite, rhombohedral axes": 18,
}


@pytest.fixture(scope="module")
def crystals() -> list[Structure]:
    return [s for s in amcsd.read_amcsd(numbers=ENTRIES.values()) if isinstance(s, Structure)]


@dataclass(frozen=True)
class Site:
    structure_id: str
    cell: NDArray[np.float64]
    operators: tuple[str, ...]
    elements: tuple[str, ...]
    positions: NDArray[np.float64]


def simple_cubic(spacegroup: int, edge: float, elements: tuple[str, ...], *positions) -> Site:
    operators = gemmi.find_spacegroup_by_number(spacegroup).operations()
    return Site(
        "/".join(elements),
        np.array([edge, edge, edge, 90, 90, 90], dtype=float),
        tuple(op.triplet() for op in operators),
        elements,
        np.array(positions, dtype=float),
    )


HALITE = simple_cubic(225, 5.64, ("Na", "Cl"), (0, 0, 0), (0.5, 0.5, 0.5))
CAESIUM_CHLORIDE = simple_cubic(221, 4.12, ("Cs", "Cl"), (0, 0, 0), (0.5, 0.5, 0.5))
DIAMOND = simple_cubic(227, 3.567, ("C",), (0, 0, 0))


def sphere(cell: NDArray[np.float64]) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """All reflections (Friedel mates and equivalents too) of the window, and their 1/d^2."""
    unit_cell = gemmi.UnitCell(*cell)
    low, high = ((2 * np.sin(np.radians(x / 2)) / CANONICAL.wavelength) ** 2
                 for x in CANONICAL.line_range)  # fmt: skip
    limits = [int(edge * np.sqrt(high)) + 1 for edge in cell[:3]]
    axes = [np.arange(-limit, limit + 1) for limit in limits]
    hkl = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
    q = np.array([unit_cell.calculate_1_d2(h.tolist()) for h in hkl])
    inside = (q > low) & (q < high)
    return hkl[inside], q[inside]


def by_gemmi(structure: Structure) -> CrystalLines:
    """The same lines from all atoms of the cell in P 1: no symmetry, no multiplicities."""
    filled = fill_cell(structure.cell, structure.operators, structure.positions)
    small = gemmi.SmallStructure()
    small.cell = gemmi.UnitCell(*structure.cell)
    small.spacegroup_hm = "P 1"
    for number, position in zip(filled.site, filled.positions, strict=True):
        site = gemmi.SmallStructure.Site()
        site.element = gemmi.Element(structure.elements[number])
        site.fract = gemmi.Fractional(*position)
        site.occ = 1.0
        small.add_site(site)
    calculator = gemmi.StructureFactorCalculatorX(small.cell)
    hkl, q = sphere(structure.cell)
    power = [abs(calculator.calculate_sf_from_small_structure(small, h.tolist())) ** 2 for h in hkl]
    return CrystalLines(structure.structure_id, *sum_lines(q, power, CANONICAL))


def test_the_sample_covers_the_families(crystals):
    assert len(crystals) == len(ENTRIES)
    assert {family_of(s.spacegroup) for s in crystals} == {
        "cubic", "tetragonal", "trigonal-hexagonal",
    }  # fmt: skip


def test_lines_agree_with_gemmi(crystals):
    for mine in structure_factor_lines(crystals, CANONICAL):
        structure = next(s for s in crystals if s.structure_id == mine.structure_id)
        assert isinstance(mine, CrystalLines), mine
        theirs = by_gemmi(structure)
        # gemmi's cell is that of the source, cctbx's the average over its symmetry.
        assert len(mine.two_theta) == len(theirs.two_theta), structure
        np.testing.assert_allclose(mine.two_theta, theirs.two_theta, rtol=1e-5)
        strongest = theirs.intensity.max()
        np.testing.assert_allclose(
            mine.intensity, theirs.intensity, rtol=1e-4, atol=1e-7 * strongest
        )


def test_absent_reflections_never_appear(crystals):
    results = structure_factor_lines(crystals, CANONICAL)
    for structure, result in zip(crystals, results, strict=True):
        hkl, q = sphere(structure.standard_cell)
        absent = absences(structure.spacegroup, hkl)
        allowed = np.unique(q[~absent])
        found = (2 * np.sin(np.radians(result.two_theta / 2)) / CANONICAL.wavelength) ** 2
        distance = np.abs(found[:, None] / allowed - 1).min(axis=1)
        assert distance.max() < 1e-4, structure.name
        # … and there were some that could have appeared.
        forbidden = q[absent]
        gap = np.abs(forbidden[:, None] / allowed - 1).min(axis=1)
        if absent.any():
            assert (gap > 1e-3).any(), structure.name


@pytest.mark.parametrize(
    ("structure", "per_cell", "centred"), [(HALITE, 4, True), (CAESIUM_CHLORIDE, 1, False)]
)
def test_binary_cubic_structures_in_closed_form(structure, per_cell, centred):
    """F = n (f1 ± f2): plus where h + k + l is even, for both types of structure."""
    edge = structure.cell[0]
    form = [gemmi.Element(e).it92 for e in structure.elements]
    lines: dict[int, float] = {}
    for h, q in zip(*sphere(structure.cell), strict=True):
        if not centred or len(set(h % 2)) == 1:
            f1, f2 = (f.calculate_sf(q / 4) for f in form)
            amplitude = per_cell * (f1 - f2 if sum(h) % 2 else f1 + f2)
            n = int(h @ h)
            lines[n] = lines.get(n, 0.0) + amplitude**2
    (result,) = structure_factor_lines([structure], CANONICAL)
    order = sorted(lines)
    two_theta = np.degrees(2 * np.arcsin(CANONICAL.wavelength / 2 * np.sqrt(order) / edge))
    np.testing.assert_allclose(result.two_theta, two_theta, rtol=1e-9)
    expected = np.array([lines[n] for n in order]) * lorentz_factor(two_theta)
    np.testing.assert_allclose(result.intensity, expected, rtol=1e-5)


def test_what_a_structure_extinguishes_is_no_line():
    """222 of diamond is allowed by F d -3 m, but not by atoms at its special position."""
    (result,) = structure_factor_lines([DIAMOND], PatternProtocol("short", wavelength=0.7))
    assert not absences(227, [[2, 2, 2]]).any()
    position = np.degrees(2 * np.arcsin(0.35 * np.sqrt(12) / 3.567))
    assert np.abs(result.two_theta - position).min() > 0.5


def test_reflections_of_equal_spacing_are_one_line():
    two_theta, intensity = sum_lines([0.2, 0.1, 0.1 * (1 + 1e-9)], [5.0, 2.0, 3.0], CANONICAL)
    assert len(two_theta) == 2
    np.testing.assert_allclose(intensity / lorentz_factor(two_theta), [5.0, 5.0], rtol=1e-6)
    apart, _ = sum_lines([0.1, 0.1 * (1 + 1e-6)], [2.0, 3.0], CANONICAL)
    assert len(apart) == 2


def test_several_workers_give_the_same_in_the_same_order(crystals):
    one = list(structure_factor_lines(crystals * 3, CANONICAL))
    two = list(structure_factor_lines(iter(crystals * 3), CANONICAL, workers=2))
    assert [r.structure_id for r in two] == [s.structure_id for s in crystals * 3]
    for a, b in zip(one, two, strict=True):
        np.testing.assert_array_equal(a.two_theta, b.two_theta)
        np.testing.assert_array_equal(a.intensity, b.intensity)


def test_a_bad_structure_does_not_take_the_others_with_it():
    unknown = simple_cubic(221, 4.0, ("Qq",), (0, 0, 0))
    wrong_cell = replace(HALITE, cell=np.array([4.0, 5.0, 6.0, 90.0, 90.0, 90.0]))
    tiny = simple_cubic(221, 0.6, ("H",), (0, 0, 0))
    results = list(structure_factor_lines([unknown, HALITE, wrong_cell, tiny, HALITE], CANONICAL))
    assert [type(r) for r in results] == [Failure, CrystalLines, Failure, Failure, CrystalLines]
    assert "Qq" in results[0].reason
    assert "cell does not fit" in results[2].reason
    assert results[3] == Failure("H", NO_LINE)


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("import os; os._exit(7)", "exit status 7"),
        ("import no_such_package", "No module named 'no_such_package'"),
        ("import os; os.kill(os.getpid(), 11)", "exit status -11"),
        ("print('not an answer', flush=True); input()", "worker"),
    ],
)
def test_a_worker_that_dies_ends_in_one_error(monkeypatch, program, words):
    monkeypatch.setattr(_structure_factors, "_COMMAND", ("-c", program))
    with pytest.raises(SgbenchError, match=words):
        list(structure_factor_lines([HALITE] * 20, CANONICAL, workers=2))


def test_an_abandoned_computation_leaves_no_process_behind(monkeypatch):
    started = []
    original = _structure_factors._Worker.__init__

    def remember(worker):
        original(worker)
        started.append(worker._process)

    monkeypatch.setattr(_structure_factors._Worker, "__init__", remember)
    results = structure_factor_lines([HALITE] * 50, CANONICAL, workers=2)
    next(results)
    results.close()
    assert len(started) == 2
    assert all(process.poll() is not None for process in started)


def test_requests_that_cannot_be_met():
    with pytest.raises(SgbenchError, match="limits Miller indices"):
        structure_factor_lines([HALITE], PUBLISHED)
    with pytest.raises(SgbenchError, match="at least one"):
        structure_factor_lines([HALITE], CANONICAL, workers=0)
    assert list(structure_factor_lines([], CANONICAL)) == []
