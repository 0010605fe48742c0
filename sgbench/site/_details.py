"""What the page of a model shows of one row: its seeds, classes, calibration and confusions.

Scores are read one at a time, and of each is kept what the page shows, so that a table of ten
thousand rows needs little more memory than the page itself.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sgbench.evaluation import Score, condition_differences, read_score
from sgbench.files import file_sha256
from sgbench.leaderboard import IDENTITY, identity
from sgbench.symmetry import extinction_classes, family_spacegroups

#: Confusions of a model on a test set that its page shows, at most: the most frequent.
MOST_CONFUSIONS = 100

_DIGITS = 6
_CLASS_DIGITS = 4

#: By family, then by true and predicted class: conditions missed, conditions invented.
Differences = dict[str, dict[str, list[list[str]]]]


@dataclass(frozen=True)
class ScoreFile:
    """A score and the SHA-256 of the file it was read from."""

    score: Score
    sha256: str


@dataclass(frozen=True)
class _Kept:
    """What is kept of a score.

    Attributes
    ----------
    file : dict
        What the page says of its file.
    judged : bool
        Whether its confusions are shown, as those of controls are not.
    calibration : ndarray, shape (n_bins, 4)
        As of `Score`; empty for a ranked list.
    by_class : ndarray, shape (n_classes, 6)
        Class, samples, clusters, accuracy and its interval; empty over space groups.
    confusion : ndarray, shape (n, 3)
        As of `Score`; empty over space groups.
    """

    file: dict[str, Any]
    judged: bool
    calibration: NDArray[np.float64]
    by_class: NDArray[np.float64]
    confusion: NDArray[np.int32]


def read_score_files(paths: Iterable[Path]) -> Iterator[ScoreFile]:
    """Read score files, each when it is asked for.

    Raises
    ------
    SgbenchError
        If one is not a readable score.
    """
    return (ScoreFile(read_score(path), file_sha256(path)) for path in paths)


def details(
    table: pd.DataFrame, models: Sequence[str], files: Iterable[ScoreFile]
) -> tuple[list[dict[str, Any]], Differences]:
    """Gather what belongs to a row alone.

    Parameters
    ----------
    table : DataFrame
        The leaderboard.
    models : sequence of str
        Those of the table, each once.
    files : iterable of ScoreFile
        Those that are not behind a row of the table are left out.

    Returns
    -------
    list of dict
        Of each model, by the position of a row in the table.
    dict
        What conditions the confusions violate.
    """
    found: list[dict[str, Any]] = [{} for _ in models]
    place = {model: i for i, model in enumerate(models)}
    shown: dict[str, set[tuple[int, int]]] = defaultdict(set)
    rows = table[["model", "family", "class_scheme"]].astype(str).to_numpy().tolist()
    for position, kept in _by_row(table, files).items():
        model, family, scheme = rows[position]
        detail = found[place[model]][str(position)] = {
            "calibration": _calibration([one.calibration for one in kept]),
            "files": [one.file for one in kept],
        }
        if scheme == "extinction":
            listed, n_confusions, n_wrong = _confusions(kept)
            shown[family].update((true, guess) for true, guess, *_ in listed)
            detail["by_class"] = _by_class([one.by_class for one in kept])
            detail["confusions"] = listed
            detail["n_confusions"], detail["n_wrong"] = n_confusions, n_wrong
    return found, {family: _differences(family, pairs) for family, pairs in shown.items() if pairs}


def _by_row(table: pd.DataFrame, files: Iterable[ScoreFile]) -> dict[int, list[_Kept]]:
    """Sort scores to the rows that were made from them; the first of those that are given twice."""
    keys = list(zip(*(map(str, table[name]) for name in IDENTITY), strict=True))
    # Trainings on other data bear the same names, so a row is known by its predictions as well.
    position = {
        (key, sha256): i
        for i, (key, hashes) in enumerate(zip(keys, table["predictions_sha256"], strict=True))
        # Scores of early versions name no predictions.
        for sha256 in ("None", *str(hashes).split())
    }
    found: dict[int, dict[tuple[str, ...], _Kept]] = defaultdict(dict)
    for file in files:
        key = tuple(identity(file.score).values())
        answers, seed = (str(file.score.provenance.get(n)) for n in ("predictions_sha256", "seed"))
        row = position.get((key, answers))
        # A run and what was published of it may both be there.
        if row is not None and (answers, seed) not in found[row]:
            found[row][answers, seed] = _kept(file)
    return {row: list(several.values()) for row, several in found.items()}


def _kept(file: ScoreFile) -> _Kept:
    score, origin = file.score, file.score.provenance
    by_class = score.class_scheme == "extinction"
    labels = [
        (int(label), *vars(one).values()) for label, one in score.by_label.items() if by_class
    ]
    return _Kept(
        {
            "seed": origin.get("seed"),
            "predictions": origin.get("predictions_sha256"),
            "score": file.sha256,
            "top": [round(value, _DIGITS) for value in score.top],
        },
        origin.get("status") != "control",
        np.array([] if origin.get("ranked") else score.calibration).reshape(-1, 4),
        np.array(labels, dtype=np.float64).reshape(-1, 6),
        np.array(score.confusion if by_class else [], dtype=np.int32).reshape(-1, 3),
    )


def _confusions(kept: Sequence[_Kept]) -> tuple[list[list[int]], int, int]:
    """Return the most frequent confusions of all seeds together, and how many there are in all.

    A confusion is the true class, the predicted one, how often it was taken for it, and the samples
    of the true class. There follow the number of kinds of confusions and of wrong answers.
    """
    every = np.concatenate([one.confusion for one in kept if one.judged] or [np.empty((0, 3), int)])
    pairs, place = np.unique(every[:, :2], axis=0, return_inverse=True)
    n = np.bincount(place.ravel(), every[:, 2], len(pairs)).astype(np.int64)
    true, guess = pairs.T
    total = np.bincount(true, n).astype(np.int64)
    wrong = np.flatnonzero(true != guess)
    worst = wrong[np.lexsort((guess[wrong], true[wrong], -n[wrong]))][:MOST_CONFUSIONS]
    listed = np.stack([true[worst], guess[worst], n[worst], total[true[worst]]], axis=1)
    return listed.tolist(), len(wrong), int(n[wrong].sum())


def _by_class(seeds: Sequence[NDArray[np.float64]]) -> list[list[float | int]]:
    """Return class, samples, clusters, accuracy and its interval; means over seeds."""
    same = defaultdict(list)
    for label, n, clusters, *accuracies in (line for lines in seeds for line in lines.tolist()):
        same[int(label)].append((int(n), int(clusters), accuracies))
    return [
        [
            label,
            *several[0][:2],
            *(
                round(fmean(values) if len(values) > 1 else values[0], _CLASS_DIGITS)
                for values in zip(*(accuracies for *_, accuracies in several), strict=True)
            ),
        ]
        for label, several in sorted(same.items())
    ]


def _calibration(seeds: Iterable[NDArray[np.float64]]) -> list[list[float]]:
    """Return bin, samples, mean stated probability and fraction right; all seeds together."""
    bins: dict[int, list[list[float]]] = defaultdict(list)
    for place, *values in (one for bins_of_seed in seeds for one in bins_of_seed.tolist()):
        bins[int(place)].append(values)
    found: list[list[float]] = []
    for place, parts in sorted(bins.items()):
        weights = [int(n) for n, _, _ in parts]
        stated, right = (
            fmean((part[column] for part in parts), weights) if len(parts) > 1 else parts[0][column]
            for column in (1, 2)
        )
        rounded = [round(value, _CLASS_DIGITS) for value in (stated, right)]
        found.append([place, sum(weights), *rounded])
    return found


def _differences(family: str, pairs: Iterable[tuple[int, int]]) -> dict[str, list[list[str]]]:
    groups = [one.spacegroups[0] for one in extinction_classes(family_spacegroups(family))]
    return {
        f"{true},{guess}": [
            list(words) for words in condition_differences(groups[true], groups[guess])
        ]
        for true, guess in sorted(pairs)
    }
