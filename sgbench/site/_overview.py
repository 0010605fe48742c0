"""The overview: a line a model, a column a family and a kind of test, and what stands where."""

import math
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd

from sgbench.leaderboard import TESTED_ON, sort_table
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
    (OFF_MESH if origin == DESIGNED else SetSpec(origin, "all")).name for origin in STEMS
)
# What tells rows of one model, training set and test set apart.
_DATA = ("source", "test_sha256", "dataset_sha256")


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
    """Gather what the overview shows, the largest scale first.

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
    shown = table.assign(
        position=range(len(table)),
        base=[_base(*pair) for pair in zip(table["model"], table["status"], strict=True)],
        is_other=[name != own for name, own in zip(table["test_set"], test_data, strict=True)],
    )
    in_order = sort_table(shown)
    shown = in_order[
        (in_order["class_scheme"] == "extinction")
        & in_order["test_set"].isin(_TESTS)
        & (in_order["model"] != ORACLE)  # it is told the class
    ]
    return [
        {"scale": scale, **_of_scale(shown[shown["scale"] == scale])}
        for scale in dict.fromkeys(in_order["scale"])
    ]


def _of_scale(rows: pd.DataFrame) -> dict[str, Any]:
    contenders = rows[rows["status"] != "control"]
    families = dict.fromkeys(contenders["family"])
    tested = set(zip(contenders["family"], contenders["test_set"], strict=True))
    columns = [(family, test) for family in families for test in _TESTS if (family, test) in tested]
    lines: list[dict[str, Any]] = []
    for _, same in rows.groupby("base", sort=False):
        first = len(lines)
        for place, (model, chosen) in enumerate(_lines(same)):
            lines.append(
                {
                    "model": model,
                    "trained": _labels(chosen["train_set"]),
                    "control": bool((chosen["status"] == "control").all()),
                    "variant_of": first if place else None,
                    "cells": _cells(chosen, columns),
                }
            )
    return {"columns": columns, "lines": lines}


def _lines(rows: pd.DataFrame) -> Iterable[tuple[str, pd.DataFrame]]:
    """Yield a model's own line, then its variants: model and rows of each."""
    model = max(dict.fromkeys(rows["model"]), key=_length)
    mine = rows[rows["model"] == model]
    fixed = {
        family: fixed_training(family, of_family["train_set"])
        for family, of_family in mine.groupby("family")
    }
    is_main = (rows["model"] == model) & (rows["train_set"] == rows["family"].map(fixed))
    yield model, rows[is_main]
    others = rows[~is_main]
    labels = [set_words(name, with_family=False)[0] for name in others["train_set"]]
    for (name, _), same in others.groupby([others["model"], labels], sort=True):
        yield str(name), same


def _cells(rows: pd.DataFrame, columns: Iterable[tuple[str, str]]) -> list[int | None]:
    """Choose the row of each column: of the patterns that most rows have, else of the most."""
    found: dict[tuple[str, str], list[tuple[Any, ...]]] = defaultdict(list)
    for row in rows.to_dict("records"):
        order = (row["is_other"], -row["n_test"], *(str(row[name]) for name in _DATA))
        found[row["family"], row["test_set"]].append((*order, row["position"]))
    return [min(found[column])[-1] if column in found else None for column in columns]


def _labels(train_sets: "pd.Series[str]") -> list[str]:
    return list(dict.fromkeys(set_words(name, with_family=False)[0] for name in train_sets))


def _base(model: str, status: str) -> str:
    """Return the model without its number of patterns, which only our own names say."""
    return base_name(model) if status == "reference" else str(model)


def _length(model: str) -> float:
    base = base_name(model)
    return math.inf if base == model else int(model.removeprefix(f"{base}@"))


def _plain(train_set: str) -> str:
    spec = SetSpec.find(train_set)
    if spec is None or spec.part != "train" or not spec.family:
        return train_set
    return SetSpec(spec.origin, family=spec.family).name
