"""What a run left behind, gathered for the page."""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from sgbench.checked import FileKind, Fraction, Several, Text, record
from sgbench.errors import SgbenchError
from sgbench.evaluation import Score, current_names, read_score
from sgbench.leaderboard import pairs_path, read_csv, read_pairs
from sgbench.plots import read_history
from sgbench.plots.shown import CDDD, GCDD
from sgbench.structures import CrystalSet, read_crystals

# The second random set is made for its figure.
_CRYSTALS = (CDDD.dataset, GCDD.dataset, "gcdd-portrayed")
_CONFUSIONS = {
    **dict.fromkeys(
        ("model", "train_set", "test_set", "family", "true_class", "predicted_class"), Text
    ),
    **dict.fromkeys(("source", "test_sha256", "missed", "invented"), Text | None),
    **dict.fromkeys(("n", "n_true"), Several),
    "share": Fraction,
}
_CONFUSIONS_KIND = FileKind(
    "a table of confusions", "the CSV that `sgbench confusions` writes. Make it again."
)
_FIGURES_KIND = FileKind(
    "a readable index of figures", "what `sgbench figures` writes. Make it again."
)
_Figure: Any = record(
    "Figure",
    {
        **dict.fromkeys(("number", "title", "caption"), Text),
        **dict.fromkeys(("file", "family", "reason"), Text | None),
    },
    ("reason",),
)
# Figures that describe datasets: number in the article, dataset, file and title.
_PORTRAITS = (
    ("Fig. 2", CDDD.dataset, "cells", "Cell edges of real structures"),
    ("Fig. 3", CDDD.dataset, "patterns", "Patterns of one space group with different cells"),
    ("Fig. 4", _CRYSTALS[2], "cells", "Cell edges of random structures"),
    ("Fig. 6", CDDD.dataset, "samples", "Real structures in each space group"),
    ("Fig. 6", GCDD.dataset, "samples", "Random structures in each space group"),
)


@dataclass(frozen=True)
class Picture:
    """A figure of the page.

    Attributes
    ----------
    number : str
        Number in the article, e.g. ``Fig. 5 (c)``; empty for what the article does not have.
    title, caption : str
    family : str or None
        None where it shows several families.
    path : Path or None
        An SVG file, or None where there is none.
    reason : str
        Why there is none.
    """

    number: str
    title: str
    caption: str
    family: str | None
    path: Path | None
    reason: str = ""


@dataclass(frozen=True)
class Results:
    """Everything that the page shows, of one scale.

    Attributes
    ----------
    scale : str
    table : DataFrame
        The leaderboard (`sgbench.leaderboard.COLUMNS`).
    scores : tuple of Score
        Those that the leaderboard was made from.
    histories : mapping of (str, str) to tuple of DataFrame
        From training set and model to the histories of its trainings, one a seed.
    crystals : mapping of str to CrystalSet
        ``cddd``, ``gcdd`` and ``gcdd-portrayed``, as far as they were built.
    confusions : DataFrame or None
        What `sgbench confusions` wrote.
    pairs : DataFrame
        Paired tests of rows (`sgbench.leaderboard.PAIR_COLUMNS`), as far as there are any.
    pictures : tuple of Picture
    """

    scale: str
    table: pd.DataFrame
    scores: tuple[Score, ...]
    histories: Mapping[tuple[str, str], tuple[pd.DataFrame, ...]]
    crystals: Mapping[str, CrystalSet]
    confusions: pd.DataFrame | None
    pairs: pd.DataFrame
    pictures: tuple[Picture, ...]


def read_results(folder: Path) -> Results:
    """Read the results of a scale.

    Parameters
    ----------
    folder : Path
        E.g. ``results/laptop``. Only its ``leaderboard.csv`` must be there; the page says of
        everything else where it is missing.

    Raises
    ------
    SgbenchError
        If the leaderboard is missing or has several scales, or a file is damaged.
    """
    table = read_csv(folder / "leaderboard.csv")
    scales = sorted(set(table["scale"]))
    if len(scales) != 1:
        raise SgbenchError(
            f"{folder / 'leaderboard.csv'} has rows of {len(scales)} scales; expected those of one "
            "run. Name the folder of a scale, such as results/laptop."
        )
    files = {name: folder / "datasets" / f"{name}.parquet" for name in _CRYSTALS}
    return Results(
        scale=scales[0],
        table=table,
        scores=tuple(_scores(folder / "scores", table)),
        histories=_histories(folder / "models"),
        crystals={name: read_crystals(path) for name, path in files.items() if path.exists()},
        confusions=_confusions(folder / "confusions.csv"),
        pairs=read_pairs(pairs_path(folder / "leaderboard.csv")),
        pictures=(*_portraits(folder / "figures"), *_drawn(folder / "figures" / "paper")),
    )


def _scores(folder: Path, table: pd.DataFrame) -> Iterator[Score]:
    # A folder may hold runs that the leaderboard does not have.
    known = set(" ".join(table["predictions_sha256"].dropna().astype(str)).split())
    for path in sorted(folder.rglob("*.json")):
        result = read_score(path)
        if result.provenance.get("predictions_sha256") in {None, *known}:
            yield result


def _histories(folder: Path) -> dict[tuple[str, str], tuple[pd.DataFrame, ...]]:
    found = defaultdict(list)
    for path in sorted(folder.glob("*/*/seed*/history.csv")):
        named = {"train_set": path.parents[2].name, "model": path.parents[1].name}
        run = tuple(current_names(named).values())
        history = read_history(path)
        if len(history):
            found[run].append(history)
    return {run: tuple(histories) for run, histories in found.items()}


def _confusions(path: Path) -> pd.DataFrame | None:
    if not path.exists():
        return None
    found = _CONFUSIONS_KIND.read_csv(path, _CONFUSIONS, ("source", "test_sha256"))
    # Those of earlier versions do not say which test data they are of.
    unknown = {"source": "unrecorded", "test_sha256": "", "missed": "", "invented": ""}
    return found.fillna(unknown)


def _portraits(folder: Path) -> Iterator[Picture]:
    for number, dataset, stem, title in _PORTRAITS:
        path = folder / dataset / f"{stem}.svg"
        there = path.exists()
        yield Picture(
            number, title, f"Dataset {dataset}.", None, path if there else None,
            "" if there else f"There is no figure {dataset}/{stem}.svg.",
        )  # fmt: skip


def _drawn(folder: Path) -> Iterator[Picture]:
    index = folder / "figures.json"
    if not index.exists():
        return
    for entry in _FIGURES_KIND.read_json(index, list[_Figure]):
        name, reason = entry["file"], entry.get("reason") or ""
        path = None if name is None else folder / name
        if path is not None and not path.is_file():
            path, reason = None, f"The file {name} is missing."
        yield Picture(
            entry["number"], entry["title"], entry["caption"], entry["family"], path, reason,
        )  # fmt: skip
