from pathlib import Path

import numpy as np
import pytest

from sgbench.decoder import rank_classes
from sgbench.errors import SgbenchError
from sgbench.symmetry import absences, extinction_classes, family_spacegroups

EXTSYM = Path(__file__).parents[3] / "shared/data/patterns/formats/extsym"
# File, family, whether the fifth column is a variance, the symbol that is expected, its rank by
# ExtSym where that is published (the program's own table, and the group that its authors name),
# and the rank that we have to reach.
FILES = [
    ("carbamazepine.hkl", "monoclinic", False, "C - c -", 1),
    ("hydrochlorothiazide.hkl", "monoclinic", False, "P - 21 -", 1),
    ("ortho_b_Pmmm.hkl", "orthorhombic", True, "P 21 21 21", 1),
    ("roche_Pmmm.hkl", "orthorhombic", True, "P 21 21 21", 2),
    ("zeolite_NU-3_dash.hkl", "trigonal-hexagonal", False, "R - -", 1),
]


def orthorhombic(spacegroup, noise=0.02, law="wilson", seed=0):
    """Intensities of a group, of all reflections of its lattice up to a limit."""
    axes = np.arange(0, 7)
    hkl = np.stack(np.meshgrid(axes, axes, axes, indexing="ij"), axis=-1).reshape(-1, 3)[1:]
    cell = np.array([5.1, 6.3, 7.9])
    q = ((hkl / cell) ** 2).sum(axis=1)
    hkl = hkl[q < 0.5]
    rng = np.random.default_rng(seed)
    true = rng.exponential(size=len(hkl)) if law == "wilson" else rng.uniform(size=len(hkl))
    true[absences(spacegroup, hkl)] = 0.0
    seen = true + noise * rng.normal(size=len(hkl))
    return (*cell, 90, 90, 90), hkl, seen, np.diag(np.full(len(hkl), noise**2))


@pytest.mark.parametrize("spacegroup", [16, 19, 33, 62, 64, 70])
@pytest.mark.parametrize("law", ["wilson", "uniform"])
def test_the_class_of_clear_intensities_is_first(spacegroup, law):
    found = rank_classes("orthorhombic", *orthorhombic(spacegroup, law=law), law=law)
    assert spacegroup in found[0].spacegroups
    assert found[0].probability > 0.5
    assert sum(entry.probability for entry in found) == pytest.approx(1)
    classes = extinction_classes(family_spacegroups("orthorhombic"))
    assert sorted(entry.number for entry in found) == list(range(len(classes)))
    assert all(entry.symbol == classes[entry.number].symbol for entry in found)


def test_without_a_cell_the_order_of_reflections_is_that_of_angles():
    cell, hkl, seen, covariance = orthorhombic(62)
    order = np.argsort(((hkl / cell[:3]) ** 2).sum(axis=1))
    found = rank_classes("orthorhombic", None, hkl[order], seen[order], covariance)
    assert 62 in found[0].spacegroups


def test_noise_that_hides_everything_leaves_all_classes_open():
    found = rank_classes("orthorhombic", *orthorhombic(62, noise=100.0))
    assert found[0].probability < 0.6


def test_units_and_order_of_reflections_do_not_matter():
    cell, hkl, seen, covariance = orthorhombic(33)
    plain = rank_classes("orthorhombic", cell, hkl, seen, covariance)
    mixed = np.random.default_rng(1).permutation(len(hkl))
    other = rank_classes("orthorhombic", cell, hkl[mixed], 1e3 * seen[mixed], 1e6 * covariance)
    assert [entry.number for entry in plain[:3]] == [entry.number for entry in other[:3]]
    assert plain[0].probability == pytest.approx(other[0].probability, abs=1e-3)


def test_what_cannot_be_used_is_said():
    cell, hkl, seen, covariance = orthorhombic(16)
    with pytest.raises(SgbenchError, match="do not fit"):
        rank_classes("orthorhombic", cell, hkl[:-1], seen, covariance)
    with pytest.raises(SgbenchError, match="variance"):
        rank_classes("orthorhombic", cell, hkl, seen, 0 * covariance)
    with pytest.raises(SgbenchError, match="zero"):
        rank_classes("orthorhombic", cell, hkl, 0 * seen, covariance)
    with pytest.raises(SgbenchError, match="law"):
        rank_classes("orthorhombic", cell, hkl, seen, covariance, law="normal")


def read_hkl(path, variance):
    """Reflections, intensities and covariance of a file of ExtSym; each clump of lines once."""
    rows = [line.split() for line in path.read_text().splitlines() if line.strip()]
    clumps = [row[5] for row in rows]
    kept = [i for i, clump in enumerate(clumps) if clump not in clumps[:i]]
    fifth = np.array([float(row[4]) for row in rows])
    deviation = np.sqrt(np.maximum(fifth, 1e-12)) if variance else fifth
    correlation = np.eye(len(rows))
    for i, row in enumerate(rows):
        for j, percent in enumerate(row[6:], start=i + 1):
            if j < len(rows):
                correlation[i, j] = correlation[j, i] = float(percent) / 100
    covariance = correlation * deviation[:, None] * deviation
    hkl = np.array([[int(index) for index in row[:3]] for row in rows])
    intensity = np.array([float(row[3]) for row in rows])
    return hkl[kept], intensity[kept], covariance[np.ix_(kept, kept)]


@pytest.mark.skipif(not EXTSYM.is_dir(), reason="the files of ExtSym are not here")
@pytest.mark.parametrize(("name", "family", "variance", "symbol", "rank"), FILES)
def test_pawley_intensities_of_other_programs(name, family, variance, symbol, rank):
    found = rank_classes(family, None, *read_hkl(EXTSYM / name, variance))
    assert 1 + [entry.symbol for entry in found].index(symbol) <= rank
