"""MLflow, and the only module that knows of it: a store is brought up to a record.

Runs are found by tags of ours and metrics have times of ours, so that sending twice changes
nothing.
"""

import logging
import os
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from sgbench.errors import SgbenchError
from sgbench.files import file_sha256
from sgbench.tracking._record import Input, Metric, Record

if TYPE_CHECKING:
    from filelock import BaseFileLock
    from mlflow import MlflowClient
    from mlflow.entities import Run
    from mlflow.models import Model

# Nothing here is ever unpickled, so that a store from elsewhere cannot run code.
os.environ.setdefault("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
# By itself MLflow tries for four minutes. A record is kept and sent again, so one attempt will do;
# nor does a second one make another run where only the answer to the first was lost.
os.environ.setdefault("MLFLOW_HTTP_REQUEST_TIMEOUT", "5")
os.environ.setdefault("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
os.environ.setdefault("MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT", "true")
_EXPERIMENT = "sgbench"
_SQLITE = "sqlite:///"
# MLflow takes no more at once.
_PARAMETERS, _METRICS = 100, 1000


@dataclass(frozen=True)
class Sent:
    """What a store has of a record: a run, and so many of its metrics."""

    run_id: str
    experiment_id: str
    metrics: int


def check_store(store: str) -> None:
    """Check that a server answers; an embedded store needs none.

    Raises
    ------
    SgbenchError
        If it does not.
    """
    if store.startswith(("http://", "https://")):
        with _in_a_sentence(store):
            _client(store).search_experiments(max_results=1)


def send(store: str, record: Record, folder: Path, before: Sent | None = None) -> Sent:
    """Bring a store up to a record.

    Parameters
    ----------
    store : str
    record : Record
    folder : Path
        Where the record's files are seen from.
    before : Sent, optional
        What this process has sent of the record already; without it the store is asked.

    Raises
    ------
    SgbenchError
        If the store fails; what it has then is found when the record is sent again.
    """
    with _in_a_sentence(store):
        if before is None:
            with _alone(store):
                client, experiment_id = _opened(store)
                run, is_own = _run(client, experiment_id, record)
            sent = Sent(run.info.run_id, experiment_id, len(record.metrics))
            if run.info.status == "FINISHED" and not record.adds:
                return sent
            if not record.adds:
                _send_head(client, sent.run_id, record)
            known, first = run.data.metrics if record.adds else {}, 0
        else:
            client = _client(store)
            is_own, known, first = True, {}, before.metrics
            sent = Sent(before.run_id, before.experiment_id, len(record.metrics))
        fresh = [one for one in record.metrics[first:] if known.get(one.name) != one.value]
        _send_metrics(client, sent.run_id, fresh)
        if record.ended is not None:
            _send_files(client, sent.run_id, record, folder)
            if is_own:
                client.set_terminated(sent.run_id, record.status, record.ended)
    return sent


def say(text: str) -> None:
    """Warn on stderr; not by a log, since libraries below MLflow set the level of all logs."""
    print(f"warning: {text}", file=sys.stderr, flush=True)


def shown(store: str) -> str:
    """Return the address of a store without the name and password that it may hold."""
    host = urlsplit(store).netloc
    return store.replace(host, host.rpartition("@")[2]) if host else store


def system_monitor() -> Callable[[], dict[str, float]]:
    """Return a function that says how busy the processor was since its last call, and GPUs now."""
    from mlflow.system_metrics.metrics.cpu_monitor import CPUMonitor
    from mlflow.system_metrics.metrics.gpu_monitor import GPUMonitor

    kinds: list[Any] = [CPUMonitor, GPUMonitor]
    monitors = []
    for kind in kinds:
        with suppress(Exception):  # there is no GPU, or no nvidia-ml-py
            monitors.append(kind())

    def measured() -> dict[str, float]:
        values = {}
        for monitor in monitors:
            with suppress(Exception):  # no training shall end for these
                monitor.collect_metrics()
                values.update(monitor.aggregate_metrics())
                monitor.clear_metrics()
        return {f"system/{name}": value for name, value in values.items()}

    measured()
    return measured


def _client(store: str) -> "MlflowClient":
    import mlflow

    # What a failing store costs is said in a sentence of ours, and once.
    for noisy in ("alembic", "mlflow", "urllib3"):
        logging.getLogger(noisy).setLevel(logging.CRITICAL)
    mlflow.set_tracking_uri(store)
    return mlflow.MlflowClient(store)


@contextmanager
def _in_a_sentence(store: str) -> Iterator[None]:
    try:
        yield
    except SgbenchError:
        raise
    except Exception as error:  # the exceptions of stores differ from one kind to the next
        cause: BaseException = error
        while inner := cause.__cause__ or cause.__context__:
            cause = inner
        words = f"{type(cause).__name__}: {cause}".splitlines()[0].replace(store, shown(store))
        raise SgbenchError(
            f"the MLflow store '{shown(store)}' cannot be used ({words}); expected a server that "
            "answers, or a file with room such as sqlite:///results/mlflow.db. Mend it, or name "
            "another with --store or MLFLOW_TRACKING_URI."
        ) from error


def _alone(store: str) -> "BaseFileLock":
    """Keep others of this machine from the store while something is made that is not there yet."""
    from filelock import FileLock

    if store.startswith(_SQLITE):
        path = Path(store.removeprefix(_SQLITE))
        path.parent.mkdir(parents=True, exist_ok=True)
        return FileLock(f"{path}.lock")
    name = f"sgbench-{os.getuid()}-{sha256(store.encode()).hexdigest()[:16]}.lock"
    return FileLock(Path(tempfile.gettempdir()) / name)


def _opened(store: str) -> "tuple[MlflowClient, str]":
    """Return a client and the experiment; made if need be, with artifacts beside a SQLite store."""
    import mlflow

    file = Path(store.removeprefix(_SQLITE)) if store.startswith(_SQLITE) else None
    is_new = file is not None and not file.exists()
    try:
        client = _client(store)
        if file and client.get_experiment_by_name(_EXPERIMENT) is None:
            artifacts = file.resolve().parent / "mlflow-artifacts"
            client.create_experiment(_EXPERIMENT, artifact_location=artifacts.as_uri())
        return client, str(mlflow.set_experiment(_EXPERIMENT).experiment_id)
    except Exception:
        # Half of its tables would be in the way of every later attempt.
        if file and is_new:
            file.unlink(missing_ok=True)
        raise


def _run(client: "MlflowClient", experiment_id: str, record: Record) -> "tuple[Run, bool]":
    """Return the run of a record, made if need be, and whether it is the record's own."""
    for wanted in record.joins:
        if found := _found(client, experiment_id, wanted):
            return found, False
    if found := _found(client, experiment_id, record.identity):
        if found.info.status != "RUNNING" and record.ended is None:
            client.update_run(found.info.run_id, status="RUNNING")
        return found, True
    tags = record.tags | record.identity
    if record.parent:
        parent = _found(client, experiment_id, record.parent)
        if parent is None:
            parent = client.create_run(
                experiment_id, tags=record.parent, run_name=f"workflow {record.parent['workflow']}"
            )
            # It holds others, and does nothing itself.
            client.set_terminated(parent.info.run_id)
        tags["mlflow.parentRunId"] = parent.info.run_id
    return client.create_run(experiment_id, record.started, tags, record.name), True


def _found(client: "MlflowClient", experiment_id: str, wanted: Mapping[str, str]) -> "Run | None":
    """Return the last run with these tags, or with this `run_id`."""
    query = " and ".join(
        f"{'attributes' if name == 'run_id' else 'tags'}.`{name}` = '{value}'"
        for name, value in wanted.items()
    )
    found = client.search_runs([experiment_id], query, max_results=1)
    return found[0] if found else None


def _send_head(client: "MlflowClient", run_id: str, record: Record) -> None:
    """Send what a run begins with: its parameters and datasets."""
    from mlflow.data.code_dataset_source import CodeDatasetSource
    from mlflow.data.meta_dataset import MetaDataset
    from mlflow.entities import DatasetInput, InputTag, Param

    parameters = [Param(name, value) for name, value in record.parameters.items()]
    for first in range(0, len(parameters), _PARAMETERS):
        client.log_batch(run_id, params=parameters[first : first + _PARAMETERS])

    def described(one: Input) -> DatasetInput:
        dataset = MetaDataset(  # type: ignore[abstract]  # MLflow's own, whose profile is a default
            CodeDatasetSource(tags=one.origin), name=one.name, digest=one.sha256[:32]
        )
        tags = {"sha256": one.sha256, "mlflow.data.context": one.context}
        return DatasetInput(dataset._to_mlflow_entity(), [InputTag(*tag) for tag in tags.items()])

    if record.inputs:
        client.log_inputs(run_id, [described(one) for one in record.inputs])


def _send_metrics(client: "MlflowClient", run_id: str, metrics: list[Metric]) -> None:
    from mlflow.entities import Metric as Logged

    entries = [Logged(one.name, one.value, one.time, one.step) for one in metrics]
    for first in range(0, len(entries), _METRICS):
        client.log_batch(run_id, metrics=entries[first : first + _METRICS])


def _send_files(client: "MlflowClient", run_id: str, record: Record, folder: Path) -> None:
    for name, digest in record.artifacts.items():
        path = folder / name
        if not path.is_file() or file_sha256(path) != digest:
            say(f"{path} is not what it was; it is recorded without the file")
            continue
        client.log_artifact(run_id, str(path))
        if name == record.model:
            _send_model(client, run_id, path)


def _send_model(client: "MlflowClient", run_id: str, path: Path) -> None:
    """Send a trained network as an exported graph (no pickle), or what is missing of one."""
    from mlflow.entities import LoggedModelOutput
    from mlflow.models import Model

    run = client.get_run(run_id)
    experiment_id = run.info.experiment_id
    begun = client.search_logged_models([experiment_id], f"source_run_id = '{run_id}'")
    model = begun[0] if begun else None
    if model and model.status == "READY":
        return
    with tempfile.TemporaryDirectory() as folder:
        description, target = Model(run_id=run_id), Path(folder) / "model"
        if not _export(path, target, description):
            return
        if model is None:
            model = client.create_logged_model(
                experiment_id, "model", run_id, params=run.data.params
            )
        outputs = run.outputs.model_outputs if run.outputs else []
        if model.model_id not in {one.model_id for one in outputs}:
            client.log_outputs(run_id, [LoggedModelOutput(model.model_id, step=0)])
        description.model_uuid = description.model_id = model.model_id
        description.artifact_path = model.artifact_location
        description.save(str(target / "MLmodel"))
        client.log_model_artifacts(model.model_id, str(target))
        client.finalize_logged_model(model.model_id, "READY")


def _export(path: Path, target: Path, description: "Model") -> bool:
    """Write a trained network as a model of MLflow; return False if it cannot be exported."""
    import mlflow.pytorch
    import numpy as np
    import torch

    from sgbench.diffraction import PROTOCOLS
    from sgbench.sets import SetSpec
    from sgbench.training import TrainedModel, load_model

    trained = load_model(path, torch.device("cpu"))
    assert isinstance(trained, TrainedModel)
    protocol = PROTOCOLS[SetSpec.parse(trained.provenance["plan"]["dataset"]).protocol]
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # nobody here can mend what MLflow and torch warn of
            mlflow.pytorch.save_model(
                trained.network.eval(),
                str(target),
                mlflow_model=description,
                input_example=np.zeros((2, 1, protocol.n_points), dtype=np.float32),
                serialization_format="pt2",
                pip_requirements=["torch"],
            )
    except OSError:
        raise
    except Exception as error:  # torch.export refuses in many ways
        # The network's file is there all the same.
        say(f"the model was not exported to MLflow: {error}")
        return False
    return True
