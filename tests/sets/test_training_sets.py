from dataclasses import replace

import numpy as np
import pytest
from example_crystals import crystal_file, crystal_set

from sgbench.diffraction import CANONICAL
from sgbench.errors import SgbenchError
from sgbench.sets import TEST_SETS, ULBD, SetSpec, open_training_set
from sgbench.sets._training_sets import TrainingCrystals

CRYSTALS = crystal_set()
OF_CUBIC = SetSpec("crystals", family="cubic")
CUBIC = TrainingCrystals(OF_CUBIC, CANONICAL, CRYSTALS)
# As under the names that sets had at first, which random keys and checksums still have.
CHECKSUMS = {
    "cddd-cubic": "1d6053e470e09c2f288da4adbb93bc9e8aa111fa33cc89ba6a02ff5f0788a986",
    "cddd-cubic-paper-split": "3adc0b16e30fed511b5a76f24ff8ce45d7dfe1875d65aecabe2cb9637e9214c5",
}
DRAWN = ("example-0225", "example-0217", "example-0229")


def open_set(name, *arguments):
    return open_training_set(SetSpec.parse(name), *arguments)


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
    samples = CUBIC.training_samples(0, 2000, seed=0)
    assert rows_of(samples.lines) == rows_of_split("train")
    assert set(samples.spacegroup.tolist()) == {225}
    place = {name: i for i, name in enumerate(CRYSTALS.structure_id)}
    again = CRYSTALS.lines.take([place[name] for name in samples.ids])
    assert again.portable_bytes() == samples.lines.portable_bytes()


def test_validation_is_the_validation_part():
    samples = CUBIC.validation_samples(10_000)
    assert rows_of(samples.lines) == rows_of_split("validation")
    assert len(CUBIC.validation_samples(3)) == 3
    assert set(samples.spacegroup.tolist()) == {225}


def test_samples_follow_from_seed_and_position():
    lines = CUBIC.training_samples(0, 50, seed=1).lines
    again = CUBIC.training_samples(20, 10, seed=1).lines
    assert again.portable_bytes() == lines.take(np.arange(20, 30)).portable_bytes()
    other = CUBIC.training_samples(0, 50, seed=2).lines
    assert other.portable_bytes() != lines.portable_bytes()


def test_the_stratified_split():
    """Training and validation part share nothing, and are all but the test part."""
    split = ("train", "test", "train", "train") * len(CRYSTALS)
    crystals = replace(CRYSTALS, split_stratified=split[: len(CRYSTALS)])
    drawn = TrainingCrystals(replace(OF_CUBIC, split="stratified"), CANONICAL, crystals)
    assert drawn.spec.name == "cddd-cubic-stratified"
    cubic = [i for i in range(len(crystals)) if crystals.family[i] == "cubic"]
    known = rows_of(
        crystals.lines.take([i for i in cubic if crystals.split_stratified[i] == "train"])
    )
    trained = rows_of(drawn.training_samples(0, 2000, seed=0).lines)
    validated = rows_of(drawn.validation_samples(10_000).lines)
    assert trained | validated == known
    assert not trained & validated
    assert 0.02 < len(validated) / len(known) < 0.25
    assert drawn.checksum() != replace(drawn, spec=OF_CUBIC).checksum()


def test_a_renamed_set_is_still_drawn_and_summed_as_under_its_first_name(tmp_path):
    file = crystal_file(tmp_path, CRYSTALS)
    found = open_set("cddd-cubic-paper-split", [file])
    assert found.name == "cddd-cubic-stratified"
    assert found.checksum() == CHECKSUMS["cddd-cubic-paper-split"]
    assert open_set("cddd-cubic", [file]).checksum() == CHECKSUMS["cddd-cubic"]
    assert found.training_samples(7, 3, seed=1).ids == DRAWN


def test_the_checksum_tells_data_and_splits_apart():
    moved = replace(CRYSTALS, split_grouped=("train", *CRYSTALS.split_grouped[:-1]))
    cut = CRYSTALS.take(np.arange(len(CRYSTALS) - 1))
    sums = {
        TrainingCrystals(OF_CUBIC, CANONICAL, crystals).checksum()
        for crystals in (CRYSTALS, moved, cut)
    }
    assert len(sums) == 3
    assert CUBIC.checksum() in sums


def test_sets_are_found_by_name(tmp_path):
    assert open_set("ulbd-cubic").designed == ULBD["ulbd-cubic"]
    file = crystal_file(tmp_path, CRYSTALS)
    found = open_set("cddd-tetragonal", [file])
    assert (found.name, found.spec.family) == ("cddd-tetragonal", "tetragonal")
    assert found.spacegroups == tuple(range(75, 143))
    with pytest.raises(SgbenchError, match="line lists of 'gcdd' are needed"):
        open_set("gcdd-cubic", [file])
    with pytest.raises(SgbenchError, match=r"unknown set 'cddd-cubik'; expected .* cddd-cubic"):
        open_set("cddd-cubik", [file])
    with pytest.raises(SgbenchError, match="'cddd-test' is a set to score on"):
        open_set("cddd-test", [file])


def test_a_family_without_training_structures(tmp_path):
    file = crystal_file(tmp_path, crystal_set({225: 3}))
    found = open_set("cddd-cubic", [file])
    assert len(found.training_samples(0, 5, 0)) == 5
    with pytest.raises(SgbenchError, match="no structure in the validation part"):
        found.validation_samples(5)


def test_another_mesh_by_name():
    coarse = open_set("ulbd-cubic@0.5x3").designed
    assert len(coarse.mesh) == 20
    assert coarse.train_patterns == 3
    assert set(coarse.all_recipes("train").pattern.tolist()) == {0, 1, 2}
    assert coarse.checksum() != open_set("ulbd-cubic@0.5x4").checksum()
    for name in ("ulbd-cubic@0x3", "ulbd-cubic@0.5x0", "ulbd-cubik@0.5x3", "ulbd-cubic@x"):
        with pytest.raises(SgbenchError):
            open_set(name)


def test_another_range_by_name():
    small = open_set("ulbd-tetragonal@4:5:0.5,6:7:0.25").designed
    assert [(axis.start, axis.stop, axis.step) for axis in small.axes] == [
        (4, 5, 0.5), (6, 7, 0.25)
    ]  # fmt: skip
    assert small.train_patterns == ULBD["ulbd-tetragonal"].train_patterns
    with pytest.raises(SgbenchError, match="gives 1 ranges; expected one for each of the 2"):
        open_set("ulbd-tetragonal@4:5:0.5")
    with pytest.raises(SgbenchError, match="no mesh of its own"):
        open_set("ulbd-all@0.5x3")


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
    assert SetSpec.parse(name).family == family


def test_what_is_held_out():
    def seen(name):
        trained = SetSpec.parse(name)
        return {test.name for test in TEST_SETS if not test.held_out_from(trained)}

    assert seen("ulbd-cubic") == set()
    assert seen("cddd-cubic") == {"cddd", "cddd-in-domain", "cddd-stratified-test"}
    assert seen("cddd-cubic-paper-split") == {
        "cddd", "cddd-in-domain", "cddd-test", "cddd-test-in-domain"
    }  # fmt: skip
    assert seen("gcdd-tetragonal") == {"gcdd", "gcdd-in-domain"}
