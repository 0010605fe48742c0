"""`sgbench report`."""

from pathlib import Path
from typing import Annotated

import typer

from sgbench.cli._options import DocsOption, StoreOption
from sgbench.files import write_atomically
from sgbench.links import Links


def report(
    scale_folder: Annotated[
        Path,
        typer.Option(
            help="Folder of a run: leaderboard.csv must be there; scores/, models/, datasets/ and "
            "figures/ are read as far as they are. Or what `sgbench publish` wrote, or "
            "results/published, of which the largest scale is taken."
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to write index.html to.")],
    conditions: Annotated[
        Path | None,
        typer.Option(
            help="Another such run, of models under conditions, whose curves are shown as well."
        ),
    ] = None,
    store: StoreOption = None,
    leaderboard: Annotated[
        str | None,
        typer.Option(help="Where the leaderboard's page is, seen from this one, to link to it."),
    ] = None,
    docs: DocsOption = None,
) -> None:
    """Write the results beside the article's, with a verdict on each of its claims, as one page."""
    from sgbench.report import read_results, render_page

    links = Links(leaderboard=leaderboard, docs=docs)
    results = read_results(scale_folder, conditions)
    page = render_page(results, store, links)
    path = output / "index.html"
    with write_atomically(path) as temporary:
        temporary.write_text(page, encoding="utf-8")
    typer.echo(f"wrote {path}: scale {results.scale}")


def publish(
    scale: Annotated[str, typer.Argument(help="laptop, overnight, robustness or full.")],
) -> None:
    """Pack what the pages need of a finished run into results/published, to be committed.

    Run it in the folder of the project. `sgbench site`, `report` and `leaderboard` read the archive
    as they read the folder of the run. No structure and no prediction is in it.
    """
    from sgbench.archives import ENDING
    from sgbench.report import publish

    path = Path("results", "published", f"{scale}{ENDING}")
    n = publish(Path("results", scale), path)
    typer.echo(f"wrote {path}: {n} files, {path.stat().st_size / 1e6:.2f} MB")
