"""`sgbench report`."""

from pathlib import Path
from typing import Annotated

import typer

from sgbench.cli._options import StoreOption
from sgbench.files import write_atomically


def report(
    scale_folder: Annotated[
        Path,
        typer.Option(
            help="Folder of a run: leaderboard.csv must be there; scores/, models/, datasets/, "
            "figures/ and confusions.csv are read as far as they are."
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to write index.html to.")],
    store: StoreOption = None,
) -> None:
    """Write the results beside the article's, with a verdict on each of its claims, as one page."""
    from sgbench.report import read_results, render_page

    page = render_page(read_results(scale_folder), store)
    path = output / "index.html"
    with write_atomically(path) as temporary:
        temporary.write_text(page, encoding="utf-8")
    typer.echo(f"wrote {path}")
