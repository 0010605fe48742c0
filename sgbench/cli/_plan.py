"""`sgbench plan`."""

from pathlib import Path
from typing import Annotated

import typer

from sgbench.cli._listing import Format, FormatOption, OutputOption, show
from sgbench.errors import SgbenchError
from sgbench.models import get_trained_model
from sgbench.plan import (
    PLAN_FIELDS,
    SCALES,
    on_gpu,
    read_config,
    read_rates,
    resolve_settings,
    training_seconds,
    trainings,
)


def plan(
    scale: Annotated[
        str | None,
        typer.Argument(help=f"{', '.join(SCALES)} or auto; by default that of config/config.yaml."),
    ] = None,
    form: FormatOption = Format.table,
    output: OutputOption = None,
) -> None:
    """List what a scale trains: a row a training set and model, with its plan and its minutes.

    Run it in the folder of the project. A value that is left empty is the trainer's default. The
    minutes are those expected of one seed, on one core, or on a GPU for networks at scale full.
    """
    root = Path()
    given = read_config(root)
    settings = resolve_settings(given if scale is None else {**given, "scale": scale}, root)
    rates, gpu = read_rates(root), on_gpu(settings)
    rows = []
    for run in trainings({**settings, "seeds": settings["seeds"][:1]}):
        values = {**get_trained_model(run.model).defaults, **run.plan}
        minutes = training_seconds(run.model, run.plan, rates, gpu) / 60
        rows.append(
            {
                "train_set": run.train_set.name if run.train_set else None,
                "model": run.model,
                **{name: values.get(name) for name in PLAN_FIELDS},
                "seeds": len(settings["seeds"]),
                "minutes": round(minutes, 1),
            }
        )
    if not rows:
        raise SgbenchError(
            f"scale {settings['scale']} trains nothing of {', '.join(settings['families'])}; "
            "expected a training set of one of these families. Mend 'families' or 'training'."
        )
    show(rows, form, output)
