"""`sgbench plan`, `keep` and `take`."""

from pathlib import Path
from typing import Annotated, Any

import typer

from sgbench.cli._listing import Format, FormatOption, OutputOption, show
from sgbench.errors import SgbenchError

ScaleArgument = Annotated[
    str | None,
    typer.Argument(
        help="smoke, laptop, overnight, robustness, full or auto; by default that of "
        "config/config.yaml."
    ),
]


def plan(
    scale: ScaleArgument = None,
    form: FormatOption = Format.table,
    output: OutputOption = None,
) -> None:
    """List what a scale trains: a row a training set and model, with its plan and its minutes.

    Run it in the folder of the project. A value that is left empty is the trainer's default. The
    minutes are those expected of one seed, on one core, or on a GPU for networks at scale full.
    """
    from sgbench.models import get_trained_model
    from sgbench.plan import PLAN_FIELDS, Run, on_gpu, read_rates, training_seconds, trainings

    root = Path()
    settings = _settings(scale)
    rates, gpu = read_rates(root), on_gpu(settings)
    alike: dict[str, list[Run]] = {}
    for run in trainings(settings):
        alike.setdefault(str(Path(run.folder).parent), []).append(run)
    rows = []
    for run, *others in alike.values():
        values = {**get_trained_model(run.model).defaults, **run.plan}
        minutes = training_seconds(run.model, run.plan, rates, gpu) / 60
        rows.append(
            {
                "train_set": run.train_set.name if run.train_set else None,
                "model": run.model,
                **{name: values.get(name) for name in PLAN_FIELDS},
                "seeds": 1 + len(others),
                "minutes": round(minutes, 1),
            }
        )
    if not rows:
        raise SgbenchError(
            f"scale {settings['scale']} trains nothing of {', '.join(settings['families'])}; "
            "expected a training set of one of these families. Mend 'families' or 'training'."
        )
    show(rows, form, output)


def keep(scale: ScaleArgument = None) -> None:
    """Keep the scores of finished trainings with the project, so that nobody trains them again.

    Run it in the folder of the project, as often as you like. Commit `results/kept/`: the workflow
    takes what is there for a training with the same plan, test sets and structures.
    """
    from sgbench.plan import keep

    settings = _settings(scale)
    kept = []
    for run in keep(settings, Path()):
        typer.echo(run.folder)
        kept.append(run)
    typer.echo(f"{len(kept)} finished trainings of scale {settings['scale']} are new", err=True)


def take(
    mark: Annotated[Path, typer.Argument(help="The file run.json of kept results.")],
    history: Annotated[Path, typer.Option(help="File for the validations of the training.")],
    scores: Annotated[Path, typer.Option(help="Folder for the scores.")],
) -> None:
    """Lay out results that `sgbench keep` kept, as if they had just been computed."""
    from sgbench.plan import take

    take(mark, history, scores)


def _settings(scale: str | None) -> dict[str, Any]:
    from sgbench.plan import read_config, resolve_settings

    given = read_config(Path())
    return resolve_settings(given if scale is None else {**given, "scale": scale}, Path())
