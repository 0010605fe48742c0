from dataclasses import replace

import numpy as np
import pytest
from example_crystals import crystal_file, crystal_set

from sgbench.datasets import TEST_SETS, ULBD, is_held_out, training_family, training_set
from sgbench.datasets._training_sets import TrainingCrystals
from sgbench.diffraction import CANONICAL
from sgbench.errors import SgbenchError

CRYSTALS = crystal_set()
CUBIC = TrainingCrystals("cddd-cubic", "cubic", CANONICAL, CRYSTALS)


def rows_of(lines) -> set[bytes]:
    return {lines.take([i]).portable_bytes() for i in range(len(lines))}


def rows_of_split(split: str, family: str = "cubic") -> set[bytes]:
    chosen = [
        i
        for i in range(len(CRYSTALS))
        if (CRYSTALS.family[i], CRYSTALS.split_grouped[i]) == (family, split)
    ]
    return rows_of(CRYSTALS.lines.take(chosen))


def test_only_the_training_part_is_drawn_and_all_of_it():
    lines, spacegroup = CUBIC.training_samples(0, 2000, seed=0)
    assert rows_of(lines) == rows_of_split("train")
    assert set(spacegroup.tolist()) == {225}


def test_validation_is_the_validation_part():
    lines, spacegroup = CUBIC.validation_samples(10_000)
    assert rows_of(lines) == rows_of_split("validation")
    assert len(CUBIC.validation_samples(3)[0]) == 3
    assert set(spacegroup.tolist()) == {225}


def test_samples_follow_from_seed_and_position():
    lines, _ = CUBIC.training_samples(0, 50, seed=1)
    again, _ = CUBIC.training_samples(20, 10, seed=1)
    assert again.portable_bytes() == lines.take(np.arange(20, 30)).portable_bytes()
    other, _ = CUBIC.training_samples(0, 50, seed=2)
    assert other.portable_bytes() != lines.portable_bytes()


def test_the_papers_split():
    """Training and validation part share nothing, and are all but the test part."""
    split = ("train", "test", "train", "train") * len(CRYSTALS)
    crystals = replace(CRYSTALS, split_paper=split[: len(CRYSTALS)])
    paper = TrainingCrystals("cddd-cubic-paper-split", "cubic", CANONICAL, crystals, "paper")
    cubic = [i for i in range(len(crystals)) if crystals.family[i] == "cubic"]
    known = rows_of(crystals.lines.take([i for i in cubic if crystals.split_paper[i] == "train"]))
    trained = rows_of(paper.training_samples(0, 2000, seed=0)[0])
    validated = rows_of(paper.validation_samples(10_000)[0])
    assert trained | validated == known
    assert not trained & validated
    assert 0.02 < len(validated) / len(known) < 0.25
    assert paper.checksum() != replace(paper, split="grouped").checksum()


def test_the_checksum_tells_data_and_splits_apart():
    moved = replace(CRYSTALS, split_grouped=("train", *CRYSTALS.split_grouped[:-1]))
    cut = CRYSTALS.take(np.arange(len(CRYSTALS) - 1))
    sums = {
        TrainingCrystals("cddd-cubic", "cubic", CANONICAL, crystals).checksum()
        for crystals in (CRYSTALS, moved, cut)
    }
    assert len(sums) == 3
    assert CUBIC.checksum() in sums


def test_sets_are_found_by_name(tmp_path):
    assert training_set("ulbd-cubic") is ULBD["ulbd-cubic"]
    file = crystal_file(tmp_path, CRYSTALS)
    found = training_set("cddd-tetragonal", [file])
    assert (found.name, found.family) == ("cddd-tetragonal", "tetragonal")
    assert found.spacegroups == tuple(range(75, 143))
    with pytest.raises(SgbenchError, match="line lists of 'gcdd' are needed"):
        training_set("gcdd-cubic", [file])
    with pytest.raises(SgbenchError, match="unknown dataset 'cddd-cubik'"):
        training_set("cddd-cubik", [file])


def test_a_family_without_training_structures(tmp_path):
    file = crystal_file(tmp_path, crystal_set({225: 3}))
    found = training_set("cddd-cubic", [file])
    assert len(found.training_samples(0, 5, 0)[0]) == 5
    with pytest.raises(SgbenchError, match="no structure in the validation part"):
        found.validation_samples(5)


def test_another_mesh_by_name():
    coarse = training_set("ulbd-cubic@0.5x3")
    assert len(coarse.mesh) == 20
    assert coarse.train_patterns == 3
    assert set(coarse.all_recipes("train").pattern.tolist()) == {0, 1, 2}
    assert coarse.checksum() != training_set("ulbd-cubic@0.5x4").checksum()
    for name in ("ulbd-cubic@0x3", "ulbd-cubic@0.5x0", "ulbd-cubik@0.5x3", "ulbd-cubic@x"):
        with pytest.raises(SgbenchError):
            training_set(name)


@pytest.mark.parametrize(
    ("name", "family"),
    [
        ("ulbd-physical-tetragonal", "tetragonal"),
        ("gcdd-trigonal-hexagonal", "trigonal-hexagonal"),
        ("ulbd-cubic@0.1x5", "cubic"),
        ("cddd-trigonal-hexagonal-paper-split", "trigonal-hexagonal"),
    ],
)
def test_families_by_name(name, family):
    assert training_family(name) == family


def test_what_is_held_out():
    assert all(is_held_out(test, "ulbd-cubic") for test in TEST_SETS)
    seen = {test for test in TEST_SETS if not is_held_out(test, "cddd-cubic")}
    assert seen == {"cddd", "cddd-in-domain", "cddd-paper-test"}
    seen = {test for test in TEST_SETS if not is_held_out(test, "cddd-cubic-paper-split")}
    assert seen == {"cddd", "cddd-in-domain", "cddd-test", "cddd-test-in-domain"}
    seen = {test for test in TEST_SETS if not is_held_out(test, "gcdd-tetragonal")}
    assert seen == {"gcdd", "gcdd-in-domain"}
