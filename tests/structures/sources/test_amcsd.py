import base64
import json
import shutil
import sqlite3
import subprocess
import sys
from collections import Counter

import numpy as np
import pytest

from sgbench.errors import SgbenchError
from sgbench.files import file_sha256
from sgbench.structures.sources import Entry, Excluded, amcsd
from sgbench.structures.sources._entry import NO_COORDINATES, UNREADABLE, UNREADABLE_SPECIES

QUARTZ, CALCITE, HALITE, DELAFOSSITE, NAMELESS = 789, 98, 3397, 18, 10611


def column(values) -> str:
    return base64.b64encode(np.rint(np.array(values) * 4e6).astype("<i4").tobytes()).decode()


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    """The database cut down to a few entries."""
    path = tmp_path_factory.mktemp("amcsd") / "amcsd.db"
    shutil.copy(amcsd.database_path(), path)
    path.chmod(0o644)
    kept = QUARTZ, CALCITE, HALITE, DELAFOSSITE, NAMELESS
    with sqlite3.connect(path) as connection:
        connection.execute(f"DELETE FROM cif WHERE id NOT IN {kept}")
    connection.close()
    return path


@pytest.fixture(scope="module")
def entries(database):
    return {entry.structure_id: entry for entry in amcsd.amcsd(database).read()}


@pytest.fixture
def changed(database, tmp_path):
    """Change columns of quartz, and read it."""

    def change(**columns: str):
        path = tmp_path / "changed.db"
        shutil.copy(database, path)
        with sqlite3.connect(path) as connection:
            for name, value in columns.items():
                connection.execute(f"UPDATE cif SET {name} = ? WHERE id = {QUARTZ}", (value,))
        connection.close()
        (entry,) = (
            entry
            for entry in amcsd.amcsd(path).read()
            if entry.structure_id == f"amcsd-{QUARTZ:07d}"
        )
        return entry

    return change


def test_quartz(entries):
    quartz = entries["amcsd-0000789"]
    assert quartz == Entry(
        structure_id="amcsd-0000789",
        name="Quartz",
        spacegroup=154,
        cell=(4.916, 4.916, 5.4054, 90.0, 90.0, 120.0),
        operators=quartz.operators,
        elements=("Si", "O"),
        positions=((0.4697, 0.0, 0.0), (0.4135, 0.2669, 0.1191)),
        occupancies=(1.0, 1.0),
        citation=quartz.citation,
    )
    assert len(quartz.operators) == 6
    assert quartz.operators[0] == "x,y,z"
    assert quartz.citation.startswith("Levien L, Prewitt C T, Weidner D J (1980). ")
    assert quartz.citation.endswith(". American Mineralogist 65, 920-930")


def test_axes_are_those_of_the_source(entries):
    delafossite = entries["amcsd-0000018"]
    assert delafossite.cell[:4] == (5.96, 5.96, 5.96, 29.43)
    assert (delafossite.spacegroup, len(delafossite.operators)) == (166, 12)


def test_compounds_without_a_mineral_name_have_none(entries):
    assert entries["amcsd-0010611"].name == ""


def test_the_order_is_that_of_the_numbers(entries):
    assert list(entries) == sorted(entries)


def test_a_source_can_be_read_twice(database):
    source = amcsd.amcsd(database)
    assert list(source.read()) == list(source.read())
    assert source.total == len(list(source.read())) == 5


def test_provenance(database):
    source = amcsd.amcsd(database)
    assert source.provenance["database_sha256"] == file_sha256(database)
    assert source.name == "amcsd"
    assert "Downs" in source.citation
    installed = amcsd.amcsd()
    assert installed.provenance["package_version"]
    assert installed.provenance["database_sha256"] != source.provenance["database_sha256"]


@pytest.mark.parametrize(
    ("columns", "reason", "detail"),
    [
        ({"a": "4,913"}, UNREADABLE, ""),
        ({"alpha": ""}, UNREADABLE, ""),
        ({"atoms_sites": '"<missing>"'}, NO_COORDINATES, ""),
        ({"atoms_sites": "[]"}, NO_COORDINATES, ""),
        ({"atoms_sites": "[Si"}, UNREADABLE, ""),
        ({"atoms_x": "0"}, NO_COORDINATES, ""),
        ({"atoms_x": "AAA=="}, UNREADABLE, ""),
        ({"atoms_x": "AAA="}, UNREADABLE, ""),
        ({"atoms_x": column([0.47])}, NO_COORDINATES, ""),
        ({"atoms_x": column([0.47, 2.0])}, NO_COORDINATES, ""),  # '?'
        ({"atoms_sites": '["Si", "Wat"]'}, UNREADABLE_SPECIES, "Wat"),
        ({"atoms_sites": '["Si", "OH"]'}, UNREADABLE_SPECIES, "OH"),
        # Hydronium, which the formula of the database takes for hydrogen as well.
        ({"atoms_sites": '["Si", "H3O"]', "formula": "Si H3 O"}, UNREADABLE_SPECIES, "H3O"),
        ({"atoms_sites": '["Si", "Qq"]'}, UNREADABLE_SPECIES, "Qq"),
        ({"atoms_sites": '["Si", "Fe"]'}, UNREADABLE_SPECIES, "Fe"),  # not in the formula
        ({"atoms_sites": '["SiAl", "O"]'}, amcsd.MIXED_SITE, "SiAl"),
        ({"atoms_occupancy": column([1])}, UNREADABLE, "occupancies"),
        ({"atoms_occupancy": column([1, 2])}, UNREADABLE, "occupancies"),  # '?'
    ],
)
def test_entries_that_are_left_out(changed, columns, reason, detail):
    assert changed(**columns) == Excluded("amcsd-0000789", reason, detail)


def test_occupancies(changed, entries):
    assert changed(atoms_occupancy=column([1, 0.25])).occupancies == (1.0, 0.25)
    assert changed(atoms_occupancy="0") == entries["amcsd-0000789"]  # no such column means 1


@pytest.mark.parametrize(
    "labels", [["Si4+", "O2-"], ["SiT1", "O-H"], ["Si(A)", "Oc*"], ["Si", "O"]]
)
def test_labels_begin_with_their_element(changed, labels):
    assert changed(atoms_sites=json.dumps(labels)).elements == ("Si", "O")


def test_the_formula_decides_between_two_readings(changed):
    assert changed(atoms_sites='["Si", "Os"]').elements == ("Si", "O")
    other = changed(atoms_sites='["Si", "Os"]', formula="Si Os2")
    assert other.elements == ("Si", "Os")
    assert changed(atoms_sites='["Si", "D"]', formula="Si D2").elements == ("Si", "H")


def test_the_whole_database():
    source = amcsd.amcsd()
    everything = list(source.read())
    assert len(everything) == source.total == 9275
    assert len({entry.structure_id for entry in everything}) == 9275
    reasons = Counter(e.reason for e in everything if isinstance(e, Excluded))
    assert set(reasons) == {UNREADABLE, UNREADABLE_SPECIES, amcsd.MIXED_SITE}
    assert reasons.total() < 300
    labels = {e.spacegroup for e in everything if isinstance(e, Entry)}
    assert len(labels) > 180
    assert labels <= set(range(1, 231))


def test_missing_and_foreign_databases(tmp_path, monkeypatch):
    with pytest.raises(SgbenchError, match="is missing"):
        amcsd.amcsd(tmp_path / "none.db")
    foreign = tmp_path / "foreign.db"
    foreign.write_bytes(b"not a database at all" * 100)
    with pytest.raises(SgbenchError, match="cannot be read as the AMCSD"):
        amcsd.amcsd(foreign)
    empty = tmp_path / "empty.db"
    sqlite3.connect(empty).close()
    with pytest.raises(SgbenchError, match="cannot be read as the AMCSD"):
        amcsd.amcsd(empty)
    monkeypatch.setattr(amcsd, "PACKAGE", "no_such_package")
    with pytest.raises(SgbenchError, match="pip install no_such_package"):
        amcsd.amcsd()


def test_the_database_may_be_read_only(database, tmp_path):
    path = tmp_path / "read only"
    path.mkdir()
    shutil.copy(database, path / "a#b?.db")
    (path / "a#b?.db").chmod(0o444)
    path.chmod(0o555)
    try:
        assert len(list(amcsd.amcsd(path / "a#b?.db").read())) == 5
    finally:
        path.chmod(0o755)


def test_larixite_itself_is_not_imported():
    code = (
        "import sys; from sgbench.structures.sources.amcsd import amcsd; amcsd(); "
        "sys.exit('larixite' in sys.modules or 'cctbx' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
