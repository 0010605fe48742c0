from dataclasses import replace

import mlflow
from example_site import some_scores

from sgbench.tracking import log_scores


def test_sets_under_conditions_are_logged_too(tmp_path):
    """MLflow takes no plus in the name of a metric."""
    (score, *_) = some_scores(("alpha",), ("cubic",), ("cddd",), n=50)
    store = f"sqlite:///{tmp_path / 'store.db'}"
    log_scores(store, [replace(score, test_set="cddd+thermal-2")])
    (run,) = mlflow.search_runs(experiment_names=["sgbench"], output_format="list")
    assert run.data.metrics[f"cddd thermal-2.{score.class_scheme}.top1"] == score.top[0]
