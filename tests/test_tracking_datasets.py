import hashlib
import subprocess
import sys
from dataclasses import replace

import pytest
from example_crystals import crystal_file, crystal_set

from sgbench import tracking
from sgbench.errors import SgbenchError
from sgbench.sets import ULBD, SetSpec, open_training_set
from sgbench.tracking import log_dataset, tracked_run

# Of the libraries below MLflow.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")


@pytest.fixture(scope="module")
def crystals():
    return crystal_set()


@pytest.fixture(scope="module")
def store(tmp_path_factory):
    return f"sqlite:///{tmp_path_factory.mktemp('mlflow')}/mlflow.db"


@pytest.fixture
def file(crystals, tmp_path):
    return crystal_file(tmp_path, crystals)


@pytest.fixture
def card(tmp_path):
    path = tmp_path / "cddd.md"
    path.write_text("# cddd")
    return path


def runs(store):
    import mlflow

    mlflow.set_tracking_uri(store)
    return mlflow.search_runs(experiment_names=["sgbench"], output_format="list")


def sha256(path):
    return hashlib.sha256(path.read_bytes()).hexdigest()


@pytest.fixture(autouse=True)
def _emptied(store):
    """Let each test begin without runs, without the seconds that a new store takes."""
    import mlflow

    yield
    for run in runs(store):
        mlflow.delete_run(run.info.run_id)


def test_a_built_dataset_is_a_run(store, crystals, file, card):
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
    artifacts = mlflow.artifacts.list_artifacts(run_id=run.info.run_id)
    assert [artifact.path for artifact in artifacts] == ["cddd.md"]


def test_a_second_build_of_the_same_file_is_the_same_run(store, crystals, file, card):
    log_dataset(store, crystals, file, [card])
    (before,) = runs(store)
    log_dataset(store, crystals, file, [card])
    (after,) = runs(store)
    assert after.info.run_id == before.info.run_id
    assert after.info.end_time == before.info.end_time


def test_another_file_is_another_run(store, crystals, file, tmp_path):
    log_dataset(store, crystals, file, [])
    fewer = crystals.take(range(10))
    log_dataset(store, fewer, crystal_file(tmp_path, fewer, "fewer.parquet"), [])
    assert sorted(run.data.metrics["structures"] for run in runs(store)) == [10, 261]


def test_a_run_that_was_cut_off_is_finished(store, crystals, file, card, monkeypatch):
    def failing(*_, **__):
        raise RuntimeError("disk")

    with monkeypatch.context() as patch:
        patch.setattr(tracking, "_log_input", failing)
        with pytest.raises(RuntimeError):
            log_dataset(store, crystals, file, [card])
    (cut_off,) = runs(store)
    assert cut_off.info.status == "FAILED"
    log_dataset(store, crystals, file, [card])
    (run,) = runs(store)
    assert run.info.run_id == cut_off.info.run_id
    assert run.info.status == "FINISHED"
    assert run.info.run_name == "dataset cddd"
    assert len(run.inputs.dataset_inputs) == 1


def test_whatever_a_source_says_can_be_logged(store, crystals, tmp_path):
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


def test_a_store_that_cannot_be_used(crystals, file):
    with pytest.raises(SgbenchError, match="cannot be used"):
        log_dataset("nonsense://store", crystals, file, [])


def test_a_designed_dataset_is_logged_with_its_full_checksum(store, tmp_path):
    small = open_training_set(SetSpec.parse("ulbd-cubic@5:6:0.5"))
    with tracked_run(store, "a training", {}, tmp_path / "memory", "plan") as run:
        run.dataset(small, "training")
    (found,) = runs(store)
    (logged,) = found.inputs.dataset_inputs
    assert logged.dataset.name == "ulbd-cubic@5:6:0.5-v1"
    assert {t.key: t.value for t in logged.tags} == {
        "sha256": small.checksum(),
        "mlflow.data.context": "training",
    }
    assert found.data.tags["dataset_sha256"] == small.checksum()


def test_a_set_of_structures_is_logged_with_its_full_checksum(store, file, tmp_path):
    cubic = open_training_set(SetSpec.parse("cddd-cubic+thermal-2"), [file])
    with tracked_run(store, "a training", {}, tmp_path / "memory", "plan") as run:
        run.dataset(cubic, "training")
    (found,) = runs(store)
    (logged,) = found.inputs.dataset_inputs
    assert logged.dataset.name == "cddd-cubic+thermal-2"
    assert found.data.tags["dataset_sha256"] == cubic.checksum()


def test_a_designed_dataset_is_a_run(store, file, card):
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


def test_several_processes_may_begin_with_the_same_new_store(tmp_path):
    code = "import sys; from sgbench import tracking; tracking._connect(sys.argv[1])"
    store = f"sqlite:///{tmp_path}/new/mlflow.db"
    started = [
        subprocess.Popen([sys.executable, "-c", code, store], stderr=subprocess.PIPE)
        for _ in range(3)
    ]
    ended = [(process.communicate()[1], process.returncode) for process in started]
    assert [status for _, status in ended] == [0, 0, 0], ended
