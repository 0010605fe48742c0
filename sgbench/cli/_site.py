"""`sgbench site`."""

from pathlib import Path
from typing import Annotated

import typer

from sgbench.files import file_sha256, write_atomically


def site(
    table: Annotated[Path, typer.Option(help="The leaderboard (CSV).")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to write index.html to.")],
    scores: Annotated[
        list[Path] | None,
        typer.Option(
            help="Score files, or folders of them, once for each; without them the pages of models "
            "have no classes and no confusions."
        ),
    ] = None,
    glossary: Annotated[
        Path | None,
        typer.Option(
            help="The glossary (docs/glossary.md), which the page then holds and links its columns "
            "to."
        ),
    ] = None,
) -> None:
    """Write the leaderboard as a page that works from the file system, without any server."""
    from sgbench.cli._leaderboard import score_files
    from sgbench.leaderboard import pairs_path, read_csv, read_pairs
    from sgbench.site import read_glossary, read_score_files, render_site, site_data

    terms = None if glossary is None else read_glossary(glossary)
    rows = read_csv(table)
    files = [file for path in scores or () for file in score_files(path)]
    pairs = read_pairs(pairs_path(table))
    data = site_data(rows, file_sha256(table), read_score_files(files), pairs)
    page = render_site(data, terms)
    path = output / "index.html"
    with write_atomically(path) as temporary:
        temporary.write_text(page, encoding="utf-8")
    typer.echo(f"wrote {path}")
