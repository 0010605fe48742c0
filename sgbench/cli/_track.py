"""Send what MLflow did not get."""

from pathlib import Path
from typing import Annotated

import typer

from sgbench.cli._lazy import SETTINGS, Group
from sgbench.cli._options import StoreOption
from sgbench.errors import SgbenchError

app = typer.Typer(cls=Group, help=__doc__, no_args_is_help=True, **SETTINGS)


@app.callback()
def track() -> None:
    """Make `sync` a command of its own, though it is the only one."""


@app.command()
def sync(
    folders: Annotated[
        list[Path] | None, typer.Argument(help="Folders of results; `results` by default.")
    ] = None,
    store: StoreOption = None,
) -> None:
    """Send what MLflow did not get, since its store failed; run as often as you like."""
    from sgbench import tracking

    if store is None:
        raise SgbenchError(
            "no MLflow store is named; expected the one that failed, or another. Name it with "
            "--store or MLFLOW_TRACKING_URI."
        )
    places = folders or [Path("results")]
    if absent := [place for place in places if not place.is_dir()]:
        raise SgbenchError(f"{absent[0]} is no folder; expected one of results. Mend the path.")
    tracking.check_store(store)
    failed = 0
    for journal, error in tracking.sync(store, places):
        failed += error is not None
        typer.echo(f"{journal}: {error or ('unfinished, kept' if journal.exists() else 'sent')}")
    if failed:
        raise SgbenchError(
            f"{failed} record{'s were' if failed > 1 else ' was'} not sent; expected all. Mend it "
            "and run this again."
        )
    typer.echo("nothing is left to be sent")
