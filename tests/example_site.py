"""A leaderboard of made-up models with its scores, as large as asked for."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from example_results import made_up_scores

from sgbench.evaluation import Score
from sgbench.leaderboard import COLUMNS, build_table
from sgbench.models import CONTROLS
from sgbench.site import ScoreFile, SiteData, site_data

HOSTILE = (
    '<img src=x onerror="window.hacked=1">',
    "</script><script>window.hacked=1</script>",
    "javascript:window.hacked=1//'\"&amp;\u2028{{7*7}}",
    '=HYPERLINK("x")',
)
TEST_SETS = ("ulbd-in-mesh", "ulbd-off-mesh", "cddd", "cddd-in-domain")


def some_scores(
    models: tuple[str, ...],
    families: tuple[str, ...] = ("cubic", "tetragonal"),
    test_sets: tuple[str, ...] = TEST_SETS,
    n: int = 300,
) -> list[Score]:
    """Scores of models, each a little worse than the one before; those of the first are real."""
    found = []
    for family in families:
        for place, test_set in enumerate(test_sets):
            first = made_up_scores(f"ulbd-{family}", test_set, family, 0.95 - 0.1 * place, n=n)
            for rank, model in enumerate(models):
                origin = {
                    "model": model,
                    "status": "self-reported" if rank % 3 else "reference",
                    "parameters": 10_000 * 2 ** (rank % 9),
                    "train_patterns": 20_000 * (1 + rank % 7),
                    "train_seconds": 30.0 * (1 + rank % 5),
                    "patterns_per_second": 50.0 * (1 + rank % 4),
                    "hardware": "a computer",
                    "dataset_sha256": f"a{rank:063x}",
                    "test_sha256": f"b{place:063x}",
                    "predictions_sha256": f"c{1000 * rank + place:063x}",
                    # The second row is of before these were recorded.
                    "commit": None if rank == 1 else "1a" * 20,
                    "lock_sha256": None if rank == 1 else "f" * 64,
                    "settings": "{}",
                }
                less = np.array([0.012, 0.004, 0.002, 0.001, 0.001]) * rank
                for one in first:
                    top, low, high = (
                        tuple(np.maximum(0, np.array(values) - less))
                        for values in (one.top, one.top_low, one.top_high)
                    )
                    found.append(
                        replace(
                            one, top=top, top_low=low, top_high=high,
                            calibration=_all_bins(one.n_test),
                            provenance={**one.provenance, **origin},
                        )
                    )  # fmt: skip
            found += [
                replace(
                    one, top=(0.2,) * 5, top_low=(0.15,) * 5, top_high=(0.25,) * 5,
                    provenance={
                        **one.provenance, "model": "control-prior", "train_set": "none",
                        "status": "control",
                    },
                )
                for one in first
            ]  # fmt: skip
    return found


def some_rows(*rows: tuple[Any, ...]) -> pd.DataFrame:
    """Return a leaderboard of model, training set, test set and top-1, and what is not as usual."""
    made = []
    for model, train_set, test_set, top1, *more in rows:
        usual = {
            "model": model, "train_set": train_set, "test_set": test_set, "top1": top1,
            "status": "control" if model in CONTROLS else "reference",
            "family": "cubic", "class_scheme": "extinction", "scale": "laptop",
            "test_sha256": f"of {test_set}", "dataset_sha256": "d", "n_test": 7200, "seeds": 1,
            "source": "designed" if test_set.startswith("ulbd") else "amcsd",
        }  # fmt: skip
        row = {**usual, **(more[0] if more else {})}
        around = {"top1_low": row["top1"] - 0.01, "top1_high": min(1, row["top1"] + 0.01)}
        made.append({"n_clusters": row["n_test"], **around, **row})
    return pd.DataFrame(made, columns=list(COLUMNS))


def scores_of_two_sources(
    models: tuple[str, ...],
    families: tuple[str, ...],
    sources: tuple[str, str] = ("amcsd", "materials-project"),
) -> list[Score]:
    """Scores of the same models on two sets that are both named ``cddd``."""
    return [
        replace(one, source=source, test_sha256=f"e{place}{families.index(one.family):c<62}")
        for place, source in enumerate(sources)
        for one in some_scores(models, families, ("cddd",), n=150)
    ]


def _all_bins(n: int) -> tuple[tuple[int, int, float, float], ...]:
    """As many samples in each bin, and seven points of too much confidence."""
    middles = [(i + 0.5) / 15 for i in range(15)]
    return tuple(
        (i, n // 15 + (n % 15 if i == 0 else 0), x, max(0.0, x - 0.07))
        for i, x in enumerate(middles)
    )


def some_site(scores: list[Score], extra: dict[str, float] | None = None) -> SiteData:
    table = build_table(scores)
    if extra is not None:
        table = table.assign(**extra)
    return site_data(table, "f" * 64, [ScoreFile(one, "a" * 64) for one in scores])
