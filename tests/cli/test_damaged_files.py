"""What each kind of damage is answered with: one sentence that names the file and the fault."""

import csv
import io
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
import yaml
from example_crystals import crystal_file, crystal_set
from example_results import MODEL, history, made_up_scores

from sgbench.evaluation import write_score
from sgbench.leaderboard import build_table, record_verified, write_csv, write_reference

SCORE = "scores/ulbd-in-mesh.extinction.json"
CRYSTALS = "cddd.parquet"
HISTORY = f"models/ulbd-cubic/{MODEL}/seed0/history.csv"
CASES = Path(__file__).parents[3] / "shared/data/cases/fuzz"

COMMANDS = {
    SCORE: ("leaderboard", "scores", "-o", "out.csv"),
    "leaderboard.csv": ("site", "--table", "leaderboard.csv", "-o", "out"),
    "reference.yaml": ("check", "leaderboard.csv", "--reference", "reference.yaml"),
    "verified.json": ("check", "leaderboard.csv", "--verified", "verified.json"),
    CRYSTALS: ("dataset", "describe", CRYSTALS),
    "p.parquet": ("evaluate", "p.parquet", "-o", "out"),
    HISTORY: ("figures", "--scale-folder", ".", "-o", "out"),
    "model.pt": ("predict", "model.pt", "--test-set", "ulbd-in-mesh", "-o", "out"),
}


@pytest.fixture(scope="module")
def predictions(tmp_path_factory):
    """A file of predictions as the command writes it."""
    folder = tmp_path_factory.mktemp("predictions")
    options = ("--family", "cubic", "--test-set", "ulbd-in-mesh", "--per-spacegroup", "1")
    command = (sys.executable, "-m", "sgbench", "predict", "control-oracle", *options, "-o", folder)
    subprocess.run(command, check=True, capture_output=True)
    return folder / "ulbd-in-mesh.parquet"


@pytest.fixture
def files(tmp_path, predictions):
    """Files of each kind, with nothing wrong."""
    scores = made_up_scores("ulbd-cubic", "ulbd-in-mesh", "cubic", 0.9)
    for one in scores:
        write_score(tmp_path / "scores" / f"{one.test_set}.{one.class_scheme}.json", one)
    table = build_table(scores)
    write_csv(tmp_path / "leaderboard.csv", table)
    write_reference(tmp_path / "reference.yaml", table)
    record_verified([], tmp_path / "verified.json")
    crystal_file(tmp_path, crystal_set({2: 2, 225: 3}))
    (tmp_path / HISTORY).parent.mkdir(parents=True)
    history(0.5).to_csv(tmp_path / HISTORY, index=False)
    shutil.copyfile(predictions, tmp_path / "p.parquet")
    torch.save({"weights": {}, "provenance": "{}"}, tmp_path / "model.pt")
    return tmp_path


def values(change):
    """Damage what a JSON or YAML file holds."""

    def damage(path):
        content = yaml.safe_load(path.read_text())
        found = change(content)
        path.write_text(json.dumps(content if found is None else found))

    return damage


def cells(change):
    """Damage the rows of a CSV file."""

    def damage(path):
        rows = list(csv.reader(io.StringIO(path.read_text())))
        change(rows)
        with open(path, "w", newline="") as output:
            csv.writer(output).writerows(rows)

    return damage


def columns(change):
    """Damage the columns of a Parquet file."""

    def damage(path):
        table = pq.read_table(path)
        pq.write_table(change(table).replace_schema_metadata(table.schema.metadata), path)

    return damage


def without(name):
    return columns(lambda table: table.drop_columns([name]))


def content(change):
    """Damage a file as bytes."""
    return lambda path: path.write_bytes(change(path.read_bytes()))


def cell(name, value):
    return cells(lambda rows: rows[1].__setitem__(rows[0].index(name), value))


def flipped(data, place):
    return data[:place] + bytes([data[place] ^ 0xFF]) + data[place + 1 :]


DAMAGE = [
    # Any text
    (SCORE, content(lambda data: b""), "expected value|EOF"),
    (SCORE, content(lambda data: data[: len(data) // 2]), "EOF while parsing"),
    (SCORE, content(lambda data: data.replace(b"0.9", b"NaN", 1)), "expected value"),
    (SCORE, content(lambda data: b"\xff" + data), "expected value|utf-8"),
    (SCORE, content(lambda data: b"[" * 100_000), "recursion limit"),
    # Scores
    (SCORE, values(lambda found: found.__delitem__("top")), "'top' is missing"),
    (SCORE, values(lambda found: found.update(extra=1)), "'extra' is unknown"),
    (SCORE, values(lambda found: found.update(test_set={})), "'test_set' is {}, which should be a"),
    (SCORE, values(lambda found: found.update(ceiling=2**70)), "'ceiling' is .* valid array"),
    (SCORE, values(lambda found: found.update(n_test="300")), "'n_test' is '300'"),
    (SCORE, values(lambda found: [found]), "which should be an object"),
    # Tables
    ("leaderboard.csv", content(lambda data: b""), "it is empty"),
    ("leaderboard.csv", cells(lambda rows: rows[1].pop()), r"row 1 has \d+ cells, the header \d+"),
    ("leaderboard.csv", cells(lambda rows: rows[0].__setitem__(1, rows[0][0])), "there twice"),
    ("leaderboard.csv", cells(lambda rows: rows[0].__setitem__(0, "x")), "lacks the columns model"),
    ("leaderboard.csv", cell("top1", "1.5"), "'top1' of row 1 is .*less than or equal to 1"),
    ("leaderboard.csv", cell("top1", "inf"), "'top1' of row 1 is .*inf"),
    ("leaderboard.csv", cell("n_test", "many"), "'n_test' of row 1 is 'many'"),
    ("leaderboard.csv", cell("n_clusters", str(10**9)), "more independent groups than samples"),
    ("leaderboard.csv", cell("class_scheme", "x"), "'class_scheme' of row 1 is 'x'"),
    ("leaderboard.csv", content(lambda data: data + b'"'), "unexpected end of data"),
    (HISTORY, cell("top1", "x"), "'top1' of row 1 is 'x'"),
    # YAML, and JSON that is read as such
    ("reference.yaml", content(lambda data: b"rows: [1"), "ParserError"),
    ("reference.yaml", content(lambda data: b"rows: &a [*a]"), r"uses an alias \(\*\)"),
    ("reference.yaml", content(lambda data: b"rows: []\nrows: []\n"), "'rows' is there twice"),
    ("reference.yaml", content(lambda data: b"1: 2\n"), "the key '1' is no text"),
    ("reference.yaml", content(lambda data: b"rows: 2026-01-01\n"), "'rows'"),
    ("verified.json", content(lambda data: b"[]"), r"it is \[\], which should be an object"),
    ("verified.json", values(lambda found: found["rows"].append({})), r"'rows\.0\.\w+' is missing"),
    # Parquet
    (CRYSTALS, content(lambda data: b""), "ArrowInvalid"),
    (CRYSTALS, content(lambda data: data[:-100]), "ArrowInvalid|OSError"),
    (CRYSTALS, content(lambda data: flipped(data, 200)), "crc|CRC|checksum|OSError"),
    (CRYSTALS, without("spacegroup"), "'spacegroup' is missing"),
    (CRYSTALS, columns(lambda one: one.select(one.column_names[::-1])), "its columns are not"),
    (
        CRYSTALS,
        columns(lambda table: table.set_column(0, table.column_names[0], pa.array([1.5] * 5))),
        "is double, not",
    ),
    (
        CRYSTALS,
        columns(lambda table: table.set_column(0, table.schema.field(0), pa.nulls(5, pa.string()))),
        "has 5 empty values",
    ),
    ("p.parquet", without("sample_id"), "sample_id"),
    ("p.parquet", content(lambda data: data[:-9]), "ArrowInvalid|OSError"),
    # Models
    ("model.pt", content(lambda data: data[:40]), "is not a readable model"),
    ("model.pt", content(lambda data: b"cos\nsystem\n(S'true'\ntR."), "is not a readable model"),
    ("model.pt", content(lambda data: b"words"), "it is no archive of tensors"),
    ("model.pt", content(lambda data: data), "'plan' is missing|is missing"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "damage", "words"), DAMAGE, ids=[f"{case[0]}-{case[2][:30]}" for case in DAMAGE]
)
def test_damage_is_named(files, refused, name, damage, words):
    damage(files / name)
    said = refused(*COMMANDS[name])
    assert Path(name).name in said
    assert re.search(words, said), said
    assert "; expected " in said
    assert len(said) < 700


# A whole model takes a training; tests/training reads one back.
@pytest.mark.parametrize("name", sorted(COMMANDS.keys() - {"model.pt"}))
def test_nothing_is_refused_that_is_whole(files, call, name):
    call(*COMMANDS[name])


@pytest.mark.skipif(not CASES.is_dir(), reason="the cases of others are not here")
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("json-03627b0c.json", "'test_set' is {}, which should be a valid string"),
        ("json-386bc23e.json", "expected value at line 1 column 1655"),
        ("json-769bbe5f.json", "'ceiling' is 1180591620717411303424, which should be a valid"),
        ("json-e807a9a6.json", "expected value at line 1 column 2533"),
        ("csv-4fa08c1e.csv", "row 5 has 24 cells, the header 62"),
        ("crys-e67ef002.parquet", "expected value at line 1 column 14"),
    ],
)  # fmt: skip
def test_what_others_met(refused, name, words):
    path = CASES / name
    command = {
        ".json": ("leaderboard", path, "-o", "out.csv"),
        ".csv": ("check", path),
        ".parquet": ("dataset", "describe", path),
    }[path.suffix]
    assert words in refused(*command)
