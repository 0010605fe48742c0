"""Submissions to begin from: nothing is wrong with them."""

import numpy as np
import pandas as pd
import yaml

from sgbench.submission import Track

LABELS = Track("ulbd-cubic", "smoke").labels("spacegroup")
CLASSES = Track("ulbd-cubic", "smoke").labels("extinction")


def description(**changes):
    """A complete submission.yaml as values; 'absent' takes a key out."""
    values = {
        "name": "mine",
        "version": "1.0",
        "track": "ulbd-cubic",
        "scale": "smoke",
        "class_scheme": "spacegroup",
        "track_sha256": Track("ulbd-cubic", "smoke").checksum(),
        "authors": [{"name": "Ada Lovelace"}],
        "contact": "ada@example.org",
        "licence": "MIT",
        "paper": None,
        "code": None,
        "training_data": {"name": "ulbd-cubic", "patterns": 1000},
        "parameters": 10,
        "hardware": "2 cores",
        "seeds": [0],
    }
    kept = {**values, **changes}
    return {key: value for key, value in kept.items() if value != "absent"}


def write(folder, values, predictions=None):
    folder.mkdir(parents=True, exist_ok=True)
    text = yaml.safe_dump(values, allow_unicode=True, sort_keys=False)
    (folder / "submission.yaml").write_text(text, encoding="utf-8")
    if predictions is not None:
        predictions.to_parquet(folder / "predictions.parquet", index=False)


def probabilities(samples, labels, seed=0):
    drawn = np.random.default_rng(seed).dirichlet(np.ones(len(labels)), len(samples))
    return drawn.astype(np.float32)


def frame(samples, labels=LABELS, values=None):
    values = probabilities(samples, labels) if values is None else values
    table = pd.DataFrame(values, columns=[f"p_{label}" for label in labels])
    table.insert(0, "sample_id", list(samples.ids))
    return table
