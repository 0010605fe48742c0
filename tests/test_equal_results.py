"""What compares the results of two runs sees every difference but those of the stated fields."""

import importlib.util
import json
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

TOOL = Path(__file__).parents[1] / "tools" / "equal_results.py"
PAGE = "<table><tr><th>model</th><th>seconds</th></tr><tr><td>{}</td><td>{}</td></tr></table>"


@pytest.fixture(scope="module")
def unequal():
    spec = importlib.util.spec_from_file_location("equal_results", TOOL)
    tool = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(tool)
    return tool.unequal


def write(folder: Path, accuracy: float, seconds: float) -> Path:
    """Write results in every format, with one number that matters and one that may differ."""
    folder.mkdir()
    provenance = {"train_seconds": seconds, "top1": accuracy}
    (folder / "score.json").write_text(json.dumps(provenance))
    pd.DataFrame([provenance]).to_csv(folder / "table.csv")
    predictions = pa.table({"top1": [accuracy]})
    described = predictions.replace_schema_metadata({"provenance": json.dumps(provenance)})
    pq.write_table(described, folder / "predictions.parquet")
    (folder / "index.html").write_text(PAGE.format(accuracy, seconds))
    torch.save({"weights": torch.tensor([accuracy]), "of": provenance}, folder / "model.pt")
    (folder / "figure.svg").write_text(f"<svg>{accuracy}</svg>")
    (folder / "logs").mkdir()
    (folder / "logs" / "train.log").write_text(str(seconds))
    return folder


def test_stated_fields_may_differ(unequal, tmp_path):
    first, second = write(tmp_path / "a", 0.5, 1.25), write(tmp_path / "b", 0.5, 99.75)
    assert (first / "score.json").read_bytes() != (second / "score.json").read_bytes()
    assert unequal(first, second) == (6, [])


def test_every_other_difference_is_named(unequal, tmp_path):
    first, second = write(tmp_path / "a", 0.5, 1.25), write(tmp_path / "b", 0.625, 1.25)
    (second / ".left.json.12.part").touch()
    n_files, differing = unequal(first, second)
    assert n_files == len(differing) == 7
