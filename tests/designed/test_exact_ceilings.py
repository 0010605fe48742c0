from collections import Counter, defaultdict
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from sgbench.designed import LEVELS, MeshAxis, ReducedCells, UlbdUnion, data_ceiling, exact_ceilings
from sgbench.diffraction import metric
from sgbench.diffraction._cells import coefficients
from sgbench.diffraction._lines import reflections
from sgbench.sets import ULBD
from sgbench.symmetry import Ceiling, absences, class_labels, top_k_ceiling

CUBIC, TETRAGONAL, HEXAGONAL = (
    ULBD[f"ulbd-{family}"] for family in ("cubic", "tetragonal", "trigonal-hexagonal")
)
SMALL = {
    "cubic": replace(CUBIC, axes=(MeshAxis(2.0, 4.0, 0.25),)),
    "tetragonal": replace(
        TETRAGONAL, axes=(MeshAxis(2.0, 3.5, 0.5), MeshAxis(2.0, 4.5, 0.5))
    ),
    "hexagonal": replace(HEXAGONAL, axes=(MeshAxis(2.0, 3.5, 0.5), MeshAxis(2.0, 8.5, 1.0))),
    "unequal": replace(
        CUBIC,
        axes=(MeshAxis(2.0, 4.0, 0.25),),
        ranges=((195, 2.0, 3.0), (198, 2.0, 2.5), (207, 2.5, 3.75), (225, 2.0, 3.75), (227, 3, 3)),
    ),
}  # fmt: skip


def positions(dataset, group, cell):
    """Angles of the lines in the window, one for each line, from the absences themselves."""
    hkl = reflections(dataset.largest_cell, dataset.protocol)
    hkl = hkl[~absences(group, hkl)]
    lines = np.unique(coefficients(dataset.family, hkl), axis=0)
    q = lines @ metric(dataset.family, cell[None])[0]
    lower, upper = dataset.protocol.line_range
    sine = dataset.protocol.wavelength / 2 * np.sqrt(q)
    angle = np.degrees(2 * np.arcsin(sine[sine <= 1]))
    return np.sort(np.round(angle[(angle >= lower) & (angle <= upper)], 6))


def best_guesses(dataset, label_of, k_max=5):
    """Bayes' rule by counting, over every cell of the mesh."""
    counts = defaultdict(Counter)
    for group, first, n in zip(
        dataset.spacegroups, dataset.first_cell, dataset.n_cells, strict=True
    ):
        for cell in dataset.mesh[first : first + n]:
            counts[tuple(positions(dataset, group, cell))][label_of[group]] += 1
    total = sum(sum(counter.values()) for counter in counts.values())
    return [
        sum(n for counter in counts.values() for _, n in counter.most_common(k)) / total
        for k in range(1, k_max + 1)
    ]


@pytest.mark.parametrize("name", SMALL)
def test_data_level_by_counting(name):
    dataset = SMALL[name]
    found = {(c.class_scheme, c.level): c.top for c in exact_ceilings(dataset)}
    groups = dataset.spacegroups
    labels = dict(zip(groups, class_labels(groups).tolist(), strict=True))
    expected = best_guesses(dataset, {group: group for group in groups})
    np.testing.assert_allclose(found["spacegroup", "data"], expected, atol=1e-12)
    np.testing.assert_allclose(
        found["extinction", "data"], best_guesses(dataset, labels), atol=1e-12
    )
    # Cells as small as these keep some conditions out of the window.
    assert found["extinction", "data"][0] < 1 or name == "unequal"


@pytest.mark.parametrize("dataset", [CUBIC, SMALL["tetragonal"], SMALL["hexagonal"]])
@pytest.mark.parametrize("split", ["in-mesh", "off-mesh"])
def test_each_level_allows_less_where_labels_are_balanced(dataset, split):
    found = exact_ceilings(dataset, split)
    for scheme in ("spacegroup", "extinction"):
        law, data, resolution = (
            next(c.top for c in found if c.class_scheme == scheme and c.level == level)
            for level in LEVELS
        )
        assert all(a >= b >= c for a, b, c in zip(law, data, resolution, strict=True))


def test_law_level_is_that_of_the_family():
    law = exact_ceilings(TETRAGONAL)[0]
    assert law.level == "law"
    np.testing.assert_allclose(law.top, Ceiling.of_family("tetragonal").top)
    assert law.complete
    assert law.n_cells == len(TETRAGONAL.mesh)


def test_cells_that_differ_by_group_raise_the_data_level():
    dataset = ULBD["ulbd-cubic-imbalanced"]
    law, data = exact_ceilings(dataset)[0].top, data_ceiling(dataset)
    assert data[0] > law[0] + 0.01


def test_a_wide_profile_resolves_less():
    sharp = exact_ceilings(CUBIC)[2].top[0]
    wide = replace(CUBIC, protocol=replace(CUBIC.protocol, sigma=0.5))
    assert exact_ceilings(wide)[2].top[0] < sharp


def test_sampled_cells_of_a_sequence():
    dataset = replace(ULBD["ulbd-orthorhombic"], domain=ReducedCells(3.0, 6.0, 200))
    found = exact_ceilings(dataset)
    assert not any(one.complete for one in found)
    law, data = found[0].top, found[1].top
    np.testing.assert_allclose(law, Ceiling.of_family("orthorhombic").top)
    assert 0.9 * law[0] < data[0] <= law[0]


def test_a_union_is_the_mean_over_groups():
    parts = (SMALL["tetragonal"], SMALL["cubic"])
    found = exact_ceilings(UlbdUnion("ulbd-two", 1, parts))
    tetragonal, cubic = (exact_ceilings(part) for part in parts)
    for both, a, b in zip(found, tetragonal, cubic, strict=True):
        np.testing.assert_allclose(both.top, (68 * np.array(a.top) + 36 * np.array(b.top)) / 104)


def test_a_guesser_with_the_cell_reaches_the_ceiling_and_no_more():
    """Count over all samples of the set: one guess a class and cell, the best there is."""
    dataset = ULBD["ulbd-cubic-imbalanced"]
    recipes = dataset.all_recipes("in-mesh")
    label = dataset.labels[recipes.spacegroup - 195]
    samples = pd.DataFrame({"class": label, "cell": recipes.cell_index, "g": recipes.spacegroup})
    best = samples.groupby(["class", "cell"])["g"].agg(lambda g: g.value_counts().iloc[0]).sum()
    assert data_ceiling(dataset)[0] == pytest.approx(best / len(samples))
    counts = samples["g"].value_counts().to_dict()
    assert data_ceiling(dataset)[0] > top_k_ceiling(counts)[0] > 0.6
