"""A real server that is killed midway, and comes back."""

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request

import pytest
from example_training import PLAN

from sgbench.tracking import sync, tracked_run
from sgbench.training import choose_device, train

# Of the libraries below MLflow.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")


@pytest.fixture
def server(store, tmp_path):
    """Return functions that start and kill a server, and its address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    running = []

    def start():
        running.append(
            subprocess.Popen(
                [
                    sys.executable, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port",
                    str(port), "--workers", "1", "--backend-store-uri", store,
                    "--artifacts-destination", str(tmp_path / "artifacts"),
                ],
                stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
                env={**os.environ, "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"},
            )
        )  # fmt: skip
        deadline = time.monotonic() + 120
        while time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=5):
                    return
            except OSError:
                assert running[-1].poll() is None
                time.sleep(0.1)
        raise TimeoutError

    def kill():
        process = running.pop()
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()

    start()
    yield start, kill, f"http://127.0.0.1:{port}"
    while running:
        kill()


@pytest.mark.usefixtures("tiny")
def test_a_server_that_is_killed_midway(
    server, two_cells, tmp_path, store, runs, journals, warnings
):
    start, kill, address = server
    output = tmp_path / "out" / "model.pt"
    with tracked_run(address, PLAN, two_cells, output, {"scale": "smoke"}, "smoke") as run:

        def report(progress):
            if progress.step == 4:
                kill()
            run.progress(progress)

        trained = train(PLAN, output, tmp_path / "checkpoint", choose_device("cpu"), report)
        run.finish(output, trained)
    (said,) = warnings()
    assert "the work goes on" in said.lower()
    assert output.exists()
    assert len(journals()) == 1
    (cut_off,) = (run for run in runs(store) if "plan_sha256" in run.data.tags)
    assert (cut_off.info.status, cut_off.steps["top1"]) == ("RUNNING", [16])

    start()
    for expected in ([None], []):
        assert [error for _, error in sync(address, [output.parent])] == expected
    (found,) = (run for run in runs(address) if "plan_sha256" in run.data.tags)
    assert found.info.run_id == cut_off.info.run_id
    assert found.info.status == "FINISHED"
    assert found.steps["top1"] == [16, 32, 48, 64]
    assert found.files == ["model.pt"]
    assert len(found.outputs.model_outputs) == 1
    assert len(runs(address)) == 2
    assert journals() == []
