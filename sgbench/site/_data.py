"""What the page knows: the table by columns, and for each model what only its own page shows."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from sgbench.errors import SgbenchError
from sgbench.evaluation import SCHEME_NAMES
from sgbench.leaderboard import command_again, graded, why_no_bound, with_ranks
from sgbench.models import CONTROLS, ORACLE, base_name, current_name, list_models
from sgbench.provenance import newest_day
from sgbench.site._conditions import conditions_data
from sgbench.site._details import Differences, ScoreFile, details
from sgbench.site._names import data_names, data_words, family_name, set_words
from sgbench.site._overview import TRAINING_RULE, overview, variant_of
from sgbench.symmetry import FAMILIES, extinction_classes, family_spacegroups, spacegroup_symbol

#: What ceilings can be chosen from, by the beginning of their columns, and their names.
CEILINGS = {
    "ceiling": "extinction laws",
    "data_ceiling": "line positions in the window",
    "resolution_ceiling": "lines that the profile resolves",
    "bayes": "the exact posterior",
}
# Those that are marks on all patterns, and why.
_MARKS = {
    "resolution_ceiling": "A model that uses the shape of lines that overlap may pass this ceiling."
}

_DIGITS = 6


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
    differences: Differences
    models: list[dict[str, Any]]


def site_data(
    table: pd.DataFrame,
    table_sha256: str,
    files: Iterable[ScoreFile],
    pairs: pd.DataFrame | None = None,
    curves: pd.DataFrame | None = None,
) -> SiteData:
    """Gather what the page shows.

    Parameters
    ----------
    table : DataFrame
        The leaderboard (`sgbench.leaderboard.COLUMNS`); ceilings beyond the law's are optional
        columns (`CEILINGS`).
    table_sha256 : str
        Of the file that `table` was read from, to close the chain of hashes.
    files : iterable of ScoreFile
        Each is asked for when the one before is done with. Those that are not behind a row of the
        table are left out.
    pairs : DataFrame, optional
        Paired comparisons of rows (`sgbench.leaderboard.PAIR_COLUMNS`).
    curves : DataFrame, optional
        More rows, of which the page shows those under conditions alone.

    Raises
    ------
    SgbenchError
        If the table has no rows, or a family that does not exist.
    """
    if table.empty or graded(table).all():
        raise SgbenchError(
            "the leaderboard has no rows but such as are points of curves under one severity of a "
            "condition; expected others. Score on ideal patterns or a mixture, too."
            if len(table)
            else "the leaderboard has no rows; expected at least one. Make it with "
            "`sgbench leaderboard`."
        )
    unknown = sorted(set(table["family"]) - set(FAMILIES))
    if unknown:
        raise SgbenchError(
            f"the leaderboard names the family {unknown[0]!r}; expected one of "
            f"{', '.join(FAMILIES)}. Correct the row."
        )
    under = table if curves is None else pd.concat([table, curves], ignore_index=True)
    listed = ~graded(table)
    table = with_ranks(table[listed].reset_index(drop=True), pairs)
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
        "conditions": conditions_data(under),
        # Of the file, whose points of curves are in no list.
        "lines": [2 + int(place) for place in np.flatnonzero(listed)],
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
    found, differences = details(table, models, files)
    return SiteData(index, differences, found)


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
