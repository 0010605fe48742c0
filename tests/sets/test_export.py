import json
from dataclasses import replace

import h5py
import numpy as np
import pyarrow.parquet as pq
import pytest
from example_crystals import crystal_set

from sgbench.designed import MeshAxis
from sgbench.diffraction import CANONICAL, LineList, Samples, render
from sgbench.errors import SgbenchError
from sgbench.files import file_sha256
from sgbench.sets import (
    ULBD,
    _export,
    designed_test_set,
    export_crystals_hdf5,
    export_hdf5,
    open_test_set,
    write_designed,
)
from sgbench.symmetry import class_labels, extinction_classes

SMALL = replace(ULBD["ulbd-cubic"], name="small", axes=(MeshAxis(5, 6, 0.5),))
HEXAGONAL = replace(
    ULBD["ulbd-trigonal-hexagonal"], name="small-h", axes=(MeshAxis(5, 6, 1), MeshAxis(6, 7, 1))
)


@pytest.mark.parametrize("dataset", [SMALL, HEXAGONAL], ids=lambda d: d.name)
def test_the_layout_of_the_papers_files(tmp_path, dataset):
    path = tmp_path / "new" / "patterns.h5"
    export_hdf5(dataset, "in-mesh", path)
    recipes = dataset.all_recipes("in-mesh")
    with h5py.File(path) as file:
        data = file["data"][:]
        np.testing.assert_array_equal(file["two_theta"][:], np.linspace(5, 90, 8192))
        assert file.attrs["dataset"] == dataset.name
        assert file.attrs["sha256"] == dataset.checksum()
        assert file.attrs["spacegroups"].tolist() == list(dataset.spacegroups)
        assert file.attrs["label"] == f"counted from 0 = space group {dataset.spacegroups[0]}"
    assert data.shape == (dataset.size("in-mesh"), 8193)
    assert data.dtype == np.float32
    np.testing.assert_array_equal(data[:, -1] + dataset.spacegroups[0], recipes.spacegroup)
    np.testing.assert_array_equal(data[:, :-1], render(dataset.lines(recipes), dataset.protocol))
    assert [p.name for p in path.parent.iterdir()] == ["patterns.h5"]


@pytest.mark.parametrize(("split", "total"), [("train", 72), ("validation", 72), ("off-mesh", 72)])
def test_a_part_of_a_split(tmp_path, split, total):
    export_hdf5(SMALL, split, tmp_path / "part.h5", per_spacegroup=2)
    with h5py.File(tmp_path / "part.h5") as file:
        labels = file["data"][:, -1]
        assert file.attrs["split"] == split
    assert len(labels) == total
    if split != "train":
        np.testing.assert_array_equal(np.bincount(labels.astype(int)), np.full(36, 2))


@pytest.mark.parametrize("error", [RuntimeError("disk"), KeyboardInterrupt()])
def test_an_interrupted_export_leaves_nothing(tmp_path, monkeypatch, error):
    calls, original = [], Samples.patterns

    def failing(samples):
        calls.append(1)
        if len(calls) == 2:
            raise error
        return original(samples)

    monkeypatch.setattr(Samples, "patterns", failing)
    monkeypatch.setattr(_export, "_CHUNK", 100)
    with pytest.raises(type(error)):
        export_hdf5(SMALL, "in-mesh", tmp_path / "patterns.h5")
    assert len(calls) == 2
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("split", ["train", "validation", "off-mesh"])
@pytest.mark.parametrize("count", [0, -3])
def test_no_samples(tmp_path, split, count):
    with pytest.raises(SgbenchError):
        export_hdf5(SMALL, split, tmp_path / "patterns.h5", per_spacegroup=count)
    assert list(tmp_path.iterdir()) == []


def test_a_place_that_cannot_be_written_to(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(SgbenchError, match="cannot write"):
        export_hdf5(SMALL, "in-mesh", tmp_path / "file" / "patterns.h5")


@pytest.mark.parametrize(
    ("counts", "first"),
    [({225: 30, 195: 2}, 195), ({194: 9, 225: 30, 2: 4}, 1), ({143: 2, 194: 3}, 143)],
    ids=["cubic", "several", "hexagonal"],
)
def test_crystals_have_the_same_layout(tmp_path, monkeypatch, counts, first):
    monkeypatch.setattr(_export, "_CHUNK", 7)
    crystals = crystal_set(counts)
    path = tmp_path / "new" / "patterns.h5"
    export_crystals_hdf5(crystals, path, "abc")
    with h5py.File(path) as file:
        data = file["data"][:]
        np.testing.assert_array_equal(file["two_theta"][:], np.linspace(5, 90, 8192))
        assert file.attrs["dataset"] == "cddd"
        assert file.attrs["version"] == 2
        assert file.attrs["sha256"] == "abc"
        assert file.attrs["label"] == f"counted from 0 = space group {first}"
        # whatever the numbering, this finds the space group of a label
        groups = file.attrs["spacegroups"][data[:, -1].astype(int)]
        assert file["structure_id"].asstr()[:].tolist() == list(crystals.structure_id)
    assert data.dtype == np.float32
    np.testing.assert_array_equal(groups, crystals.spacegroup)
    np.testing.assert_array_equal(data[:, -1] + first, crystals.spacegroup)
    np.testing.assert_array_equal(data[:, :-1], render(crystals.lines, CANONICAL))


def test_crystals_under_another_protocol(tmp_path):
    crystals = crystal_set({225: 2})
    protocol = {**crystals.metadata["protocol"], "n_points": 2000, "two_theta_max": 60.0}
    crystals = replace(crystals, metadata={**crystals.metadata, "protocol": protocol})
    export_crystals_hdf5(crystals, tmp_path / "patterns.h5", "abc")
    with h5py.File(tmp_path / "patterns.h5") as file:
        assert file["data"].shape == (2, 2001)
        assert file["two_theta"][-1] == 60


def test_no_crystals(tmp_path):
    with pytest.raises(SgbenchError, match="no crystal to export"):
        export_crystals_hdf5(crystal_set({225: 2}).take([]), tmp_path / "patterns.h5", "abc")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("dataset", [SMALL, HEXAGONAL], ids=lambda d: d.name)
def test_designed_samples_are_those_of_the_test_sets(tmp_path, monkeypatch, dataset):
    monkeypatch.setattr(_export, "_CHUNK", 50)
    path = tmp_path / "new" / "designed.parquet"
    write_designed(dataset, path, 2)
    table = pq.read_table(path)
    assert table.column_names[4:-2] == (["a"] if dataset is SMALL else ["a", "c"])
    rows = table.to_pylist()
    assert len({row["sample_id"] for row in rows}) == len(rows) == 6 * len(dataset.spacegroups)
    for split in ("in-mesh", "off-mesh"):
        expected = open_test_set(designed_test_set(split), dataset, 2).samples
        found = [row for row in rows if row["split"] == split]
        assert [row["sample_id"] for row in found] == list(expected.ids)
        assert [row["spacegroup"] for row in found] == expected.spacegroup.tolist()
        counts = [len(row["two_theta"]) for row in found]
        lines = LineList(
            np.concatenate([[0], np.cumsum(counts)]),
            np.concatenate([row["two_theta"] for row in found]),
            np.concatenate([row["intensity"] for row in found]).astype(np.float32),
        )
        assert lines.portable_bytes() == expected.lines.portable_bytes()
    recipes = dataset.held_out_recipes("validation", 2)
    validation = [row for row in rows if row["split"] == "validation"]
    assert [row["a"] for row in validation] == recipes.cells[:, 0].tolist()
    symbols = [cls.symbol for cls in extinction_classes(dataset.spacegroups)]
    label = dict(zip(dataset.spacegroups, class_labels(dataset.spacegroups), strict=True))
    assert all(row["extinction_class"] == symbols[label[row["spacegroup"]]] for row in rows)


def test_designed_files_are_the_same_each_time_and_say_what_they_are(tmp_path):
    for name in ("one", "two"):
        write_designed(SMALL, tmp_path / name, 3)
    assert file_sha256(tmp_path / "one") == file_sha256(tmp_path / "two")
    metadata = json.loads(pq.read_schema(tmp_path / "one").metadata[b"sgbench"])
    assert metadata["sha256"] == SMALL.checksum()
    assert metadata["dataset"]["name"] == "small"
    assert (metadata["format"], metadata["per_spacegroup"]) == ("sgbench-designed-1", 3)


@pytest.mark.parametrize("count", [0, -1, 1_000])
def test_a_number_of_designed_samples_that_there_is_not(tmp_path, count):
    with pytest.raises(SgbenchError, match=r"Mend the request|asked for no more"):
        write_designed(SMALL, tmp_path / "designed.parquet", count)
    assert list(tmp_path.iterdir()) == []
