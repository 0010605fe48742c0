"""`sgbench identify`, with a search for cells that always answers with the cell of pyrite."""

import json
import shutil
import sys

import numpy as np
import pytest
from jsonschema import Draft202012Validator

from sgbench.decoder import CandidateLattice
from sgbench.decoder._lattices import LatticeSearch
from sgbench.diffraction import PatternProtocol, allowed_lines

PYRITE = (5.418,) * 3 + (90.0,) * 3


@pytest.fixture
def known_cell(monkeypatch):
    lattice = CandidateLattice("cubic", PYRITE, 0.0, 20, 24, 42.0, 61.0, "P", 100.0)
    place = "sgbench.decoder._decode_pattern.candidate_lattices"
    monkeypatch.setattr(place, lambda _, __, families, *___: LatticeSearch((lattice,), families))


@pytest.fixture
def run(monkeypatch, capsys, known_cell):
    from sgbench.cli import main

    def go(*arguments, status=0):
        monkeypatch.setattr(sys, "argv", ["sgbench", "identify", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            main()
        said = capsys.readouterr()
        assert (ended.value.code or 0) == status, said
        return said

    return go


@pytest.fixture
def scan(tmp_path):
    """Write a pattern of pyrite that states no wavelength."""
    window = PatternProtocol("test", 1.5405929, 5.0, 90.0)
    rng = np.random.default_rng(1)
    x = np.arange(10, 90, 0.02)
    y = np.full(len(x), 90.0)
    for line in allowed_lines(205, [5.418], window):
        y += rng.exponential(3000) * np.exp(-(((x - line.two_theta) / 0.06) ** 2))
    path = tmp_path / "patterns" / "pyrite<b>.xy"
    path.parent.mkdir()
    np.savetxt(path, np.column_stack([x, rng.poisson(y)]), fmt="%.2f %d")
    return path


def test_names_and_reasons_obey_no_terminal(run, scan, tmp_path):
    """Escape sequences, line breaks and marks that turn the order of letters are spelt out."""
    bad = scan.with_name("\x1b[31mred\u202e\nnew.xy")
    bad.write_text("no pattern at all\n")
    said = run(scan, bad, "--wavelength", "CuKa", "--html", tmp_path / "p.html", status=2)
    page = (tmp_path / "p.html").read_text()
    for text in (said.out, said.err, page):
        assert "\x1b" not in text
        assert "\u202e" not in text
    assert r"\x1b[31mred\u202e\nnew.xy" in said.out
    assert "red" in page


def test_one_file_gets_its_answer(run, scan):
    said = run(scan, "--wavelength", "1.5405929")
    assert said.out.startswith("pyrite<b>.xy\n")
    assert "Verdict: one class." in said.out
    assert "P a -3 (205): 26" in said.out
    assert "orthorhombic, monoclinic and triclinic cells were not searched" in said.out


def test_deep_searches_all_families(run, scan):
    said = run(scan, "--wavelength", "1.5405929", "--deep", "--time-limit", "5")
    assert "not searched" not in said.out


def test_a_folder_gets_a_table_and_what_is_no_pattern_a_word(run, scan, tmp_path):
    (scan.parent / "notes.txt").write_text("Once upon a time")
    (scan.parent / ".hidden").write_text("no")
    page = tmp_path / "page.html"
    said = run(scan.parent, "--wavelength", "CuKa1", "--html", page)
    lines = said.out.splitlines()
    assert lines[0].split()[:3] == ["file", "verdict", "class"]
    assert "pyrite<b>.xy" in lines[2]
    assert lines[3].startswith("left out: notes.txt: ")
    assert len(lines) == 4
    assert "pyrite&lt;b&gt;.xy" in page.read_text()


def test_json_keeps_to_its_schema(run, scan):
    from importlib.resources import files

    (scan.parent / "notes.txt").write_text("Once upon a time")
    said = run(scan.parent, "--wavelength", "CuKa1", "--format", "json")
    told = json.loads(said.out)
    schema = (files("sgbench.identification") / "identification.schema.json").read_text()
    Draft202012Validator(json.loads(schema)).validate(told)
    assert [one["name"] for one in told] == ["pyrite<b>.xy", "notes.txt"]


def test_without_a_wavelength_it_asks_for_one(run, scan):
    said = run(scan, status=2)
    assert said.err.startswith("error: the wavelength of this pattern is not known")
    assert not said.out


def test_a_named_file_that_is_no_pattern_ends_in_status_2(run, scan, tmp_path):
    (tmp_path / "x.xy").write_text("Once upon a time")
    said = run(scan, tmp_path / "x.xy", "--wavelength", "CuKa1", status=2)
    assert "pyrite<b>.xy" in said.out
    assert said.err.startswith("error: ")
    assert "Traceback" not in said.err
    said = run(tmp_path / "missing.xy", status=2)
    assert said.err.startswith("error: ")
    assert "is missing" in said.err


@pytest.mark.parametrize(
    "content",
    [b"", b"\0\1\2" * 999, b"5 1\n", b"5 nan\n6 nan\n" * 30, b"10 0\n11 0\n12 0\n" * 20],
    ids=["empty", "binary", "one point", "NaN", "zeros"],
)
def test_a_hostile_file_gets_a_sentence(run, tmp_path, content):
    (tmp_path / "x.xy").write_bytes(content)
    said = run(tmp_path / "x.xy", "--wavelength", "CuKa1", status=2)
    assert said.err.startswith("error: ")


def test_files_of_one_name_are_told_apart(run, scan, tmp_path):
    again = tmp_path / "again" / scan.name
    again.parent.mkdir()
    shutil.copy(scan, again)
    said = run(scan, again, scan, "--wavelength", "CuKa1", "--format", "json")
    assert [one["name"] for one in json.loads(said.out)] == [str(scan), str(again)]


def test_a_file_of_a_folder_does_not_end_the_command_for_a_namesake(run, scan, tmp_path):
    other = tmp_path / "others" / scan.name
    other.parent.mkdir()
    other.write_text("no pattern")
    said = run(scan, other.parent, "--wavelength", "CuKa1")
    assert f"left out: {other}" in said.out


def test_nothing_is_half_written(run, scan, tmp_path):
    said = run(scan, "--html", tmp_path, "--wavelength", "CuKa1", status=2)
    assert "it is a folder" in said.err
    (tmp_path / "empty").mkdir()
    said = run(tmp_path / "empty", "--html", tmp_path / "a.html", status=2)
    assert "holds no files" in said.err
    assert not (tmp_path / "a.html").exists()
    assert not list(tmp_path.glob(".*part"))


def test_a_page_never_takes_the_place_of_a_pattern(run, scan):
    before = scan.read_bytes()
    said = run(scan, "--wavelength", "CuKa1", "--html", scan, status=2)
    assert "it is one of the patterns" in said.err
    assert scan.read_bytes() == before


def test_a_pattern_without_a_cell_is_an_answer_too(run, scan, monkeypatch):
    place = "sgbench.decoder._decode_pattern.candidate_lattices"
    monkeypatch.setattr(place, lambda _, __, families, *___: LatticeSearch((), families))
    said = run(scan, "--wavelength", "CuKa1")
    assert "Verdict: cannot tell." in said.out
    assert "no cell explains" in said.out


def test_families_that_time_left_out_are_not_said_to_be_searched(run, scan, monkeypatch):
    place = "sgbench.decoder._decode_pattern.candidate_lattices"
    monkeypatch.setattr(place, lambda *_: LatticeSearch((), ("cubic",)))
    said = run(scan, "--wavelength", "CuKa1", "--format", "json")
    (answer,) = json.loads(said.out)
    assert answer["searched"] == ["cubic"]
    assert "tetragonal" in answer["not_searched"]
