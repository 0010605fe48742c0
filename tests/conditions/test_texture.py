"""Preferred orientation against sums over reflections as gemmi places them."""

import json
from pathlib import Path

import gemmi
import numpy as np
import pytest
from example_samples import lines_at
from scipy import integrate

from sgbench.conditions import Condition, impurity
from sgbench.diffraction import CANONICAL, full_cell, two_theta_of
from sgbench.errors import SgbenchError
from sgbench.sets import ULBD

CELLS = {
    "cubic": (9.3,),
    "tetragonal": (5.0, 10.0),  # lines of different rows coincide
    "trigonal-hexagonal": (6.1, 14.2),
    "orthorhombic": (4.7, 6.2, 9.9),
    "monoclinic": (5.6, 7.1, 8.3, 104.0),
    "triclinic": (5.2, 6.3, 7.9, 84.0, 101.0, 95.0),
}


def lattice(cell, axis):
    """Return 1/d² of all reflections, and the squared cosine of their angle to an edge."""
    unit = gemmi.UnitCell(*cell)
    hkl = np.stack(np.meshgrid(*[np.arange(-14, 15)] * 3, indexing="ij"), -1).reshape(-1, 3)
    hkl = hkl[np.any(hkl != 0, axis=1)]
    # Rows of the fractionalisation matrix are the reciprocal basis.
    vectors = hkl @ np.array(unit.frac.mat.tolist())
    edge = np.array(unit.orth.mat.tolist())[:, axis]
    q = (vectors**2).sum(axis=1)
    return q, (vectors @ edge) ** 2 / q / (edge @ edge)


def march(cosine_squared, r):
    return (r**2 * cosine_squared + (1 - cosine_squared) / r) ** -1.5


@pytest.mark.parametrize("r", [0.6, 1.7])
@pytest.mark.parametrize("family", CELLS)
def test_the_average_over_the_lattice(family, r):
    cell = full_cell(family, CELLS[family])
    q, cosine = lattice(cell, 1 if family == "monoclinic" else 2)
    low, high = CANONICAL.q_range
    # Each third line, as if the others were extinct, in no order.
    places = np.unique(np.round(q[(q > low) & (q < high)], 9))[::3]
    places = np.random.default_rng(1).permutation(places)
    places = np.array([q[np.argmin(abs(q - place))] for place in places])
    samples = lines_at(two_theta_of(places, CANONICAL.wavelength), cell=cell)
    found = Condition("texture", r).apply(samples).lines.intensity
    expected = [march(cosine[abs(q / place - 1) < 1e-6], r).mean() for place in places]
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    assert np.ptp(found) > 0.1


def test_a_cube_has_no_axis_of_its_own():
    q, _ = lattice(full_cell("cubic", (9.3,)), 2)
    places = np.unique(np.round(q[q < 0.8], 9))
    samples = lines_at(two_theta_of(places, CANONICAL.wavelength), cell=full_cell("cubic", (9.3,)))
    found = Condition("texture", 0.7).apply(samples).lines.intensity
    for axis in range(3):
        cosine = lattice(full_cell("cubic", (9.3,)), axis)[1]
        expected = [march(cosine[abs(q / place - 1) < 1e-6], 0.7).mean() for place in places]
        np.testing.assert_allclose(found, expected, rtol=1e-5)


@pytest.mark.parametrize("r", [0.5, 0.9, 1.5])
def test_crystallites_are_neither_made_nor_lost(r):
    mean = integrate.quad(lambda cosine: march(cosine**2, r), 0, 1)[0]
    assert mean == pytest.approx(1)


@pytest.mark.parametrize("family", CELLS)
def test_designed_lines_lie_where_their_cell_has_reflections(family):
    samples = ULBD[f"ulbd-{family}"].held_out_samples("off-mesh", 1)
    some = samples.take(np.arange(0, len(samples), max(1, len(samples) // 12)))
    found = Condition("texture", 0.8).apply(some).lines.intensity / some.lines.intensity
    assert 1 / found.max() > 0.8**3 - 1e-3
    assert found.min() > 0.8**1.5 - 1e-3
    unchanged = Condition("texture", 1.0).apply(some)
    np.testing.assert_allclose(unchanged.lines.intensity, some.lines.intensity, rtol=1e-6)


def test_lines_of_real_structures_lie_where_their_cell_has_reflections():
    for phase in json.loads(Path(impurity.__file__).with_name("phases.json").read_text("utf-8")):
        two_theta = two_theta_of(phase["q"], CANONICAL.wavelength)
        samples = lines_at(two_theta, phase["power"], phase["cell"])
        assert np.isfinite(Condition("texture", 0.8).apply(samples).lines.intensity).all()


def test_lines_that_are_not_where_the_cell_has_them():
    samples = lines_at([20.0, 31.0], cell=full_cell("cubic", (5.0,)))
    with pytest.raises(SgbenchError, match=r"at 2 lines; .*Write the conditions that move"):
        Condition("texture", 0.8).apply(samples)
    with pytest.raises(SgbenchError, match=r"needs the cell .*Leave the condition out"):
        Condition("texture", 0.8).apply(lines_at([20.0]))
