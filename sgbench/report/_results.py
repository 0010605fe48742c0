"""What a run left behind, gathered for the page."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from sgbench.archives import open_run
from sgbench.checked import FileKind, Text, printed, record
from sgbench.errors import SgbenchError
from sgbench.evaluation import Score, current_names, read_score
from sgbench.leaderboard import (
    LARGEST_FIRST,
    SCORES,
    TABLE,
    is_point,
    pairs_path,
    read_csv,
    read_pairs,
    score_files,
)
from sgbench.plots import CONDITION_CURVES, read_history
from sgbench.plots.shown import CDDD, GCDD
from sgbench.report._structures import Structures, read_structures

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
    ("Fig. 4", f"{GCDD.dataset}-portrayed", "cells", "Cell edges of random structures"),
    ("Fig. 6", CDDD.dataset, "samples", "Real structures in each space group"),
    ("Fig. 6", GCDD.dataset, "samples", "Random structures in each space group"),
)


_DRAWN, _INDEX = Path("figures", "paper"), "figures.json"


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
    image : bytes or None
        The SVG file, or None where there is none.
    reason : str
        Why there is none.
    """

    number: str
    title: str
    caption: str
    family: str | None
    image: bytes | None
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
    structures : Structures
        What claims need to know of the sets of structures, as far as these were built.
    pairs : DataFrame
        Paired tests of rows (`sgbench.leaderboard.PAIR_COLUMNS`), as far as there are any.
    pictures : tuple of Picture
    conditions : DataFrame
        Rows of models that were tested under conditions, which may be of another run, and of the
        same models without.
    """

    scale: str
    table: pd.DataFrame
    scores: tuple[Score, ...]
    histories: Mapping[tuple[str, str], tuple[pd.DataFrame, ...]]
    structures: Structures
    pairs: pd.DataFrame
    pictures: tuple[Picture, ...]
    conditions: pd.DataFrame


def read_results(path: Path, conditions: Path | None = None) -> Results:
    """Read the results of a scale.

    Parameters
    ----------
    path : Path
        A folder such as ``results/laptop``, or what `publish` made of one, or a folder of these,
        of which the largest scale is taken. Only its ``leaderboard.csv`` must be there; the page
        says of everything else where it is missing.
    conditions : Path, optional
        A run of models under conditions, whose curves are to be shown as well.

    Raises
    ------
    SgbenchError
        If the leaderboard is missing or has several scales, or a file is damaged.
    """
    with open_run(path, LARGEST_FIRST) as folder:
        table = read_csv(folder / TABLE)
        scales = sorted(set(table["scale"]))
        if len(scales) != 1:
            raise SgbenchError(
                f"{folder / TABLE} has rows of {len(scales)} scales; expected those of one run. "
                "Name the folder of a scale, such as results/laptop."
            )
        there = score_files(folder / SCORES[0])
        files = [file for file in there if file.is_file() and not is_point(file)]
        rows, drawn = _of_conditions(conditions)
        pictures = [*_portraits(folder), *_drawn(folder)]
        return Results(
            scale=scales[0],
            table=table,
            scores=tuple(score for _, score in scores_of(files, table)),
            histories=_histories(folder),
            structures=read_structures(folder),
            pairs=read_pairs(pairs_path(folder / TABLE)),
            pictures=(*pictures, *(one for one in drawn if one not in pictures)),
            conditions=pd.concat([table, rows[~rows["scale"].isin(scales)]], ignore_index=True),
        )


def _of_conditions(path: Path | None) -> tuple[pd.DataFrame, list[Picture]]:
    """Return the table of a run under conditions, and the pictures of its curves."""
    if path is None:
        return pd.DataFrame(columns=["scale"]), []
    with open_run(path) as folder:
        drawn = [one for one in _drawn(folder) if one.title == CONDITION_CURVES]
        return read_csv(folder / TABLE), drawn


def scores_of(files: Iterable[Path], table: pd.DataFrame) -> Iterator[tuple[Path, Score]]:
    """Give those scores that a table was made from, with their files.

    There may be files of runs that the table does not have.
    """
    known = set(" ".join(table["predictions_sha256"].dropna().astype(str)).split())
    for path in files:
        result = read_score(path)
        if result.provenance.get("predictions_sha256") in {None, *known}:
            yield path, result


def history_files(folder: Path) -> list[Path]:
    """Return the files of a run that hold the validations of its trainings."""
    return sorted(folder.glob("models/*/*/seed*/history.csv"))


def picture_files(folder: Path) -> list[Path]:
    """Return the files of a run that its pictures are read from, as far as they are there."""
    drawn = folder / _DRAWN
    named = [folder / "figures" / dataset / f"{stem}.svg" for _, dataset, stem, _ in _PORTRAITS]
    if (drawn / _INDEX).exists():
        named += [drawn / _INDEX]
        named += [drawn / entry["file"] for entry in _entries(drawn) if entry["file"] is not None]
    return [path for path in dict.fromkeys(named) if path.is_file()]


def _histories(folder: Path) -> dict[tuple[str, str], tuple[pd.DataFrame, ...]]:
    found = defaultdict(list)
    for path in history_files(folder):
        named = {"train_set": path.parents[2].name, "model": path.parents[1].name}
        run = tuple(current_names(named).values())
        history = read_history(path)
        if len(history):
            found[run].append(history)
    return {run: tuple(histories) for run, histories in found.items()}


def _portraits(folder: Path) -> Iterator[Picture]:
    for number, dataset, stem, title in _PORTRAITS:
        path = folder / "figures" / dataset / f"{stem}.svg"
        image = path.read_bytes() if path.is_file() else None
        yield Picture(
            number, title, f"Dataset {dataset}.", None, image,
            "" if image else f"There is no figure {dataset}/{stem}.svg.",
        )  # fmt: skip


def _drawn(folder: Path) -> Iterator[Picture]:
    if not (folder / _DRAWN / _INDEX).exists():
        return
    for entry in _entries(folder / _DRAWN):
        name, image, reason = entry["file"], None, entry.get("reason") or ""
        if name is not None and (path := folder / _DRAWN / name).is_file():
            image = path.read_bytes()
        elif name is not None:
            reason = f"The file {name} is missing."
        yield Picture(
            entry["number"], entry["title"], entry["caption"], entry["family"], image, reason,
        )  # fmt: skip


def _entries(folder: Path) -> list[Any]:
    found: list[Any] = _FIGURES_KIND.read_json(folder / _INDEX, list[_Figure])
    for name in (entry["file"] for entry in found):
        if name is not None and Path(name).name != name:
            raise _FIGURES_KIND.damaged(folder / _INDEX, f"'{printed(name)}' lies elsewhere")
    return found
