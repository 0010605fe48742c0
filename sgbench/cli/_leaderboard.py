"""`sgbench evaluate` and `leaderboard`."""

from pathlib import Path
from typing import Annotated

import typer

from sgbench.cli._models import StoreOption
from sgbench.datasets import evaluation_set, training_dataset
from sgbench.evaluation import CLASS_SCHEMES, Score, read_predictions, read_score, write_score
from sgbench.evaluation import score as score_predictions
from sgbench.files import file_sha256


def evaluate(
    predictions: Annotated[list[Path], typer.Argument(help="Files that `sgbench predict` wrote.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the scores.")],
    crystals: Annotated[Path | None, typer.Option(help="Line lists of real crystals.")] = None,
    store: StoreOption = None,
) -> None:
    """Score predictions by space group and by extinction class; writes one JSON file each.

    The test set is made again from its recipe, so a score depends on nothing but the predictions.
    """
    from sgbench.tracking import log_scores

    scores: list[Score] = []
    for path in predictions:
        guess = read_predictions(path)
        origin = guess.provenance
        truth = evaluation_set(
            origin["test_set"], training_dataset("", origin["dataset"]),
            origin["per_spacegroup"], crystals,
        )  # fmt: skip
        guess.provenance["predictions_sha256"] = file_sha256(path)
        guess.provenance["test_sha256"] = truth.sha256()
        is_control = origin["model"].startswith("control-")
        schemes = (guess.class_scheme,) if is_control else CLASS_SCHEMES
        for scheme in schemes:
            result = score_predictions(guess, truth, scheme)
            write_score(output / f"{origin['test_set']}.{scheme}.json", result)
            scores.append(result)
    log_scores(store, scores)


def leaderboard(
    scores: Annotated[list[Path], typer.Argument(help="Score files, or folders of them.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="CSV; Markdown goes beside it.")],
    table: Annotated[
        list[Path] | None, typer.Option(help="Finished tables of other scales to include.")
    ] = None,
) -> None:
    """Gather scores into `leaderboard.csv` and `leaderboard.md`."""
    import pandas as pd

    from sgbench.files import write_atomically
    from sgbench.leaderboard import build_table, read_csv, sort_table, to_markdown, write_csv

    files = [file for path in scores for file in _score_files(path)]
    built = build_table([read_score(file) for file in files])
    scales = set(built["scale"])
    others = [read_csv(path) for path in table or [] if path.exists()]
    others = [other[~other["scale"].isin(scales)] for other in others]
    built = sort_table(pd.concat([built, *(o for o in others if len(o))], ignore_index=True))
    write_csv(output, built)
    with write_atomically(output.with_suffix(".md")) as temporary:
        temporary.write_text(to_markdown(built))
    typer.echo(f"wrote {output}: {len(built)} rows")


def _score_files(path: Path) -> list[Path]:
    return sorted(path.rglob("*.json")) if path.is_dir() else [path]
