"""MLflow, and the only module that knows of it.

Runs go to the store that `MLFLOW_TRACKING_URI` names; the workflow sets it to a SQLite file.
"""

import logging
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from sgbench.designed import SPLITS, Ulbd
from sgbench.errors import SgbenchError
from sgbench.files import file_sha256
from sgbench.sets import TrainingSet

if TYPE_CHECKING:
    from sgbench.evaluation import Score
    from sgbench.structures import CrystalSet
    from sgbench.training import Trained

# Nothing here is ever unpickled, so that a store from elsewhere cannot run code.
os.environ.setdefault("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "false")
_EXPERIMENT = "sgbench"


@contextmanager
def tracked_run(
    store: str | None,
    name: str,
    tags: Mapping[str, str],
    memory: Path,
    plan: str,
    workflow: str | None = None,
) -> Iterator["Run"]:
    """Open an MLflow run, or one that records nothing where no store is named.

    Parameters
    ----------
    store : str or None
        Tracking address, e.g. ``sqlite:///results/mlflow.db``.
    name : str
        Name of the run.
    tags : mapping of str to str
    memory : Path
        Remembers the run while it is unfinished, so that a resumed training of the same plan
        continues it.
    plan : str
        What tells one plan from another.
    workflow : str, optional
        Name of the workflow that the run belongs to; it becomes a child of that one's run.
    """
    if store is None:
        yield Run(None)
        return
    import mlflow

    _connect(store)
    known = _remembered(memory, store, plan)
    if workflow:
        tags = {**tags, "mlflow.parentRunId": _run_of_workflow(store, workflow, tags["scale"])}
    with mlflow.start_run(
        run_id=known, run_name=None if known else name, tags=dict(tags), log_system_metrics=True
    ) as active:
        memory.parent.mkdir(parents=True, exist_ok=True)
        memory.write_text("\n".join([active.info.run_id, store, plan]))
        yield Run(active.info.run_id, active.info.experiment_id, is_new=known is None)
    memory.unlink(missing_ok=True)


def _remembered(memory: Path, store: str, plan: str) -> str | None:
    """Return the id of the unfinished run of this plan, if the store still has it."""
    if not memory.exists():
        return None
    run_id, *rest = memory.read_text().split("\n")
    return run_id if rest == [store, plan] and _exists(run_id) else None


def _exists(run_id: str | None) -> bool:
    import mlflow
    from mlflow.exceptions import MlflowException

    try:
        return run_id is not None and mlflow.get_run(run_id) is not None
    except MlflowException:
        return False


class Run:
    """An open run; without an id, everything it is given is dropped."""

    def __init__(
        self, run_id: str | None, experiment_id: str | None = None, is_new: bool = False
    ) -> None:
        self.run_id = run_id
        self.experiment_id = experiment_id
        self.is_new = is_new

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

    def dataset(self, dataset: TrainingSet, context: str) -> None:
        """Log a training set: what it is as source, and its full checksum as a tag."""
        if not self.run_id:
            return
        import mlflow

        checksum = dataset.checksum()
        name, origin = dataset.name, {"name": dataset.name, "family": dataset.spec.family}
        if dataset.designed:
            name = f"{dataset.name}-v{dataset.designed.version}"
            origin = {"specification": str(dataset.designed.describe())}
        _log_input(name, checksum, context, origin)
        mlflow.set_tag("dataset_sha256", checksum)

    def model(self, trained: "Trained", n_points: int) -> None:
        """Log a trained network as an exported graph (no pickle); an estimator's file must do."""
        from sgbench.training import TrainedModel

        if not self.run_id or not isinstance(trained, TrainedModel):
            return
        import mlflow.pytorch
        import numpy as np

        # Not every network can be exported; its file is logged all the same.
        example = np.zeros((2, 1, n_points), dtype=np.float32)
        try:
            mlflow.pytorch.log_model(
                trained.network.cpu().eval(),
                name="model",
                input_example=example,
                serialization_format="pt2",
                pip_requirements=["torch"],
            )
        except Exception as error:  # torch.export refuses in many ways
            logging.getLogger(__name__).warning("the model was not exported to MLflow: %s", error)

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
        # Conditions follow a plus, which MLflow does not take.
        prefix = f"{_key(result.test_set.replace('+', ' '))}.{result.class_scheme}"
        values = by_run.setdefault(run, {})
        for k, value in enumerate(result.top, start=1):
            values[f"{prefix}.top{k}"] = value
        values[f"{prefix}.ceiling_top1"] = result.ceiling[0]
        values[f"{prefix}.share_top1"] = result.share[0]
        values[f"{prefix}.balanced_accuracy"] = result.balanced_accuracy
        values[f"{prefix}.ece"] = result.ece
    for (run_id, model, family), values in by_run.items():
        scale = str(scores[0].provenance["scale"])
        tags = {"model": model, "family": family, "scale": scale, "scores_only": "yes"}
        # The store may be another than that of the training, or have been emptied since.
        its_own = _exists(run_id)
        known = run_id if its_own else _run_of(tags)
        with mlflow.start_run(
            run_id=known,
            run_name=None if known else f"{model} {family}",
            tags=None if its_own else tags,
            log_system_metrics=False,
        ):
            mlflow.log_metrics(values)


def log_dataset(
    store: str | None, dataset: "CrystalSet | Ulbd", path: Path, artifacts: Iterable[Path]
) -> None:
    """Log a built dataset as a run of its own, once however often it is built.

    Parameters
    ----------
    store : str or None
        Tracking address; None logs nothing.
    dataset : CrystalSet or Ulbd
    path : Path
        The file that was built.
    artifacts : iterable of Path
        Card, figures and whatever else describes it.
    """
    if store is None:
        return
    import mlflow

    _connect(store)
    facts = _designed_facts(dataset) if isinstance(dataset, Ulbd) else _crystal_facts(dataset)
    checksum = file_sha256(path)
    identity = {"dataset": facts.name, "sha256": checksum}
    known = _run_of(identity)
    if known and mlflow.get_run(known).info.status == "FINISHED":
        return
    with mlflow.start_run(
        run_id=known,  # one that was cut off
        run_name=None if known else f"dataset {facts.name}",
        tags=identity | {"source": facts.origin["source"], "version": facts.version},
        log_system_metrics=False,
    ):
        mlflow.log_params(facts.parameters)
        mlflow.log_metrics(facts.metrics)
        _log_input(f"{facts.name}-v{facts.version}", checksum, "dataset", facts.origin)
        for artifact in artifacts:
            mlflow.log_artifact(str(artifact))


class _Facts(NamedTuple):
    """What is logged of a dataset."""

    name: str
    version: str
    origin: dict[str, str]
    parameters: dict[str, Any]
    metrics: dict[str, float]


def _crystal_facts(crystals: "CrystalSet") -> _Facts:
    metadata = crystals.metadata
    source = metadata["source"]
    settings = {key: metadata[key] for key in ("families", "symprec", "form_factors")}
    protocol = {f"protocol.{key}": value for key, value in metadata["protocol"].items()}
    provenance = {f"source.{_key(key)}": value for key, value in source["provenance"].items()}
    return _Facts(
        metadata["name"],
        str(metadata["version"]),
        {"source": source["name"], **source["provenance"]},
        {**settings, **protocol, **provenance},
        {
            "structures": len(crystals),
            "lines": len(crystals.lines.two_theta),
            "spacegroups": len(set(crystals.spacegroup.tolist())),
            "prototypes": len(set(crystals.prototype)),
            "names": len(set(crystals.name)),
            "ordered": int(crystals.ordered.sum()),
            "excluded": len(crystals.excluded),
            **Counter(f"excluded.{_key(e.reason)}" for e in crystals.excluded),
        },
    )


def _designed_facts(dataset: Ulbd) -> _Facts:
    specification = {key: str(value)[:6000] for key, value in dataset.describe().items()}
    return _Facts(
        dataset.name,
        str(dataset.version),
        {"source": "designed", "specification_sha256": dataset.checksum()},
        specification,
        {
            "cells": len(dataset.mesh),
            "spacegroups": int((dataset.n_cells > 0).sum()),
            **{f"samples.{s}": dataset.size(s) for s in SPLITS if s != "off-mesh"},
        },
    )


def _key(text: str) -> str:
    """Return a text without what MLflow does not take in names of metrics and parameters."""
    return re.sub(r"[^\w ./-]", "", text)


def _log_input(name: str, checksum: str, context: str, origin: Mapping[str, str]) -> None:
    """Log a dataset as input of the active run: what it is made from, and its full checksum."""
    import mlflow
    from mlflow.data.code_dataset_source import CodeDatasetSource
    from mlflow.data.meta_dataset import MetaDataset

    mlflow.log_input(
        MetaDataset(  # type: ignore[abstract]  # MLflow's own class, whose profile is a default
            CodeDatasetSource(tags=dict(origin)), name=name, digest=checksum[:32]
        ),
        context=context,
        tags={"sha256": checksum},
    )


def _run_of(tags: Mapping[str, str]) -> str | None:
    """Return the run of these tags, if there is one: of a control, or of a dataset."""
    import mlflow

    query = " and ".join(f"tags.{name} = '{value}'" for name, value in tags.items())
    found = mlflow.search_runs(
        experiment_names=[_EXPERIMENT], filter_string=query, output_format="list"
    )
    return str(found[0].info.run_id) if found else None


def _run_of_workflow(store: str, workflow: str, scale: str) -> str:
    """Return the run that the trainings of a workflow are children of; the first one makes it."""
    import mlflow

    tags = {"workflow": workflow, "scale": scale}
    with _alone(store):
        known = _run_of(tags)
        if known is None:
            client = mlflow.MlflowClient()
            made = client.create_run(
                mlflow.set_experiment(_EXPERIMENT).experiment_id,
                tags=tags,
                run_name=f"workflow {workflow}",
            )
            client.set_terminated(made.info.run_id)  # it holds others, and does nothing itself
            known = str(made.info.run_id)
    return known


def _connect(store: str) -> None:
    import mlflow

    # The alembic log of a new SQLite store and the system metrics' chatter help nobody here.
    for noisy in ("alembic", "mlflow.system_metrics", "mlflow.store.db.utils"):
        logging.getLogger(noisy).setLevel(logging.WARNING)
    try:
        with _alone(store):
            mlflow.set_tracking_uri(store)
            mlflow.set_experiment(_experiment(store))
    except Exception as error:  # the store's own exceptions differ from one kind to the next
        raise SgbenchError(
            f"the MLflow store '{store}' cannot be used ({type(error).__name__}); expected an "
            "address such as sqlite:///results/mlflow.db. Name another store."
        ) from error


def _alone(store: str) -> AbstractContextManager[Any]:
    """Keep others from the store meanwhile: two that make its tables at once would fail."""
    from filelock import FileLock

    if not store.startswith("sqlite:///"):
        return nullcontext()
    path = Path(store.removeprefix("sqlite:///"))
    path.parent.mkdir(parents=True, exist_ok=True)
    return FileLock(f"{path}.lock")


def _experiment(store: str) -> str:
    """Make the experiment with its artifacts beside a SQLite store, if it does not exist yet."""
    import mlflow

    if store.startswith("sqlite:///") and mlflow.get_experiment_by_name(_EXPERIMENT) is None:
        folder = Path(store.removeprefix("sqlite:///")).resolve().parent / "mlflow-artifacts"
        mlflow.create_experiment(_EXPERIMENT, artifact_location=folder.as_uri())
    return _EXPERIMENT
