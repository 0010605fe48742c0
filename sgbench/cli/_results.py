"""`sgbench confusions` and `figures`: what the numbers of the leaderboard look like."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sgbench.cli._listing import Format, FormatOption, OutputOption, show
from sgbench.errors import SgbenchError
from sgbench.files import all_or_none, write_atomically

if TYPE_CHECKING:
    import pandas as pd

    from sgbench.evaluation import Score


def confusions(
    scores: Annotated[list[Path], typer.Argument(help="Score files, or folders of them.")],
    form: FormatOption = Format.table,
    output: OutputOption = None,
) -> None:
    """List which extinction classes are taken for which, and what conditions that violates.

    Most frequent first; scores over extinction classes are used, those of several seeds summed.
    """
    from sgbench.evaluation import confusions as count
    from sgbench.evaluation import read_score
    from sgbench.leaderboard import open_scores

    with open_scores(scores) as files:
        found = count([read_score(file) for file in files])
    if not found:
        raise SgbenchError(
            "there is no confusion to list: no score of a model over extinction classes has one; "
            "expected files such as ulbd-in-mesh.extinction.json. Name these."
        )
    rows = [asdict(one) for one in found]
    if form is not Format.json:
        for row in rows:
            row |= {name: "; ".join(row[name]) for name in ("missed", "invented")}
    show(rows, form, output)


def figures(
    scale_folder: Annotated[
        Path, typer.Option(help="Folder of a run: leaderboard.csv, scores/ and models/ are read.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to write to.")],
    model: Annotated[
        str | None,
        typer.Option(help="What is shown where a figure shows one model; ours by default."),
    ] = None,
) -> None:
    """Draw the article's figures of results, and some more (SVG), with an index, figures.json.

    The index has file, number, title, caption and family of each; where results are missing, file
    is null and `reason` says what is.
    """
    from sgbench import plots
    from sgbench.archives import open_run
    from sgbench.leaderboard import TABLE, read_csv
    from sgbench.models import REFERENCE

    model = model or REFERENCE
    with open_run(scale_folder) as folder:
        path = folder / TABLE
        table = read_csv(path)
        mine = table[table["model"] == model]
        if mine.empty:
            raise SgbenchError(
                f"{path} has no row of the model '{model}'; expected one of "
                f"{', '.join(sorted(set(table['model'])))}. Name one of these."
            )
        if table["scale"].nunique() > 1:
            raise SgbenchError(
                f"{path} has rows of several scales; expected those of one run. Name the folder of "
                "a scale, such as results/laptop."
            )
        histories = {
            place.parent.name: _histories(place)
            for place in sorted((folder / "models").glob(f"*/{model}"))
        }
        scores = _scores(folder / "scores", mine)
    index, gone = [], []
    drawn = plots.paper_figures(table, scores, histories, model)
    with all_or_none():
        for one in drawn:
            if one.figure is None:
                gone.append(output / one.file)
            else:
                plots.save(one.figure, output / one.file)
            entry = {name: value for name, value in vars(one).items() if name != "figure"}
            index.append(entry | {"file": None if one.figure is None else one.file})
        with write_atomically(output / "figures.json") as temporary:
            temporary.write_text(json.dumps(index, indent=1, ensure_ascii=False) + "\n")
    for path in gone:  # one of an earlier run would show what is not there any more
        path.unlink(missing_ok=True)
    left_out = sum(entry["file"] is None for entry in index)
    typer.echo(
        f"wrote {output / 'figures.json'}: {len(index) - left_out} figures, {left_out} left out"
    )


def _scores(folder: Path, rows: "pd.DataFrame") -> list["Score"]:
    """Read the scores over space groups that rows of the leaderboard were made from."""
    from sgbench.evaluation import read_score
    from sgbench.leaderboard import IDENTITY, identity

    found = []
    for _, row in rows[rows["class_scheme"] == "spacegroup"].iterrows():
        runs = folder / row["train_set"] / row["model"]
        for path in sorted(runs.glob(f"seed*/{row['test_set']}.spacegroup.json")):
            one = read_score(path)
            # A folder may hold seeds, and scores on other data, that the row does not have.
            known = str(row["predictions_sha256"]).split()
            if (
                str(one.provenance.get("predictions_sha256")) in known
                and identity(one) == row[list(IDENTITY)].to_dict()
            ):
                found.append(one)
    return found


def _histories(folder: Path) -> list["pd.DataFrame"]:
    from sgbench.plots import read_history

    return [read_history(path) for path in sorted(folder.glob("seed*/history.csv"))]
