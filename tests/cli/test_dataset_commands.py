import json

import h5py
import numpy as np
import pytest

from sgbench.datasets import ULBD, MeshAxis
from sgbench.diffraction import CANONICAL, render


def test_datasets_are_listed(call):
    rows = json.loads(call("dataset", "list", "--format", "json").stdout)
    assert [row["name"] for row in rows] == list(ULBD)
    assert rows[0]["cells"] == 200
    assert rows[0]["train"] == 200 * 36 * 20


def test_a_description_carries_the_checksum(call):
    (facts,) = json.loads(call("dataset", "describe", "ulbd-cubic", "--format", "json").stdout)
    assert facts["sha256"] == ULBD["ulbd-cubic"].checksum()
    assert facts["extinction_classes"] == 17
    assert facts["mesh_a"] == "5-14.95 Å, step 0.05 Å"
    assert "verify" not in facts
    call("dataset", "verify", "ulbd-cubic", facts["sha256"])
    assert "agrees" in call("dataset", "verify", "ulbd-cubic", facts["sha256"].upper()).stdout


def test_a_checksum_that_differs_is_status_1(call):
    done = call("dataset", "verify", "ulbd-cubic", "0" * 64, status=1)
    assert "differs" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("family", "ranges", "axes"),
    [
        ("cubic", ["--a", "5:6:0.5"], [MeshAxis(5, 6, 0.5)]),
        ("tetragonal", ["--a", "5:5.5:0.5", "--c", "6:7:0.5"],
         [MeshAxis(5, 5.5, 0.5), MeshAxis(6, 7, 0.5)]),
    ],
)  # fmt: skip
def test_an_export_over_other_ranges(call, tmp_path, family, ranges, axes):
    dataset = ULBD[f"ulbd-{family}"]
    call("dataset", "export", f"ulbd-{family}", "-o", "p.h5", "--split", "validation", *ranges)
    with h5py.File(tmp_path / "p.h5") as file:
        data = file["data"][:]
        groups = file.attrs["spacegroups"]
        assert file.attrs["dataset"] != dataset.name  # another dataset, with other random numbers
    cells = np.prod([len(axis.values) for axis in axes])
    assert data.shape == (cells * len(dataset.spacegroups) * 5, 8193)
    assert groups.tolist() == list(dataset.spacegroups)
    np.testing.assert_array_equal(
        np.bincount(data[:, -1].astype(int)), np.full(len(groups), 5 * cells)
    )
    assert (data[:, :-1].max(axis=1) > 0.999).all()
    assert [p.name for p in tmp_path.iterdir()] == ["p.h5"]


def test_the_datasets_own_range_is_the_dataset(call, tmp_path):
    common = ("dataset", "export", "ulbd-cubic", "--split", "off-mesh", "--per-spacegroup", 1)
    call(*common, "-o", "a.h5")
    call(*common, "-o", "b.h5", "--a", "5:15:0.05")
    recipes = ULBD["ulbd-cubic"].held_out_recipes("off-mesh", 1)
    expected = render(ULBD["ulbd-cubic"].lines(recipes), CANONICAL)
    for name in ("a.h5", "b.h5"):
        with h5py.File(tmp_path / name) as file:
            np.testing.assert_array_equal(file["data"][:, :-1], expected)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--a", "6:5:0.1"], "empty or reversed"),
        (["--a", "5:5:0.1"], "empty or reversed"),
        (["--a", "5:6:0"], "empty or reversed"),
        (["--a", "5:6:-0.1"], "empty or reversed"),
        (["--a", "0:6:0.1"], "empty or reversed"),
        (["--a", "5:6"], "is not a range"),
        (["--a", "five:six:0.1"], "is not a range"),
        (["--a", ""], "is not a range"),
        (["--a", "nan:6:0.1"], "range"),
        (["--a", "5:6:nan"], "range"),
        (["--a", "5:inf:0.1"], "range"),
        (["--a", "5:2000:1000"], "reach too far"),
        (["--a", "5:6:1e-9"], "too fine"),
        (["--c", "5:6:0.1"], "no free parameter 'c'"),
        (["--split", "test"], "unknown split 'test'"),
        (["--format", "npz"], "unknown format 'npz'"),
        (["--split", "validation", "--per-spacegroup", "0"], "at least one"),
        (["--split", "off-mesh", "--per-spacegroup", "-1"], "at least one"),
        (["--split", "train", "--per-spacegroup", "0"], "at least one"),
    ],
)
def test_exports_that_cannot_be_made(refused, options, words):
    assert words in refused("dataset", "export", "ulbd-cubic", "-o", "p.h5", *options)


@pytest.mark.parametrize(
    "command",
    [
        ("describe", "ulbd-cubik"),
        ("verify", "ulbd-cubik", "00"),
        ("export", "ulbd-cubik", "-o", "p.h5"),
    ],
)
def test_an_unknown_dataset(refused, command):
    assert "'ulbd-cubik'" in refused("dataset", *command)


@pytest.mark.parametrize(
    ("options", "words"),
    [(["ulbd-cubic"], "expected cddd"), (["cddd", "--limit", "0"], "limit of 0")],
)
def test_builds_that_cannot_be_made(refused, options, words):
    assert words in refused("dataset", "build", *options, "-o", "c.parquet")
