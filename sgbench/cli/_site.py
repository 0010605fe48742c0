"""`sgbench site`."""

from pathlib import Path
from typing import Annotated

import typer

from sgbench.cli._options import DocsOption
from sgbench.files import file_sha256, write_atomically
from sgbench.links import Links


def site(
    table: Annotated[Path, typer.Option(help="The leaderboard (CSV).")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder to write index.html to.")],
    scores: Annotated[
        list[Path] | None,
        typer.Option(
            help="Score files, or folders of them, or results/published, once for each; without "
            "them the pages of models have no classes and no confusions."
        ),
    ] = None,
    glossary: Annotated[
        Path | None,
        typer.Option(
            help="The glossary (docs/glossary.md), which the page then holds and links its columns "
            "to."
        ),
    ] = None,
    report: Annotated[
        str | None, typer.Option(help="Where the report is, seen from the page, to link to it.")
    ] = None,
    docs: DocsOption = None,
) -> None:
    """Write the leaderboard as a page that works from the file system, without any server."""
    from sgbench.leaderboard import open_scores, open_table, pairs_path, read_csv, read_pairs
    from sgbench.site import read_glossary, read_score_files, render_site, site_data

    terms = None if glossary is None else read_glossary(glossary)
    with open_table(table) as csv:
        rows, sha256, pairs = read_csv(csv), file_sha256(csv), read_pairs(pairs_path(csv))
    with open_scores(scores or ()) as files:
        data = site_data(rows, sha256, read_score_files(files), pairs)
    page = render_site(data, terms, Links(report=report, docs=docs))
    path = output / "index.html"
    with write_atomically(path) as temporary:
        temporary.write_text(page, encoding="utf-8")
    typer.echo(f"wrote {path}")
