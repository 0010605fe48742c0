import hashlib
import subprocess
import sys
from dataclasses import replace

import pytest
from example_crystals import crystal_file, crystal_set
from example_training import full_disk

from sgbench.sets import ULBD
from sgbench.tracking import log_dataset, sync

# Of the libraries below MLflow.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")


@pytest.fixture(scope="module")
def crystals():
    return crystal_set()


@pytest.fixture
def file(crystals, tmp_path):
    return crystal_file(tmp_path, crystals)


@pytest.fixture
def card(tmp_path):
    path = tmp_path / "cddd.md"
    path.write_text("# cddd")
    return path


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_built_dataset_is_a_run(store, crystals, file, card, runs, journals):
    import mlflow

    log_dataset(store, crystals, file, [card])
    (run,) = runs(store)
    assert run.info.run_name == "dataset cddd"
    assert run.info.status == "FINISHED"
    expected = {"dataset": "cddd", "sha256": sha256(file), "source": "example", "version": "2"}
    assert expected.items() <= run.data.tags.items()
    metrics = run.data.metrics
    assert (metrics["structures"], metrics["spacegroups"]) == (261, 9)
    assert metrics["lines"] == len(crystals.lines.two_theta)
    assert metrics["ordered"] == crystals.ordered.sum()
    assert (metrics["excluded"], metrics["excluded.unreadable"]) == (3, 2)
    assert run.data.params["protocol.wavelength"] == "1.5406"
    assert run.data.params["source.package_version"] == "1.2.3"
    (logged,) = run.inputs.dataset_inputs
    assert logged.dataset.name == "cddd-v2"
    assert sha256(file).startswith(logged.dataset.digest)
    assert {tag.key: tag.value for tag in logged.tags}["sha256"] == sha256(file)
    artifacts = mlflow.artifacts.list_artifacts(run_id=run.info.run_id, tracking_uri=store)
    assert [artifact.path for artifact in artifacts] == ["cddd.md"]
    assert journals() == []


def test_a_second_build_of_the_same_file_is_the_same_run(store, crystals, file, card, runs):
    log_dataset(store, crystals, file, [card])
    (before,) = runs(store)
    log_dataset(store, crystals, file, [card])
    (after,) = runs(store)
    assert after.info.run_id == before.info.run_id
    assert after.info.end_time == before.info.end_time


def test_another_file_is_another_run(store, crystals, file, tmp_path, runs):
    log_dataset(store, crystals, file, [])
    fewer = crystals.take(range(10))
    log_dataset(store, fewer, crystal_file(tmp_path, fewer, "fewer.parquet"), [])
    assert sorted(run.data.metrics["structures"] for run in runs(store)) == [10, 261]


def test_a_full_disk_costs_a_warning(store, crystals, file, card, runs, journals, warnings):
    with full_disk():
        log_dataset(store, crystals, file, [card])
    assert len(warnings()) == 1
    (journal,) = journals()
    for _ in range(2):
        assert [error for _, error in sync(store, [journal.parent])] in ([None], [])
    (run,) = runs(store)
    assert run.info.status == "FINISHED"
    assert run.info.run_name == "dataset cddd"
    assert len(run.inputs.dataset_inputs) == 1
    assert (run.steps["structures"], run.files) == ([0], ["cddd.md"])
    assert journals() == []


def test_whatever_a_source_says_can_be_logged(store, crystals, tmp_path, runs):
    source = crystals.metadata["source"] | {"provenance": {"query (é, ü)?": "a" * 10_000}}
    excluded = (replace(crystals.excluded[0], reason="cell > 60,000 Å³"),)
    odd = replace(crystals, excluded=excluded, metadata={**crystals.metadata, "source": source})
    log_dataset(store, odd, crystal_file(tmp_path, odd), [])
    (run,) = runs(store)
    assert run.info.status == "FINISHED"
    assert sum(name.startswith("excluded.") for name in run.data.metrics) == 1


def test_without_a_store_nothing_happens(crystals, file, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.iterdir())
    log_dataset(None, crystals, file, [tmp_path / "does not exist"])
    assert sorted(tmp_path.iterdir()) == before


def test_a_store_that_cannot_be_used(crystals, file, warnings, journals):
    log_dataset("nonsense://store", crystals, file, [])
    assert "'nonsense://store' cannot be used" in warnings()[0]
    assert len(journals()) == 1


def test_a_designed_dataset_is_a_run(store, file, card, runs):
    dataset = ULBD["ulbd-cubic-imbalanced"]
    for _ in range(2):
        log_dataset(store, dataset, file, [card])
    (run,) = runs(store)
    assert run.data.tags["dataset"] == dataset.name
    assert run.data.tags["source"] == "designed"
    assert run.data.params["family"] == "cubic"
    assert run.data.metrics["spacegroups"] == 30
    assert run.data.metrics["samples.train"] == dataset.size("train")
    assert run.inputs.dataset_inputs


def test_several_processes_may_begin_with_the_same_new_store(tmp_path, runs):
    """Nor do they make the same run twice."""
    code = (
        "import sys; from pathlib import Path; from sgbench.tracking._store import Record, send;"
        "send(sys.argv[1], Record('a run', {'record': 'of both'}, 0), Path())"
    )
    store = f"sqlite:///{tmp_path}/new/mlflow.db"
    started = [
        subprocess.Popen([sys.executable, "-c", code, store], stderr=subprocess.PIPE)
        for _ in range(2)
    ]
    ended = [(process.communicate()[1], process.returncode) for process in started]
    assert [status for _, status in ended] == [0, 0], ended
    assert len(runs(store)) == 1
