from dataclasses import asdict
from types import SimpleNamespace

import pytest
from example_training import TWO_CELLS, tiny_network

from sgbench.sets import SetSpec, open_training_set
from sgbench.training import Progress


@pytest.fixture(scope="session")
def _migrated(tmp_path_factory):
    """A store with its tables, which take seconds to make."""
    import mlflow

    path = tmp_path_factory.mktemp("migrated") / "mlflow.db"
    mlflow.MlflowClient(f"sqlite:///{path}").search_experiments()
    return path.read_bytes()


@pytest.fixture
def store(_migrated, tmp_path):
    """An embedded store without any run."""
    path = tmp_path / "store" / "mlflow.db"
    path.parent.mkdir()
    path.write_bytes(_migrated)
    return f"sqlite:///{path}"


@pytest.fixture
def runs():
    """Return the runs of a store, with the steps of each of their metrics."""
    import mlflow

    def found(store):
        client = mlflow.MlflowClient(store)
        experiment = client.get_experiment_by_name("sgbench")
        if experiment is None:
            return []
        every = client.search_runs([experiment.experiment_id])
        for run in every:
            run.steps = {
                name: [one.step for one in client.get_metric_history(run.info.run_id, name)]
                for name in run.data.metrics
            }
            # Those of a server are had from it alone.
            if store.startswith("http") or run.info.artifact_uri.startswith("file"):
                run.files = [one.path for one in client.list_artifacts(run.info.run_id)]
        return every

    return found


@pytest.fixture
def journals(tmp_path):
    return lambda: sorted(tmp_path.rglob("*.unsent"))


@pytest.fixture
def warnings(capsys):
    """Return what was warned of since the last call."""
    return lambda: [
        line for line in capsys.readouterr().err.splitlines() if line.startswith("warning: ")
    ]


@pytest.fixture
def tiny():
    with tiny_network():
        yield


@pytest.fixture(scope="session")
def two_cells():
    return open_training_set(SetSpec.parse(TWO_CELLS))


@pytest.fixture
def validation():
    """Return the n-th validation of a training."""
    return lambda n: Progress(n, 8 * n, 1e-3, 3.0, 3.0 - n / 10, n / 10, n / 10, 100.0)


@pytest.fixture
def ended(tmp_path, validation):
    """Return the file of a training that ended after n validations, and what stands in it."""

    def trained(n):
        (tmp_path / "model.pt").write_bytes(b"weights")
        history = [asdict(validation(k)) for k in range(1, n + 1)]
        return tmp_path / "model.pt", SimpleNamespace(provenance={"history": history})

    return trained
