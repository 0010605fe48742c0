import base64
import json
import shutil
import sqlite3
import subprocess
import sys

import gemmi
import numpy as np
import pytest

from sgbench.datasets._cddd import build_cddd
from sgbench.datasets._store import read_crystals
from sgbench.datasets.sources import Excluded, Structure, amcsd
from sgbench.datasets.sources._structure import fill_cell, hill_formula
from sgbench.errors import SgbenchError
from sgbench.files import file_sha256

QUARTZ, CALCITE, HALITE, NICKELINE = 789, 98, 3397, 11580


def column(values) -> str:
    return base64.b64encode(np.rint(np.array(values) * 4e6).astype("<i4").tobytes()).decode()


@pytest.fixture(scope="module")
def database(tmp_path_factory):
    """The database cut down to a few entries, and a function that changes one of them."""
    path = tmp_path_factory.mktemp("amcsd") / "amcsd.db"
    shutil.copy(amcsd.database_path(), path)
    path.chmod(0o644)
    with sqlite3.connect(path) as connection:
        connection.execute(f"DELETE FROM cif WHERE id NOT IN ({QUARTZ}, {CALCITE}, {HALITE})")
    connection.close()
    return path


@pytest.fixture
def changed(database, tmp_path):
    def change(number: int, **columns: str):
        path = tmp_path / "changed.db"
        shutil.copy(database, path)
        with sqlite3.connect(path) as connection:
            for name, value in columns.items():
                connection.execute(f"UPDATE cif SET {name} = ? WHERE id = ?", (value, number))
        connection.close()
        (entry,) = amcsd.read_amcsd(path=path, numbers=[number])
        return entry

    return change


def test_quartz():
    (quartz,) = amcsd.read_amcsd(numbers=[QUARTZ])
    assert isinstance(quartz, Structure)
    assert quartz.structure_id == "amcsd-0000789"
    assert (quartz.name, quartz.symbol, quartz.spacegroup) == ("Quartz", "P 32 2 1", 154)
    assert (quartz.elements, quartz.formula, quartz.n_atoms) == (("Si", "O"), "O2Si", 9)
    assert len(quartz.operators) == 6
    np.testing.assert_allclose(quartz.cell, quartz.standard_cell, rtol=1e-9)
    np.testing.assert_allclose(quartz.occupancies, 1)
    assert "(1980)" in quartz.citation
    assert "American Mineralogist 65" in quartz.citation


def test_rhombohedral_axes_become_hexagonal():
    (delafossite,) = amcsd.read_amcsd(numbers=[18])
    assert delafossite.cell[3] == pytest.approx(29.43)
    assert delafossite.n_atoms == 12
    a = 2 * 5.96 * np.sin(np.radians(29.43 / 2))
    np.testing.assert_allclose(delafossite.standard_cell[[0, 1]], a, rtol=1e-6)
    np.testing.assert_allclose(delafossite.standard_cell[3:], [90, 90, 120], rtol=1e-9)


@pytest.mark.parametrize(
    ("columns", "reason"),
    [
        ({"a": "4,913"}, amcsd.UNREADABLE),
        ({"c": "0"}, amcsd.UNREADABLE),
        ({"atoms_sites": '"<missing>"'}, amcsd.NO_COORDINATES),
        ({"atoms_x": "0"}, amcsd.NO_COORDINATES),
        ({"atoms_x": column([0.47, 2.0])}, amcsd.NO_COORDINATES),
        ({"atoms_sites": '["Si", "Wat"]'}, amcsd.UNREADABLE_SPECIES),
        ({"atoms_sites": '["Si", "Qq"]'}, amcsd.UNREADABLE_SPECIES),
        ({"atoms_sites": '["Si", "Fe"]'}, amcsd.UNREADABLE_SPECIES),  # not in the formula
        ({"atoms_sites": '["SiAl", "O"]'}, amcsd.PARTIAL_OCCUPANCY),
        ({"atoms_occupancy": column([1, 0.5])}, amcsd.PARTIAL_OCCUPANCY),
        ({"atoms_occupancy": column([1])}, amcsd.PARTIAL_OCCUPANCY),
        ({"atoms_occupancy": column([1, 2])}, amcsd.PARTIAL_OCCUPANCY),  # '?'
        ({"b": "5.5"}, amcsd.DISAGREEMENT),
    ],
)
def test_entries_that_are_left_out(changed, columns, reason):
    entry = changed(QUARTZ, **columns)
    assert entry == Excluded("amcsd-0000789", reason)


def test_atoms_on_top_of_each_other_are_left_out(changed):
    entry = changed(
        HALITE,
        atoms_x=column([0, 0.05]), atoms_y=column([0, 0.05]), atoms_z=column([0, 0.02]),
    )  # fmt: skip
    assert entry == Excluded("amcsd-0003397", amcsd.OVERLAPPING)


@pytest.mark.parametrize(
    "labels", [["Si4+", "O2-"], ["SiT1", "O-H"], ["Si(A)", "Oc*"], ["Si", "O"]]
)
def test_labels_begin_with_their_element(changed, labels):
    assert changed(QUARTZ, atoms_sites=json.dumps(labels)).elements == ("Si", "O")


def test_the_formula_decides_between_two_readings(changed):
    assert changed(QUARTZ, atoms_sites='["Si", "Os"]').elements == ("Si", "O")
    other = changed(QUARTZ, atoms_sites='["Si", "Os"]', formula="Si Os2")
    assert other.elements == ("Si", "Os")
    assert changed(QUARTZ, atoms_sites='["Si", "D"]', formula="Si D2").elements == ("Si", "H")


def test_compounds_without_a_mineral_name_go_by_their_formula():
    (entry,) = amcsd.read_amcsd(numbers=[10611])
    assert entry.name == entry.formula == "AsI3"


def test_mislabelled_entries_are_left_out():
    """The database lists nickeline types under P 63 m c; with these atoms they are P 63/m m c."""
    assert list(amcsd.read_amcsd(numbers=[NICKELINE])) == [
        Excluded("amcsd-0011580", amcsd.DISAGREEMENT)
    ]


def test_other_families_are_left_out():
    entries = list(amcsd.read_amcsd(["cubic"], numbers=[QUARTZ, HALITE]))
    assert entries[0] == Excluded("amcsd-0000789", amcsd.OTHER_FAMILY)
    assert isinstance(entries[1], Structure)


def test_rounded_coordinates_are_put_onto_special_positions():
    operators = tuple(
        op.triplet() for op in gemmi.find_spacegroup_by_name("P 63/m m c").operations()
    )
    cell = np.array([3.2, 3.2, 5.2, 90, 90, 120.0])
    rough = fill_cell(cell, operators, np.array([[0.333, 0.667, 0.25]]))
    assert len(rough.positions) == 2
    np.testing.assert_allclose(rough.site_positions, [[1 / 3, 2 / 3, 0.25]], atol=1e-12)
    assert rough.shortest_distance == pytest.approx(np.hypot(3.2 / np.sqrt(3), 2.6))
    general = fill_cell(cell, operators, np.array([[0.1, 0.33, 0.4]]))
    assert len(general.positions) == 24
    np.testing.assert_array_equal(general.site_positions, [[0.1, 0.33, 0.4]])


def test_hill_formulas():
    assert hill_formula(["O", "O", "O", "Ca", "C"] * 6) == "CCaO3"
    assert hill_formula(["Na", "Cl"]) == "ClNa"
    assert hill_formula(["H", "C"] * 2 + ["Ag"] * 2) == "CHAg"


def test_missing_and_foreign_databases(tmp_path, monkeypatch):
    with pytest.raises(SgbenchError, match="no database at"):
        list(amcsd.read_amcsd(path=tmp_path / "none.db"))
    foreign = tmp_path / "foreign.db"
    foreign.write_bytes(b"not a database at all" * 100)
    with pytest.raises(SgbenchError, match="cannot be read as the AMCSD"):
        list(amcsd.read_amcsd(path=foreign))
    monkeypatch.setattr(amcsd, "PACKAGE", "no_such_package")
    with pytest.raises(SgbenchError, match="pip install no_such_package"):
        amcsd.database_path()


def test_larixite_itself_is_not_imported():
    code = "import sys; from sgbench.datasets.sources import amcsd; amcsd.database_path(); "
    code += "sys.exit('larixite' in sys.modules or 'cctbx' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0


def test_two_builds_are_the_same_file(database, tmp_path):
    first = build_cddd(tmp_path / "1.parquet", source=database)
    build_cddd(tmp_path / "2.parquet", workers=2, source=database)
    assert file_sha256(tmp_path / "1.parquet") == file_sha256(tmp_path / "2.parquet")
    assert first.name == ("Calcite", "Quartz", "Halite")
    assert first.family == ("trigonal-hexagonal", "trigonal-hexagonal", "cubic")
    assert first.metadata == read_crystals(tmp_path / "1.parquet").metadata
    assert first.metadata["protocol"]["name"] == "canonical"
    strongest = []
    for i in range(3):
        lines = first.lines.take([i])
        strongest.append(lines.two_theta[lines.intensity.argmax()])
    np.testing.assert_allclose(strongest, [29.4, 26.6, 31.7], atol=0.1)


def test_what_is_left_out_is_counted(database, tmp_path):
    crystals = build_cddd(tmp_path / "cubic.parquet", ["cubic"], source=database)
    assert crystals.name == ("Halite",)
    assert crystals.metadata["excluded"] == {amcsd.OTHER_FAMILY: 2}
    limited = build_cddd(tmp_path / "limited.parquet", source=database, limit=1)
    assert limited.name == ("Calcite", "Halite")
    assert limited.metadata["limit"] == 1


def test_requests_that_cannot_be_met(database, tmp_path):
    path = tmp_path / "cddd.parquet"
    with pytest.raises(SgbenchError, match="unknown family"):
        build_cddd(path, ["hexagonal"], source=database)
    with pytest.raises(SgbenchError, match="at least one"):
        build_cddd(path, source=database, limit=0)
    with pytest.raises(SgbenchError, match="no structure"):
        build_cddd(path, ["tetragonal"], source=database)
    assert not path.exists()
