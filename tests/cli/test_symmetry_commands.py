import csv
import io
import json
import re

import gemmi
import numpy as np
import pytest

from sgbench.symmetry import extinction_classes, family_spacegroups

TABLE_I = {  # the paper's, percent; it prints 80.5 for 29/36
    "cubic": [47.2, 72.2, 80.6, 88.9, 97.2],
    "tetragonal": [45.6, 70.6, 83.8, 88.2, 91.2],
    "trigonal-hexagonal": [17.3, 34.6, 48.1, 59.6, 69.2],
}


def read_table(text: str) -> list[dict[str, str]]:
    """Columns are where the dashes are."""
    header, dashes, *body = text.splitlines()
    spans = [match.span() for match in re.finditer("-+", dashes)]
    names = [header[a:b].strip() for a, b in spans]
    return [dict(zip(names, (line[a:b].strip() for a, b in spans), strict=True)) for line in body]


def read_markdown(text: str) -> list[dict[str, str]]:
    header, rule, *body = (
        [cell.strip() for cell in line[1:-1].split(" | ")] for line in text.splitlines()
    )
    assert set(rule) == {"---"}
    return [dict(zip(header, row, strict=True)) for row in body]


def read_csv(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


READERS = {"table": read_table, "md": read_markdown, "csv": read_csv}


def test_ceilings_are_table_one(call):
    rows = json.loads(call("ceilings", "--format", "json").stdout)
    found = {row["family"]: [row[f"top{k}"] for k in range(1, 6)] for row in rows}
    assert found == TABLE_I
    assert [row["n_spacegroups"] for row in rows] == [36, 68, 52]
    assert [row["n_classes"] for row in rows] == [17, 31, 9]


@pytest.mark.parametrize("form", READERS)
@pytest.mark.parametrize("families", [(), ("all", "triclinic")])
def test_ceilings_in_all_formats(call, form, families):
    expected = json.loads(call("ceilings", *families, "--format", "json").stdout)
    found = READERS[form](call("ceilings", *families, "--format", form).stdout)
    assert found == [{k: str(v).removesuffix(".0") for k, v in row.items()} for row in expected]


@pytest.mark.parametrize("form", READERS)
@pytest.mark.parametrize("family", ["cubic", "all"])
def test_classes_in_all_formats(call, form, family):
    expected = json.loads(call("classes", family, "--format", "json").stdout)
    found = READERS[form](call("classes", family, "--format", form).stdout)
    assert len(found) == len(expected)
    for mine, theirs in zip(found, expected, strict=True):
        assert mine["symbol"] == theirs["symbol"]
        assert [int(n) for n in mine["spacegroups"].split(",")] == theirs["spacegroups"]
        assert mine["conditions"] == ("; ".join(theirs["conditions"]) or "none")
        assert mine["laue_classes"] == ", ".join(theirs["laue_classes"])


def test_classes_are_those_of_the_package(call):
    rows = json.loads(call("classes", "tetragonal", "--format", "json").stdout)
    classes = extinction_classes(family_spacegroups("tetragonal"))
    assert [row["symbol"] for row in rows] == [cls.symbol for cls in classes]
    assert [tuple(row["spacegroups"]) for row in rows] == [cls.spacegroups for cls in classes]
    assert rows[0]["members"][0] == "P 4"


def test_a_listing_goes_to_a_file(call, tmp_path):
    printed = call("ceilings", "--format", "csv").stdout
    assert call("ceilings", "--format", "csv", "-o", "new/c.csv").stdout == ""
    assert (tmp_path / "new" / "c.csv").read_text() == printed


@pytest.mark.parametrize(
    ("spacegroup", "cell", "full"),
    [
        (225, "4.0495", (4.0495, 4.0495, 4.0495, 90, 90, 90)),
        (136, "4.594,2.958", (4.594, 4.594, 2.958, 90, 90, 90)),
        (194, "2.95,2.95,4.68,90,90,120", (2.95, 2.95, 4.68, 90, 90, 120)),
        (167, "4.99,17.06", (4.99, 4.99, 17.06, 90, 90, 120)),
        # Angles are longer than edges may be.
        (15, "6.284,15.2,5.677,90,114.08,90", (6.284, 15.2, 5.677, 90, 114.08, 90)),
        (14, "5,6,7,100.5", (5, 6, 7, 90, 100.5, 90)),
        (2, "8.17,12.87,7.11,93,116,90", (8.17, 12.87, 7.11, 93, 116, 90)),
    ],
)
def test_lines(call, spacegroup, cell, full):
    rows = json.loads(call("lines", spacegroup, "--cell", cell, "--format", "json").stdout)
    unit_cell = gemmi.UnitCell(*full)
    axis = np.arange(-25, 26)
    hkl = np.stack(np.meshgrid(axis, axis, axis), axis=-1).reshape(-1, 3).astype(np.int32)
    spacing = 1 / np.sqrt(unit_cell.calculate_1_d2_array(hkl[hkl.any(axis=1)]))
    hkl = hkl[hkl.any(axis=1)]
    operations = gemmi.find_spacegroup_by_number(spacegroup).operations()
    sine = 1.5406 / 2 / spacing
    shown = (sine > np.sin(np.radians(2.5))) & (sine < np.sin(np.radians(45)))
    shown &= ~operations.systematic_absences(hkl)
    expected = np.sort(np.degrees(2 * np.arcsin(sine[shown])))
    expected = expected[np.diff(expected, prepend=0) > 1e-9]
    np.testing.assert_allclose([row["two_theta"] for row in rows], expected, atol=6e-5)
    for row in rows:
        reflection = [int(index) for index in row["hkl"].split()]
        assert row["d"] == pytest.approx(unit_cell.calculate_d(reflection), abs=6e-6)
        assert not operations.is_systematically_absent(reflection)


def test_lines_of_rhombohedral_axes(call):
    rows = json.loads(call("lines", 166, "--cell", "6,6,6,50,50,50", "--format", "json").stdout)
    cell = gemmi.UnitCell(6, 6, 6, 50, 50, 50)
    axis = np.arange(-9, 10)
    hkl = np.stack(np.meshgrid(axis, axis, axis), axis=-1).reshape(-1, 3).astype(np.int32)
    spacing = 1 / np.sqrt(cell.calculate_1_d2_array(hkl[hkl.any(axis=1)]))
    shown = np.unique(np.round(spacing[spacing > 1.5], 4))[::-1]
    assert len(shown) > 10
    found = np.array([row["d"] for row in rows if row["d"] > 1.5])
    np.testing.assert_allclose(found, shown, atol=6e-5)


def test_published_lines_stop_at_ten(call):
    arguments = ("lines", 221, "--cell", "14.9", "--format", "json")
    complete = json.loads(call(*arguments).stdout)
    published = json.loads(call(*arguments, "--protocol", "published").stdout)
    assert len(published) < len(complete)
    assert max(max(map(int, row["hkl"].split())) for row in published) == 10


@pytest.mark.parametrize("command", ["classes", "ceilings"])
def test_an_unknown_family(refused, command):
    assert "unknown family 'hexagonal'" in refused(command, "hexagonal")


def test_a_place_that_cannot_be_written_to(refused, tmp_path):
    (tmp_path / "file").touch()
    assert "cannot write" in refused("ceilings", "-o", "file/c.csv")


@pytest.mark.parametrize(
    ("spacegroup", "cell", "words"),
    [
        (225, "4,5,6,90,90,90", "breaks the constraints of the cubic family"),
        (225, "4,4,4,90,90,120", "breaks the constraints"),
        (136, "4,4.5,3,90,90,90", "breaks the constraints of the tetragonal family"),
        (194, "4,4,3,90,90,90", "breaks the constraints of the trigonal-hexagonal family"),
        (194, "4", "6 parameters or the free ones"),
        (225, "4.0;5", "is not a cell"),
        (225, "", "is not a cell"),
        (225, "nan", "not a positive number"),
        (225, "inf", "not a positive number"),
        (225, "-4", "not a positive number"),
        (225, "0", "not a positive number"),
        (225, "1e9", "too long"),
        (225, "0.5", "no line of this cell"),
        (62, "4,5,6,90,91,90", "breaks the constraints of the orthorhombic family"),
        (231, "4", "does not exist"),
        (0, "4", "does not exist"),
        (14, "5,6,100.5,90", "a cell edge of 100.5 Å is too long"),
        (1, "5,5,5,10,170,90", "no cell has the angles 10 170 90"),
        (2, "5,5,5,60,60,120", "no cell has the angles 60 60 120"),
        (2, "5,5,5,120,120,120", "no cell has the angles 120 120 120"),
        (14, "5,6,7,200", "no cell has the angles 90 200 90"),
        (166, "6.0,50", "Give 6,6,50,90,90,120 or 6,6,6,50,50,50."),
        (166, "6,6,6,150,150,150", "no cell has the angles 150 150 150"),
        (194, "6,6,6,50,50,50", "breaks the constraints of the trigonal-hexagonal family"),
    ],
)
def test_lines_that_cannot_be_listed(refused, spacegroup, cell, words):
    assert words in refused("lines", spacegroup, f"--cell={cell}")


def test_an_unknown_protocol(refused):
    assert "unknown protocol 'x'" in refused("lines", 225, "--cell", "4", "--protocol", "x")


def test_the_real_command(sgbench, tmp_path):
    """In a process of its own: status, streams, no traceback."""
    done = sgbench("ceilings", "cubic", "--format", "json")
    assert json.loads(done.stdout)[0]["n_classes"] == 17
    assert done.stderr == ""
    bad = sgbench("ceilings", "cubik", status=2)
    assert re.fullmatch(r"error: unknown family 'cubik'.*\n", bad.stderr)
    assert bad.stdout == ""
    assert list(tmp_path.iterdir()) == []
