import errno
import shutil
import socket
from dataclasses import replace

import pytest
import torch
from example_crystals import crystal_file, crystal_set
from example_training import PLAN, full_disk

from sgbench.diffraction import CANONICAL
from sgbench.errors import SgbenchError
from sgbench.sets import SetSpec, open_training_set
from sgbench.tracking import check_store, sync, tracked_run
from sgbench.training import choose_device, train

# Of the libraries below MLflow.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
TAGS = {"scale": "smoke", "hardware": "a computer"}
REFUSING = "http://somebody:secret@127.0.0.1:1"


@pytest.fixture
def training(two_cells, tmp_path):
    return lambda store, plan=PLAN, workflow=None: tracked_run(
        store, plan, two_cells, tmp_path / "model.pt", TAGS, workflow
    )


def synced(store, folder):
    return [(path.name, error) for path, error in sync(store, [folder])]


def test_a_training_is_a_run(store, training, validation, ended, runs, journals, two_cells):
    with training(store) as run:
        run.progress(validation(1))
        (live,) = runs(store)
        assert (live.info.status, live.steps["top1"]) == ("RUNNING", [8])
        assert run.provenance["mlflow_run"] == live.info.run_id
        run.progress(validation(2))
        run.finish(*ended(2))
    (found,) = runs(store)
    assert found.info.run_name == f"tiny {two_cells.name} seed 0"
    assert found.info.status == "FINISHED"
    assert found.data.params["patterns"] == "64"
    assert found.data.metrics["validation_loss"] == 2.8
    assert found.steps["top1"] == [8, 16]
    assert found.steps["system/cpu_utilization_percentage"] == [8, 16]
    assert found.files == ["model.pt"]
    assert TAGS.items() <= found.data.tags.items()
    (logged,) = found.inputs.dataset_inputs
    assert logged.dataset.name == f"{two_cells.name}-v1"
    assert {tag.key: tag.value for tag in logged.tags} == {
        "sha256": two_cells.checksum(),
        "mlflow.data.context": "training",
    }
    assert journals() == []


def test_a_set_of_structures_is_an_input(store, tmp_path, runs):
    file = crystal_file(tmp_path, crystal_set({225: 70}))
    cubic = open_training_set(SetSpec.parse("cddd-cubic+thermal-2"), [file])
    with tracked_run(store, PLAN, cubic, tmp_path / "model.pt", TAGS):
        pass
    (found,) = runs(store)
    assert [one.dataset.name for one in found.inputs.dataset_inputs] == ["cddd-cubic+thermal-2"]
    assert found.data.tags["dataset_sha256"] == cubic.checksum()


def test_a_training_that_was_cut_off_is_continued(store, training, validation, ended, runs):
    def is_stopped():
        with training(store) as run:
            run.progress(validation(1))
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        is_stopped()
    (cut_off,) = runs(store)
    assert cut_off.info.status == "FAILED"
    with training(store) as run:
        # Its checkpoint was older than its last report.
        run.progress(validation(1))
        assert runs(store)[0].info.status == "RUNNING"
        # And the report of the second validation was never made.
        run.progress(validation(3))
        run.finish(*ended(3))
    (found,) = runs(store)
    assert found.info.run_id == cut_off.info.run_id
    assert found.info.status == "FINISHED"
    assert sorted(found.steps["top1"]) == [8, 16, 24]


def test_another_plan_is_another_run(store, training, runs, journals):
    for seed in (0, 1):
        with pytest.raises(ValueError, match="cut"), training(store, replace(PLAN, seed=seed)):
            raise ValueError("cut")
    assert len(runs(store)) == len(journals()) == 2


def test_trainings_of_a_workflow_have_one_parent(store, training, runs):
    for seed in (0, 1):
        with training(store, replace(PLAN, seed=seed), "smoke") as run:
            run.end("FINISHED")
    parent, *trained = sorted(runs(store), key=lambda run: "mlflow.parentRunId" in run.data.tags)
    assert parent.info.run_name == "workflow smoke"
    assert {run.data.tags["mlflow.parentRunId"] for run in trained} == {parent.info.run_id}
    assert len(trained) == 2


def test_without_a_store_nothing_is_written(training, validation, ended, tmp_path):
    with training(None) as run:
        run.progress(validation(1))
        run.finish(*ended(1))
    assert run.provenance == {"mlflow_run": None, "mlflow_experiment": None}
    assert [path.name for path in tmp_path.iterdir()] == ["model.pt"]


# Stores that fail.


def test_a_full_disk_costs_one_warning(
    store, training, validation, ended, runs, journals, warnings, tmp_path
):
    with training(store) as run:
        run.progress(validation(1))
        with full_disk():
            for n in (2, 3):
                run.progress(validation(n))
            run.finish(*ended(3))
    (said,) = warnings()
    assert "Traceback" not in said
    assert "database or disk is full" in said or "disk I/O error" in said
    assert f"`sgbench track sync {tmp_path}`" in said
    (journal,) = journals()
    (before,) = runs(store)
    assert (before.info.status, before.steps["top1"]) == ("RUNNING", [8])

    kept = shutil.copy(journal, tmp_path / "kept")
    assert synced(store, tmp_path) == [(journal.name, None)]
    (after,) = runs(store)
    assert after.info.run_id == before.info.run_id
    assert after.info.status == "FINISHED"
    assert after.steps["top1"] == [8, 16, 24]
    assert after.files == ["model.pt"]
    assert journals() == []
    # What was sent already, its journal left by a kill, makes no doubles.
    shutil.copy(kept, journal)
    assert synced(store, tmp_path) == [(journal.name, None)]
    (again,) = runs(store)
    assert (again.steps, again.info.end_time) == (after.steps, after.info.end_time)


@pytest.mark.usefixtures("tiny")
def test_a_model_that_was_sent_in_part_is_sent_whole(
    store, training, runs, journals, monkeypatch, warnings, tmp_path
):
    import mlflow

    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch, training(store) as run:
        patch.setattr(mlflow.MlflowClient, "log_model_artifacts", full)
        output = tmp_path / "model.pt"
        run.finish(output, train(PLAN, output, tmp_path / "checkpoint", choose_device("cpu")))
    (said,) = warnings()
    assert "No space left" in said
    (journal,) = journals()
    assert synced(store, tmp_path) == [(journal.name, None)]
    (found,) = runs(store)
    (model,) = found.outputs.model_outputs
    client = mlflow.MlflowClient(store)
    assert client.get_logged_model(model.model_id).status == "READY"
    assert found.info.status == "FINISHED"
    network = mlflow.pytorch.load_model(f"models:/{model.model_id}")
    assert network(torch.zeros(1, 1, CANONICAL.n_points)).shape == (1, 36)


def test_a_store_that_comes_back_needs_no_sync(
    store, training, validation, ended, runs, journals, warnings
):
    with training(store) as run:
        with full_disk():
            run.progress(validation(1))
        run.progress(validation(2))  # so soon it is not asked again
        assert runs(store)[0].steps == {}
        run.finish(*ended(2))
    (found,) = runs(store)
    assert found.steps["top1"] == [8, 16]
    assert journals() == []
    assert "nothing is left" in warnings()[-1]


def test_a_store_that_is_too_full_to_begin(tmp_path, training, journals):
    store = f"sqlite:///{tmp_path / 'new.db'}"
    with full_disk(), pytest.raises(SgbenchError, match="cannot be used"), training(store):
        pass
    assert journals() == []
    # Half of a database would be in the way later.
    assert not (tmp_path / "new.db").exists()


def test_a_server_that_is_down_ends_a_training_at_its_start(training, tmp_path):
    with pytest.raises(SgbenchError, match="refused") as said, training(REFUSING):
        pass
    assert "http://127.0.0.1:1" in str(said.value)
    assert "secret" not in str(said.value)
    assert list(tmp_path.iterdir()) == []


def test_a_server_that_does_not_answer(training, monkeypatch):
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_TIMEOUT", "1")
    with socket.create_server(("127.0.0.1", 0)) as silent:
        store = f"http://127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(SgbenchError, match="timed out"), training(store):
            pass
        with pytest.raises(SgbenchError, match="timed out"):
            check_store(store)


def test_a_training_amid_a_workflow_does_without_its_server(
    store, training, validation, ended, runs, journals, warnings, tmp_path
):
    with training(REFUSING, workflow="smoke") as run:
        run.progress(validation(1))
        run.finish(*ended(1))
    assert run.provenance["mlflow_run"] is None
    (said,) = warnings()
    assert "secret" not in said
    (journal,) = journals()
    assert "secret" not in journal.read_text()
    assert synced(store, tmp_path) == [(journal.name, None)]
    assert sorted(run.info.run_name.split()[0] for run in runs(store)) == ["tiny", "workflow"]


def test_an_unfinished_training_is_sent_and_kept(
    store, training, validation, ended, runs, journals, tmp_path
):
    with training(REFUSING, workflow="smoke") as run:
        run.progress(validation(1))
        for _ in range(2):
            synced(store, tmp_path)
            (found,) = (run for run in runs(store) if "plan_sha256" in run.data.tags)
            assert (found.info.status, found.steps["top1"]) == ("RUNNING", [8])
        assert len(journals()) == 1


def test_a_file_that_was_replaced_is_not_taken_for_the_recorded_one(
    store, training, ended, runs, tmp_path, warnings
):
    with training(REFUSING, workflow="smoke") as run:
        run.finish(*ended(1))
    (tmp_path / "model.pt").write_bytes(b"of a later training")
    warnings()
    synced(store, tmp_path)
    (found,) = (run for run in runs(store) if "plan_sha256" in run.data.tags)
    assert found.files == []
    assert "is not what it was" in warnings()[0]


def test_a_damaged_journal_does_not_stop_the_others(store, training, ended, runs, tmp_path):
    with training(REFUSING, workflow="smoke") as run:
        run.finish(*ended(1))
    for name, content in (("a", b""), ("b", b"[]"), ("c", b"\xff"), ("d", b'{"version": 9}')):
        (tmp_path / f"{name}.unsent").write_bytes(content)
    errors = dict(synced(store, tmp_path))
    assert sum(error is None for error in errors.values()) == 1
    assert all("is not a readable record" in str(error) for error in errors.values() if error)
    assert len(runs(store)) == 2


def test_a_workflow_leaves_an_embedded_store_unchecked(tmp_path):
    check_store(f"sqlite:///{tmp_path}/none.db")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(SgbenchError, match="refused"):
        check_store(REFUSING)
