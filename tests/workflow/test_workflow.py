"""The workflow as a person runs it, in a copy of the project, with as little training as can be."""

import json
import os
import re
import shlex
import shutil
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest
import torch

from sgbench.leaderboard import IDENTITY, command_again
from sgbench.plan import SCALES

ROOT = Path(__file__).parents[2]
SMOKE = """
families: [cubic, tetragonal, trigonal-hexagonal]
decoder: {{patterns_per_spacegroup: 1, test_sets: [ulbd-off-mesh]}}
seeds: [0]
job_threads: 1
test_patterns_per_spacegroup: {per_spacegroup}
test_sets: [ulbd-in-mesh, ulbd-off-mesh, cddd, cddd-in-domain, cddd-test, gcdd, gcdd-in-domain]
crystals_per_family: 60
generated: {{per_spacegroup: 1, portrayed: 2, seed: 0}}
training:
  ulbd-cubic:
    fcn-wang2024.sqrt:
      {{patterns: {patterns}, batch_size: 16, peak_rate: 1.0e-3, warmup: 20,
        validations: 2, patience: 2}}
  cddd-cubic:
    extra-trees-suzuki2020: {{patterns: 100}}
  ulbd-cubic@2x5:
    extra-trees-suzuki2020: {{patterns: 100}}
"""
FAST = (
    "--config", "scale=smoke", "families=[cubic]", "controls=[control-oracle]",
    "reference=fcn-wang2024.sqrt",
)  # fmt: skip


def configure(folder: Path, patterns: int = 64, per_spacegroup: int = 2) -> None:
    text = SMOKE.format(patterns=patterns, per_spacegroup=per_spacegroup)
    (folder / "config" / "smoke.yaml").write_text(text)


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "snakemake", "--cores", "2", *arguments]


def environment() -> dict[str, str]:
    return {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "MLFLOW_TRACKING_URI": "",
    }


def snakemake(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments), cwd=folder, env=environment(), capture_output=True, text=True
    )


def planned(folder: Path, *arguments: str) -> dict[str, int]:
    done = snakemake(folder, "--dry-run", *arguments)
    assert done.returncode == 0, done.stdout + done.stderr
    text = done.stdout + done.stderr
    return {rule: int(n) for rule, n in re.findall(r"^(\w+) +(\d+)$", text, re.MULTILINE)}


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = tmp_path_factory.mktemp("project")
    (folder / "docs").mkdir()
    for name in (
        "Snakefile", "workflow", "profiles", "config", "environment.yml", "docs/glossary.md",
    ):  # fmt: skip
        source = ROOT / name
        (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / name)
    configure(folder)
    submit(folder / "submissions")
    return folder


def submit(home: Path) -> None:
    """A submission that is good, and some that want more than a row."""
    good = ROOT / "submissions" / "mlp-max-pooled"
    for name in ("good", "forger", "$(touch PWNED)", "damaged"):
        shutil.copytree(good, home / name)
        path = home / name / "submission.yaml"
        text = path.read_text().replace("name: mlp-max-pooled", f"name: {name}")
        path.write_text(text.replace("scale: laptop", "scale: smoke"))
    forged = home / "forger" / "scores"
    forged.mkdir()
    forged_score = {"top": [1.0] * 5, "provenance": {"scale": "smoke", "status": "verified"}}
    for name in ("ulbd-in-mesh.spacegroup.json", "$(touch PWNED).json", "a;touch PWNED;.json"):
        (forged / name).write_text(json.dumps(forged_score))
    (home / "damaged" / "model.onnx").write_bytes(b"no model")


@pytest.fixture(scope="module")
def ran(project):
    done = snakemake(project, *FAST)
    assert done.returncode == 0, done.stdout + done.stderr
    return done


@pytest.fixture(scope="module")
def finished(project, ran):
    return project


@pytest.mark.parametrize("scale", SCALES)
def test_every_scale_plans(project, scale):
    jobs = planned(project, "--config", f"scale={scale}", "families=[cubic]")
    assert jobs["train"] >= 1
    assert jobs["leaderboard"] == 1


def test_a_wrong_setting_ends_in_a_sentence(project):
    done = snakemake(project, "--dry-run", "--config", "scale=smoke", "families=[cubik]")
    assert done.returncode != 0
    said = done.stdout + done.stderr
    assert "'families.0'" in said
    assert "'cubik'" in said
    assert "Traceback" not in said


def test_the_leaderboard_holds_network_and_oracle(finished):
    table = pd.read_csv(finished / "results/smoke/all-scales.csv")
    assert set(table["model"]) == {
        "fcn-wang2024.sqrt", "extra-trees-suzuki2020", "control-oracle", "decoder-pawley", "good",
    }  # fmt: skip
    sets = {
        "ulbd-in-mesh", "ulbd-off-mesh", "cddd", "cddd-in-domain", "cddd-test", "gcdd",
        "gcdd-in-domain",
    }  # fmt: skip
    assert set(table["test_set"]) == sets
    # Nothing is scored on what it was trained on.
    of_structures = table[table["train_set"] == "cddd-cubic"]
    assert set(of_structures["test_set"]) == sets - {"cddd", "cddd-in-domain"}
    oracle = table[(table["model"] == "control-oracle") & (table["source"] == "designed")]
    for k in range(1, 6):
        assert oracle[f"top{k}"].to_numpy() == pytest.approx(oracle[f"ceiling_top{k}"].to_numpy())
    assert "control-oracle" in (finished / "results/smoke/all-scales.md").read_text()


def test_a_first_look_leaves_tracked_files_alone(finished):
    """Nothing that it writes is of the repository, as git sees it."""
    shutil.copy(ROOT / ".gitignore", finished / ".gitignore")
    git = ["git", "-c", "core.excludesFile="]
    subprocess.run([*git, "init", "--quiet"], cwd=finished, check=True)
    status = [*git, "status", "--porcelain", "--untracked-files=all", "--", "results"]
    told = subprocess.run(status, cwd=finished, capture_output=True, text=True, check=True).stdout
    shutil.rmtree(finished / ".git")
    assert told == ""
    assert (finished / "results/smoke/leaderboard.csv").exists()


def test_a_run_is_told_in_few_lines_that_end_with_where_to_look(ran):
    said = ran.stdout + ran.stderr
    assert len(said.splitlines()) <= 60
    assert re.search(r"^\d+ jobs on 2 cores, expected to take \d+", said, re.MULTILINE)
    done = re.search(r"^(\d+) of (\d+) jobs are done in [\d:]+$", said, re.MULTILINE)
    assert done
    assert done[1] == done[2]
    for place in ("results/site/index.html", "results/report/index.html"):
        assert place in said[done.end() :]
    assert "table   results/smoke/leaderboard.csv" in said[done.end() :]
    assert re.search(r"cubic +[\d.]+ % of at most 47.2 % \(n = \d+\)", said[done.end() :])


def test_every_rule_leaves_a_log_and_a_benchmark(finished):
    results = finished / "results"
    for kind, ending in (("logs", "*.log"), ("benchmarks", "*.tsv")):
        found = {
            str(path.relative_to(results)) for path in results.rglob(ending) if kind in path.parts
        }
        stages = (
            "ceilings", "random_structures", "crystals", "portrait", "designed_lines", "train",
            "predict", "evaluate", "leaderboard", "confusions", "figures", "report_page",
            "scaling",
        )  # fmt: skip
        for stage in stages:
            assert any(f"/{stage}" in name for name in found), (kind, stage)


def test_mlflow_has_parameters_curves_scores_dataset_and_model(finished):
    code = """
import json, mlflow, sys
mlflow.set_tracking_uri("sqlite:///results/mlflow.db")
runs = mlflow.search_runs(experiment_names=["sgbench"], output_format="list")
print(json.dumps([[r.data.params, r.data.metrics, r.data.tags, len(r.inputs.dataset_inputs),
                   len(r.outputs.model_outputs), r.info.run_id] for r in runs]))
"""
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=finished,
        env=environment(),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    runs = json.loads(done.stdout)
    trained = [run for run in runs if "dataset_sha256" in run[2]]
    assert {run[0]["dataset"] for run in trained} == {"ulbd-cubic", "cddd-cubic", "ulbd-cubic@2x5"}
    _, metrics, tags, n_datasets, n_models, _ = next(
        run for run in trained if run[0]["dataset"] == "ulbd-cubic"
    )
    assert "validation_loss" in metrics
    assert "ulbd-in-mesh.extinction.top1" in metrics
    assert len(tags["dataset_sha256"]) == 64
    assert (n_datasets, n_models) == (1, 1)
    assert any(run[2].get("model") == "control-oracle" for run in runs)
    # One run for the workflow, and one child a training.
    parents = [run[5] for run in runs if "workflow" in run[2]]
    assert len(parents) == 1
    assert [run[2].get("mlflow.parentRunId") for run in trained] == parents * 3
    built = {run[2]["dataset"] for run in runs if "source" in run[2]}
    assert built == {"cddd", "gcdd", "ulbd-cubic", "ulbd-cubic-imbalanced"}


def test_datasets_come_with_cards_and_figures(finished):
    folder = finished / "results" / "smoke"
    for name in ("cddd", "gcdd", "ulbd-cubic", "ulbd-cubic-imbalanced"):
        assert (folder / "datasets" / f"{name}.md").read_text().startswith(f"# {name}")
        described = json.loads((folder / "datasets" / f"{name}.croissant.json").read_text())
        assert described["conformsTo"].endswith("croissant/1.1")
    for name in ("cddd", "gcdd", "gcdd-portrayed"):
        assert "<svg" in (folder / "figures" / name / "cells.svg").read_text()
    # The two space groups of Fig. 4, of which one is in no family of the workflow.
    assert "P 2 2 2 (16)" in (folder / "figures" / "gcdd-portrayed" / "cells.svg").read_text()


def test_the_report_shows_tables_with_their_captions(finished):
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "--report", "report.html", *FAST],
        cwd=finished, env=environment(), capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    page = (finished / "report.html").read_text()
    for name in ("leaderboard.csv", "by_class.csv", "ceilings.csv"):
        assert name in page
    assert "independent groups" in page


def test_the_page_of_claims_is_there(finished):
    page = (finished / "results" / "report" / "index.html").read_text()
    assert "Table I" in page
    assert "Fig. 10" in page
    index = json.loads((finished / "results/smoke/figures/paper/figures.json").read_text())
    assert any(entry["file"] for entry in index)


def test_the_study_of_meshes_is_a_target_of_its_own(finished):
    table = pd.read_csv(finished / "results" / "smoke" / "scaling.csv")
    assert set(table["train_set"]) == {"ulbd-cubic@2x5"}
    assert "<svg" in (finished / "results" / "smoke" / "scaling.svg").read_text()
    jobs = planned(finished, "scaling", "--forceall", *FAST)
    assert (jobs["train"], jobs["scaling_study"]) == (1, 1)
    assert "leaderboard" not in jobs


def test_a_second_run_does_nothing(finished):
    assert planned(finished, *FAST) == {}


def test_results_of_other_scales_are_inputs_of_what_shows_them(finished):
    published = finished / "results/published/laptop.tar.xz"
    published.parent.mkdir()
    published.touch()
    done = snakemake(finished, "--dry-run", *FAST)
    shutil.rmtree(published.parent)
    assert done.returncode == 0, done.stderr
    for rule in ("leaderboard", "site"):
        named = re.search(rf"rule {rule}:\n +input: (.*)", done.stdout + done.stderr)[1]
        assert "results/published/laptop.tar.xz" in named


def test_submissions_get_the_rows_that_they_earn_and_no_command(finished):
    table = pd.read_csv(finished / "results/smoke/all-scales.csv").set_index("model")
    good = table.loc["good"]
    assert set(good["status"]) == {"self-reported"}
    assert {"ulbd-in-mesh", "ulbd-off-mesh", "cddd", "gcdd"} <= set(good["test_set"])
    left_out = pd.read_csv(finished / "results/smoke/submissions/left-out.csv")
    assert set(left_out["submission"]) == {"forger", "$(touch PWNED)", "damaged"}
    assert not list(finished.rglob("PWNED"))
    assert "good" in (finished / "results/site/index.html").read_text()


def test_a_changed_plan_retrains_and_leaves_the_rest(finished):
    configure(finished, patterns=80)
    jobs = planned(finished, *FAST)
    configure(finished)
    assert {rule: n for rule, n in jobs.items() if rule not in ("total", "reproduce")} == {
        "train": 1,
        "predict": 1,
        "evaluate": 1,
        "scale_table": 1,
        "check": 1,
        "leaderboard": 1,
        "confusions": 1,
        "figures": 1,
        "report_page": 1,
        "site": 1,
    }


def test_a_changed_test_size_predicts_again_without_training(finished):
    configure(finished, per_spacegroup=3)
    jobs = planned(finished, *FAST)
    configure(finished)
    assert "train" not in jobs
    assert "crystals" not in jobs
    assert (jobs["predict"], jobs["evaluate"]) == (4, 4)


def test_what_is_kept_is_not_trained_again(finished, tmp_path):
    folder = tmp_path / "elsewhere"
    shutil.copytree(finished, folder, ignore=shutil.ignore_patterns("results", ".snakemake"))
    shutil.copytree(finished / "results/smoke", folder / "results/smoke")
    keep = [sys.executable, "-m", "sgbench", "keep", "smoke"]
    kept = subprocess.run(keep, cwd=folder, capture_output=True, text=True, check=True).stdout
    network = "ulbd-cubic/fcn-wang2024.sqrt/seed0"
    assert kept.splitlines()[0] == network
    assert subprocess.run(keep, cwd=folder, capture_output=True, check=True).stdout == b""
    shutil.rmtree(folder / "results/smoke")
    jobs = planned(folder, *FAST)
    assert (jobs["take"], jobs["predict"]) == (3, 2)  # what is not trained is predicted
    assert "train" not in jobs
    # The structures of this copy are those that were trained on, or the kept results would not fit.
    done = snakemake(folder, f"results/smoke/scores/{network}", *FAST)
    assert done.returncode == 0, done.stderr
    for score in (finished / "results/smoke/scores" / network).glob("[!.]*"):
        assert (folder / f"results/smoke/scores/{network}" / score.name).read_bytes() == (
            score.read_bytes()
        )
    configure(folder, patterns=80)
    jobs = planned(folder, *FAST)
    assert (jobs["take"], jobs["train"]) == (2, 1)


@pytest.fixture(scope="module")
def clone(finished, tmp_path_factory):
    """The project as a commit without results, whose `make setup` installs nothing.

    It takes the structures of the first run, which would take as long again.
    """
    folder = tmp_path_factory.mktemp("commits") / "clone"
    shutil.copytree(finished, folder, ignore=shutil.ignore_patterns("results", ".snakemake"))
    datasets = shlex.quote(str(finished / "results/smoke/datasets"))
    (folder / "Makefile").write_text(
        "setup:\n\tmkdir -p .venv/bin results/smoke\n\ttouch .venv/bin/activate\n"
        f"\tcp -a {datasets} results/smoke\n"
    )
    for step in (
        ["init", "--quiet"],
        ["add", "--all"],
        ["-c", "user.name=a", "-c", "user.email=a@example.org", "commit", "--quiet", "-m", "all"],
    ):
        subprocess.run(["git", *step], cwd=folder, check=True)
    return folder


def typed(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["bash", "-c", command], cwd=folder, env=environment(), capture_output=True, text=True
    )


@pytest.mark.parametrize("model", ["fcn-wang2024.sqrt", "control-oracle"])
def test_the_command_of_a_row_makes_the_row_again(finished, clone, model):
    table = pd.read_csv(finished / "results/smoke/leaderboard.csv").set_index("model")
    rows = table.loc[[model]]
    head = ["git", "rev-parse", "HEAD"]
    commit = subprocess.run(head, cwd=clone, check=True, capture_output=True, text=True).stdout
    # The tests may run on code that is not committed.
    command = command_again({"model": model, **rows.iloc[0].to_dict(), "commit": commit.strip()})
    words = shlex.split(command)
    assert 'controls=["control-oracle"]' in words
    place, target = clone / words[5], words[-1]
    # What is there is not taken for what is made.
    (clone / target).parent.mkdir(parents=True)
    (clone / target).write_text("an old one")
    done = typed(command, clone)
    assert done.returncode == 0, done.stdout + done.stderr
    again = pd.read_csv(place / target).set_index("model")
    same = [*IDENTITY[1:], "dataset_sha256", "predictions_sha256", "top1"]
    # A column that is empty throughout has another type.
    found, expected = (one[same].astype(object).fillna("") for one in (again, rows))
    assert found.to_dict("records") == expected.to_dict("records")
    for folder in (clone, place):  # typed twice, where it was typed first and where it led
        twice = typed(command, folder)
        assert twice.returncode != 0
        assert re.fullmatch(r"fatal: '\.\./again-\w+-\w+' already exists\n", twice.stderr)


def test_a_live_workflow_is_left_alone_and_a_killed_one_goes_on(project, tmp_path):
    folder = tmp_path / "killed"
    shutil.copytree(project, folder, ignore=shutil.ignore_patterns("results", ".snakemake"))
    target = "results/smoke/models/ulbd-cubic/fcn-wang2024.sqrt/seed0/model.pt"
    configure(folder, patterns=12_000)
    arguments = [target, *FAST]
    log = folder / "results/smoke/logs/train/ulbd-cubic/fcn-wang2024.sqrt/seed0.log"
    state = folder / "results/smoke/checkpoints/ulbd-cubic/fcn-wang2024.sqrt/seed0.pt"
    running = subprocess.Popen(
        command(*arguments), cwd=folder, env=environment(),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip

    def wait_for(path: Path) -> None:
        deadline = time.monotonic() + 180
        while not path.exists() and time.monotonic() < deadline:
            time.sleep(0.2)
            assert running.poll() is None, log.read_text() if log.exists() else "ended early"

    wait_for(log)
    beside = snakemake(folder, *arguments)
    assert beside.returncode == 2
    assert f"another run of the workflow is live in {folder}" in beside.stderr
    assert "Traceback" not in beside.stdout + beside.stderr

    wait_for(state)
    running.kill()  # alone: its training goes on without it
    running.wait()
    assert not (folder / target).exists()
    step = json.loads(torch.load(state, weights_only=True)["rest"])["step"]
    assert 0 < step < 750

    again = snakemake(folder, *arguments)
    assert again.returncode == 0, again.stdout + again.stderr
    assert "of its processes were still at work and were ended" in again.stderr
    assert (folder / target).exists()
    assert not state.exists()
    seen = [int(n.replace(",", "")) for n in re.findall(r": ([\d,]+) of 12,000", log.read_text())]
    assert min(seen) > step * 16  # nothing was trained twice
    with sqlite3.connect(folder / "results" / "mlflow.db") as store:
        (runs,) = store.execute("select count(*) from runs").fetchone()
    assert runs == 2  # the workflow's and its training's


def test_where_it_logs_and_computes_changes_no_result(finished):
    elsewhere = ("mlflow_store=sqlite:///elsewhere.db", "device=cpu")
    assert planned(finished, *FAST, *elsewhere) == {}
