"""Check, score and add models of your own."""

from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sgbench.cli._lazy import SETTINGS, Group
from sgbench.cli._listing import Format, show
from sgbench.cli._options import VERIFIED, CrystalsOption, VerifiedOption

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sgbench.evaluation import Score
    from sgbench.submission import Round

_HOME = Path("submissions")

app = typer.Typer(cls=Group, help=__doc__, no_args_is_help=True, **SETTINGS)

FolderArgument = Annotated[
    str, typer.Argument(metavar="NAME|FOLDER", help="NAME stands for submissions/NAME.")
]
SealedOption = Annotated[
    Path | None, typer.Option(help="File of a sealed round, whose test set is used instead.")
]
SecondsOption = Annotated[float, typer.Option(help="Seconds that model.onnx may take.")]
MemoryOption = Annotated[float, typer.Option(help="GiB that model.onnx may use.")]


@app.command()
def new(
    name: FolderArgument,
    track: Annotated[str, typer.Option(help="ulbd-FAMILY")] = "ulbd-cubic",
    scale: Annotated[str, typer.Option(help="Size of the test sets.")] = "laptop",
) -> None:
    """Make a folder with a `submission.yaml` to fill in."""
    from sgbench.submission import Track, new_submission

    path = new_submission(find_folder(name), Track(track, scale))
    typer.echo(f"wrote {path}; fill it in, and put predictions.parquet or model.onnx beside it")


@app.command()
def patterns(
    output: Annotated[Path, typer.Option("--output", "-o", help="HDF5 file.")],
    track: Annotated[str, typer.Option(help="ulbd-FAMILY")] = "ulbd-cubic",
    scale: Annotated[str, typer.Option(help="Size of the test sets.")] = "laptop",
    crystals: CrystalsOption = None,
    train_set: Annotated[
        str, typer.Option(help="What the model was trained on, where --crystals are given.")
    ] = "",
    sealed: SealedOption = None,
) -> None:
    """Write the patterns to predict: shuffled, with meaningless ids and no labels."""
    from sgbench.submission import Track, public_samples, sealed_samples, write_patterns

    chosen = Track(track, scale)
    round_ = _round(sealed)
    samples = (
        public_samples(chosen, crystals or (), train_set)
        if round_ is None
        else sealed_samples(chosen, round_.secret())
    )
    seal = {} if round_ is None else {"seal": round_.commitment}
    said = {"track": chosen.name, "scale": chosen.scale, "track_sha256": chosen.checksum()}
    write_patterns(output, samples, {**said, **seal})
    typer.echo(f"wrote {output}: {len(samples)} patterns")


@app.command()
def check(
    name: FolderArgument,
    crystals: CrystalsOption = None,
    sealed: SealedOption = None,
    seconds: SecondsOption = 600.0,
    memory: MemoryOption = 4.0,
) -> None:
    """Say everything that is wrong with a submission, or what will be scored."""
    from sgbench.submission import Limits, RefusedError, check_submission

    folder = find_folder(name)
    limits = Limits(seconds, memory)
    found = check_submission(folder, crystals or (), limits, _round(sealed))
    if found.problems or found.submission is None or found.samples is None:
        raise RefusedError(folder, found.problems)
    sets = ", ".join(f"{truth.name} ({len(truth)})" for truth in found.samples.sets)
    kind = "predictions" if found.submission.contract is None else "a model"
    typer.echo(
        f"{folder.name} {found.submission.values['version']} holds together: {kind} for "
        f"{found.submission.track.name}, scale {found.submission.track.scale}, by "
        f"{found.submission.class_scheme}, to be scored on {sets}"
    )


@app.command()
def score(
    name: FolderArgument,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder for the scores.")],
    crystals: CrystalsOption = None,
    sealed: SealedOption = None,
    seconds: SecondsOption = 600.0,
    memory: MemoryOption = 4.0,
) -> None:
    """Score a submission; writes one JSON file a test set and class scheme."""
    from sgbench.submission import write_scores

    scores = _scores(find_folder(name), crystals, sealed, seconds, memory)
    write_scores(output, scores)
    listed(scores)


@app.command("score-all")
def score_all(
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Folder for the scores, emptied first.")
    ],
    scale: Annotated[str, typer.Option(help="Size of the test sets.")] = "laptop",
    home: Annotated[Path, typer.Option(help="Holds a folder a submission.")] = _HOME,
    crystals: CrystalsOption = None,
    sealed: Annotated[
        list[Path] | None, typer.Option(help="File of a sealed round; once for each.")
    ] = None,
    seconds: SecondsOption = 600.0,
    memory: MemoryOption = 4.0,
) -> None:
    """Score all submissions of a scale; what cannot be scored is left out, with a word."""
    from sgbench.submission import Limits
    from sgbench.submission import score_all as score_each

    limits = Limits(seconds, memory)
    left_out = score_each(output, scale, home, crystals or (), sealed or (), limits)
    for name, reason in left_out.items():
        typer.echo(f"left out: {name}: {reason}", err=True)
    scored = sum(path.is_dir() for path in output.iterdir())
    typer.echo(f"wrote {output}: {scored} submissions, {len(left_out)} left out")


@app.command()
def add(
    name: FolderArgument,
    leaderboard: Annotated[Path, typer.Option(help="CSV; Markdown goes beside it.")] = Path(
        "results/leaderboard.csv"
    ),
    replace: Annotated[
        bool, typer.Option("--replace", help="Let other results of the same name go.")
    ] = False,
    verified: VerifiedOption = VERIFIED,
    crystals: CrystalsOption = None,
    sealed: SealedOption = None,
    seconds: SecondsOption = 600.0,
    memory: MemoryOption = 4.0,
) -> None:
    """Score a submission and put its rows into the leaderboard."""
    from sgbench.leaderboard import read_verified
    from sgbench.submission import add_rows

    scores = _scores(find_folder(name), crystals, sealed, seconds, memory)
    add_rows(scores, leaderboard, replace, read_verified(verified))
    listed(scores)
    typer.echo(f"{len(scores)} rows are in {leaderboard}")


@app.command()
def seal(
    round_: Annotated[Path, typer.Argument(metavar="ROUND", help="File to publish (JSON).")],
) -> None:
    """Begin a sealed round: commit to the secret in SGBENCH_SEAL."""
    from sgbench.submission import seal_round

    typer.echo(f"committed to {seal_round(round_).commitment}; publish {round_}, keep the secret")


@app.command()
def reveal(
    round_: Annotated[Path, typer.Argument(metavar="ROUND", help="File that `seal` wrote.")],
) -> None:
    """End a sealed round: write the secret beside its commitment."""
    from sgbench.submission import reveal_round

    reveal_round(round_)
    typer.echo(f"revealed; anybody can now score again with --sealed {round_}")


def find_folder(name: str) -> Path:
    """Take a bare word for a name in `submissions`, unless it is a folder here."""
    path = Path(name)
    is_word = len(path.parts) == 1 and name not in (".", "..")
    return (_HOME / name if is_word and not path.is_dir() else path).absolute()


def _round(path: Path | None) -> "Round | None":
    from sgbench.submission import read_round

    return None if path is None else read_round(path)


def _scores(
    folder: Path,
    crystals: list[Path] | None,
    sealed: Path | None,
    seconds: float,
    memory: float,
) -> "list[Score]":
    """Score a submission; on a sealed round also compare with its public scores."""
    from sgbench.submission import Limits, score_sealed, score_submission

    limits, round_ = Limits(seconds, memory), _round(sealed)
    if round_ is None:
        return score_submission(folder, crystals or (), limits)
    compared = score_sealed(folder, round_, limits)
    for gap in compared.gaps:
        typer.echo(f"warning: {gap}", err=True)
    return list(compared.sealed)


def listed(scores: "Sequence[Score]") -> None:
    """Print what was scored."""
    from sgbench.text import percent

    def first(values: "Sequence[float] | None") -> Decimal | None:
        return None if values is None else Decimal(percent(values[0]))

    rows = [
        {
            "test set": one.test_set,
            "by": one.class_scheme,
            "n": one.n_test,
            "top-1 in %": first(one.top),
            "from": first(one.top_low),
            "to": first(one.top_high),
            "ceiling": first(one.ceiling),
            "share in %": first(one.share),
            "status": one.provenance["status"],
        }
        for one in scores
    ]
    show(rows, Format.table, None)
