import json

import h5py
import numpy as np
import pytest
from example_crystals import crystal_file, crystal_set

from sgbench.designed import MeshAxis
from sgbench.diffraction import CANONICAL, render
from sgbench.sets import ULBD, ULBD_ALL


def test_datasets_are_listed(call):
    rows = json.loads(call("dataset", "list", "--format", "json").stdout)
    assert [row["name"] for row in rows] == [*ULBD, "ulbd-all"]
    assert rows[-1]["cells"] == sum(len(part.mesh) for part in ULBD_ALL.parts)
    (cubic,) = (row for row in rows if row["name"] == "ulbd-cubic")
    assert cubic["cells"] == 200
    assert cubic["train"] == 200 * 36 * 20


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
    [
        (["ulbd-cubik"], "unknown set 'ulbd-cubik'; expected a name such as ulbd-cubic, "),
        (["cdd"], "unknown set 'cdd'; expected a name such as gcdd, cddd, "),
        (["cddd-cubic"], "'cddd-cubic' is no designed dataset"),
        (["cddd", "--limit", "0"], "limit of 0"),
        (["cddd", "--family", "hexagonal"], "unknown family 'hexagonal'"),
        (["cddd", "--protocol", "paper"], "unknown protocol 'paper'"),
        (["cddd", "--source", "icsd"], "unknown source 'icsd'"),
        (["cddd", "--from", "none.db"], "none.db is missing"),
        (["gcdd"], "needs a location"),
        (["ulbd-cubic", "--per-spacegroup", "0"], "at least one"),
    ],
)
def test_builds_that_cannot_be_made(refused, options, words):
    assert words in refused("dataset", "build", *options, "-o", "c.parquet")


def test_sources_are_listed(call):
    rows = json.loads(call("dataset", "sources", "--format", "json").stdout)
    names = {row["name"] for row in rows}
    assert names == {
        "amcsd", "materials-project", "optimade", "cif-folder", "table", "generated",
        "rruff", "rruff-a", "opxrd", "cod", "folder",
    }  # fmt: skip


def halite_and_rutile(folder):
    for name, edge in (("halite", 5.64), ("halite-again", 5.64), ("warm-halite", 5.66)):
        (folder / f"{name}.cif").write_text(CIF.format(edge=edge))
    (folder / "broken.cif").write_text("data_x\n_cell_length_a 5.64\n")


CIF = """data_halite
_cell_length_a {edge}
_cell_length_b {edge}
_cell_length_c {edge}
_cell_angle_alpha 90
_cell_angle_beta 90
_cell_angle_gamma 90
_symmetry_space_group_name_H-M 'F m -3 m'
loop_
_atom_site_label
_atom_site_type_symbol
_atom_site_fract_x
_atom_site_fract_y
_atom_site_fract_z
Na Na 0 0 0
Cl Cl 0.5 0.5 0.5
"""


def test_a_folder_of_cifs_becomes_a_dataset_with_card_and_checksum(call, tmp_path):
    (tmp_path / "cifs").mkdir()
    halite_and_rutile(tmp_path / "cifs")
    done = call(
        "dataset", "build", "cddd", "--source", "cif-folder", "--from", "cifs", "-o", "mine.parquet"
    )
    assert "2 structures of 1 space groups; 2 left out" in done.stdout
    found = {p.name for p in tmp_path.iterdir()}
    assert found == {"cifs", "mine.parquet", "mine.md", "mine.croissant.json", "mine.excluded.csv"}
    left_out = (tmp_path / "mine.excluded.csv").read_text()
    assert "broken" in left_out
    assert "duplicate" in left_out

    (facts,) = json.loads(call("dataset", "describe", "mine.parquet", "--format", "json").stdout)
    assert facts["structures"] == 2
    call("dataset", "verify", "mine.parquet", facts["sha256"])
    call("dataset", "verify", "mine.parquet", "0" * 64, status=1)
    card = call("dataset", "describe", "mine.parquet", "--format", "md").stdout
    assert card == (tmp_path / "mine.md").read_text()
    described = call("dataset", "describe", "mine.parquet", "--format", "croissant").stdout
    assert json.loads(described) == json.loads((tmp_path / "mine.croissant.json").read_text())

    call("dataset", "export", "mine.parquet", "-o", "mine.h5", "--family", "cubic")
    with h5py.File(tmp_path / "mine.h5") as file:
        assert file["data"].shape == (2, 8193)
        assert file["data"][:, -1].tolist() == [225 - 195] * 2


def test_designed_lines_are_built_with_a_card(call, tmp_path):
    call("dataset", "build", "ulbd-cubic", "-o", "u.parquet", "--per-spacegroup", 2)
    assert {p.name for p in tmp_path.iterdir()} == {"u.parquet", "u.md", "u.croissant.json"}
    card = call("dataset", "describe", "ulbd-cubic", "--format", "md").stdout
    assert card.startswith("# ulbd-cubic")


def test_structures_are_portrayed_and_exported_by_split(call, tmp_path):
    crystals = crystal_set()
    crystal_file(tmp_path, crystals)
    call("dataset", "portrait", "cddd.parquet", "-o", "figures")
    assert {p.name for p in (tmp_path / "figures").iterdir()} == {
        "overview.svg", "cells.svg", "patterns.svg", "samples.svg", "samples.csv",
    }  # fmt: skip
    call("dataset", "export", "cddd.parquet", "-o", "p.h5", "--split", "grouped/test")
    with h5py.File(tmp_path / "p.h5") as file:
        assert len(file["data"]) == crystals.split_grouped.count("test")


def test_a_split_that_was_called_paper(call, tmp_path):
    crystals = crystal_set()
    crystal_file(tmp_path, crystals)
    for name in ("stratified", "paper"):
        call("dataset", "export", "cddd.parquet", "-o", f"{name}.h5", "--split", f"{name}/test")
    found = []
    for name in ("stratified", "paper"):
        with h5py.File(tmp_path / f"{name}.h5") as file:
            found.append(file["data"][:])
    assert len(found[0]) == crystals.split_stratified.count("test")
    np.testing.assert_array_equal(*found)


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (("export", "cddd.parquet", "-o", "p.h5", "--split", "test"), "stratified/train"),
        (
            ("export", "cddd.parquet", "-o", "p.h5", "--split", "stratified/validation"),
            "unknown split 'stratified/validation'; expected stratified/train",
        ),
        (("export", "cddd.parquet", "-o", "p.h5", "--family", "hexagonal"), "unknown family"),
        (("export", "cddd.parquet", "-o", "p.h5", "--a", "5:6:0.1"), "draw designed samples"),
        (("export", "ulbd-cubic", "-o", "p.h5", "--family", "cubic"), "has one family"),
        (("describe", "ulbd-cubic", "--format", "croissant"), "dataset build ulbd-cubic"),
        (("describe", "none.parquet"), "none.parquet is missing"),
        (("verify", "none.parquet", "00"), "none.parquet is missing"),
        (("portrait", "none.parquet", "-o", "figures"), "none.parquet is missing"),
    ],
)
def test_what_cannot_be_asked_of_a_file(refused, tmp_path, command, words):
    crystal_file(tmp_path, crystal_set())
    assert words in refused("dataset", *command)
