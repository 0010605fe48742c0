"""`sgbench evaluate` and `leaderboard`."""

from pathlib import Path
from typing import Annotated

import typer

from sgbench.cli._options import CrystalsOption, StoreOption
from sgbench.datasets import designed_dataset, evaluation_set
from sgbench.errors import SgbenchError
from sgbench.evaluation import CLASS_SCHEMES, read_predictions, read_score, write_score
from sgbench.evaluation import score as score_predictions
from sgbench.files import file_sha256


def evaluate(
    predictions: Annotated[list[Path], typer.Argument(help="Files that `sgbench predict` wrote.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the scores.")],
    crystals: CrystalsOption = None,
) -> None:
    """Score predictions by space group and by extinction class; writes one JSON file each.

    The test set is made again from its recipe, so a score depends on nothing but the predictions.
    """
    written: set[Path] = set()
    for path in predictions:
        guess = read_predictions(path)
        origin = guess.provenance
        truth = evaluation_set(
            origin["test_set"], designed_dataset(origin["dataset"]),
            origin["per_spacegroup"], crystals or (),
        )  # fmt: skip
        guess.provenance["predictions_sha256"] = file_sha256(path)
        guess.provenance["test_sha256"] = truth.sha256()
        is_control = origin["model"].startswith("control-")
        schemes = (guess.class_scheme,) if is_control else CLASS_SCHEMES
        for scheme in schemes:
            result = score_predictions(guess, truth, scheme)
            target = output / f"{origin['test_set']}.{scheme}.json"
            if target in written:
                raise SgbenchError(
                    f"{path} would overwrite the score {target} of another file; expected the "
                    "predictions of one model. Give each model a folder of its own."
                )
            write_score(target, result)
            written.add(target)


def leaderboard(
    output: Annotated[Path, typer.Option("--output", "-o", help="CSV; Markdown goes beside it.")],
    scores: Annotated[
        list[Path] | None, typer.Argument(help="Score files, or folders of them.")
    ] = None,
    table: Annotated[
        list[Path] | None,
        typer.Option(
            help="Tables whose scales to add, if the file is there; the first with a scale wins."
        ),
    ] = None,
    by_class: Annotated[
        Path | None, typer.Option(help="Also write the scores of each extinction class (CSV).")
    ] = None,
    exact: Annotated[
        Path | None,
        typer.Option(help="Ceilings that `sgbench ceilings --exact` wrote (CSV), to be added."),
    ] = None,
    store: StoreOption = None,
) -> None:
    """Gather scores, and finished tables, into `leaderboard.csv` and `leaderboard.md`."""
    import pandas as pd

    from sgbench.files import write_atomically
    from sgbench.leaderboard import (
        COLUMNS,
        build_class_table,
        build_table,
        read_ceilings,
        read_csv,
        sort_table,
        to_markdown,
        with_exact_ceilings,
        write_csv,
    )
    from sgbench.tracking import log_scores

    if output.suffix == ".md":
        raise SgbenchError(
            f"{output} names the Markdown, which is written beside the CSV; expected a name such "
            f"as {output.with_suffix('.csv')}. Name the CSV."
        )
    results = [read_score(file) for path in scores or [] for file in score_files(path)]
    parts = [build_table(results)] if results else []
    for path in table or []:
        if path.exists():
            rows = read_csv(path)
            known = {scale for part in parts for scale in part["scale"]}
            fresh = rows[~rows["scale"].isin(known)]
            parts += [fresh] if len(fresh) else []
    if not parts:
        raise SgbenchError(
            "no score and no table was found; expected at least one. Make scores with "
            "`sgbench evaluate` and name them or their folder."
        )
    if exact is not None and results:
        parts[0] = with_exact_ceilings(parts[0], read_ceilings(exact))
    filled = [part.dropna(axis=1, how="all") for part in parts]
    built = sort_table(pd.concat(filled, ignore_index=True))
    built = built.reindex(columns=list(COLUMNS))
    write_csv(output, built)
    with write_atomically(output.with_suffix(".md")) as temporary:
        temporary.write_text(to_markdown(built))
    if by_class is not None:
        write_csv(by_class, build_class_table(results))
    log_scores(store, results)
    typer.echo(f"wrote {output}: {len(built)} rows")


def check(
    table: Annotated[Path, typer.Argument(help="A leaderboard (CSV).")],
) -> None:
    """Check that no accuracy passes what the data allow beyond chance; exit status 1 if one does.

    That would be a leak of labels, or a ceiling that is wrong.
    """
    from sgbench.leaderboard import above_ceiling, read_csv

    rows = read_csv(table)
    for _, row in above_ceiling(rows).iterrows():
        typer.echo(
            f"above the ceiling: {row.model} trained on {row.train_set}, tested on {row.test_set} "
            f"({row.family}, {row.class_scheme}): top-1 {100 * row.top1:.1f} %, data ceiling "
            f"{100 * row.data_ceiling_top1:.1f} %, n = {row.n_test}",
            err=True,
        )
    if len(above_ceiling(rows)):
        raise typer.Exit(1)
    n = int(rows["data_ceiling_top1"].notna().sum())
    typer.echo(f"{table}: none of {n} rows passes its data ceiling beyond chance")


def score_files(path: Path) -> list[Path]:
    return sorted(path.rglob("*.json")) if path.is_dir() else [path]
