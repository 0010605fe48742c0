import bz2
import gzip
import json
import random
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from damage import cif_of, damaged_cifs, random_crystal

from sgbench.errors import SgbenchError
from sgbench.structures.sources import Entry, Excluded
from sgbench.structures.sources import _entry as reasons
from sgbench.structures.sources import table as module
from sgbench.structures.sources._cif import entry_from_cif
from sgbench.structures.sources.table import table

MATERIALS_PROJECT = Path(__file__).parents[4] / "shared" / "data" / "mp"

_RNG = random.Random(0)
CIFS = [cif_of(random_crystal(_RNG)) for _ in range(7)]
SALT = {
    "lattice": {"matrix": [[4.0, 0.0, 0.0], [0.0, 4.0, 0.0], [0.0, 0.0, 4.0]]},
    "sites": [
        {"species": [{"element": "Na", "occu": 1.0}], "abc": [0.0, 0.0, 0.0]},
        {"species": [{"element": "Cl", "occu": 1.0}], "abc": [0.5, 0.5, 0.5]},
    ],
}


@pytest.fixture(params=["t.csv", "t.csv.gz", "t.parquet"])
def written(request, tmp_path):
    """Write a table the way the parameter says, and return where."""

    def write(columns: dict) -> Path:
        frame, path = pd.DataFrame(columns), tmp_path / request.param
        if path.suffix == ".parquet":
            frame.to_parquet(path, row_group_size=3)
        else:
            frame.to_csv(path, index=False)
        return path

    return write


def test_all_columns(written, monkeypatch):
    monkeypatch.setattr(module, "_ROWS", 2)
    columns = {
        "Unnamed: 0": range(7),
        "Material_ID": [f"mp-{n}" for n in range(7)],
        "spacegroup.number": range(1, 8),
        "pretty_formula": ["NaCl", "NA", "NaN", "null", "", "1e5", "Ca O"],
        "band_gap": [0.5] * 7,
        "cif": CIFS,
        "citation": ["someone"] * 7,
    }
    source = table(written(columns))
    entries = list(source.read())
    for number, (entry, cif) in enumerate(zip(entries, CIFS, strict=True)):
        name = columns["pretty_formula"][number]
        assert entry == entry_from_cif(
            cif,
            f"mp-{number}",
            spacegroup=number + 1,
            citation="someone",
            **({"name": name} if name else {}),
        )
    assert source.total in (None, 7)
    assert source.provenance["column of structure"] == "cif"
    assert source.provenance["column of spacegroup"] == "spacegroup.number"
    assert list(source.read()) == entries


def test_structures_alone(written):
    entries = list(table(written({"cif_string": CIFS})).read())
    assert [entry.structure_id for entry in entries] == [f"row-{n:07d}" for n in range(1, 8)]
    # Names, labels and citations are then those in the CIFs.
    assert entries == [entry_from_cif(cif, f"row-{n:07d}") for n, cif in enumerate(CIFS, start=1)]
    assert {entry.name for entry in entries} == {"Testite"}


def test_structures_as_json(written):
    columns = {"id": ["a", "b", "c"], "structure": [json.dumps(SALT), CIFS[0], "{" * 5000]}
    salt, cif, broken = table(written(columns)).read()
    assert (salt.elements, salt.spacegroup) == (("Na", "Cl"), None)
    assert cif == entry_from_cif(CIFS[0], "b")
    assert (broken.structure_id, broken.reason) == ("c", reasons.UNREADABLE)


def test_nested_structures(tmp_path):
    rows = {"structure_id": ["a", "b"], "structure": [SALT, None]}
    pq.write_table(pa.table(rows), tmp_path / "t.parquet")
    salt, missing = table(tmp_path / "t.parquet").read()
    assert salt.positions == ((0.0, 0.0, 0.0), (0.5, 0.5, 0.5))
    assert missing.reason == reasons.UNREADABLE


@pytest.mark.parametrize(
    ("label", "number"),
    [("225", 225), ("225.0", 225), ("Fm-3m", 225), ("P 1 21/c 1", 14), ("", None)],
)
def test_labels(tmp_path, label, number):
    pd.DataFrame({"spacegroup": [label], "structure": [json.dumps(SALT)]}).to_csv(
        tmp_path / "t.csv", index=False
    )
    (entry,) = table(tmp_path / "t.csv").read()
    assert entry.spacegroup == number


def test_labels_that_are_missing_or_none(tmp_path):
    columns = {"spacegroup": [225.0, float("nan"), 999.0], "structure": [json.dumps(SALT)] * 3}
    pq.write_table(pa.table(columns), tmp_path / "t.parquet")
    right, missing, wrong = table(tmp_path / "t.parquet").read()
    assert (right.spacegroup, missing.spacegroup) == (225, None)
    assert (wrong.reason, wrong.detail) == (reasons.UNREADABLE, "label '999.0'")


def test_ids_that_are_there_twice(written):
    ids = ["x", "x", "", "x#2", "x"]
    entries = list(table(written({"id": ids, "cif": CIFS[:5]})).read())
    assert [e.structure_id for e in entries] == ["x", "x#2", "row-0000003", "x#2#2", "x#3"]


def test_damaged_structures(tmp_path):
    texts = [content.decode("latin-1") for _, content, kind in damaged_cifs(80, seed=1)]
    texts = [text.replace("\0", " ") for text in texts if len(text) < 10**6]
    columns = {"id": range(len(texts) + 1), "cif": [*texts, CIFS[0]]}
    pd.DataFrame(columns).to_csv(tmp_path / "t.csv", index=False)
    entries = list(table(tmp_path / "t.csv").read())
    assert len(entries) == len(texts) + 1
    assert isinstance(entries[-1], Entry)
    assert sum(isinstance(entry, Excluded) for entry in entries) > 40


def test_provenance_follows_the_content(tmp_path):
    def source(cifs):
        pd.DataFrame({"cif": cifs}).to_csv(tmp_path / "t.csv", index=False)
        return table(tmp_path / "t.csv")

    assert source(CIFS).provenance == source(CIFS).provenance
    assert source(CIFS).provenance != source(CIFS[:-1]).provenance
    assert str(tmp_path) not in str(source(CIFS).provenance)


@pytest.mark.parametrize(
    ("name", "separator", "encoding", "pack"),
    [
        ("t.csv", ",", "utf-8", gzip.compress),
        ("t.csv.gz", ",", "utf-8", bytes),
        ("t.csv", ";", "utf-8", bytes),
        ("t.csv", "\t", "utf-8", bytes),
        ("t.csv", "|", "utf-8", bytes),
        ("t.csv", ",", "utf-8-sig", bytes),
        ("t.csv", ",", "utf-16", bytes),
        ("t.csv", ",", "utf-16-le", bytes),
        ("t.csv", ",", "utf-16-be", bytes),
        ("t.csv", ",", "utf-32", bytes),
        ("t.csv", ";", "utf-16", gzip.compress),
    ],
)
def test_what_a_table_is_counts_and_not_its_name(tmp_path, name, separator, encoding, pack):
    frame = pd.DataFrame({"id": list("abcdefg"), "cif": CIFS})
    text = frame.to_csv(sep=separator, index=False)
    (tmp_path / name).write_bytes(pack(text.encode(encoding)))
    assert list(table(tmp_path / name).read()) == [
        entry_from_cif(cif, one) for one, cif in zip("abcdefg", CIFS, strict=True)
    ]


def test_parquet_by_the_name_of_csv(tmp_path):
    pd.DataFrame({"id": ["a"], "cif": CIFS[:1]}).to_parquet(tmp_path / "t.csv")
    assert list(table(tmp_path / "t.csv").read()) == [entry_from_cif(CIFS[0], "a")]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (gzip.compress(gzip.compress(b"cif\n")), "is compressed twice"),
        (gzip.compress(b"PAR1"), "is compressed by gzip; expected CSV.*Parquet as it is. Unpack"),
        (bz2.compress(b"cif\n"), "is compressed by bzip2"),
        (b"PK\x03\x04...", "is compressed by zip"),
        (b"i\0d,cif\n", "is no text"),
        (b"id;text\n", "one separator between columns"),
    ],
)
def test_what_is_no_table_is_named(tmp_path, content, words):
    (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(SgbenchError, match=words) as error:
        table(tmp_path / "t.csv")
    assert str(error.value).isprintable()


def test_wrong_files(tmp_path):
    with pytest.raises(SgbenchError, match="is missing"):
        table(tmp_path / "missing.csv")
    (tmp_path / "t.xlsx").write_bytes(b"")
    with pytest.raises(SgbenchError, match=r"expected a file ending in \.csv"):
        table(tmp_path / "t.xlsx")
    for name, content in (
        ("empty.csv", b""),
        ("cut.csv.gz", gzip.compress(b"cif\n" * 1000)[:20]),
        ("t.parquet", b"no parquet"),
    ):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(SgbenchError, match="cannot be read"):
            list(table(tmp_path / name).read())


def test_a_table_that_ends_within_a_row(tmp_path):
    path = tmp_path / "t.csv"
    pd.DataFrame({"cif": CIFS}).to_csv(path, index=False)
    path.write_text(path.read_text()[:-20])
    with pytest.raises(SgbenchError, match="cannot be read"):
        list(table(path).read())


def test_no_column_of_structures(written):
    path = written({"material_id": ["a"], "poscar": ["NaCl"]})
    with pytest.raises(SgbenchError, match=r"it has material_id, poscar; expected one of cif,"):
        table(path)


@pytest.mark.parametrize(
    ("name", "n", "label"), [("mp_20_biternary__val", 7140, 225), ("mpts_52__val", 5000, None)]
)
def test_materials_project_tables(name, n, label):
    path = MATERIALS_PROJECT / f"{name}.csv.gz"
    if not path.exists():
        pytest.skip("the tables of the Materials Project are not there")
    entries = list(table(path).read())
    assert len(entries) == n
    assert all(isinstance(entry, Entry) for entry in entries)
    assert all(entry.structure_id.startswith(("mp-", "mvc-")) for entry in entries)
    assert all(entry.operators == ("x,y,z",) for entry in entries)
    assert len({entry.structure_id for entry in entries}) == n
    assert entries[0].spacegroup == label
    if label is None:
        assert {entry.spacegroup for entry in entries} == {None}
    else:
        assert len({entry.spacegroup for entry in entries}) > 100
