import hashlib
import json
from functools import partial

import pytest
from example_training import TWO_CELLS, tiny_network

from sgbench import pretrained

NAME = f"{TWO_CELLS}/tiny"
OFF_MESH = ("--test-set", "ulbd-off-mesh", "--per-spacegroup", 1, "--device", "cpu")


@pytest.fixture
def home(call, monkeypatch, tmp_path):
    """Reference weights that were made by the commands, in the place of those of the package."""
    with tiny_network():
        options = ("--patterns", 16, "--batch-size", 8, "--validations", 1, "--device", "cpu")
        call("train", "tiny", TWO_CELLS, *options, "-o", "model.pt")
        call("predict", "model.pt", "-o", "p", *OFF_MESH)
        call("evaluate", "p/ulbd-off-mesh.parquet", "-o", "s")
        done = call("export-weights", "model.pt", "s", "-o", "home")
        assert done.stdout == f"wrote home/{NAME}.safetensors\n"
        for name in ("load_pretrained", "pretrained_names", "read_pretrained"):
            at_home = partial(getattr(pretrained, name), home=tmp_path / "home")
            monkeypatch.setattr(pretrained, name, at_home)
        yield tmp_path / "home"


def test_from_a_model_to_predictions_with_its_weights(call, home, tmp_path):
    (row,) = json.loads(call("models", "--pretrained", "--format", "json").stdout)
    assert (row["name"], row["family"], row["patterns"]) == (NAME, "cubic", 16)
    score = json.loads((tmp_path / "s" / "ulbd-off-mesh.extinction.json").read_text())
    assert row["classes"] == score["top"][0]
    call("predict", f"pretrained:{NAME}", "-o", "q", *OFF_MESH)
    assert (tmp_path / "q" / "ulbd-off-mesh.parquet").exists()
    done = call("export-onnx", f"pretrained:{NAME}", "-o", "model.onnx")
    assert done.stdout == "wrote model.onnx\n"
    assert (tmp_path / "model.onnx").stat().st_size > 1000


def test_a_name_that_is_none(refused, home):
    assert f"expected {NAME}" in refused("predict", f"pretrained:{TWO_CELLS}", "-o", "q", *OFF_MESH)


def test_an_export_does_not_replace_the_network(refused, home, tmp_path):
    before = (tmp_path / "model.pt").read_bytes()
    assert "would replace" in refused("export-onnx", "model.pt", "-o", "./model.pt")
    assert (tmp_path / "model.pt").read_bytes() == before


def test_no_weights_are_a_list_of_none(call, monkeypatch):
    monkeypatch.setattr(pretrained, "pretrained_names", tuple)
    for form in ("table", "csv", "md"):
        done = call("models", "--pretrained", "--format", form)
        assert (done.stdout, done.stderr) == ("", "there are no reference weights yet\n")
    assert call("models", "--pretrained", "--format", "json").stdout == "[]\n"


def test_a_training_that_begins_from_them(call, refused, home, tmp_path):
    options = ("--patterns", 16, "--batch-size", 8, "--validations", 1, "--device", "cpu")
    call("train", "tiny", TWO_CELLS, *options, "--start", NAME, "-o", "longer.pt")
    call("predict", "longer.pt", "-o", "q", *OFF_MESH)
    call("evaluate", "q/ulbd-off-mesh.parquet", "-o", "t")
    score = json.loads((tmp_path / "t" / "ulbd-off-mesh.extinction.json").read_text())
    begun = (home / f"{NAME}.safetensors").read_bytes()
    assert score["provenance"]["start_sha256"] == hashlib.sha256(begun).hexdigest()
    message = refused("train", "tiny", TWO_CELLS, *options, "--start", "ulbd-x", "-o", "no.pt")
    assert "there are no reference weights 'ulbd-x'" in message
    assert not (tmp_path / "no.pt").exists()
