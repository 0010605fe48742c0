from dataclasses import asdict, replace

import numpy as np
import pytest

from sgbench.diffraction import CANONICAL, PUBLISHED, LineList, render
from sgbench.errors import SgbenchError
from sgbench.sets import (
    DESIGNED_SETS,
    IN_MESH,
    OFF_MESH,
    TEST_SETS,
    ULBD,
    ULBD_ALL,
    SetSpec,
    designed_set,
    family_set,
    open_test_set,
)
from sgbench.structures import CrystalSet, write_crystals
from sgbench.symmetry import class_labels, extinction_classes, family_spacegroups

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
SYMBOLS = {
    number: cls.symbol
    for cls in extinction_classes(family_spacegroups("all"))
    for number in cls.spacegroups
}


def open_set(name, *arguments):
    return open_test_set(SetSpec.parse(name), *arguments)


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
        extinction_class=tuple(SYMBOLS[group] for group in groups),
        formula=("X",) * n,
        prototype=("A_1_a",) * n,
        citation=("c",) * n,
        split_stratified=("train",) * n,
        split_grouped=("train",) * n,
        spacegroup=np.array(groups),
        cell=np.array([(x, x, z, 90, 90, 90) for x, z in zip(a, c, strict=True)], dtype=float),
        n_atoms=np.ones(n, dtype=np.int64),
        ordered=np.ones(n, dtype=bool),
        lines=lines,
        excluded=(),
        metadata={
            "name": name,
            "version": 1,
            "families": ["cubic", "tetragonal"],
            "protocol": asdict(CANONICAL),
            "source": {"name": "a shelf", "citation": "", "licence": "", "provenance": {}},
        },
    )
    write_crystals(crystals, path)
    return path


@pytest.mark.parametrize(("name", "split"), [("ulbd-in-mesh", "in-mesh"),
                                             ("ulbd-off-mesh", "off-mesh")])  # fmt: skip
def test_designed_sets_are_the_datasets_held_out_samples(name, split):
    truth = open_set(name, CUBIC, 4)
    recipes = CUBIC.held_out_recipes(split, 4)
    assert len(truth) == len(set(truth.samples.ids)) == 4 * 36
    assert truth.cluster is None
    np.testing.assert_array_equal(truth.samples.spacegroup, recipes.spacegroup)
    np.testing.assert_array_equal(
        truth.samples.patterns(), render(CUBIC.lines(recipes), CUBIC.protocol)
    )
    assert truth.row() == {
        "test_set": name, "family": "cubic", "source": "designed", "test_sha256": truth.checksum()
    }  # fmt: skip


def test_real_sets_hold_the_family(crystals):
    truth = open_set("cddd", CUBIC, 1, crystals)
    assert truth.samples.ids == ("id-0", "id-1", "id-2", "id-3", "id-4", "id-6")
    two_theta = truth.samples.lines.two_theta
    np.testing.assert_allclose(two_theta[:2], np.linspace(10, 80, 14)[:2])
    np.testing.assert_allclose(two_theta[-2:], np.linspace(10, 80, 14)[-2:])
    assert truth.samples.spacegroup.tolist() == [225, 225, 225, 230, 225, 221]
    assert truth.row()["source"] == "a shelf"
    assert truth.alike is None


def test_measurements_of_one_mineral_are_one_cluster(crystals):
    cluster = open_set("cddd", CUBIC, 1, crystals).cluster
    assert cluster[0] == cluster[1]
    assert len(set(cluster)) == 5


def test_the_domain_is_the_range_of_the_mesh(crystals):
    truth = open_set("cddd-in-domain", CUBIC, 1, crystals)
    assert truth.samples.ids == ("id-0", "id-1", "id-3", "id-6")
    tetragonal = ULBD["ulbd-tetragonal"]
    assert len(open_set("cddd", tetragonal, 1, crystals)) == 1
    with pytest.raises(SgbenchError, match="hold no structure"):
        open_set("cddd-in-domain", tetragonal, 1, crystals)


def test_requests_that_cannot_be_met(crystals, tmp_path):
    with pytest.raises(SgbenchError, match=r"unknown set 'cdd'; expected .*cddd.*test-sets"):
        open_set("cdd", CUBIC, 1)
    with pytest.raises(SgbenchError, match="'ulbd-cubic' is a set to train on"):
        open_set("ulbd-cubic", CUBIC, 1)
    with pytest.raises(SgbenchError, match="line lists of 'cddd' are needed"):
        open_set("cddd", CUBIC, 1)
    with pytest.raises(SgbenchError, match="is missing"):
        open_set("cddd", CUBIC, 1, [tmp_path / "none.parquet"])
    with pytest.raises(SgbenchError, match="hold no structure"):
        open_set("cddd", ULBD["ulbd-trigonal-hexagonal"], 1, crystals)
    with pytest.raises(SgbenchError, match="cannot draw 0"):
        open_set("ulbd-in-mesh", CUBIC, 0)
    with pytest.raises(SgbenchError, match="line lists of 'gcdd' are needed"):
        open_set("gcdd-in-domain", CUBIC, 1, crystals)
    assert {spec.name for spec in TEST_SETS} == {
        "ulbd-in-mesh", "ulbd-off-mesh", "ulbd-imbalanced-in-mesh",
        "ulbd-amplitude-off-mesh", "ulbd-mineral-cells-off-mesh",
        "cddd", "cddd-in-domain", "cddd-test", "cddd-test-in-domain", "cddd-stratified-test",
        "gcdd", "gcdd-in-domain", "gcdd-test", "gcdd-test-in-domain",
    }  # fmt: skip


def test_each_set_takes_the_file_of_its_dataset(crystals, tmp_path):
    generated = write(tmp_path / "gcdd.parquet", "gcdd")
    for order in ([*crystals, generated], [generated, *crystals]):
        assert len(open_set("gcdd", CUBIC, 1, order)) == 6
        assert len(open_set("gcdd-in-domain", CUBIC, 1, order)) == 4
        assert len(open_set("cddd", CUBIC, 1, order)) == 6


def test_checksums_tell_sets_apart(crystals):
    sets = [
        open_set("ulbd-in-mesh", CUBIC, 2),
        open_set("ulbd-off-mesh", CUBIC, 2),
        open_set("ulbd-in-mesh", CUBIC, 3),
        open_set("ulbd-in-mesh", replace(CUBIC, version=2), 2),
        open_set("cddd", CUBIC, 2, crystals),
    ]
    assert len({truth.checksum() for truth in sets}) == len(sets)
    assert sets[0].checksum() == open_set("ulbd-in-mesh", replace(CUBIC), 2).checksum()


# Checksums of the version before a set was a value, which published results carry.
DATASETS = {
    "ulbd-cubic": "0bb67596fe69c6d2dad0c9f6165beb6e012c0634790a588eda259580aecb2ef7",
    "ulbd-physical-cubic": "f034bbbf8081ba7cc21e870a6007ef6534f2d29f9cabc21a98394a0f772cd42e",
    "ulbd-cubic-imbalanced": "8c4e31e3a783240497401671377c6f2b522cd80e5b87b2439ab3c103c14b8a6c",
    "ulbd-cubic@0.1x20": "5b8b3d23039a2e58f8ea98f433d5d7c4dbf819d4859006980271dc2a4285e6d6",
    "ulbd-tetragonal-published": "75da0cd591587dc3cd3ae8001ceea5279842a8f6ecb5f379b7fe0d21b41688e0",
    "ulbd-orthorhombic": "68f2c41a298c381394d2aa1055bbef3eaf2b411805c340748afb9e87f769dbb6",
    "ulbd-all": "28387c90cd239069acfdf4c0155221d839a11120a560281f0d933909ead05a81",
}
# And of sets that came later.
DATASETS |= {
    "ulbd-amplitude-tetragonal": "9fea8ba182177f403fb09a2cabab2fc35fcd659596e99f2b3c57303bf062a1ec",
    "ulbd-mineral-cells-tetragonal": (
        "ee0dab40529032ee5fc3c3754c6f5d1a68ac5a435df4c3cf11a53b0f96c40a4d"
    ),
}
OF_FAMILIES = {
    ("ulbd-in-mesh", "cubic"): "2070c647a192de40bdd46755c2a4fb64cb09c7f33e8631b61ed8d1c426fb5705",
    ("ulbd-off-mesh", "tetragonal"): (
        "4936bcbe07244b1af6b1396a9950d9d38661cb8e7ac8251b56a56fd72c28fa94"
    ),
    ("ulbd-imbalanced-in-mesh", "cubic"): (
        "95d86d1327700cd934e5f89e4fa673f216155eb5787a60379d7dd77bf426ed1c"
    ),
    ("ulbd-off-mesh", "all"): "3374ba1931b420553bf851770b297090ef46722afcd4a5bd69047e1740ecf194",
}


@pytest.mark.parametrize("name", DATASETS)
def test_designed_datasets_are_what_they_were(name):
    assert designed_set(SetSpec.parse(name)).checksum() == DATASETS[name]


@pytest.mark.parametrize(("name", "family"), OF_FAMILIES)
def test_designed_test_sets_are_what_they_were(name, family):
    assert open_set(name, family_set(family), 3).checksum() == OF_FAMILIES[name, family]


@pytest.mark.parametrize("field", ["spacegroup", "two_theta", "intensity", "ids"])
def test_a_checksum_notices_each_part(field):
    truth = open_set("ulbd-in-mesh", CUBIC, 1)
    samples, lines = truth.samples, truth.samples.lines
    changed = {
        "spacegroup": {"spacegroup": samples.spacegroup[::-1].copy()},
        "two_theta": {"lines": replace(lines, two_theta=lines.two_theta + 1e-3)},
        "intensity": {"lines": replace(lines, intensity=lines.intensity * np.float32(1.01))},
        "ids": {"ids": samples.ids[::-1]},
    }[field]
    assert replace(truth, samples=replace(samples, **changed)).checksum() != truth.checksum()


def test_training_datasets_by_family_and_by_name():
    assert family_set("tetragonal") is ULBD["ulbd-tetragonal"]
    assert family_set("cubic", "published") is ULBD["ulbd-cubic-published"]
    with pytest.raises(SgbenchError, match="unknown family 'hexagonal'"):
        family_set("hexagonal")
    assert family_set("monoclinic").domain is not None
    assert family_set("all") is ULBD_ALL


def test_a_dataset_that_there_is_not():
    cells = ("mineral-cells", "amplitude-falloff-mineral-cells")
    unions = {ULBD_ALL.name, *(f"ulbd-{name}-all" for name in cells)}
    assert set(ULBD) | unions == {spec.name for spec in DESIGNED_SETS}
    with pytest.raises(SgbenchError, match=r"unknown set 'ulbd-cubik'; expected .* ulbd-cubic"):
        SetSpec.parse("ulbd-cubik")
    with pytest.raises(
        SgbenchError, match="'ulbd-physical-triclinic' is no designed dataset; expected one of ulbd"
    ):
        designed_set(SetSpec.parse("ulbd-physical-triclinic"))


# Space groups that would have made a sample as often as its own.


@pytest.mark.parametrize("spec", [IN_MESH, OFF_MESH], ids=lambda spec: spec.part)
def test_on_balanced_sets_the_groups_of_a_class_are_alike(spec):
    truth = open_test_set(spec, CUBIC, 2)
    label = class_labels(CUBIC.spacegroups)
    own = label[truth.samples.spacegroup - 195]
    np.testing.assert_array_equal(truth.alike, own[:, None] == label)


def test_on_imbalanced_sets_only_groups_that_have_the_cell_are_alike():
    """By the ranges themselves: a is between the ends that are tabulated for a group."""
    truth = open_set("ulbd-imbalanced-in-mesh", CUBIC, 3)
    dataset = ULBD["ulbd-cubic-imbalanced"]
    edge = dataset.held_out_recipes("in-mesh", 3).cells[:, 0]
    label = class_labels(CUBIC.spacegroups)
    expected = np.zeros((len(truth), 36), dtype=bool)
    for group, lowest, highest in dataset.ranges:
        has_it = (lowest - 1e-6 < edge) & (edge < highest + 1e-6)
        same_class = label[truth.samples.spacegroup - 195] == label[group - 195]
        expected[:, group - 195] = has_it & same_class
    np.testing.assert_array_equal(truth.alike, expected)
    assert truth.alike[np.arange(len(truth)), truth.samples.spacegroup - 195].all()
    assert truth.alike.sum() < (label[truth.samples.spacegroup - 195][:, None] == label).sum()


def test_in_a_set_of_all_families_groups_are_alike_within_their_family():
    truth = open_test_set(OFF_MESH, ULBD_ALL, 1)
    label = class_labels(ULBD_ALL.spacegroups)
    own = label[truth.samples.spacegroup - 1]
    np.testing.assert_array_equal(truth.alike, own[:, None] == label)


def test_a_law_that_tells_groups_apart_leaves_none_alike():
    truth = open_set("ulbd-physical-in-mesh", CUBIC, 1)
    physical = ULBD["ulbd-physical-cubic"].held_out_samples("in-mesh", 1)
    assert truth.alike is None
    assert truth.samples.lines.portable_bytes() == physical.lines.portable_bytes()
    assert truth.checksum() != open_test_set(IN_MESH, CUBIC, 1).checksum()


def test_a_set_of_another_protocol_has_that_protocol():
    assert open_set("ulbd-published-off-mesh", CUBIC, 1).protocol == PUBLISHED
    assert open_test_set(OFF_MESH, family_set("cubic", "published"), 1).protocol == PUBLISHED


def test_patterns_of_another_protocol_have_another_name():
    truth = open_test_set(SetSpec.parse("ulbd-off-mesh"), family_set("cubic", "published"), 1)
    assert truth.name == "ulbd-published-off-mesh"
    again = open_test_set(SetSpec.parse(truth.name), family_set("cubic", "published"), 1)
    assert again.checksum() == truth.checksum()
    canonical = open_test_set(SetSpec.parse("ulbd-off-mesh"), family_set("cubic"), 1)
    assert canonical.name == "ulbd-off-mesh"
    assert canonical.checksum() != truth.checksum()


def test_a_dataset_has_no_conditions():
    with pytest.raises(SgbenchError, match=r"has conditions .* Name ulbd-cubic\."):
        designed_set(SetSpec.parse("ulbd-cubic+thermal-2"))
