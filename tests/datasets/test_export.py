from dataclasses import replace

import h5py
import numpy as np
import pytest

from sgbench.datasets import ULBD, MeshAxis, _export
from sgbench.datasets._export import export_hdf5
from sgbench.diffraction import render
from sgbench.errors import SgbenchError

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
    calls = []

    def failing(*arguments):
        calls.append(1)
        if len(calls) == 2:
            raise error
        return render(*arguments)

    monkeypatch.setattr(_export, "render", failing)
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
