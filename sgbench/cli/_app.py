"""The command tree."""

from typing import Annotated

import typer

from sgbench.cli._lazy import SETTINGS, lazy_group
from sgbench.version import __version__

_COMMANDS = {
    name: f"sgbench.cli.{place}"
    for name, place in {
        "classes": "_symmetry:classes",
        "ceilings": "_symmetry:ceilings",
        "lines": "_symmetry:lines",
        "models": "_models:models",
        "train": "_models:train",
        "predict": "_models:predict",
        "export-weights": "_models:export_weights",
        "export-onnx": "_models:export_onnx",
        "evaluate": "_leaderboard:evaluate",
        "leaderboard": "_leaderboard:leaderboard",
        "check": "_leaderboard:check",
        "verify": "_verify:verify",
        "confusions": "_results:confusions",
        "figures": "_results:figures",
        "plan": "_plan:plan",
        "keep": "_plan:keep",
        "take": "_plan:take",
        "scaling": "_scaling:scaling",
        "report": "_report:report",
        "publish": "_report:publish",
        "site": "_site:site",
        "pattern": "_pattern:app",
        "identify": "_identify:identify",
        "dataset": "_dataset:app",
        "submission": "_submission:app",
        "track": "_track:app",
    }.items()
}

app = typer.Typer(
    cls=lazy_group(_COMMANDS),
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    **SETTINGS,
)


def _show_version(asked: bool) -> None:
    if asked:
        typer.echo(f"sgbench {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """Benchmark for predicting space groups from powder diffraction patterns."""
