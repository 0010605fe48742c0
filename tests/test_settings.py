from pathlib import Path

import pytest
import yaml

from sgbench.datasets import training_family
from sgbench.errors import SgbenchError
from sgbench.settings import SCALES, explain_scale, resolve_settings

ROOT = Path(__file__).parents[1]
GIVEN = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())


@pytest.mark.parametrize("scale", SCALES)
def test_every_scale_is_complete(scale):
    settings = resolve_settings({**GIVEN, "scale": scale}, ROOT)
    assert settings["scale"] == scale
    trained = {training_family(name) for name in settings["training"]}
    assert set(settings["families"]) == trained


def test_auto_takes_the_laptop_where_no_cuda_is(monkeypatch):
    monkeypatch.setattr("sgbench.settings._has_cuda", lambda: False)
    assert resolve_settings(GIVEN, ROOT)["scale"] == "laptop"
    monkeypatch.setattr("sgbench.settings._has_cuda", lambda: True)
    assert resolve_settings(GIVEN, ROOT)["scale"] == "paper"


def test_what_the_user_says_wins_key_by_key():
    model = "fcn-wang2024.sqrt-fresh"
    over = {"training": {"ulbd-cubic": {model: {"patterns": 123}}}}
    plan = resolve_settings({**GIVEN, "scale": "smoke", **over}, ROOT)["training"]["ulbd-cubic"]
    below = yaml.safe_load((ROOT / "config" / "smoke.yaml").read_text())["training"]["ulbd-cubic"]
    assert plan[model] == {**below[model], "patterns": 123}


@pytest.mark.parametrize(
    ("over", "names"),
    [
        ({"scale": "smal"}, ["scale", "smal", "smoke"]),
        ({"families": []}, ["families"]),
        ({"families": ["cubik"]}, ["families.0", "cubik"]),
        ({"seeds": 3}, ["seeds"]),
        ({"sedes": [1]}, ["sedes"]),
        ({"device": "gpu"}, ["device", "gpu", "cuda"]),
        ({"test_sets": ["cdd"]}, ["test_sets.0", "cdd"]),
        (
            {"training": {"ulbd-cubic": {"fcn-wang2024": {"patterns": "many"}}}},
            ["training.ulbd-cubic"],
        ),
        ({"training": {"ulbd-cubik": {"fcn-wang2024": {"patterns": 1}}}}, ["ulbd-cubik"]),
        (
            {"training": {"ulbd-cubic": {"resnet": {"patterns": 1}}}},
            ["training.ulbd-cubic", "resnet", "fcn-wang2024"],
        ),
    ],
)
def test_a_wrong_setting_is_named(over, names):
    with pytest.raises(SgbenchError) as caught:
        resolve_settings({**GIVEN, "scale": "smoke", **over}, ROOT)
    message = str(caught.value)
    assert any(advice in message for advice in ("Mend", "Choose", "lists them"))
    for name in names:
        assert name in message


def test_a_missing_setting_is_named(tmp_path):
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "smoke.yaml").write_text("seeds: [0]\n")
    (tmp_path / "workflow").symlink_to(ROOT / "workflow")
    with pytest.raises(SgbenchError, match=r"'training' is a required property|is a required"):
        resolve_settings({**GIVEN, "scale": "smoke"}, tmp_path)


def test_a_damaged_file_is_named(tmp_path):
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "smoke.yaml").write_text("seeds: [0\n")
    with pytest.raises(SgbenchError, match=r"smoke.yaml cannot be read"):
        resolve_settings({**GIVEN, "scale": "smoke"}, tmp_path)


def test_the_scale_is_explained():
    assert explain_scale("smoke", "smoke") == "scale smoke, as asked"
    assert "no CUDA" in explain_scale("auto", "laptop")
    assert "CUDA device is present" in explain_scale("auto", "paper")
