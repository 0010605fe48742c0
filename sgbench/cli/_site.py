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
            "them the pages of models have no classes and no confusions. Of runs, rows under "
            "conditions are shown as well."
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
    import pandas as pd

    from sgbench.leaderboard import (
        is_point,
        open_scores,
        open_table,
        open_tables,
        pairs_path,
        read_csv,
        read_pairs,
    )
    from sgbench.site import read_glossary, read_score_files, render_site, site_data

    terms = None if glossary is None else read_glossary(glossary)
    with open_table(table) as csv:
        rows, sha256, pairs = read_csv(csv), file_sha256(csv), read_pairs(pairs_path(csv))
    with open_tables(scores or ()) as tables:
        others = [read_csv(one) for one in tables]
    with open_scores(scores or ()) as files:
        found = read_score_files(file for file in files if not is_point(file))
        curves = pd.concat(others, ignore_index=True) if others else None
        data = site_data(rows, sha256, found, pairs, curves)
    page = render_site(data, terms, Links(report=report, docs=docs))
    path = output / "index.html"
    with write_atomically(path) as temporary:
        temporary.write_text(page, encoding="utf-8")
    typer.echo(f"wrote {path}")
