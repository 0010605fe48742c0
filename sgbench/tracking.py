"""MLflow, and the only module that knows of it.

Runs go to the store that `MLFLOW_TRACKING_URI` names; the workflow sets it to a SQLite file.
"""

import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sgbench.datasets import Ulbd
from sgbench.errors import SgbenchError

if TYPE_CHECKING:
    from sgbench.evaluation import Score
    from sgbench.training import TrainedModel

# Nothing here is ever unpickled, so that a store from elsewhere cannot run code.
os.environ.setdefault("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
_EXPERIMENT = "sgbench"


@contextmanager
def tracked_run(
    store: str | None, name: str, tags: Mapping[str, str], run_id_file: Path | None = None
) -> Iterator["Run"]:
    """Open an MLflow run, or one that records nothing where no store is named.

    Parameters
    ----------
    store : str or None
        Tracking address, e.g. ``sqlite:///results/mlflow.db``.
    name : str
        Name of the run.
    tags : mapping of str to str
    run_id_file : Path, optional
        Remembers the run while it is unfinished, so that a resumed training continues it.
    """
    if store is None:
        yield Run(None)
        return
    import mlflow

    _connect(store)
    known = run_id_file.read_text().strip() if run_id_file and run_id_file.exists() else None
    with mlflow.start_run(
        run_id=known, run_name=None if known else name, tags=dict(tags), log_system_metrics=True
    ) as active:
        if run_id_file:
            run_id_file.parent.mkdir(parents=True, exist_ok=True)
            run_id_file.write_text(active.info.run_id)
        yield Run(active.info.run_id)
    if run_id_file:
        run_id_file.unlink(missing_ok=True)


class Run:
    """An open run; without an id, everything it is given is dropped."""

    def __init__(self, run_id: str | None) -> None:
        self.run_id = run_id

    def parameters(self, values: Mapping[str, Any]) -> None:
        """Log parameters."""
        if self.run_id:
            import mlflow

            mlflow.log_params(dict(values))

    def metrics(self, values: Mapping[str, float], step: int | None = None) -> None:
        """Log one value of each metric."""
        if self.run_id:
            import mlflow

            mlflow.log_metrics(dict(values), step=step)

    def dataset(self, dataset: Ulbd, context: str) -> None:
        """Log a designed dataset: its specification as source, and its full checksum as a tag."""
        if not self.run_id:
            return
        import mlflow
        from mlflow.data.code_dataset_source import CodeDatasetSource
        from mlflow.data.meta_dataset import MetaDataset

        checksum = dataset.checksum()
        source = CodeDatasetSource(tags={"specification": str(dataset.describe())})
        mlflow.log_input(
            MetaDataset(  # type: ignore[abstract]  # MLflow's own class, whose profile is a default
                source, name=f"{dataset.name}-v{dataset.version}", digest=checksum[:32]
            ),
            context=context,
            tags={"sha256": checksum},
        )
        mlflow.set_tag("dataset_sha256", checksum)

    def model(self, trained: "TrainedModel") -> None:
        """Log a trained network as an exported graph (no pickle)."""
        if not self.run_id:
            return
        import mlflow.pytorch
        import numpy as np

        example = np.zeros((2, 1, trained.dataset.protocol.n_points), dtype=np.float32)
        mlflow.pytorch.log_model(
            trained.network.cpu().eval(),
            name="model",
            input_example=example,
            serialization_format="pt2",
            pip_requirements=["torch"],
        )

    def artifact(self, path: Path) -> None:
        """Log a file."""
        if self.run_id:
            import mlflow

            mlflow.log_artifact(str(path))


def log_scores(store: str | None, scores: Sequence["Score"]) -> None:
    """Log scores to the runs of their models; controls get a run of their own."""
    if store is None or not scores:
        return
    import mlflow

    _connect(store)
    by_run: dict[tuple[str | None, str, str], dict[str, float]] = {}
    for result in scores:
        origin = result.provenance
        run = (origin.get("mlflow_run"), str(origin["model"]), result.family)
        prefix = f"{result.test_set}.{result.class_scheme}"
        values = by_run.setdefault(run, {})
        for k, value in enumerate(result.top, start=1):
            values[f"{prefix}.top{k}"] = value
        values[f"{prefix}.ceiling_top1"] = result.ceiling[0]
        values[f"{prefix}.share_top1"] = result.share[0]
        values[f"{prefix}.balanced_accuracy"] = result.balanced_accuracy
        values[f"{prefix}.ece"] = result.ece
    for (run_id, model, family), values in by_run.items():
        with mlflow.start_run(
            run_id=run_id,
            run_name=None if run_id else f"{model} {family}",
            tags={"model": model, "family": family, "scale": scores[0].provenance["scale"]},
            log_system_metrics=False,
        ):
            mlflow.log_metrics(values)


def _connect(store: str) -> None:
    import mlflow

    # The alembic log of a new SQLite store and the system metrics' chatter help nobody here.
    for noisy in ("alembic", "mlflow.system_metrics", "mlflow.store.db.utils"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    if store.startswith("sqlite:///"):
        Path(store.removeprefix("sqlite:///")).parent.mkdir(parents=True, exist_ok=True)
    try:
        mlflow.set_tracking_uri(store)
        mlflow.set_experiment(_experiment(store))
    except Exception as error:  # the store's own exceptions differ from one kind to the next
        raise SgbenchError(
            f"the MLflow store '{store}' cannot be used ({type(error).__name__}); expected an "
            "address such as sqlite:///results/mlflow.db. Name another store."
        ) from error


def _experiment(store: str) -> str:
    """Make the experiment with its artifacts beside a SQLite store, if it does not exist yet."""
    import mlflow

    if store.startswith("sqlite:///") and mlflow.get_experiment_by_name(_EXPERIMENT) is None:
        folder = Path(store.removeprefix("sqlite:///")).resolve().parent / "mlflow-artifacts"
        mlflow.create_experiment(_EXPERIMENT, artifact_location=folder.as_uri())
    return _EXPERIMENT
