"""A training as a run that is told of its progress."""

import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from sgbench.errors import SgbenchError
from sgbench.sets import TrainingSet
from sgbench.tracking._delivery import journal_of, warn
from sgbench.tracking._record import (
    Input,
    Record,
    artifacts_of,
    now,
    read_journal,
    texts,
    write_journal,
)
from sgbench.tracking._store import Sent, say, send, system_monitor

if TYPE_CHECKING:
    from sgbench.models import TrainingPlan
    from sgbench.training import Progress, Trained

# A store that failed is asked again after so long, for each attempt may cost seconds.
_PAUSE_SECONDS = 60.0


@contextmanager
def tracked_run(
    store: str | None,
    plan: "TrainingPlan",
    dataset: TrainingSet,
    output: Path,
    tags: Mapping[str, str],
    workflow: str | None = None,
) -> Iterator["Run"]:
    """Open the run of a training, or one that records nothing where no store is named.

    A training of the same plan and data that was cut off, and left its journal, is continued.

    Parameters
    ----------
    store : str or None
        MLflow tracking address, e.g. ``sqlite:///results/mlflow.db``.
    plan : TrainingPlan
    dataset : TrainingSet
    output : Path
        File of the trained model; the journal lies beside it.
    tags : mapping of str to str
        Beside those that follow from plan and data.
    workflow : str, optional
        Name of the workflow that the training belongs to; it becomes a child of that one's run.

    Raises
    ------
    SgbenchError
        If the store cannot be used. A workflow's training has a warning instead: much was done
        before it, and the workflow has checked its store at its start.
    """
    if store is None:
        yield Run(None, output, None)
        return
    checksum = dataset.checksum()
    journal = journal_of(output, plan.sha256() + checksum)
    if is_new := not journal.exists():
        record = Record(
            name=f"{plan.model} {dataset.name} seed {plan.seed}",
            identity={"record": uuid.uuid4().hex},
            started=now(),
            tags={
                **tags,
                "model": plan.model,
                "dataset": dataset.name,
                "family": dataset.spec.family,
                "plan_sha256": plan.sha256(),
                "dataset_sha256": checksum,
            },
            parent={"workflow": workflow, "scale": tags["scale"]} if workflow else {},
            parameters=texts(plan.values()),
            inputs=(_training_input(dataset, checksum),),
        )
    else:
        record = replace(read_journal(journal)[0], ended=None, status="RUNNING")
    write_journal(journal, [record])
    run = Run(store, journal, record)
    try:
        run.send()
    except SgbenchError as error:
        if workflow is None:
            if is_new:
                journal.unlink()
            raise
        run.warn(error)
    try:
        yield run
    except BaseException:
        run.end("FAILED")
        raise


class Run:
    """The run of a training: what it is told goes to its journal, and from there to the store.

    Nothing here raises for a store that fails, or for a journal that cannot be written.
    """

    def __init__(self, store: str | None, journal: Path, record: Record | None) -> None:
        self._store, self._journal, self._record = store, journal, record
        self._sent: Sent | None = None
        self._not_before = 0.0
        self._has_warned = False
        self._measured = system_monitor() if record else dict

    @property
    def provenance(self) -> dict[str, str | None]:
        """Where the run is found; nowhere, without a store or where it does not answer yet."""
        run_id, experiment_id = (
            (self._sent.run_id, self._sent.experiment_id) if self._sent else (None, None)
        )
        return {"mlflow_run": run_id, "mlflow_experiment": experiment_id}

    def progress(self, progress: "Progress") -> None:
        """Record a validation, and how busy the machine is."""
        if self._record is None:
            return
        self._take(progress, self._measured())
        self._report()

    def finish(self, output: Path, trained: "Trained") -> None:
        """Record a trained model that has been written, and send what was not sent so far."""
        if self._record is None:
            return
        from sgbench.training import Progress, TrainedModel

        # A validation was not reported if the training was killed right after its checkpoint.
        for entry in trained.provenance["history"]:
            self._take(Progress(**entry), {})
        self._record = replace(
            self._record,
            artifacts=artifacts_of([output], self._journal.parent),
            model=output.name if isinstance(trained, TrainedModel) else None,
        )
        self.end("FINISHED")

    def end(self, status: str) -> None:
        """End the run; its journal goes if the store has all of a finished one."""
        if self._record is None:
            return
        self._record = self._record.at_end(status)
        self._not_before = 0.0
        if self._report():
            if self._has_warned:
                say("MLflow answers again and has everything; nothing is left to be sent")
            if status == "FINISHED":
                self._journal.unlink(missing_ok=True)

    def send(self) -> None:
        """Send what the store does not have yet; raises an `SgbenchError` if it cannot be used."""
        if self._store and self._record:
            before, self._sent = self._sent, None
            self._sent = send(self._store, self._record, self._journal.parent, before)

    def warn(self, error: SgbenchError) -> None:
        """Say that the store failed, once."""
        self._not_before = time.monotonic() + _PAUSE_SECONDS
        if not self._has_warned:
            warn(error, self._journal)
        self._has_warned = True

    def _take(self, progress: "Progress", more: Mapping[str, float]) -> None:
        assert self._record is not None
        if any(one.step == progress.patterns for one in self._record.metrics):
            return
        values = {k: v for k, v in vars(progress).items() if k not in ("step", "patterns")}
        self._record = self._record.with_metrics({**values, **more}, progress.patterns)

    def _report(self) -> bool:
        """Write the journal and bring the store up to it; return whether it has everything."""
        assert self._record is not None
        try:
            write_journal(self._journal, [self._record])
        except SgbenchError as error:
            self.warn(error)
        if time.monotonic() < self._not_before:
            return False
        try:
            self.send()
        except SgbenchError as error:
            self.warn(error)
            return False
        return True


def _training_input(dataset: TrainingSet, checksum: str) -> Input:
    name, origin = dataset.name, {"name": dataset.name, "family": dataset.spec.family}
    if dataset.designed:
        name = f"{dataset.name}-v{dataset.designed.version}"
        origin = {"specification": str(dataset.designed.describe())}
    return Input(name, checksum, "training", origin)
