from dataclasses import asdict, fields, replace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sgbench.diffraction import CANONICAL, LineList
from sgbench.errors import SgbenchError
from sgbench.files import file_sha256
from sgbench.structures import (
    CrystalSet,
    _store,
    concatenate,
    find_crystals,
    open_crystals,
    read_crystals,
    read_metadata,
    write_crystals,
)
from sgbench.structures.sources import Excluded
from sgbench.symmetry import family_of


def crystal_set(n: int = 40) -> CrystalSet:
    rng = np.random.default_rng(3)
    counts = rng.integers(0, 30, n)
    counts[0] = 0  # a row without lines must keep its place
    total = int(counts.sum())
    groups = rng.integers(1, 231, n)
    symbols = _store.class_symbols()
    return CrystalSet(
        structure_id=tuple(f"amcsd-{i:07d}" for i in range(n)),
        name=tuple(f"Åkermanite {i}" for i in range(n)),
        family=tuple(map(family_of, groups.tolist())),
        extinction_class=tuple(symbols[group] for group in groups.tolist()),
        formula=("CCaO3",) * n,
        prototype=("AB_225_ab",) * n,
        citation=("Somebody (1925). A title. A journal 10, 1-2",) * n,
        split_stratified=("train",) * n,
        split_grouped=("train", "test") * (n // 2) + ("validation",) * (n % 2),
        spacegroup=groups,
        cell=rng.uniform(3, 120, (n, 6)),
        n_atoms=rng.integers(1, 200, n),
        ordered=rng.random(n) < 0.5,
        lines=LineList(
            np.concatenate([[0], np.cumsum(counts)]).astype(np.int64),
            np.concatenate([np.sort(rng.uniform(5, 90, k)) for k in counts]),
            rng.uniform(0, 1e9, total).astype(np.float32),
        ),
        excluded=(Excluded("amcsd-0000050", "unreadable", "cell"),),
        metadata={
            "name": "cddd",
            "version": 2,
            "families": ["all"],
            "protocol": asdict(CANONICAL),
            "source": {"name": "x", "citation": "", "licence": "", "provenance": {}},
        },
    )


def assert_same(a: CrystalSet, b: CrystalSet) -> None:
    for field in fields(CrystalSet):
        if field.name == "lines":
            continue
        left, right = getattr(a, field.name), getattr(b, field.name)
        assert type(left) is type(right)
        np.testing.assert_array_equal(left, right, err_msg=field.name)
    for name in ("offsets", "two_theta", "intensity"):
        left, right = getattr(a.lines, name), getattr(b.lines, name)
        assert left.dtype == right.dtype
        np.testing.assert_array_equal(left, right, err_msg=name)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "crystals.parquet"


def test_what_is_written_is_read(path):
    crystals = crystal_set()
    write_crystals(crystals, path)
    assert_same(read_crystals(path), crystals)
    assert len(read_crystals(path)) == 40


def test_the_same_crystals_give_the_same_bytes(path, tmp_path):
    write_crystals(crystal_set(), path)
    write_crystals(crystal_set(), tmp_path / "again.parquet")
    assert file_sha256(path) == file_sha256(tmp_path / "again.parquet")
    other = replace(crystal_set(), metadata=crystal_set().metadata | {"version": 3})
    write_crystals(other, tmp_path / "again.parquet")
    assert file_sha256(path) != file_sha256(tmp_path / "again.parquet")


def test_some_of_the_crystals_and_several_sets_as_one(path):
    crystals = crystal_set()
    first, second = crystals.take(range(25)), crystals.take(range(25, 40))
    assert (len(first), len(second)) == (25, 15)
    again = concatenate([first, replace(second, excluded=())], crystals.metadata)
    assert_same(again, crystals)
    assert first.take([3, 1]).structure_id == ("amcsd-0000003", "amcsd-0000001")


def test_what_a_file_says_of_itself_is_read_without_its_crystals(path):
    write_crystals(crystal_set(), path)
    metadata = read_metadata(path)
    assert (metadata["name"], metadata["version"]) == ("cddd", 2)
    with pytest.raises(SgbenchError, match="is missing"):
        read_metadata(path.with_name("none.parquet"))


def test_an_interrupted_write_leaves_the_former_file(path, monkeypatch):
    write_crystals(crystal_set(), path)
    before = path.read_bytes()

    def interrupted(table, where, **_):
        with open(where, "wb") as handle:
            handle.write(before[: len(before) // 2])
        raise KeyboardInterrupt

    monkeypatch.setattr(pq, "write_table", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_crystals(crystal_set(3), path)
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == [path.name]


def test_a_missing_file(path):
    with pytest.raises(SgbenchError, match="is missing"):
        read_crystals(path)


@pytest.mark.parametrize("share", [0.0, 0.001, 0.1, 0.5, 0.9, 0.999])
def test_a_truncated_file(path, share):
    write_crystals(crystal_set(), path)
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(SgbenchError, match="is not a file of crystals"):
        read_crystals(path)


def test_a_damaged_file_is_never_taken_for_a_good_one(path):
    crystals = crystal_set()
    write_crystals(crystals, path)
    content = path.read_bytes()
    noticed = 0
    for place in np.random.default_rng(5).integers(0, len(content), 300):
        damaged = bytearray(content)
        damaged[place] ^= 0x10
        path.write_bytes(damaged)
        try:
            found = read_crystals(path)
        except SgbenchError:
            noticed += 1
        else:  # statistics and the like, which reading does not lean on
            assert_same(found, crystals)
    assert noticed > 150


def test_foreign_files(path):
    pq.write_table(pa.table({"a": [1, 2]}), path)
    with pytest.raises(SgbenchError, match="not a file of crystals"):
        read_crystals(path)
    path.write_text("structure_id,name\n1,2\n")
    with pytest.raises(SgbenchError, match="is not a file of crystals"):
        read_crystals(path)


def test_a_file_of_another_format_version(path, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(_store, "FORMAT", "sgbench-crystals-0")
        write_crystals(crystal_set(), path)
    with pytest.raises(SgbenchError, match="'sgbench-crystals-0'"):
        read_crystals(path)


def test_a_folder_that_cannot_be_written_to(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(SgbenchError, match="cannot write"):
        write_crystals(crystal_set(), tmp_path / "file" / "crystals.parquet")


# Files that are opened again and again.


@pytest.fixture
def reads(monkeypatch):
    """The files that are really read, in order."""
    paths = []
    original = _store.read_crystals

    def counting(path):
        paths.append(path)
        return original(path)

    monkeypatch.setattr(_store, "read_crystals", counting)
    return paths


def written(folder, name="cddd.parquet", **changes):
    write_crystals(replace(crystal_set(), **changes), folder / name)
    return folder / name


def test_a_file_is_read_once_a_process(tmp_path, reads, monkeypatch):
    path = written(tmp_path)
    first = open_crystals(path)
    assert_same(first, read_crystals(path))
    monkeypatch.chdir(tmp_path)
    assert open_crystals(path.relative_to(tmp_path)) is first
    assert find_crystals("cddd", [path]) is first
    assert find_crystals("cddd", [path, path.relative_to(tmp_path), path]) is first
    assert len(reads) == 1


def test_a_file_that_changed_is_read_again(tmp_path, reads):
    path = written(tmp_path)
    first = open_crystals(path)
    written(tmp_path, formula=("NaCl",) * 40)
    second = open_crystals(path)
    assert (first.formula[0], second.formula[0]) == ("CCaO3", "NaCl")
    # Of the same size, and so soon that a clock may not tell.
    written(tmp_path, formula=("KCl",) * 40)
    written(tmp_path, formula=("RbF",) * 40)
    assert find_crystals("cddd", [path]).formula[0] == "RbF"
    assert len(reads) == 3


def test_a_file_that_is_gone(tmp_path):
    path = written(tmp_path)
    open_crystals(path)
    path.unlink()
    for read in (open_crystals, lambda path: find_crystals("cddd", [path])):
        with pytest.raises(SgbenchError, match="is missing"):
            read(path)


def test_the_file_of_a_dataset_is_found_among_others(tmp_path):
    cddd = written(tmp_path)
    gcdd = written(tmp_path, "gcdd.parquet", metadata=crystal_set().metadata | {"name": "gcdd"})
    for order in ([cddd, gcdd], [gcdd, cddd]):
        assert find_crystals("gcdd", order).metadata["name"] == "gcdd"
        assert find_crystals("cddd", order).metadata["name"] == "cddd"
    with pytest.raises(SgbenchError, match="line lists of 'cddd' are needed; none were given"):
        find_crystals("cddd", [gcdd])


def test_two_files_of_one_dataset_are_refused(tmp_path):
    one, other = written(tmp_path), written(tmp_path, "again.parquet", formula=("NaCl",) * 40)
    with pytest.raises(SgbenchError, match=r"cddd\.parquet and .*again\.parquet both hold 'cddd'"):
        find_crystals("cddd", [one, one, other])
