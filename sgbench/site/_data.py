"""What the page knows: the table by columns, and for each model what only its own page shows."""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Any

import pandas as pd

from sgbench.errors import SgbenchError
from sgbench.evaluation import (
    SCHEME_NAMES,
    Confusion,
    LabelScore,
    Score,
    confusions,
    read_score,
)
from sgbench.files import file_sha256
from sgbench.leaderboard import IDENTITY, command_again, identity, why_no_bound, with_ranks
from sgbench.models import CONTROLS, ORACLE, base_name, current_name, list_models
from sgbench.provenance import newest_day
from sgbench.site._names import data_names, data_words, family_name, set_words
from sgbench.site._overview import TRAINING_RULE, overview, variant_of
from sgbench.symmetry import FAMILIES, extinction_classes, family_spacegroups, spacegroup_symbol

#: Confusions of a model on a test set that its page shows, at most: the most frequent.
MOST_CONFUSIONS = 100
#: What ceilings can be chosen from, by the beginning of their columns, and their names.
CEILINGS = {
    "ceiling": "extinction laws",
    "data_ceiling": "line positions in the window",
    "resolution_ceiling": "lines that the profile resolves",
}
# Those that are marks on all patterns, and why.
_MARKS = {
    "resolution_ceiling": "A model that uses the shape of lines that overlap may pass this ceiling."
}

_DIGITS = 6
_CLASS_DIGITS = 4


@dataclass(frozen=True)
class ScoreFile:
    """A score and the SHA-256 of the file it was read from."""

    score: Score
    sha256: str


@dataclass(frozen=True)
class SiteData:
    """Everything that the page shows, as plain values for JSON.

    Attributes
    ----------
    index : dict
        The table by columns, and what all views share.
    differences : dict
        By family, then by true and predicted class: conditions missed, conditions invented.
    models : list of dict
        In the order of ``index["models"]``: scores by class, confusions and hashes, by the
        position of a row in the table.
    """

    index: dict[str, Any]
    differences: dict[str, dict[str, list[list[str]]]]
    models: list[dict[str, Any]]


def read_score_files(paths: Iterable[Path]) -> list[ScoreFile]:
    """Read score files.

    Raises
    ------
    SgbenchError
        If one is not a readable score.
    """
    return [ScoreFile(read_score(path), file_sha256(path)) for path in paths]


def site_data(
    table: pd.DataFrame,
    table_sha256: str,
    files: Sequence[ScoreFile],
    pairs: pd.DataFrame | None = None,
) -> SiteData:
    """Gather what the page shows.

    Parameters
    ----------
    table : DataFrame
        The leaderboard (`sgbench.leaderboard.COLUMNS`); ceilings beyond the law's are optional
        columns (`CEILINGS`).
    table_sha256 : str
        Of the file that `table` was read from, to close the chain of hashes.
    files : sequence of ScoreFile
        Those that are not behind a row of the table are left out.
    pairs : DataFrame, optional
        Paired comparisons of rows (`sgbench.leaderboard.PAIR_COLUMNS`).

    Raises
    ------
    SgbenchError
        If the table has no rows, or a family that does not exist.
    """
    if table.empty:
        raise SgbenchError(
            "the leaderboard has no rows; expected at least one. Make it with "
            "`sgbench leaderboard`."
        )
    unknown = sorted(set(table["family"]) - set(FAMILIES))
    if unknown:
        raise SgbenchError(
            f"the leaderboard names the family {unknown[0]!r}; expected one of "
            f"{', '.join(FAMILIES)}. Correct the row."
        )
    table = with_ranks(table.reset_index(drop=True), pairs)
    models = list(dict.fromkeys(table["model"].astype(str)))
    test_data = data_names(table)
    index = {
        "models": models,
        "n_rows": len(table),
        "columns": {str(name): _column(table[name]) for name in table.columns},
        "test_data": _column(pd.Series(test_data, dtype=object)),
        "names": _names(table, test_data),
        "variant_of": variant_of(table),
        "overview": overview(table, test_data),
        "training_rule": TRAINING_RULE,
        "ceilings": [
            [stem, name]
            for stem, name in CEILINGS.items()
            if f"{stem}_top1" in table.columns and table[f"{stem}_top1"].notna().any()
        ],
        "marks": _MARKS,
        "schemes": SCHEME_NAMES,
        "classes": {family: _classes(family) for family in dict.fromkeys(table["family"])},
        "papers": _papers(table),
        "controls": CONTROLS,
        "oracle": ORACLE,
        "table_sha256": table_sha256,
        "newest": newest_day(table.get("commit", ())),
        "again": _column(pd.Series(_commands(table), dtype=object)),
        "no_bound": _column(pd.Series(why_no_bound(table), dtype=object)),
    }
    keys = list(zip(*(map(str, table[name]) for name in IDENTITY), strict=True))
    members = _by_row(keys, table["predictions_sha256"], files)
    scores = [file.score for found in members.values() for file in found]
    wrong = _by_run(confusions(scores, MOST_CONFUSIONS))
    details: list[dict[str, Any]] = [{} for _ in models]
    for position, found in members.items():
        key = dict(zip(IDENTITY, keys[position], strict=True))
        details[models.index(key["model"])][str(position)] = _detail(key, found, wrong)
    return SiteData(index, _differences(wrong), details)


def _commands(table: pd.DataFrame) -> list[str | None]:
    """Return what makes each row again; those of one model share theirs."""
    rows: list[Any] = table.to_dict("records")
    return [command_again(row) for row in rows]


def _names(table: pd.DataFrame, test_data: Sequence[str]) -> dict[str, dict[str, Any]]:
    """Return words and a sentence for each value of a column that the page writes out."""
    sets = dict(zip(test_data, table["test_set"].astype(str), strict=True))
    return {
        "family": {family: [family_name(family), ""] for family in dict.fromkeys(table["family"])},
        "test_data": {name: data_words(name, sets[name]) for name in sets},
        "train_set": {name: set_words(name) for name in dict.fromkeys(table["train_set"].map(str))},
    }


def _column(values: "pd.Series[Any]") -> dict[str, Any]:
    """Return numbers as they are, and texts as positions in a list of distinct ones."""
    if pd.api.types.is_numeric_dtype(values) or values.isna().all():
        return {"numbers": [_number(value) for value in values]}
    if all(isinstance(value, int | float) for value in values.dropna()):
        return {"numbers": [_number(value) for value in values]}
    texts = [None if pd.isna(value) else str(value) for value in values]
    distinct = list(dict.fromkeys(texts))
    place = {text: i for i, text in enumerate(distinct)}
    return {"texts": distinct, "index": [place[text] for text in texts]}


def _number(value: Any) -> float | int | None:
    if value is None or pd.isna(value) or not math.isfinite(value):
        return None
    number = float(value)
    return int(number) if number.is_integer() else float(f"{number:.{_DIGITS}g}")


def _classes(family: str) -> list[dict[str, Any]]:
    return [
        {
            "symbol": cls.symbol,
            "conditions": [str(condition) for condition in cls.conditions],
            "spacegroups": [f"{spacegroup_symbol(n)} ({n})" for n in cls.spacegroups],
        }
        for cls in extinction_classes(family_spacegroups(family))
    ]


def _papers(table: pd.DataFrame) -> dict[str, str]:
    """Return the paper of each of this package's own models, without importing what builds them."""
    known = list_models()
    backbones = next((entry for name, entry in known.items() if name.startswith("timm:")), None)
    found = {}
    for model in dict.fromkeys(table.loc[table["status"] == "reference", "model"].astype(str)):
        name = current_name(base_name(model))
        entry = known.get(name) or (backbones if name.startswith("timm:") else None)
        if entry:  # none of one of an earlier version
            found[model] = entry["paper"]
    return found


def _by_row(
    keys: Sequence[tuple[str, ...]], predictions: Iterable[object], files: Iterable[ScoreFile]
) -> dict[int, list[ScoreFile]]:
    """Sort scores to the rows that were made from them; the first of those that are given twice."""
    # Trainings on other data bear the same names, so a row is known by its predictions as well.
    position = {
        (key, sha256): i
        for i, (key, hashes) in enumerate(zip(keys, predictions, strict=True))
        # Scores of early versions name no predictions.
        for sha256 in ("None", *str(hashes).split())
    }
    found: dict[int, dict[tuple[str, ...], ScoreFile]] = defaultdict(dict)
    for file in files:
        key = tuple(identity(file.score).values())
        answers, seed = (str(file.score.provenance.get(n)) for n in ("predictions_sha256", "seed"))
        row = position.get((key, answers))
        if row is not None:
            # A run and what was published of it may both be there.
            found[row].setdefault((answers, seed), file)
    return {row: list(several.values()) for row, several in found.items()}


def _by_run(found: Iterable[Confusion]) -> dict[tuple[str, ...], list[Confusion]]:
    runs = defaultdict(list)
    for one in found:
        values = {**vars(one), "class_scheme": "extinction"}
        runs[tuple(str(values[name]) for name in IDENTITY)].append(one)
    return dict(runs)


def _detail(
    key: Mapping[str, str],
    files: Sequence[ScoreFile],
    wrong: Mapping[tuple[str, ...], Sequence[Confusion]],
) -> dict[str, Any]:
    ranked = any(file.score.provenance.get("ranked") for file in files)
    detail: dict[str, Any] = {
        "calibration": [] if ranked else _calibration([file.score.calibration for file in files]),
        "files": [
            {
                "seed": file.score.provenance.get("seed"),
                "predictions": file.score.provenance.get("predictions_sha256"),
                "score": file.sha256,
                "top": [round(value, _DIGITS) for value in file.score.top],
            }
            for file in files
        ],
    }
    if key["class_scheme"] == "extinction":
        mine = wrong.get(tuple(key.values()), [])
        symbol = _positions(key["family"])
        detail["by_class"] = _by_class([file.score.by_label for file in files])
        detail["confusions"] = [
            [symbol[one.true_class], symbol[one.predicted_class], one.n, one.n_true] for one in mine
        ]
        every = Counter[tuple[int, int]]()
        for true, predicted, n in (one for file in files for one in file.score.confusion):
            if mine and true != predicted:
                every[true, predicted] += n
        detail["n_confusions"] = len(every)
        detail["n_wrong"] = every.total()
    return detail


def _by_class(seeds: Sequence[Mapping[str, LabelScore]]) -> list[list[float | int]]:
    """Return class, samples, clusters, accuracy and its interval; means over seeds."""
    rows = []
    for label in sorted(seeds[0], key=int):
        same = [labels[label] for labels in seeds if label in labels]
        means = (
            fmean(getattr(one, name) for one in same) for name in ("top1", "top1_low", "top1_high")
        )
        rounded = [round(value, _CLASS_DIGITS) for value in means]
        rows.append([int(label), same[0].n, same[0].n_clusters, *rounded])
    return rows


def _calibration(seeds: Iterable[Sequence[tuple[int, int, float, float]]]) -> list[list[float]]:
    """Return bin, samples, mean stated probability and fraction right; all seeds together."""
    bins = defaultdict(list)
    for place, *values in (one for bins_of_seed in seeds for one in bins_of_seed):
        bins[place].append(values)
    found = []
    for place, parts in sorted(bins.items()):
        weights = [n for n, _, _ in parts]
        stated, right = (
            fmean((part[column] for part in parts), weights=weights) for column in (1, 2)
        )
        rounded = [round(value, _CLASS_DIGITS) for value in (stated, right)]
        found.append([place, sum(weights), *rounded])
    return found


def _differences(
    wrong: Mapping[tuple[str, ...], Sequence[Confusion]],
) -> dict[str, dict[str, list[list[str]]]]:
    found: dict[str, dict[str, list[list[str]]]] = defaultdict(dict)
    for run in wrong.values():
        family = run[0].family
        symbol = _positions(family)
        for one in run:
            pair = f"{symbol[one.true_class]},{symbol[one.predicted_class]}"
            found[family][pair] = [list(one.missed), list(one.invented)]
    return dict(found)


def _positions(family: str) -> dict[str, int]:
    return {cls.symbol: i for i, cls in enumerate(extinction_classes(family_spacegroups(family)))}
