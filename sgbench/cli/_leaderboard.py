"""`sgbench evaluate` and `leaderboard`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sgbench.cli._options import VERIFIED, CrystalsOption, StoreOption, VerifiedOption
from sgbench.errors import SgbenchError

if TYPE_CHECKING:
    import pandas as pd

    from sgbench.sets import SetSpec


def evaluate(
    predictions: Annotated[list[Path], typer.Argument(help="Files that `sgbench predict` wrote.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the scores.")],
    crystals: CrystalsOption = None,
) -> None:
    """Score predictions by space group and by extinction class; writes one JSON file each.

    Measured patterns are scored by crystal system, too, and those of substances that the model was
    trained on apart from the others; where it was trained on structures, these are needed as well.
    The test set is made again from its recipe, so a score depends on nothing but the predictions.
    """
    from sgbench.evaluation import CLASS_SCHEMES, SCHEME_NAMES, read_predictions, write_score
    from sgbench.evaluation import score as score_predictions
    from sgbench.progress import task
    from sgbench.sets import SetSpec, family_set, open_test_set, seen_in_training

    written: set[Path] = set()
    with task("scoring", len(predictions), "files") as shown:
        for path in predictions:
            guess = read_predictions(path)
            origin = guess.provenance
            truth = open_test_set(
                public_set(origin["test_set"]), family_set(origin["family"], origin["protocol"]),
                origin["per_spacegroup"], crystals or (),
            )  # fmt: skip
            # A control has a guess of its own for either scheme.
            own = origin.get("status") == "control"
            parts = seen_in_training(truth, SetSpec.find(str(origin["train_set"])), crystals or ())
            schemes = CLASS_SCHEMES if truth.labelled is None else tuple(SCHEME_NAMES)
            for scheme in (guess.class_scheme,) if own else schemes:
                result = score_predictions(guess, truth, scheme, parts)
                target = output / f"{truth.name}.{scheme}.json"
                if target in written:
                    raise SgbenchError(
                        f"{path} would overwrite the score {target} of another file; expected the "
                        "predictions of one model. Give each model a folder of its own."
                    )
                write_score(target, result)
                written.add(target)
            shown.advance(1)
    typer.echo(f"wrote {output}: {len(written)} scores", err=True)


def leaderboard(
    output: Annotated[
        Path,
        typer.Option("--output", "-o", help="CSV; Markdown and paired tests go beside it."),
    ],
    scores: Annotated[
        list[Path] | None, typer.Argument(help="Score files, or folders of them.")
    ] = None,
    table: Annotated[
        list[Path] | None,
        typer.Option(
            help="Tables (CSV, or what `sgbench publish` wrote) whose scales to add, if the file "
            "is there; the first with a scale wins. Rows under a condition of one severity, which "
            "are points of curves, stay behind."
        ),
    ] = None,
    by_class: Annotated[
        Path | None, typer.Option(help="Also write the scores of each extinction class (CSV).")
    ] = None,
    exact: Annotated[
        Path | None,
        typer.Option(help="Ceilings that `sgbench ceilings --exact` wrote (CSV), to be added."),
    ] = None,
    verified: VerifiedOption = VERIFIED,
    store: StoreOption = None,
) -> None:
    """Gather scores, and finished tables, into `leaderboard.csv` and `leaderboard.md`."""
    from sgbench.evaluation import read_score
    from sgbench.files import all_or_none, write_atomically
    from sgbench.leaderboard import (
        COLUMNS,
        build_class_table,
        build_pairs,
        build_table,
        graded,
        open_scores,
        open_table,
        pairs_of,
        pairs_path,
        read_ceilings,
        read_csv,
        read_pairs,
        read_verified,
        sort_table,
        to_markdown,
        with_exact_ceilings,
        write_csv,
        write_pairs,
    )
    from sgbench.tracking import log_scores

    if output.suffix == ".md":
        raise SgbenchError(
            f"{output} names the Markdown, which is written beside the CSV; expected a name such "
            f"as {output.with_suffix('.csv')}. Name the CSV."
        )
    with open_scores(scores or []) as files:
        results = [read_score(file, with_answers=True) for file in files]
    parts = [build_table(results, read_verified(verified))] if results else []
    pairs = [build_pairs(results)]
    for path in table or []:
        if not path.exists():
            continue
        with open_table(path) as csv:
            rows, tests = read_csv(csv), read_pairs(pairs_path(csv))
        known = {scale for part in parts for scale in part["scale"]}
        fresh = rows[~rows["scale"].isin(known) & ~graded(rows)]
        parts += [fresh] if len(fresh) else []
        pairs.append(tests)
    if not parts:
        raise SgbenchError(
            "no score and no table was found; expected at least one. Make scores with "
            "`sgbench evaluate` and name them or their folder."
        )
    if exact is not None and results:
        parts[0] = with_exact_ceilings(parts[0], read_ceilings(exact))
    built = sort_table(_joined(parts).reindex(columns=list(COLUMNS)))
    compared = pairs_of(_joined(pairs), built)
    with all_or_none():
        write_csv(output, built)
        write_pairs(pairs_path(output), compared)
        with write_atomically(output.with_suffix(".md")) as temporary:
            temporary.write_text(to_markdown(built, compared))
        if by_class is not None:
            write_csv(by_class, build_class_table(results))
    log_scores(store, results, output)
    typer.echo(f"wrote {output}: {len(built)} rows")


def _joined(parts: "list[pd.DataFrame]") -> "pd.DataFrame":
    import pandas as pd

    # An empty column has no type of its own, which the others would have to bow to.
    filled = [part.dropna(axis=1, how="all") for part in parts if len(part)]
    return pd.concat(filled, ignore_index=True) if filled else parts[0]


def check(
    table: Annotated[Path, typer.Argument(help="A leaderboard (CSV).")],
    reference: Annotated[
        Path | None, typer.Option(help="Accuracies that must not drop (YAML).")
    ] = None,
    update: Annotated[
        bool, typer.Option("--update", help="Write the reference from the table instead.")
    ] = False,
    verified: VerifiedOption = VERIFIED,
) -> None:
    """Check a leaderboard; exit status 1 if something is wrong with it.

    No accuracy may pass what the data allow (that would be a leak of labels, or a wrong ceiling),
    and none may have dropped below the reference, in both cases beyond chance. No row may claim to
    be verified that the maintainers' file does not name.
    """
    from sgbench.leaderboard import (
        above_ceiling,
        below_reference,
        on_other_data,
        read_csv,
        read_reference,
        read_verified,
        unfounded,
        write_reference,
    )

    rows = read_csv(table)
    if update:
        if reference is None:
            raise SgbenchError("--update needs a file to write; expected --reference. Name one.")
        typer.echo(f"wrote {reference}: {write_reference(reference, rows)} rows")
        return
    wrong = [
        f"above the ceiling: {_named(row)}: top-1 hits {_percent(row.raw_top1)}, "
        f"{_bounds(row)}, n = {row.n_test}"
        for _, row in above_ceiling(rows).iterrows()
    ]
    wrong += [
        f"not verified: {_named(row)}: {verified} does not name it with top-1 {_percent(row.top1)}"
        for _, row in unfounded(rows, read_verified(verified)).iterrows()
    ]
    before = None if reference is None else read_reference(reference)
    if before is not None:
        wrong += [
            f"dropped: {_named(row)}: top-1 {_percent(row.top1)}, was "
            f"{_percent(row.reference_top1)}, tolerance {_percent(row.tolerance)}"
            for _, row in below_reference(rows, before).iterrows()
        ]
    for line in wrong:
        typer.echo(line, err=True)
    if wrong:
        raise typer.Exit(1)
    n = int(rows[["data_ceiling_top1", "bayes_top1"]].notna().any(axis=1).sum())
    typer.echo(f"{table}: none of {n} rows passes its ceiling beyond chance")
    if before is not None:
        apart = on_other_data(rows, before)
        told = f", {apart} of them not compared, since their test data are others" if apart else ""
        typer.echo(f"{table}: none has dropped below {reference} ({len(before)} rows{told})")


def _bounds(row: "pd.Series[Any]") -> str:
    known = {"data ceiling": row.data_ceiling_top1, "Bayes ceiling": row.bayes_top1}
    return ", ".join(f"{name} {_percent(limit)}" for name, limit in known.items() if limit >= 0)


def _named(row: "pd.Series[Any]") -> str:
    return (
        f"{row.model} trained on {row.train_set}, tested on {row.test_set} ({row.source}, "
        f"{row.family}, {row.class_scheme}, scale {row.scale})"
    )


def _percent(value: float) -> str:
    from sgbench.text import percent

    return f"{percent(value)} %"


def public_set(name: str) -> "SetSpec":
    """Return the test set of a name, if anybody can make it."""
    from sgbench.sets import OFF_MESH, SEALED, SetSpec

    spec = SetSpec.parse(name)
    if spec.part == SEALED.part:
        raise SgbenchError(
            f"'{name}' is drawn with the secret of a sealed round; expected a public test set such "
            f"as {OFF_MESH.name}. Score on it with `sgbench submission score --sealed ROUND`."
        )
    return spec
