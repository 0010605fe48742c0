from dataclasses import asdict, replace

import numpy as np
import pytest

from sgbench.datasets import (
    TEST_SETS,
    ULBD,
    ULBD_ALL,
    designed_dataset,
    evaluation_set,
    family_dataset,
)
from sgbench.datasets._store import CrystalSet, write_crystals
from sgbench.diffraction import CANONICAL, LineList, render
from sgbench.errors import SgbenchError

CUBIC = ULBD["ulbd-cubic"]
# name, space group, family, a, c
ENTRIES = [
    ("Halite", 225, "cubic", 5.64, 5.64),
    ("Halite", 225, "cubic", 5.65, 5.65),
    ("Periclase", 225, "cubic", 4.21, 4.21),  # below the mesh
    ("Garnet", 230, "cubic", 11.5, 11.5),
    ("Zeolite", 225, "cubic", 15.0, 15.0),  # the mesh excludes its upper end
    ("Rutile", 136, "tetragonal", 4.6, 2.96),
    ("Halite", 221, "cubic", 6.0, 6.0),  # another structure of that name
]


@pytest.fixture
def crystals(tmp_path):
    return (write(tmp_path / "cddd.parquet", "cddd"),)


def write(path, name):
    n = len(ENTRIES)
    names, groups, families, a, c = zip(*ENTRIES, strict=True)
    lines = LineList(
        np.arange(0, 2 * n + 1, 2),
        np.linspace(10, 80, 2 * n),
        np.linspace(1, 2, 2 * n).astype(np.float32),
    )
    crystals = CrystalSet(
        structure_id=tuple(f"id-{i}" for i in range(n)),
        name=names,
        family=families,
        extinction_class=("P - - -",) * n,
        formula=("X",) * n,
        prototype=("A_1_a",) * n,
        citation=("c",) * n,
        split_paper=("train",) * n,
        split_grouped=("train",) * n,
        spacegroup=np.array(groups),
        cell=np.array([(x, x, z, 90, 90, 90) for x, z in zip(a, c, strict=True)], dtype=float),
        n_atoms=np.ones(n, dtype=np.int64),
        ordered=np.ones(n, dtype=bool),
        lines=lines,
        excluded=(),
        metadata={"name": name, "protocol": asdict(CANONICAL)},
    )
    write_crystals(crystals, path)
    return path


@pytest.mark.parametrize(("name", "split"), [("ulbd-in-mesh", "in-mesh"),
                                             ("ulbd-off-mesh", "off-mesh")])  # fmt: skip
def test_designed_sets_are_the_datasets_held_out_samples(name, split):
    truth = evaluation_set(name, CUBIC, 4)
    recipes = CUBIC.held_out_recipes(split, 4)
    assert len(truth) == len(set(truth.sample_ids)) == 4 * 36
    assert truth.cluster is None
    np.testing.assert_array_equal(truth.spacegroup, recipes.spacegroup)
    np.testing.assert_array_equal(
        render(truth.lines, truth.protocol), render(CUBIC.lines(recipes), CUBIC.protocol)
    )


def test_real_sets_hold_the_family(crystals):
    truth = evaluation_set("cddd", CUBIC, 1, crystals)
    assert truth.sample_ids == ("id-0", "id-1", "id-2", "id-3", "id-4", "id-6")
    np.testing.assert_allclose(truth.lines.two_theta[:2], np.linspace(10, 80, 14)[:2])
    np.testing.assert_allclose(truth.lines.two_theta[-2:], np.linspace(10, 80, 14)[-2:])
    assert truth.spacegroup.tolist() == [225, 225, 225, 230, 225, 221]


def test_measurements_of_one_mineral_are_one_cluster(crystals):
    cluster = evaluation_set("cddd", CUBIC, 1, crystals).cluster
    assert cluster[0] == cluster[1]
    assert len(set(cluster)) == 5


def test_the_domain_is_the_range_of_the_mesh(crystals):
    truth = evaluation_set("cddd-in-domain", CUBIC, 1, crystals)
    assert truth.sample_ids == ("id-0", "id-1", "id-3", "id-6")
    tetragonal = ULBD["ulbd-tetragonal"]
    assert len(evaluation_set("cddd", tetragonal, 1, crystals)) == 1
    with pytest.raises(SgbenchError, match="hold no structure"):
        evaluation_set("cddd-in-domain", tetragonal, 1, crystals)


def test_requests_that_cannot_be_met(crystals, tmp_path):
    with pytest.raises(SgbenchError, match=r"unknown test set 'cdd'.*in-mesh"):
        evaluation_set("cdd", CUBIC, 1)
    with pytest.raises(SgbenchError, match="line lists of 'cddd' are needed"):
        evaluation_set("cddd", CUBIC, 1)
    with pytest.raises(SgbenchError, match="there is no file"):
        evaluation_set("cddd", CUBIC, 1, [tmp_path / "none.parquet"])
    with pytest.raises(SgbenchError, match="hold no structure"):
        evaluation_set("cddd", ULBD["ulbd-trigonal-hexagonal"], 1, crystals)
    with pytest.raises(SgbenchError, match="cannot draw 0"):
        evaluation_set("ulbd-in-mesh", CUBIC, 0)
    with pytest.raises(SgbenchError, match="line lists of 'gcdd' are needed"):
        evaluation_set("gcdd-in-domain", CUBIC, 1, crystals)
    assert set(TEST_SETS) == {
        "ulbd-in-mesh", "ulbd-off-mesh", "ulbd-imbalanced-in-mesh",
        "cddd", "cddd-in-domain", "cddd-test", "cddd-test-in-domain", "cddd-paper-test",
        "gcdd", "gcdd-in-domain", "gcdd-test", "gcdd-test-in-domain",
    }  # fmt: skip


def test_each_set_takes_the_file_of_its_dataset(crystals, tmp_path):
    generated = write(tmp_path / "gcdd.parquet", "gcdd")
    for order in ([*crystals, generated], [generated, *crystals]):
        assert len(evaluation_set("gcdd", CUBIC, 1, order)) == 6
        assert len(evaluation_set("gcdd-in-domain", CUBIC, 1, order)) == 4
        assert len(evaluation_set("cddd", CUBIC, 1, order)) == 6


def test_checksums_tell_sets_apart(crystals):
    sets = [
        evaluation_set("ulbd-in-mesh", CUBIC, 2),
        evaluation_set("ulbd-off-mesh", CUBIC, 2),
        evaluation_set("ulbd-in-mesh", CUBIC, 3),
        evaluation_set("ulbd-in-mesh", replace(CUBIC, version=2), 2),
        evaluation_set("cddd", CUBIC, 2, crystals),
    ]
    assert len({truth.sha256() for truth in sets}) == len(sets)
    assert sets[0].sha256() == evaluation_set("ulbd-in-mesh", replace(CUBIC), 2).sha256()


@pytest.mark.parametrize("field", ["spacegroup", "two_theta", "intensity", "ids"])
def test_a_checksum_notices_each_part(field):
    truth = evaluation_set("ulbd-in-mesh", CUBIC, 1)
    lines = truth.lines
    changed = {
        "spacegroup": lambda: replace(truth, spacegroup=truth.spacegroup[::-1].copy()),
        "two_theta": lambda: replace(truth, lines=replace(lines, two_theta=lines.two_theta + 1e-3)),
        "intensity": lambda: replace(
            truth, lines=replace(lines, intensity=lines.intensity * np.float32(1.01))
        ),
        "ids": lambda: replace(truth, sample_ids=truth.sample_ids[::-1]),
    }[field]()
    assert changed.sha256() != truth.sha256()


def test_training_datasets_by_family_and_by_name():
    assert family_dataset("tetragonal") is ULBD["ulbd-tetragonal"]
    assert designed_dataset("ulbd-cubic-published") is ULBD["ulbd-cubic-published"]
    with pytest.raises(SgbenchError, match="unknown family 'hexagonal'"):
        family_dataset("hexagonal")
    assert family_dataset("monoclinic").reduced is not None
    assert family_dataset("all") is ULBD_ALL


def test_an_unknown_dataset_is_named():
    with pytest.raises(
        SgbenchError, match="unknown dataset 'ulbd-cubik'; expected one of ulbd-cubic"
    ):
        designed_dataset("ulbd-cubik")
