import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from sgbench.cli._plan import plan
from sgbench.errors import SgbenchError
from sgbench.models import REFERENCE

ROOT = Path(__file__).parents[2]
APP = typer.Typer()
APP.command()(plan)


def listed(*arguments):
    return CliRunner().invoke(APP, arguments)


def test_a_row_is_a_training(monkeypatch):
    monkeypatch.chdir(ROOT)
    rows = json.loads(listed("smoke", "--format", "json").stdout)
    assert [row["train_set"] for row in rows].count("ulbd-cubic") == 2
    first = rows[0]
    minutes = first.pop("minutes")
    assert minutes > 0
    assert first == {
        "train_set": "ulbd-cubic", "model": REFERENCE, "patterns": 6000, "batch_size": None,
        "peak_rate": 0.001, "warmup": 800, "decay": None,
        "validations": 2, "validation_per_spacegroup": None, "patience": None, "start": None,
        "seeds": 1,
    }  # fmt: skip


def test_what_is_published_with_a_model_is_shown(monkeypatch):
    monkeypatch.chdir(ROOT)
    rows = json.loads(listed("paper", "--format", "json").stdout)
    (transformer,) = (row for row in rows if row["model"] == "transformer-sin2theta2026")
    assert (transformer["batch_size"], transformer["seeds"]) == (128, 3)


def test_outside_of_a_project_it_says_where_to_go(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SgbenchError, match=r"no folder 'config'.* Change to the folder"):
        raise listed("smoke").exception


def test_nothing_to_train_is_said(monkeypatch, tmp_path):
    for name in ("config", "workflow"):
        (tmp_path / name).mkdir()
    for path in ("config/smoke.yaml", "workflow/schemas", "workflow/rates.yaml"):
        (tmp_path / path).symlink_to(ROOT / path)
    text = (ROOT / "config" / "config.yaml").read_text()
    (tmp_path / "config" / "config.yaml").write_text(f"{text}\nfamilies: [triclinic]\n")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SgbenchError, match=r"trains nothing of triclinic"):
        raise listed("smoke").exception
