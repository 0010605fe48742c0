"""`sgbench models`, `train`, `predict` and `export-weights`."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sgbench.cli._leaderboard import public_set
from sgbench.cli._listing import Format, FormatOption, OutputOption, show
from sgbench.cli._options import (
    CrystalsOption,
    DeviceOption,
    ScaleOption,
    StoreOption,
    WorkflowOption,
)
from sgbench.errors import SgbenchError
from sgbench.files import write_atomically

if TYPE_CHECKING:
    import torch

    from sgbench.training import Trained

_PRETRAINED = "pretrained:"


def models(
    form: FormatOption = Format.table,
    output: OutputOption = None,
    pretrained: Annotated[
        bool, typer.Option("--pretrained", help="List the reference weights instead.")
    ] = False,
) -> None:
    """List the models: name, weights for 36 space groups, input and paper.

    With --pretrained, list the trained networks that come with sgbench: the name, what it was
    trained on, and the fraction of space groups and of extinction classes that it gets right off
    the mesh. `sgbench predict pretrained:NAME` uses one.
    """
    from sgbench.models import list_models

    rows = (
        _pretrained_rows()
        if pretrained
        else [
            {"name": name, "version": one["version"], "trained": one["kind"] != "untrained"}
            | {"parameters": one.get("parameters"), "input": one["input"], "paper": one["paper"]}
            for name, one in list_models().items()
        ]
    )
    show(rows, form, output)


def _pretrained_rows() -> list[dict[str, Any]]:
    from sgbench.pretrained import pretrained_names, read_pretrained
    from sgbench.sets import OFF_MESH

    rows = []
    for found in map(read_pretrained, pretrained_names()):
        origin = found.provenance
        rows.append(
            {
                "name": found.name,
                "family": origin["family"],
                "parameters": int(origin["parameters"]),
                "patterns": int(origin["train_patterns"]),
                "spacegroups": found.top1(OFF_MESH.name, "spacegroup"),
                "classes": found.top1(OFF_MESH.name, "extinction"),
                "licence": found.licence,
            }
        )
    if not rows:
        typer.echo("there are no reference weights yet", err=True)
    return rows


def train(
    model: Annotated[str, typer.Argument(help="Name of the model, see `sgbench models`.")],
    dataset: Annotated[str, typer.Argument(help="Training set, e.g. ulbd-cubic or cddd-cubic.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="File for the trained model.")],
    patterns: Annotated[int | None, typer.Option(help="Training patterns.")] = None,
    batch_size: Annotated[int | None, typer.Option(help="Patterns a step.")] = None,
    peak_rate: Annotated[float | None, typer.Option(help="Highest learning rate.")] = None,
    warmup: Annotated[
        int | None,
        typer.Option(help="Patterns over which the rate rises to its peak; a tenth at most."),
    ] = None,
    decay: Annotated[
        float | None, typer.Option(help="Share of the steps over which it falls in the end.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of weights, samples and dropout.")] = 0,
    validations: Annotated[int | None, typer.Option(help="How often to validate.")] = None,
    validation_per_spacegroup: Annotated[
        int | None, typer.Option(help="Samples a space group to validate on.")
    ] = None,
    patience: Annotated[
        int | None, typer.Option(help="Validations without gain before stopping.")
    ] = None,
    start: Annotated[
        str | None,
        typer.Option(
            help="Name of reference weights to begin from (`sgbench models --pretrained`)."
        ),
    ] = None,
    crystals: CrystalsOption = None,
    checkpoint: Annotated[
        Path | None, typer.Option(help="State of an unfinished training; beside output by default.")
    ] = None,
    before_decay: Annotated[
        Path | None,
        typer.Option(
            help="File for the state before the rate falls; a longer training goes on from it. "
            "That of another training is replaced."
        ),
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
    from sgbench.models import TrainingPlan, get_trained_model
    from sgbench.pretrained import load_pretrained, read_pretrained
    from sgbench.sets import SetSpec, open_training_set
    from sgbench.tracking import check_store, tracked_run

    if start:
        read_pretrained(start)
    if store and workflow is None:
        check_store(store)  # before seconds of imports, so that the answer comes soon
    from sgbench.cli._progress import TrainingDisplay, closing, label_ceiling
    from sgbench.progress import task
    from sgbench.training import Progress, choose_device, hardware, write_history
    from sgbench.training import train as train_model

    spec = get_trained_model(model)
    asked = {
        "patterns": patterns,
        "batch_size": batch_size,
        "peak_rate": peak_rate,
        "warmup": warmup,
        "decay": decay,
        "validations": validations,
        "validation_per_spacegroup": validation_per_spacegroup,
        "patience": patience,
        "start": start,
    }
    values = {name: value for name, value in asked.items() if value is not None}
    plan = TrainingPlan.of(spec, SetSpec.parse(dataset).name, seed, values)
    data = open_training_set(SetSpec.parse(dataset), crystals or ())
    chosen = choose_device(device)
    state = checkpoint or output.with_name(f"{output.name}.checkpoint")
    tags = {"scale": scale, "hardware": hardware(chosen)}
    try:
        with (
            tracked_run(store, plan, data, output, tags, workflow) as run,
            task(
                f"training {spec.name}", plan.steps * plan.batch_size, says_the_end=False
            ) as shown,
        ):
            typer.echo(
                f"training {spec.name} on {data.name} with {hardware(chosen)}; after an"
                " interruption the same command goes on where it was",
                err=True,
            )
            ceiling = label_ceiling(data)
            display = TrainingDisplay(shown, ceiling)

            def go_on(patterns: int) -> None:
                shown.begin(patterns)
                if patterns:
                    typer.echo(f"going on after {patterns:,} patterns", err=True)

            def step(number: int, loss: float) -> None:
                display.step(number * plan.batch_size, loss)

            def report(progress: Progress) -> None:
                display.report(progress)
                run.progress(progress)

            extra = {"scale": scale, **run.provenance}
            trained = train_model(
                plan, output, state, chosen, report, step, extra, crystals or (), before_decay,
                go_on, load_pretrained(plan.start, chosen) if plan.start else None,
            )  # fmt: skip
            write_history(output.with_name("history.csv"), trained)
            state.unlink(missing_ok=True)
            run.finish(output, trained)
        typer.echo(closing(trained, ceiling), err=True)
        typer.echo(f"wrote {output}", err=True)
    except KeyboardInterrupt:
        typer.echo("stopped; the same command goes on from here", err=True)
        raise typer.Exit(130) from None


def predict(
    model: Annotated[
        str,
        typer.Argument(
            help="File of a trained model, pretrained:NAME for reference weights "
            "(`sgbench models --pretrained`), or the name of a model that needs no training."
        ),
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the predictions.")],
    test_set: Annotated[
        list[str],
        typer.Option(help="Once for each; `sgbench dataset test-sets` lists them."),
    ],
    per_spacegroup: Annotated[
        int, typer.Option(help="Samples a space group of the designed test sets.")
    ] = 200,
    family: Annotated[
        str | None,
        typer.Option(help="Family, for a model without training; a trained one knows its own."),
    ] = None,
    crystals: CrystalsOption = None,
    scale: ScaleOption = "custom",
    device: DeviceOption = "auto",
) -> None:
    """Predict test sets; writes one Parquet file each, `TEST_SET.parquet`.

    A control also writes `TEST_SET.extinction.parquet`, its guess over extinction classes, and the
    decoder `TEST_SET.details.csv`, the cells that it found, or why it found none.
    """
    from sgbench.evaluation import predict_sets, predict_untrained, write_predictions
    from sgbench.models import CONTROLS, UntrainedSpec, get_model, model_names
    from sgbench.sets import SetSpec, family_set, open_test_set

    specs = [public_set(name) for name in test_set]
    # A file or a control is known without the other models, and so without torch.
    is_name = model in CONTROLS or (not Path(model).is_file() and model in model_names())
    untrained = get_model(model) if is_name else None
    if isinstance(untrained, UntrainedSpec):
        if family is None:
            raise SgbenchError(
                f"'{model}' is asked about one family at a time; expected --family, one of "
                f"{', '.join(untrained.families)}. Name one."
            )
        dataset = family_set(family)
        for spec in specs:
            truth = open_test_set(spec, dataset, per_spacegroup, crystals or ())
            for scheme in untrained.class_schemes:
                predictions, details = predict_untrained(untrained, truth, scheme, scale)
                suffix = "" if scheme == "spacegroup" else f".{scheme}"
                write_predictions(output / f"{spec.name}{suffix}.parquet", predictions)
                if details:
                    _write_details(output / f"{spec.name}.details.csv", truth.samples.ids, details)
                if guessed := sum(map(bool, details.get("reason", ()))):
                    typer.echo(
                        f"no cell was found for {guessed} samples of {spec.name}, whose answer is "
                        f"a guess; {spec.name}.details.csv says why",
                        err=True,
                    )
            typer.echo(f"predicted {len(truth)} samples of {spec.name}", err=True)
        typer.echo(f"wrote {output}", err=True)
        return
    from sgbench.training import choose_device

    chosen = choose_device(device)
    trained = _trained(model, chosen)
    train_set = SetSpec.parse(trained.provenance["plan"]["dataset"])
    dataset = family_set(train_set.family, train_set.protocol)
    truths = (open_test_set(spec, dataset, per_spacegroup, crystals or ()) for spec in specs)
    for spec, predictions in zip(specs, predict_sets(trained, truths, chosen), strict=True):
        write_predictions(output / f"{spec.name}.parquet", predictions)
        typer.echo(f"predicted {len(predictions.sample_ids)} samples of {spec.name}", err=True)
    typer.echo(f"wrote {output}", err=True)


def export_weights(
    model: Annotated[Path, typer.Argument(help="File of a trained network.")],
    scores: Annotated[list[Path], typer.Argument(help="Its score files, or folders of them.")],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Folder of weights; that of sgbench by default."),
    ] = None,
) -> None:
    """Make reference weights of a trained network, for maintainers.

    Writes TRAINING_SET/MODEL.safetensors in half precision, and a description beside it with plan,
    checksums, scores and licence. Both precisions first answer held-out patterns; nothing is
    written where a probability differs by more than 0.001.
    """
    from sgbench.leaderboard import open_scores
    from sgbench.pretrained import HOME
    from sgbench.pretrained import export_weights as export

    with open_scores(scores) as files:
        written = export(model, files, output or HOME)
    typer.echo(f"wrote {written}")


def export_onnx(
    model: Annotated[
        str, typer.Argument(help="File of a trained network, or pretrained: and a name.")
    ],
    output: Annotated[Path, typer.Option("--output", "-o", help="File for the ONNX model.")],
) -> None:
    """Write a trained network as ONNX, which onnxruntime answers from without torch.

    It takes patterns as the protocol makes them, shape (n, 8192), and gives the probabilities of
    the space groups that the file names.
    """
    import torch

    from sgbench.pretrained import export_onnx as export

    if output.exists() and Path(model).exists() and output.samefile(model):
        raise SgbenchError(
            f"{output} is the trained network, which the ONNX model would replace; expected "
            "another file. Name one."
        )
    export(_trained(model, torch.device("cpu")), output)
    typer.echo(f"wrote {output}")


def _trained(model: str, device: "torch.device") -> "Trained":
    if model.startswith(_PRETRAINED):
        from sgbench.pretrained import load_pretrained

        return load_pretrained(model.removeprefix(_PRETRAINED), device)
    from sgbench.training import load_model

    return load_model(Path(model), device)


def _write_details(path: Path, ids: Sequence[str], details: Mapping[str, Any]) -> None:
    import pandas as pd

    table = pd.DataFrame({"sample_id": ids, **details})
    with write_atomically(path) as temporary:
        table.to_csv(temporary, index=False, float_format="%.6g")
