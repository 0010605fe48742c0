"""The overview: a line a model, a column a family and a kind of test, and what stands where."""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

import pandas as pd

from sgbench.leaderboard import IDENTITY, TESTED_ON, sort_table
from sgbench.models import ORACLE, base_name
from sgbench.sets import DESIGNED, OFF_MESH, STEMS, SetSpec
from sgbench.site._names import set_words

#: What the page says of `fixed_training`.
TRAINING_RULE = (
    "A model stands here with its training on the designed set of the family (ULBD). A model that "
    "was never trained on it stands with the first of its training sets by name. Accuracies do not "
    "decide."
)
# One test set stands for each origin: the whole of it, or the cells between the mesh points.
_TESTS = tuple(
    (OFF_MESH if origin == DESIGNED else SetSpec(origin, "all")).name
    for origin in STEMS
    if origin != "measured"
)


def fixed_training(family: str, train_sets: Iterable[str]) -> str:
    """Choose the training set that a model is shown with where it is shown once.

    It is the designed set of the family (``ulbd-FAMILY``), or the first by name if the model was
    never trained on that. So the choice is fixed before any score is known.

    Parameters
    ----------
    family : str
    train_sets : iterable of str
        What the model was trained on; at least one.
    """
    designed = SetSpec(DESIGNED, family=family).name
    return min(train_sets, key=lambda name: (name != designed, name))


def variant_of(table: pd.DataFrame) -> list[int | None]:
    """Tell for each row the position of the row that it is a variant of, if there is one.

    Variants of a row are the model trained on another mesh, with another law of intensities or by
    another split of the same origin, and the model after another number of patterns (``NAME@N``).
    They were tested on the same data.
    """
    keys = [
        (*row[: len(TESTED_ON)], _base(*row[-3:-1]), row[-1])
        for row in table[[*TESTED_ON, "model", "status", "train_set"]].itertuples(
            index=False, name=None
        )
    ]
    models = table["model"].astype(str)
    heads: dict[tuple[Any, ...], int] = {}
    for position, (key, model) in enumerate(zip(keys, models, strict=True)):
        if key[-2] == model:
            heads.setdefault(key, position)
    found = [heads.get((*key[:-1], _plain(key[-1]))) for key in keys]
    return [None if head == position else head for position, head in enumerate(found)]


def overview(table: pd.DataFrame, test_data: Sequence[str]) -> list[dict[str, Any]]:
    """Gather what the overview shows, the scale with the most results first.

    Parameters
    ----------
    table : DataFrame
        The leaderboard.
    test_data : sequence of str
        Of each row: the name of its test set, with more where it was tested on other patterns
        than most rows of that name.

    Returns
    -------
    list of dict
        One a scale. ``columns`` are pairs of family and test set. ``lines`` have ``model``,
        ``trained`` (in words), ``control``, ``variant_of`` (the place of another line, or None) and
        ``cells``, each the position of a row over extinction classes, or None.
    """
    shown = table[[*IDENTITY, "status", "top1", "n_test", "dataset_sha256"]].assign(
        position=range(len(table)),
        base=[_base(*pair) for pair in zip(table["model"], table["status"], strict=True)],
        is_other=[name != own for name, own in zip(table["test_set"], test_data, strict=True)],
    )
    scales: dict[str, list[Any]] = {}
    for row in sort_table(shown).itertuples(index=False):
        rows = scales.setdefault(str(row.scale), [])
        told = row.model == ORACLE  # the class that is asked for
        if row.class_scheme == "extinction" and row.test_set in _TESTS and not told:
            rows.append(row)
    found = [{"scale": scale, **_of_scale(rows)} for scale, rows in scales.items()]
    # A scale of which little is finished does not hide one that is whole; the larger goes first.
    return sorted(found, key=_filled, reverse=True)


def _filled(scale: dict[str, Any]) -> int:
    """Return how many cells of a scale hold a result of a contender."""
    lines = (line for line in scale["lines"] if not line["control"])
    return sum(cell is not None for line in lines for cell in line["cells"])


def _of_scale(rows: Sequence[Any]) -> dict[str, Any]:
    contenders = [row for row in rows if row.status != "control"]
    families = dict.fromkeys(row.family for row in contenders)
    tested = {(row.family, row.test_set) for row in contenders}
    columns = [(family, test) for family in families for test in _TESTS if (family, test) in tested]
    models = defaultdict(list)
    for row in rows:
        models[row.base].append(row)
    lines: list[dict[str, Any]] = []
    for mine in models.values():
        first = len(lines)
        for place, line in enumerate(_lines(mine)):
            lines.append(
                {
                    "model": line[0].model,
                    "trained": list(dict.fromkeys(_trained(row) for row in line)),
                    "control": line[0].status == "control",
                    "variant_of": first if place else None,
                    "cells": _cells(line, columns),
                }
            )
    return {"columns": columns, "lines": lines}


def _lines(rows: Sequence[Any]) -> list[list[Any]]:
    """Sort the rows of a model to its own line, which comes first, and to its variants."""
    model = max(dict.fromkeys(row.model for row in rows), key=_length)
    trained = defaultdict(set)
    for row in rows:
        if row.model == model:
            trained[row.family].add(row.train_set)
    fixed = {family: fixed_training(family, names) for family, names in trained.items()}
    lines: dict[tuple[str, ...], list[Any]] = defaultdict(list)
    for row in rows:
        own = row.model == model and row.train_set == fixed[row.family]
        lines[() if own else (row.model, _trained(row))].append(row)
    return [lines[key] for key in sorted(lines)]


def _cells(rows: Sequence[Any], columns: Iterable[tuple[str, str]]) -> list[int | None]:
    """Choose the row of each column: of the patterns that most rows have, else of the most."""
    found: dict[tuple[str, str], list[tuple[Any, ...]]] = defaultdict(list)
    for row in rows:
        data = (str(row.source), str(row.test_sha256), str(row.dataset_sha256))
        order = (row.is_other, -row.n_test, *data, row.position)
        found[row.family, row.test_set].append(order)
    return [min(found[column])[-1] if column in found else None for column in columns]


def _trained(row: Any) -> str:
    return set_words(row.train_set, with_family=False)[0]


def _base(model: str, status: str) -> str:
    """Return the model without its number of patterns, which only our own names say."""
    return base_name(model) if status == "reference" else str(model)


def _length(model: str) -> float:
    base = base_name(model)
    return math.inf if base == model else int(model.removeprefix(f"{base}@"))


@cache
def _plain(train_set: str) -> str:
    spec = SetSpec.find(train_set)
    if spec is None or spec.part != "train" or not spec.family:
        return train_set
    return SetSpec(spec.origin, family=spec.family).name
