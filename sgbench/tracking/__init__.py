"""What is recorded of datasets, trainings and scores, in MLflow; nothing else knows about MLflow.

Results come first: a record is a file beside the results before anything is said to a store, and
goes when the store has all of it. A store that fails costs a warning, and `sync` sends the rest.
"""

from sgbench.tracking._delivery import sync
from sgbench.tracking._results import log_dataset, log_scores
from sgbench.tracking._store import check_store
from sgbench.tracking._training import Run, tracked_run

__all__ = [
    "Run",
    "check_store",
    "log_dataset",
    "log_scores",
    "sync",
    "tracked_run",
]
