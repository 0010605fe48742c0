"""Scores and datasets as runs."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from sgbench.designed import SPLITS, Ulbd
from sgbench.files import file_sha256
from sgbench.tracking._delivery import journal_of, keep_and_send
from sgbench.tracking._record import Input, Record, artifacts_of, now, texts

if TYPE_CHECKING:
    from sgbench.evaluation import Score
    from sgbench.structures import CrystalSet


def log_scores(store: str | None, scores: Sequence["Score"], output: Path) -> None:
    """Record scores in the runs of their models; controls get a run of their own.

    Parameters
    ----------
    store : str or None
        MLflow tracking address; None records nothing.
    scores : sequence of Score
    output : Path
        What was made of the scores; the journal lies beside it.
    """
    if store is None or not scores:
        return
    runs: dict[str, list[Score]] = {}
    for one in scores:
        runs.setdefault(json.dumps(_scores_of(one)), []).append(one)
    values = [_metrics(group) for group in runs.values()]
    records = [
        _scores_record(group[0]).with_metrics(metrics).at_end()
        for group, metrics in zip(runs.values(), values, strict=True)
    ]
    keep_and_send(store, journal_of(output, json.dumps([list(runs), values])), records)


def _scores_of(score: "Score") -> dict[str, str]:
    """Return what tells the run of a score from others, as tags."""
    origin = score.provenance
    names = ["model", "family", "scale"]
    if origin["train_set"] != "none":
        names += ["train_set", "seed", "plan_sha256", "dataset_sha256", "mlflow_run"]
    known = {**origin, "family": score.family}
    return {name: _key(str(known[name])) for name in names if known.get(name) is not None}


def _scores_record(score: "Score") -> Record:
    tags = _scores_of(score)
    joins = []
    if run_id := tags.pop("mlflow_run", None):
        joins.append({"run_id": run_id, "model": tags["model"]})
    # The store may be another than that of the training, or had no run of it at that time.
    trained = {name: tags.pop(name) for name in ("plan_sha256", "dataset_sha256") if name in tags}
    if len(trained) == 2:
        joins.append(trained | {"model": tags["model"], "scale": tags["scale"]})
    return Record(
        name=f"{score.provenance['model']} {score.family}",
        identity=tags | {"scores_only": "yes"},
        started=now(),
        joins=tuple(joins),
        adds=True,
    )


def _metrics(scores: Sequence["Score"]) -> dict[str, float]:
    """Return the metrics of one run."""
    data: dict[str, set[str]] = {}
    for one in scores:
        data.setdefault(one.test_set, set()).add(one.test_sha256)
    values = {}
    for one in scores:
        # Conditions follow a plus, which MLflow does not take.
        test_set = one.test_set.replace("+", " ")
        if len(data[one.test_set]) > 1:
            test_set += f" {one.source} {one.test_sha256[:8]}"
        prefix = f"{_key(test_set)}.{one.class_scheme}"
        for k, value in enumerate(one.top, start=1):
            values[f"{prefix}.top{k}"] = value
        if one.ceiling is not None and one.share is not None:
            values[f"{prefix}.ceiling_top1"] = one.ceiling[0]
            values[f"{prefix}.share_top1"] = one.share[0]
        values[f"{prefix}.balanced_accuracy"] = one.balanced_accuracy
        values[f"{prefix}.ece"] = one.ece
        if one.regret is not None:
            values[f"{prefix}.regret"] = one.regret
    return values


def log_dataset(
    store: str | None, dataset: "CrystalSet | Ulbd", path: Path, artifacts: Iterable[Path]
) -> None:
    """Record a built dataset as a run of its own, once however often it is built.

    Parameters
    ----------
    store : str or None
        MLflow tracking address; None records nothing.
    dataset : CrystalSet or Ulbd
    path : Path
        The file that was built; the journal lies beside it.
    artifacts : iterable of Path
        Card, figures and whatever else describes it.
    """
    if store is None:
        return
    facts = _designed_facts(dataset) if isinstance(dataset, Ulbd) else _crystal_facts(dataset)
    checksum = file_sha256(path)
    record = Record(
        name=f"dataset {facts.name}",
        identity={"dataset": facts.name, "sha256": checksum},
        started=now(),
        tags={"source": facts.origin["source"], "version": facts.version},
        parameters=texts(facts.parameters),
        inputs=(Input(f"{facts.name}-v{facts.version}", checksum, "dataset", facts.origin),),
        artifacts=artifacts_of(artifacts, path.parent),
    )
    record = record.with_metrics(facts.metrics).at_end()
    keep_and_send(store, journal_of(path, checksum), [record])


class _Facts(NamedTuple):
    """What is recorded of a dataset."""

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
