import numpy as np
import pytest

from sgbench.decoder import decode, decode_each, spacegroup_probabilities
from sgbench.decoder._decode import NO_INTENSITY, NO_LATTICE, NO_PEAK
from sgbench.diffraction import CANONICAL, PUBLISHED, LineList, allowed_lines, render
from sgbench.errors import SgbenchError
from sgbench.sets import family_set
from sgbench.symmetry import class_labels, extinction_classes, family_spacegroups

SHORTEST = {"cubic": 5.0, "tetragonal": 3.0, "trigonal-hexagonal": 3.0, "orthorhombic": 3.0}


def samples(family, every=1, noise=0.0, protocol="canonical"):
    """Off-mesh patterns with their cells and classes."""
    dataset = family_set(family, protocol)
    recipes = dataset.held_out_recipes("off-mesh", 1)
    recipes = recipes.take(np.arange(0, len(recipes), every))
    patterns = render(dataset.lines(recipes), dataset.protocol)
    patterns = patterns + noise * np.random.default_rng(5).standard_normal(patterns.shape)
    label = dataset.labels[recipes.spacegroup - dataset.spacegroups[0]]
    return dataset, recipes.cells, label, patterns


def read(dataset, patterns):
    return decode_each(
        patterns, dataset.protocol, dataset.family, dataset.largest_cell, SHORTEST[dataset.family]
    )


def are_distributions(probabilities):
    return np.all(probabilities > 0) and np.allclose(probabilities.sum(axis=1), 1)


@pytest.mark.parametrize(
    ("family", "every"),
    [("cubic", 1), ("tetragonal", 2), ("trigonal-hexagonal", 2), ("orthorhombic", 6)],
)
def test_cells_and_classes_of_designed_patterns_are_found(family, every):
    dataset, cells, label, patterns = samples(family, every)
    decoded = read(dataset, patterns)
    assert are_distributions(decoded.class_probabilities)
    assert np.mean(decoded.class_probabilities.argmax(axis=1) == label) > 0.95
    # Lines of a small cell may be those of another cell as well.
    assert np.mean(np.all(np.abs(decoded.cells - cells) < 1e-4, axis=1)) > 0.95


def test_a_single_cubic_pattern_gives_its_cell_and_class():
    lines = allowed_lines(230, [12.3456], CANONICAL)
    two_theta = np.array([line.two_theta for line in lines])
    intensity = np.linspace(1, 0.2, len(lines)).astype(np.float32)
    pattern = render(LineList(np.array([0, len(lines)]), two_theta, intensity), CANONICAL)
    decoded = decode(pattern, CANONICAL, "cubic", (15.0,), 5.0)
    assert abs(decoded.cells[0, 0] - 12.3456) < 1e-4
    probabilities = spacegroup_probabilities(decoded.class_probabilities, "cubic")
    assert family_spacegroups("cubic")[probabilities[0].argmax()] == 230
    assert probabilities[0].max() > 0.99
    # Lines are reported within 1e-4 degrees and 1 % of what was drawn, the first one as 1.
    assert len(decoded.lines.two_theta) >= len(lines)
    place = np.abs(decoded.lines.two_theta[:, None] - two_theta).argmin(axis=0)
    np.testing.assert_allclose(decoded.lines.two_theta[place], two_theta, atol=1e-4)
    np.testing.assert_allclose(decoded.lines.intensity[place], intensity, atol=0.01)


def test_no_pattern_is_no_error():
    decoded = decode(np.empty((0, CANONICAL.n_points)), CANONICAL, "tetragonal", (10.0, 15.0))
    assert decoded.class_probabilities.shape == (0, 31)
    assert decoded.cells.shape == (0, 2)
    assert len(decoded.lines) == 0


@pytest.mark.parametrize("family", ["cubic", "tetragonal"])
def test_classes_are_found_in_noise(family):
    dataset, _, label, patterns = samples(family, 3, noise=0.003)
    decoded = read(dataset, patterns)
    assert np.mean(decoded.class_probabilities.argmax(axis=1) == label) > 0.9
    assert np.all(decoded.misfit < 0.005)


def test_the_published_protocol_is_read_as_well():
    dataset, cells, label, patterns = samples("cubic", 3, protocol="published")
    decoded = read(dataset, patterns)
    assert np.mean(decoded.class_probabilities.argmax(axis=1) == label) > 0.9
    assert dataset.protocol is PUBLISHED
    np.testing.assert_allclose(decoded.cells, cells, atol=1e-3)


def test_intensities_are_those_that_the_pattern_was_made_of():
    dataset = family_set("cubic")
    recipes = dataset.held_out_recipes("off-mesh", 1).take([0, 20])
    made = dataset.lines(recipes)
    decoded = read(dataset, render(made, CANONICAL))
    for index in range(len(recipes)):
        of_made, of_found = made.take([index]), decoded.lines.take([index])
        inside = (of_made.two_theta > 6) & (of_made.two_theta < 89)
        place = np.abs(of_found.two_theta[:, None] - of_made.two_theta[inside]).argmin(axis=0)
        np.testing.assert_allclose(of_found.two_theta[place], of_made.two_theta[inside], atol=1e-4)
        ratio = of_found.intensity[place] / of_made.intensity[inside]
        # Up to the scale of a pattern, and to lines that almost coincide.
        np.testing.assert_allclose(ratio / np.median(ratio), 1, atol=0.02)


def test_patterns_that_cannot_be_indexed_have_the_probabilities_of_guessing():
    family = "tetragonal"
    one_peak = np.exp(-0.5 * ((CANONICAL.two_theta - 40) / CANONICAL.sigma) ** 2)
    patterns = np.stack(
        [np.zeros(CANONICAL.n_points), np.ones(CANONICAL.n_points), -one_peak, one_peak]
    )
    decoded = decode_each(patterns, CANONICAL, family, (10.0, 15.0))
    classes = extinction_classes(family_spacegroups(family))
    guess = np.array([len(cls.spacegroups) for cls in classes]) / len(family_spacegroups(family))
    np.testing.assert_allclose(decoded.class_probabilities, np.tile(guess, (4, 1)))
    assert np.isnan(decoded.cells).all()
    assert np.isnan(decoded.misfit).all()
    assert len(decoded.lines) == 4
    assert len(decoded.lines.two_theta) == 0
    assert decoded.reason == (NO_INTENSITY, NO_PEAK, NO_INTENSITY, NO_LATTICE)
    with pytest.raises(SgbenchError, match=f"4 of 4 patterns, the first is row 0: {NO_INTENSITY}"):
        decode(patterns, CANONICAL, family, (10.0, 15.0))


def test_one_pattern_without_a_cell_is_an_error_and_found_in_each():
    dataset, cells, _, patterns = samples("cubic", 12)
    patterns[1] = 0.0
    bounds = dataset.largest_cell, SHORTEST["cubic"]
    with pytest.raises(SgbenchError, match=f"for 1 of 3 patterns.* row 1: {NO_INTENSITY}"):
        decode(patterns[:3], CANONICAL, "cubic", *bounds)
    each = decode_each(patterns[:3], CANONICAL, "cubic", *bounds)
    assert each.reason == ("", NO_INTENSITY, "")
    np.testing.assert_allclose(each.cells[[0, 2]], cells[[0, 2]], atol=1e-3)
    assert decode(patterns[[0, 2]], CANONICAL, "cubic", *bounds).reason == ("", "")


@pytest.mark.parametrize("family", SHORTEST)
def test_patterns_that_are_no_crystals_end_in_distributions(family):
    rng = np.random.default_rng(7)
    two_theta = CANONICAL.two_theta
    random_lines = sum(
        rng.uniform() * np.exp(-0.5 * ((two_theta - angle) / CANONICAL.sigma) ** 2)
        for angle in rng.uniform(10, 85, 20)
    )
    one_peak = np.exp(-0.5 * ((two_theta - 40) / CANONICAL.sigma) ** 2)
    patterns = np.stack([random_lines, one_peak, rng.uniform(size=len(two_theta))])
    largest = family_set(family).largest_cell
    decoded = decode_each(patterns.astype(np.float32), CANONICAL, family, largest)
    assert are_distributions(decoded.class_probabilities)
    # No cell explains twenty lines at random, so nothing is said with certainty.
    assert decoded.class_probabilities[0].max() < 0.6


def test_spacegroups_share_the_probability_of_their_class():
    family = "cubic"
    groups = family_spacegroups(family)
    labels = class_labels(groups)
    of_classes = np.random.default_rng(0).dirichlet(np.ones(labels.max() + 1), size=3)
    alike = spacegroup_probabilities(of_classes, family)
    assert are_distributions(alike)
    for label in range(labels.max() + 1):
        members = alike[:, labels == label]
        np.testing.assert_allclose(members, members[:, :1] * np.ones(members.shape[1]))
        np.testing.assert_allclose(members.sum(axis=1), of_classes[:, label])
    prior = np.arange(1.0, len(groups) + 1)
    spread = spacegroup_probabilities(of_classes, family, prior)
    first, second = np.flatnonzero(labels == labels[0])[:2]
    np.testing.assert_allclose(spread[:, second] / spread[:, first], prior[second] / prior[first])


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"family": "monoclinic", "largest_cell": (9.0, 9.0, 9.0, 120.0)}, "monoclinic"),
        ({"largest_cell": (9.0,)}, "upper bound"),
        ({"shortest_edge": 20.0}, "upper bound"),
        ({"patterns": np.ones((2, 100))}, "grid"),
        ({"patterns": np.ones(8192)}, "grid"),
        ({"patterns": np.full((1, 8192), np.nan)}, "finite"),
        ({"noise": 0.0}, "noise"),
    ],
)
def test_what_cannot_be_decoded_is_refused(change, named):
    request = {
        "patterns": np.ones((1, 8192)),
        "protocol": CANONICAL,
        "family": "tetragonal",
        "largest_cell": (10.0, 15.0),
    }
    with pytest.raises(SgbenchError, match=named):
        decode(**{**request, **change})
