import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from sgbench.designed import SPLITS, MeshAxis, Recipes, Ulbd, _dataset, _kernels
from sgbench.designed.on_device import UlbdOnDevice
from sgbench.diffraction import CANONICAL, PUBLISHED, metric, render, two_theta_of
from sgbench.diffraction._lines import lorentz_factor
from sgbench.errors import SgbenchError
from sgbench.sets import ULBD
from sgbench.symmetry import extinction_classes

CUBIC = ULBD["ulbd-cubic"]
HEXAGONAL = ULBD["ulbd-trigonal-hexagonal"]
PAPER = [ULBD[f"ulbd-{name}"] for name in ("cubic", "tetragonal", "trigonal-hexagonal")]


def one(dataset: Ulbd, spacegroup: int, cell_index: int, pattern: int) -> Recipes:
    return Recipes(
        np.array([spacegroup]),
        np.array([cell_index]),
        dataset.mesh[[cell_index]],
        np.array([pattern]),
    )


def keys(recipes: Recipes) -> list[tuple[int, int, int]]:
    return list(
        zip(
            recipes.spacegroup.tolist(),
            recipes.cell_index.tolist(),
            recipes.pattern.tolist(),
            strict=True,
        )
    )


def assert_same_recipes(a: Recipes, b: Recipes) -> None:
    assert keys(a) == keys(b)
    np.testing.assert_array_equal(a.cells, b.cells)
    assert a.off_mesh == b.off_mesh


# Sizes and meshes, as the paper and its code have them.


def test_the_cubic_mesh_has_200_values():
    assert len(CUBIC.mesh) == 200
    assert (CUBIC.mesh.min(), CUBIC.mesh.max()) == pytest.approx((5.0, 14.95))
    np.testing.assert_allclose(np.diff(CUBIC.mesh[:, 0]), 0.05)
    assert [CUBIC.size(split) for split in SPLITS] == [144_000, 36_000, 36_000, 36_000]


@pytest.mark.parametrize("dataset", PAPER[1:], ids=lambda d: d.name)
def test_two_free_parameters_are_never_equal(dataset):
    a, c = ([round(100 * value) for value in axis.values] for axis in dataset.axes)
    assert len(dataset.mesh) == len(a) * len(c) - len(set(a) & set(c))
    assert len(np.unique(dataset.mesh, axis=0)) == len(dataset.mesh)
    assert np.abs(dataset.mesh[:, 0] - dataset.mesh[:, 1]).min() > 0.04


@pytest.mark.parametrize("dataset", ULBD.values(), ids=lambda d: d.name)
def test_registered_datasets_stand_under_their_names(dataset):
    assert ULBD[dataset.name] is dataset
    assert dataset.protocol == (PUBLISHED if dataset.name.endswith("-published") else CANONICAL)
    size = int(dataset.n_cells.sum())
    assert dataset.ranges or size == len(dataset.mesh) * len(dataset.spacegroups)
    assert [dataset.size(split) for split in SPLITS] == [20 * size, 5 * size, 5 * size, 5 * size]


@given(st.floats(0.5, 30), st.integers(1, 400), st.floats(0.01, 2))
def test_mesh_values_start_at_the_start_and_stay_below_the_stop(start, count, step):
    values = MeshAxis(start, start + count * step, step).values
    assert len(values) == count
    assert values[0] == start
    np.testing.assert_allclose(values, start + step * np.arange(count))
    assert values[-1] < start + count * step


@pytest.mark.parametrize(
    "values",
    [(6, 5, 0.1), (5, 5, 0.1), (5, 6, 0), (5, 6, -0.1), (0, 6, 0.1), (-1, 6, 0.1)],
)
def test_ranges_that_are_none(values):
    with pytest.raises(SgbenchError, match="empty or reversed"):
        MeshAxis(*values)


@pytest.mark.parametrize("place", range(3))
@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_ranges_must_be_numbers(place, value):
    values = [5.0, 6.0, 0.1]
    values[place] = value
    with pytest.raises(SgbenchError):
        MeshAxis(*values)


def test_a_mesh_needs_a_range_for_each_free_parameter():
    with pytest.raises(SgbenchError, match=r"for each of \(a, c\); got 1"):
        replace(HEXAGONAL, axes=HEXAGONAL.axes[:1])
    with pytest.raises(SgbenchError, match="orthorhombic"):
        replace(CUBIC, family="orthorhombic")


# A recipe means one pattern, wherever and whenever it is rendered.

rows = st.lists(st.integers(0, 999), min_size=1, max_size=12)


@pytest.mark.parametrize("dataset", [CUBIC, HEXAGONAL], ids=lambda d: d.name)
@pytest.mark.parametrize("split", SPLITS)
@settings(max_examples=8)
@given(chosen=rows)
def test_a_recipe_renders_the_same_alone_in_a_batch_and_in_another_order(dataset, split, chosen):
    recipes = (
        dataset.training_recipes(0, 1000, seed=3)
        if split == "train"
        else dataset.held_out_recipes(split, 1 + 1000 // len(dataset.spacegroups))
    )
    batch = recipes.take(chosen)
    together = render(dataset.lines(batch), dataset.protocol)
    again = replace(dataset)  # its tables are made anew
    assert "table" not in vars(again)
    for place in range(len(batch)):
        alone = render(again.lines(batch.take([place])), dataset.protocol)[0]
        np.testing.assert_array_equal(together[place], alone)
    order = np.argsort(chosen)[::-1]
    shuffled = render(dataset.lines(batch.take(order)), dataset.protocol)
    np.testing.assert_array_equal(shuffled, together[order])


@pytest.mark.parametrize(
    "dataset",
    [*PAPER, ULBD["ulbd-amplitude-cubic"], ULBD["ulbd-mineral-cells-tetragonal"]],
    ids=lambda d: d.name,
)
@pytest.mark.parametrize("split", ["train", "off-mesh"])
def test_the_device_path_gives_the_same_patterns(dataset, split):
    recipes = (
        dataset.training_recipes(77, 64, seed=1)
        if split == "train"
        else dataset.held_out_recipes(split, 1)
    )
    theirs = UlbdOnDevice(dataset, torch.device("cpu")).patterns(recipes)
    assert theirs.dtype == torch.float32
    mine = render(dataset.lines(recipes), dataset.protocol)
    np.testing.assert_allclose(theirs.numpy(), mine, rtol=0, atol=1e-5)


def test_positions_are_computed_once_for_each_class_and_cell(monkeypatch):
    computed = []
    original = _kernels.positions

    def counting(classes, metrics, *rest):
        computed.append(list(zip(classes.tolist(), metrics[:, 0].tolist(), strict=True)))
        return original(classes, metrics, *rest)

    monkeypatch.setattr(_kernels, "positions", counting)
    small = replace(CUBIC, name="small", axes=(MeshAxis(5, 6, 0.5),))
    recipes = small.all_recipes("in-mesh")
    assert len(recipes) == 36 * 2 * 5
    lines = small.lines(recipes)
    assert [len(pairs) for pairs in computed] == [17 * 2]
    assert len(set(computed[0])) == 17 * 2
    assert len(lines) == 360


@settings(max_examples=20)
@given(
    st.sampled_from(extinction_classes(CUBIC.spacegroups)),
    st.integers(0, 199),
    st.integers(0, 29),
)
def test_groups_of_one_class_share_lines_but_not_intensities(cls, cell, pattern):
    lists = [CUBIC.lines(one(CUBIC, number, cell, pattern)) for number in cls.spacegroups]
    for lines in lists[1:]:
        np.testing.assert_array_equal(lines.two_theta, lists[0].two_theta)
        assert (lines.intensity != lists[0].intensity).mean() > 0.9


def test_lines_are_those_that_braggs_law_and_the_conditions_leave():
    """I m -3 m at a = 5 Å: h + k + l even, 1/d^2 = n / 25."""
    lines = CUBIC.lines(one(CUBIC, 229, 0, 0))
    sums = {h * h + k * k + m * m for h in range(8) for k in range(8) for m in range(8)
            if (h + k + m) % 2 == 0}  # fmt: skip
    sines = 1.5406 / 10 * np.sqrt(sorted(sums - {0}))
    expected = np.degrees(2 * np.arcsin(sines[sines < 1]))
    expected = expected[(expected > 4.4) & (expected < 90.6)]
    np.testing.assert_allclose(np.sort(lines.two_theta), expected, rtol=1e-12)


@pytest.mark.parametrize("dataset", PAPER, ids=lambda d: d.name)
@pytest.mark.parametrize("split", SPLITS[1:])
def test_lines_of_each_recipe_are_those_of_its_own_cell(dataset, split):
    recipes = dataset.held_out_recipes(split, 3)
    lines = dataset.lines(recipes)
    limits = dataset.protocol.line_range
    for place in range(len(recipes)):
        column = recipes.spacegroup[place] - dataset.spacegroups[0]
        kept = dataset.table.present[dataset.labels[column]]
        q = dataset.table.coefficients[kept] @ metric(dataset.family, recipes.cells[[place]])[0]
        expected = two_theta_of(q, dataset.protocol.wavelength)
        expected = expected[(expected >= limits[0]) & (expected <= limits[1])]
        found = lines.two_theta[lines.offsets[place] : lines.offsets[place + 1]]
        np.testing.assert_allclose(found, expected, rtol=1e-9)


@pytest.mark.parametrize("split", ["validation", "off-mesh"])
def test_intensities_are_uniform_before_the_lorentz_factor(split):
    lines = CUBIC.lines(CUBIC.held_out_recipes(split, 20))
    unit = lines.intensity / lorentz_factor(lines.two_theta)
    assert len(unit) > 20_000
    assert unit.min() > 0
    assert unit.max() <= 1 + 1e-6
    assert stats.kstest(unit, "uniform").pvalue > 1e-3


@pytest.mark.parametrize("change", ["spacegroup", "cell", "pattern", "version", "name", "off_mesh"])
def test_intensities_depend_on_every_part_of_the_key(change):
    recipe = one(CUBIC, 221, 100, 3)
    others = {
        "spacegroup": (CUBIC, replace(recipe, spacegroup=np.array([200]))),
        "cell": (CUBIC, replace(recipe, cell_index=np.array([101]))),
        "pattern": (CUBIC, replace(recipe, pattern=np.array([4]))),
        "version": (replace(CUBIC, version=2), recipe),
        "name": (replace(CUBIC, name="another"), recipe),
        "off_mesh": (CUBIC, replace(recipe, off_mesh=True)),
    }
    mine = CUBIC.lines(recipe).intensity
    dataset, other = others[change]
    theirs = dataset.lines(other).intensity
    assert len(mine) == len(theirs) > 50
    assert abs(np.corrcoef(np.argsort(np.argsort(mine)), np.argsort(np.argsort(theirs)))[0, 1]) < 1
    unit, other_unit = (x / lorentz_factor(CUBIC.lines(recipe).two_theta) for x in (mine, theirs))
    assert abs(stats.pearsonr(unit, other_unit).statistic) < 4 / np.sqrt(len(unit))


# Splits.


@pytest.mark.parametrize("dataset", PAPER, ids=lambda d: d.name)
def test_splits_never_share_a_pattern(dataset):
    seen = [
        set(dataset.training_recipes(0, 5000, seed=0).pattern.tolist()),
        set(dataset.held_out_recipes("validation", 200).pattern.tolist()),
        set(dataset.held_out_recipes("in-mesh", 200).pattern.tolist()),
    ]
    assert seen == [set(range(20)), set(range(20, 25)), set(range(25, 30))]


def test_all_recipes_are_the_whole_mesh_once():
    small = replace(CUBIC, name="small", axes=(MeshAxis(5, 6, 0.25),))
    everything = [keys(small.all_recipes(split)) for split in SPLITS[:3]]
    for split, recipes in zip(SPLITS, everything, strict=False):
        assert len(recipes) == small.size(split)
    together = [key for recipes in everything for key in recipes]
    assert len(set(together)) == len(together) == 36 * 4 * 30
    recipes = small.all_recipes("train")
    np.testing.assert_array_equal(recipes.cells, small.mesh[recipes.cell_index])


@pytest.mark.parametrize("dataset", PAPER, ids=lambda d: d.name)
def test_off_mesh_cells_keep_their_distance_from_the_mesh(dataset):
    recipes = dataset.held_out_recipes("off-mesh", 50)
    for column, axis in zip(recipes.cells.T, dataset.axes, strict=True):
        steps = (column - axis.start) / axis.step
        assert np.abs(steps - np.rint(steps)).min() >= 0.25 - 1e-9
        assert axis.start < column.min()
        assert column.max() < axis.stop
    assert len(np.unique(recipes.cells, axis=0)) == len(recipes)


@pytest.mark.parametrize("split", SPLITS[1:])
@given(st.integers(1, 30), st.integers(0, 30))
def test_smaller_held_out_sets_are_prefixes(split, size, more):
    small, large = (CUBIC.held_out_recipes(split, n) for n in (size, size + more))
    for number in CUBIC.spacegroups:
        mine = small.take(np.flatnonzero(small.spacegroup == number))
        theirs = large.take(np.flatnonzero(large.spacegroup == number)[:size])
        assert len(mine) == size
        assert_same_recipes(mine, theirs)


@given(st.integers(0, 2**40), st.integers(1, 60), st.integers(1, 60), st.integers(0, 5))
def test_a_training_sequence_can_be_cut_anywhere(first, one_part, another, seed):
    whole = CUBIC.training_recipes(first, one_part + another, seed)
    parts = (
        CUBIC.training_recipes(first, one_part, seed),
        CUBIC.training_recipes(first + one_part, another, seed),
    )
    assert keys(whole) == keys(parts[0]) + keys(parts[1])


def test_training_samples_are_uniform_over_groups_cells_and_patterns():
    recipes = CUBIC.training_recipes(0, 100_000, seed=0)
    for values, count in (
        (recipes.spacegroup - 195, 36),
        (recipes.cell_index, 200),
        (recipes.pattern, 20),
    ):
        observed = np.bincount(values, minlength=count)
        assert len(observed) == count
        assert stats.chisquare(observed).pvalue > 1e-3
    table = np.histogram2d(recipes.spacegroup, recipes.pattern, bins=(36, 20))[0]
    assert stats.chi2_contingency(table).pvalue > 1e-3


def test_seeds_give_other_sequences():
    a, b = (CUBIC.training_recipes(0, 200, seed) for seed in (0, 1))
    same = sum(x == y for x, y in zip(keys(a), keys(b), strict=True))
    assert same < 5


@pytest.mark.parametrize("split", ["train", "test", ""])
def test_splits_that_cannot_be_held_out(split):
    with pytest.raises(SgbenchError, match="expected at least one, of validation"):
        CUBIC.held_out_recipes(split, 1)


@pytest.mark.parametrize("count", [0, -1])
def test_no_samples(count):
    with pytest.raises(SgbenchError, match=f"cannot draw {count} samples"):
        CUBIC.held_out_recipes("validation", count)


def test_sample_ids_name_the_sample():
    recipes = CUBIC.held_out_recipes("in-mesh", 3).take([0])
    group, cell, pattern = keys(recipes)[0]
    assert recipes.sample_ids == [f"{group}-m{cell:07d}-{pattern}"]
    assert "-o" in CUBIC.held_out_recipes("off-mesh", 1).sample_ids[0]


# Checksums.


def test_checksums_tell_datasets_apart():
    small = replace(CUBIC, name="small", axes=(MeshAxis(5, 6, 0.25),))
    others = [
        small,
        replace(small, version=2),
        replace(small, name="another"),
        replace(small, axes=(MeshAxis(5, 6, 0.2),)),
        replace(small, train_patterns=21),
        replace(small, protocol=PUBLISHED),
        replace(small, skip_equal_axes=False),
    ]
    assert len({dataset.checksum() for dataset in others}) == len(others)


def test_a_change_of_the_generator_changes_the_checksum(monkeypatch):
    small = replace(CUBIC, name="small", axes=(MeshAxis(5, 6, 0.25),))
    before = small.checksum()
    monkeypatch.setattr(_dataset, "stream_key", lambda name: (1, 2))
    assert small.checksum() != before


def test_checksums_are_the_same_in_another_process():
    code = "from sgbench.sets import ULBD; print(ULBD['ulbd-cubic'].checksum())"
    done = subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": "1"},
    )  # fmt: skip
    assert done.stdout.strip() == CUBIC.checksum() == replace(CUBIC).checksum()
