"""The command tree."""

import typer

from sgbench.cli import (
    _dataset,
    _leaderboard,
    _models,
    _plan,
    _report,
    _results,
    _scaling,
    _site,
    _submission,
    _symmetry,
    _track,
    _verify,
)

app = typer.Typer(
    help="Benchmark for predicting space groups from powder diffraction patterns.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
app.command("classes")(_symmetry.classes)
app.command("ceilings")(_symmetry.ceilings)
app.command("lines")(_symmetry.lines)
app.add_typer(_dataset.app, name="dataset")
app.add_typer(_submission.app, name="submission")
app.command("models")(_models.models)
app.command("train")(_models.train)
app.command("predict")(_models.predict)
app.command("export-weights")(_models.export_weights)
app.command("evaluate")(_leaderboard.evaluate)
app.command("leaderboard")(_leaderboard.leaderboard)
app.command("check")(_leaderboard.check)
app.command("verify")(_verify.verify)
app.command("confusions")(_results.confusions)
app.command("figures")(_results.figures)
app.add_typer(_track.app, name="track")
app.command("plan")(_plan.plan)
app.command("keep")(_plan.keep)
app.command("take")(_plan.take)
app.command("scaling")(_scaling.scaling)
app.command("report")(_report.report)
app.command("site")(_site.site)
