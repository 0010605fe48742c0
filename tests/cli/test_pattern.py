import csv
import io
import json

import numpy as np
import pytest


@pytest.fixture
def file(tmp_path):
    """Return a pattern of 10 to 29.98 degrees with a wavelength, as HighScore exports it."""
    x = 10 + 0.02 * np.arange(1000)
    head = "[Measurement conditions]\nSample identification,=cmd()\nK-Alpha1 wavelength,1.540598\n"
    rows = "".join(f"{a:.4f},{200 + n % 7}\n" for n, a in enumerate(x))
    path = tmp_path / "a$b.csv"
    path.write_text(f"{head}[Scan points]\nAngle,Intensity\n{rows}")
    return path


def test_read_says_what_a_file_is_in_every_form(file, sgbench):
    table = sgbench("pattern", "read", file).stdout
    for words in ("HighScore CSV", "1.540598", "head: K-Alpha1 wavelength", "1000", "=cmd()"):
        assert words in table
    (row,) = json.loads(sgbench("pattern", "read", file, "--format", "json").stdout)
    assert (row["from"], row["to"], row["step"], row["points"]) == (10, 29.98, 0.02, 1000)
    assert row["metadata"] == {"sample": "=cmd()"}
    text = sgbench("pattern", "read", file, "--format", "csv", "--wavelength", "MoKa1").stdout
    (row,) = csv.DictReader(io.StringIO(text))
    assert row["wavelengths"] == "0.709317"
    assert "given by the caller" in text


def test_convert_and_plot(file, sgbench, tmp_path):
    sgbench("pattern", "convert", file, tmp_path / "x.cif")
    assert "1.540598" in (tmp_path / "x.cif").read_text()
    sgbench("pattern", "plot", file, tmp_path / "x.svg")
    assert "a$b.csv" in (tmp_path / "x.svg").read_text()


def test_what_is_no_pattern_ends_in_a_sentence(sgbench, tmp_path):
    (tmp_path / "x").write_text("Once upon a time")
    failed = sgbench("pattern", "read", tmp_path / "x", status=2)
    assert failed.stderr.startswith("error: ")
    assert "no columns of numbers" in failed.stderr
    assert "Traceback" not in failed.stderr
