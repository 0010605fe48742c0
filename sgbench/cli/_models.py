"""`sgbench models`, `train` and `predict`."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from sgbench.cli._listing import Format, FormatOption, OutputOption, show
from sgbench.cli._options import (
    CrystalsOption,
    DeviceOption,
    ScaleOption,
    StoreOption,
    WorkflowOption,
)
from sgbench.datasets import (
    TEST_SETS,
    Ulbd,
    evaluation_dataset,
    evaluation_set,
    family_dataset,
    training_set,
)
from sgbench.errors import SgbenchError
from sgbench.evaluation import CLASS_SCHEMES
from sgbench.models import CONTROLS, NetworkSpec, get_model, model_names


def models(form: FormatOption = Format.table, output: OutputOption = None) -> None:
    """List the models: name, weights for 36 space groups, input and paper."""
    rows = []
    for name in model_names():
        spec = get_model(name)
        sees = (
            {"parameters": spec.n_parameters(36), "input": spec.input_scaling}
            if isinstance(spec, NetworkSpec)
            else {"parameters": None, "input": spec.features.__name__}
        )
        rows.append({"name": name, "version": spec.version, **sees, "paper": spec.paper})
    show(rows, form, output)


def train(
    model: Annotated[str, typer.Argument(help="Name of the model, see `sgbench models`.")],
    dataset: Annotated[str, typer.Argument(help="Training set, e.g. ulbd-cubic or cddd-cubic.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="File for the trained model.")],
    patterns: Annotated[int | None, typer.Option(help="Training patterns.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Patterns a step.")] = None,
    peak_rate: Annotated[float | None, typer.Option(help="Highest learning rate.")] = None,
    warmup: Annotated[
        float | None, typer.Option(help="Share of the steps before the peak.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of weights, samples and dropout.")] = 0,
    validations: Annotated[int | None, typer.Option(help="How often to validate.")] = None,
    patience: Annotated[
        int | None, typer.Option(help="Validations without gain before stopping.")
    ] = None,
    crystals: CrystalsOption = None,
    checkpoint: Annotated[
        Path | None, typer.Option(help="State of an unfinished training; beside output by default.")
    ] = None,
    scale: ScaleOption = "custom",
    device: DeviceOption = "auto",
    store: StoreOption = None,
    workflow: WorkflowOption = None,
) -> None:
    """Train a model on a dataset; run again to go on after an interruption.

    What is not said is taken from the model's published hyper-parameters where there are any. The
    validations go to `history.csv` beside the model.
    """
    from sgbench.cli._progress import TrainingDisplay
    from sgbench.tracking import tracked_run
    from sgbench.training import Progress, TrainingPlan, choose_device, hardware, write_history
    from sgbench.training import train as train_model

    spec = get_model(model)
    asked = {
        "patterns": patterns,
        "batch_size": batch_size,
        "peak_rate": peak_rate,
        "warmup": warmup,
        "validations": validations,
        "patience": patience,
    }
    values = {**spec.defaults, **{k: v for k, v in asked.items() if v is not None}}
    if "patterns" not in values:
        raise SgbenchError(
            f"'{model}' has no published number of training patterns; expected one. "
            "Name it with --patterns."
        )
    plan = TrainingPlan(model=model, dataset=dataset, seed=seed, **values)
    data = training_set(dataset, crystals or ())
    chosen = choose_device(device)
    state = checkpoint or output.with_name(f"{output.name}.checkpoint")
    typer.echo(f"training {model} on {dataset} with {hardware(chosen)}", err=True)
    tags = {
        "model": model,
        "dataset": dataset,
        "family": data.family,
        "scale": scale,
        "hardware": hardware(chosen),
    }
    name = f"{model} {dataset} seed {seed}"
    try:
        with (
            tracked_run(
                store, name, tags, state.with_name(f"{state.name}.run"), plan.sha256(), workflow
            ) as run,
            TrainingDisplay(plan, sys.stderr) as display,
        ):
            if run.is_new:
                run.parameters(vars(plan))
                run.dataset(data, "training")

            def report(progress: Progress) -> None:
                display.report(progress)
                values = {k: v for k, v in vars(progress).items() if k not in ("step", "patterns")}
                run.metrics(values, step=progress.patterns)

            extra = {
                "scale": scale,
                "mlflow_run": run.run_id,
                "mlflow_experiment": run.experiment_id,
            }
            trained = train_model(
                plan, output, state, chosen, report, display.step, extra, crystals or ()
            )
            write_history(output.with_name("history.csv"), trained)
            run.model(trained, data.protocol.n_points)
            run.artifact(output)
    except KeyboardInterrupt:
        typer.echo("stopped; the same command goes on from here", err=True)
        raise typer.Exit(130) from None
    state.unlink(missing_ok=True)


def predict(
    model: Annotated[
        str,
        typer.Argument(help="File of a trained model, the name of a control, or decoder-pawley."),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the predictions.")],
    test_set: Annotated[list[str], typer.Option(help=f"One or more of {', '.join(TEST_SETS)}")],
    per_spacegroup: Annotated[
        int, typer.Option(help="Samples a space group of the designed test sets.")
    ] = 200,
    family: Annotated[
        str | None, typer.Option(help="Family, for a control; a model knows its own.")
    ] = None,
    crystals: CrystalsOption = None,
    scale: ScaleOption = "custom",
    device: DeviceOption = "auto",
) -> None:
    """Predict test sets; writes one Parquet file each, `TEST_SET.parquet`.

    A control also writes `TEST_SET.extinction.parquet`, its guess over extinction classes, and the
    decoder `TEST_SET.cells.csv`, the cells it found.
    """
    from sgbench.evaluation import (
        DECODER,
        predict_control,
        predict_decoder,
        predict_set,
        write_predictions,
    )
    from sgbench.files import write_atomically

    if model in (*CONTROLS, DECODER):
        if family is None:
            raise SgbenchError(f"'{model}' fits any family; expected --family. Name one.")
        dataset = family_dataset(family)
    if model == DECODER:
        if not isinstance(dataset, Ulbd):
            raise SgbenchError(
                f"the decoder needs one family; got '{family}'. Name a single one with --family."
            )
        for name in test_set:
            truth = evaluation_set(name, dataset, per_spacegroup, crystals or ())
            predictions, cells = predict_decoder(dataset, truth, scale)
            write_predictions(output / f"{name}.parquet", predictions)
            with write_atomically(output / f"{name}.cells.csv") as temporary:
                cells.to_csv(temporary, index=False, float_format="%.6g")
            typer.echo(f"decoded {len(truth)} samples of {name}", err=True)
        return
    if model in CONTROLS:
        for name in test_set:
            truth = evaluation_set(name, dataset, per_spacegroup, crystals or ())
            for scheme in CLASS_SCHEMES:
                predictions = predict_control(model, dataset, truth, scheme, scale)
                suffix = "" if scheme == "spacegroup" else ".extinction"
                write_predictions(output / f"{name}{suffix}.parquet", predictions)
        return
    from sgbench.training import choose_device, load_model

    chosen = choose_device(device)
    trained = load_model(Path(model), chosen)
    dataset = evaluation_dataset(
        trained.provenance["plan"]["dataset"], trained.provenance["family"]
    )
    for name in test_set:
        truth = evaluation_set(name, dataset, per_spacegroup, crystals or ())
        predictions = predict_set(trained, truth, chosen)
        write_predictions(output / f"{name}.parquet", predictions)
        typer.echo(f"predicted {len(truth)} samples of {name}", err=True)
