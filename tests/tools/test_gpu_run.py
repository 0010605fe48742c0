"""The script for a GPU, on a CPU at scale smoke."""

import json
import re
import signal
from pathlib import Path

import pytest
import torch
import yaml
from example_training import TWO_CELLS
from maintainers_tools import ROOT, tool
from torch import nn

import sgbench.tracking
from sgbench.designed.on_device import UlbdOnDevice
from sgbench.errors import SgbenchError
from sgbench.models import _registry, base_name, register_model
from sgbench.training import load_model, train

gpu = tool("gpu_run")
CPU = torch.device("cpu")
SMOKE = {
    "families": ["cubic"],
    "seeds": [0, 1],
    "training": {
        TWO_CELLS: {
            "alarmed": {"patterns": 320, "batch_size": 8, "validations": 2, "patience": 2},
            "nearest-neighbours": 60,
        },
    },
}


class Alarmed(nn.Module):
    """A network of one layer, in whose training the time is over when `steps` have been made."""

    steps = -1

    def __init__(self, n_outputs):
        super().__init__()
        self.layers = nn.Sequential(nn.MaxPool1d(16), nn.Flatten(), nn.Linear(512, n_outputs))

    def forward(self, patterns):
        if self.training:
            Alarmed.steps -= 1
            if Alarmed.steps == 0:
                signal.raise_signal(signal.SIGALRM)
        return self.layers(patterns)


@pytest.fixture
def run(tmp_path, monkeypatch, capsys):
    """Call the script in a project of two networks; return its status and what it said."""
    (tmp_path / "config").mkdir()
    (tmp_path / "workflow").symlink_to(ROOT / "workflow")
    (tmp_path / "config/config.yaml").symlink_to(ROOT / "config/config.yaml")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(gpu, "hold_folder", lambda folder: (0, 0))  # until this process ends
    tracked = sgbench.tracking.tracked_run
    monkeypatch.setattr(sgbench.tracking, "tracked_run", lambda store, *rest: tracked(None, *rest))
    register_model("alarmed", paper="none", input_scaling="sqrt")(Alarmed)

    def call(more=None, minutes=10):
        base = yaml.safe_load((ROOT / "config/smoke.yaml").read_text())
        training = {**SMOKE["training"], **(more or {})}
        text = yaml.safe_dump({**base, **SMOKE, "training": training})
        (tmp_path / "config/smoke.yaml").write_text(text)
        status = gpu.main(["--scale", "smoke", "--minutes", str(minutes)])
        return status, capsys.readouterr()

    yield call
    del _registry._REGISTRY["alarmed"]


def project():
    return gpu.Project(Path(), "smoke")


def test_in_pieces_it_ends_with_the_weights_of_undisturbed_trainings(run, tmp_path):
    Alarmed.steps = 20 + gpu.TIMED_STEPS
    status, said = run()
    assert status == 1
    assert f"patterns of {TWO_CELLS}: equal" in said.out
    assert "answers of alarmed: equal, 0.0e+00 apart" in said.out
    assert "0 of 2 networks are trained, 2 are left, 1 of them begun" in said.out
    first, second = project().networks
    checkpoint = project().checkpoint(first)
    assert json.loads(torch.load(checkpoint, weights_only=True)["rest"])["step"] == 20
    found = json.loads((tmp_path / "results/smoke/gpu_run.json").read_text())
    (timing,) = found["timings"]
    assert timing["patterns_per_second"] > 0

    Alarmed.steps = 20 + 20  # the rest of one, and half of the other
    status, said = run()
    assert "was checked and timed before" in said.out
    assert (status, Alarmed.steps) == (1, 0)
    assert f"{TWO_CELLS}/alarmed: 1 done, 1 left\n" in said.out
    assert not checkpoint.exists()

    status, said = run()
    assert status == 0
    assert "2 of 2 networks are trained, 0 are left" in said.out
    for one in (first, second):
        path = project().model(one)
        undisturbed = train(one.training_plan, tmp_path / "a.pt", tmp_path / "a.state", CPU)
        for name, value in load_model(path, CPU).network.state_dict().items():
            assert value.equal(undisturbed.network.state_dict()[name])
    before = path.stat().st_mtime_ns
    assert run()[0] == 0
    assert path.stat().st_mtime_ns == before


def test_a_damaged_record_of_checks_is_named(run, tmp_path):
    (tmp_path / "results/smoke").mkdir(parents=True)
    (tmp_path / "results/smoke/gpu_run.json").write_text("[]")
    status, said = run()
    assert status == 2
    assert (
        "gpu_run.json is not a record of checks (it is [], which should be an object)" in said.err
    )


def test_what_waits_for_structures_and_what_has_another_plan(run):
    Alarmed.steps = -1
    assert run()[0] == 0
    status, said = run({"cddd-cubic": {"alarmed": 80}})
    assert status == 2
    wanted = "--config scale=smoke -- results/smoke/datasets/cddd.parquet"
    assert f"2 wait for structures: snakemake --cores all {wanted}" in said.out
    assert f"{TWO_CELLS}/alarmed: 2 done" in said.out
    status, said = run({TWO_CELLS: {"alarmed": {"patterns": 80, "validations": 1}}}, minutes=1e-9)
    assert status == 1
    assert not any(map(project().is_done, project().networks))


def test_a_training_that_fails_stops_no_other(run, monkeypatch):
    def fails(*_, **__):
        raise SgbenchError("training diverged; expected none. Lower peak_rate.")

    monkeypatch.setattr(gpu, "app", fails)
    status, said = run()
    assert status == 2
    assert said.err.count("error: ulbd-cubic@") == 2
    assert "0 of 2 networks are trained" in said.out


def test_nothing_is_trained_on_a_device_that_gives_other_patterns(run, monkeypatch, tmp_path):
    patterns = UlbdOnDevice.patterns
    monkeypatch.setattr(UlbdOnDevice, "patterns", lambda *given: patterns(*given) + 1e-4)
    status, said = run()
    assert status == 2
    assert "DIFFERENT, 1.0e-04 apart" in said.out
    assert not (tmp_path / "results").exists()


def test_its_commands_are_those_of_the_workflow(run):
    """So that the workflow finds what it would have made."""
    run({"cddd-cubic": {"alarmed": 80}}, minutes=1e-9)
    rule = (ROOT / "workflow/rules/training.smk").read_text().partition("rule train:")[2]
    shell = "".join(re.findall(r'"(.*)"', rule.partition("shell:")[2])).partition(" > {log")[0]
    output = re.search(r'model="(.*)"', rule)[1]
    for one in project().networks:
        fields = {
            "wildcards.model": one.model, "wildcards.train_set": one.train_set.name,
            "wildcards.seed": str(one.seed), "wildcards.scale": "smoke",
            "params.plan": " ".join(one.options),
            "params.base": base_name(one.model),
            "params.crystals": " ".join(f"--crystals {path}" for path in project().crystals(one)),
        }  # fmt: skip
        filled = shell.replace("output.model", "").replace("{:q}", output)
        for name, value in fields.items():
            filled = filled.replace(f"{{{name}:q}}", value)
            filled = filled.replace(f"{{{name.removeprefix('wildcards.')}}}", value)
        assert filled.split() == ["sgbench", *project().command(one)]
