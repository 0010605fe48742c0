"""The tables of the page, as text in rows."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pandas as pd

from sgbench.datasets import mesh_of
from sgbench.evaluation import Score
from sgbench.models import CONTROLS
from sgbench.report._claims import INGREDIENTS, PUBLISHED_CEILINGS, REFERENCE_MODELS
from sgbench.report._format import interval, percent, plural, points
from sgbench.symmetry import (
    TOP_K,
    Ceiling,
    extinction_classes,
    family_spacegroups,
    spacegroup_symbol,
)

_K = range(1, TOP_K + 1)
_WORST = 15
_LONGEST_NAME = 32
_DIGITS = set("0123456789")
_COST = ("parameters", "train_patterns", "train_seconds")
_COMPARED = ("ulbd-in-mesh", "ulbd-off-mesh", "cddd-in-domain", "cddd", "gcdd")


@dataclass(frozen=True)
class Cell:
    """Text of a table, with an address that it links to."""

    text: str
    href: str = ""


@dataclass(frozen=True)
class Table:
    """A table of the page.

    Attributes
    ----------
    caption : str
    header : tuple of str
    rows : tuple of tuple of Cell
        The first cell names the row.
    kinds : tuple of str
        Of each column: ``number``, aligned to the right; ``name``, never broken; or ``text``.
    folded : bool
        Whether it is shown only when asked for.
    """

    caption: str
    header: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    kinds: tuple[str, ...]
    folded: bool = False


def ceilings() -> Table:
    """Return Table I beside the published values."""
    rows = []
    for family, published in PUBLISHED_CEILINGS.items():
        ceiling = Ceiling.of_family(family)
        named = f"{family} ({ceiling.n_classes} classes of {ceiling.n_spacegroups} groups)"
        rows.append([f"{named}, here", *(f"{100 * value:.2f}" for value in ceiling.top)])
        rows.append([f"{family}, paper", *(f"{value:.1f}" for value in published)])
    header = ["family", *(f"top-{k} (%)" for k in _K)]
    return _table("Ceilings of space-group accuracy, balanced labels.", header, rows)


def classes(family: str) -> Table:
    """Return the space groups of a family by extinction class (Tables S1 to S3)."""
    rows = [
        [
            cls.symbol,
            "; ".join(map(str, cls.conditions)) or "none",
            str(len(cls.spacegroups)),
            ", ".join(f"{spacegroup_symbol(n)} ({n})" for n in cls.spacegroups),
        ]
        for cls in extinction_classes(family_spacegroups(family))
    ]
    return _table(
        f"Extinction classes, {family}: {len(rows)} classes of "
        f"{len(family_spacegroups(family))} space groups.",
        ["class", "reflection conditions", "groups", "space groups"],
        rows,
    )


def top_k(
    table: pd.DataFrame, caption: str, scheme: str, wanted: Iterable[tuple[str, str, str]]
) -> Table | None:
    """Return top-1 to top-5 accuracy of the reference models; None where there is no row.

    `wanted` are family, training set and test set.
    """
    bounded = scheme == "spacegroup"  # all extinction classes can be told apart
    rows = [
        [
            family, train, test, row["model"], *_counts(row), interval(row),
            *(f"{100 * row[f'top{k}']:.1f}" for k in _K[1:]),
            *([" ".join(f"{100 * row[f'ceiling_top{k}']:.1f}" for k in _K)] if bounded else []),
        ]
        for family, train, test in wanted
        for _, row in _select(table, train, test, family, scheme).iterrows()
    ]  # fmt: skip
    header = [
        "family", "trained on", "tested on", "model", "n", "clusters", "seeds",
        "top-1 (95 %)", *(f"top-{k}" for k in _K[1:]), *(["ceiling top-1…5"] if bounded else []),
    ]  # fmt: skip
    return _table(f"{caption} Percent.", header, rows) if rows else None


def mesh(table: pd.DataFrame) -> Table | None:
    """Return accuracy by lattice step and number of patterns (Fig. S1)."""
    mine = table[
        (table["family"] == "cubic")
        & table["model"].isin(REFERENCE_MODELS)
        & (table["class_scheme"] == "spacegroup")
    ]
    rows = []
    for _, row in mine.iterrows():
        named = mesh_of(row["train_set"])
        if named is None:
            continue
        rows.append(
            [
                f"{named.step:g}", str(named.patterns), row["test_set"], row["model"],
                *_counts(row), interval(row), points(-row["gap_top1"]),
            ]
        )  # fmt: skip
    rows.sort(key=lambda row: (float(row[0]), int(row[1]), row[2], row[3]))
    header = [
        "step (Å)", "patterns a lattice", "tested on", "model", "n", "clusters", "seeds",
        "top-1 (95 %)", "beyond ceiling",
    ]  # fmt: skip
    caption = "Space groups of ULBD-cubic by mesh and number of patterns. Percent and points."
    return _table(caption, header, rows) if rows else None


def ablation(table: pd.DataFrame) -> Table | None:
    """Return what each ingredient of ULBD-physical adds, on every test set of the cubic family."""
    whole = "ulbd-physical-cubic"
    names = {
        "ulbd-cubic": "uniform intensities (the paper's)",
        whole: "all three ingredients",
        **{f"{whole}-no-{part}": f"without {name}" for part, name in INGREDIENTS.items()},
    }
    rows = []
    for test in dict.fromkeys(table["test_set"]):
        reference = _select(table, whole, test, "cubic", "extinction")
        for train, name in names.items():
            for _, row in _select(table, train, test, "cubic", "extinction").iterrows():
                same = reference[reference["model"] == row["model"]]
                apart = "" if same.empty else points(row["top1"] - same.iloc[0]["top1"])
                rows.append([name, test, row["model"], *_counts(row), interval(row), apart])
    header = [
        "trained on", "tested on", "model", "n", "clusters", "seeds", "classes right (95 %)",
        "from the whole",
    ]  # fmt: skip
    missing = {row[0] for row in rows} <= {names["ulbd-cubic"], names[whole]}
    caption = "Ablation of ULBD-physical, cubic, extinction classes. Percent and points."
    return None if missing else _table(caption, header, rows)


def models(table: pd.DataFrame, family: str) -> Table | None:
    """Return all models that were trained on the ULBD of a family, and the controls."""
    rows = []
    mine = table[(table["family"] == family) & table["train_set"].isin((f"ulbd-{family}", "none"))]
    for model, same in mine.groupby("model"):
        trained = same.iloc[0]
        accuracy = [
            _only(same[(same["test_set"] == test) & (same["class_scheme"] == "extinction")])
            for test in _COMPARED
        ]
        groups = same[(same["test_set"] == "ulbd-in-mesh") & (same["class_scheme"] == "spacegroup")]
        cost = ["", "", ""] if model in CONTROLS else [_integer(trained[name]) for name in _COST]
        rows.append([str(model), _only(groups), *accuracy, *cost])
    rows.sort(key=lambda row: (row[0] in CONTROLS, -_leading(row[3]), row[0]))
    header = [
        "model", "space groups, ulbd-in-mesh", *(f"classes, {test}" for test in _COMPARED),
        "weights", "patterns", "seconds",
    ]  # fmt: skip
    caption = (
        f"All models trained on ulbd-{family}, and controls: top-1 with 95 % interval, percent. "
        "Best on off-mesh classes first."
    )
    return _table(caption, header, rows) if rows else None


def matrix(table: pd.DataFrame) -> Table:
    """Return every row of the leaderboard."""
    rows = [
        [
            row["model"], row["train_set"], row["test_set"], row["family"], row["class_scheme"],
            *_counts(row), interval(row), *(f"{100 * row[f'top{k}']:.1f}" for k in _K[1:]),
            f"{100 * row['ceiling_top1']:.1f}", f"{100 * row['balanced_accuracy']:.1f}",
            f"{row['ece']:.3f}",
        ]
        for _, row in table.iterrows()
    ]  # fmt: skip
    header = [
        "model", "trained on", "tested on", "family", "scheme", "n", "clusters", "seeds",
        "top-1 (95 %)", *(f"top-{k}" for k in _K[1:]), "ceiling top-1", "balanced", "ECE",
    ]  # fmt: skip
    return _table(f"The whole leaderboard, {plural(len(rows), 'row')}.", header, rows, folded=True)


def confusions(found: pd.DataFrame, test_set: str, family: str) -> Table | None:
    """Return the most frequent confusions of the reference model trained on ULBD."""
    for model in REFERENCE_MODELS:
        mine = found[
            (found["model"] == model)
            & (found["train_set"] == f"ulbd-{family}")
            & (found["test_set"] == test_set)
            & (found["family"] == family)
        ].sort_values(["n", "true_class", "predicted_class"], ascending=[False, True, True])
        if len(mine):
            break
    else:
        return None
    worst = mine.head(_WORST)
    rows = [
        [
            f"{row['true_class']} taken for {row['predicted_class']}", row["missed"] or "–",
            row["invented"] or "–", f"{int(row['n']):,}", f"{int(row['n_true']):,}",
            percent(row["share"]),
        ]
        for _, row in worst.iterrows()
    ]  # fmt: skip
    share = percent(worst["n"].sum() / mine["n"].sum(), 0)
    shown = (
        f"all {plural(len(mine), 'confusion')}"
        if len(worst) == len(mine)
        else f"the {len(worst)} most frequent of {len(mine)} confusions, {share} of wrong answers"
    )
    caption = f"{family}, {model} trained on ulbd-{family}, tested on {test_set}: {shown}."
    header = [
        "confusion", "conditions missed", "conditions invented", "n", "of", "share of the class"
    ]  # fmt: skip
    return _table(caption, header, rows)


def runs(scores: Iterable[Score], tracking: str) -> Table | None:
    """Return every training, with its MLflow run.

    Parameters
    ----------
    scores : iterable of Score
    tracking : str
        Address of an MLflow server, for links.
    """
    found: dict[tuple[str, str, str], Any] = {}
    for result in scores:
        origin = result.provenance
        if origin.get("status") != "control":
            key = (str(origin["train_set"]), str(origin["model"]), str(origin.get("seed")))
            found.setdefault(key, origin)
    rows: list[list[str | Cell]] = [
        [
            *key, _integer(origin.get("train_patterns")), _integer(origin.get("train_seconds")),
            str(origin.get("hardware") or "–"), _run(origin, tracking),
        ]
        for key, origin in sorted(found.items())
    ]  # fmt: skip
    header = ["trained on", "model", "seed", "patterns", "seconds", "hardware", "MLflow run"]
    caption = f"All {plural(len(rows), 'training')}."
    return _table(caption, header, rows) if rows else None


def _table(
    caption: str,
    header: Sequence[str],
    rows: Sequence[Sequence[str | Cell]],
    folded: bool = False,
) -> Table:
    cells = tuple(
        tuple(cell if isinstance(cell, Cell) else Cell(str(cell)) for cell in row) for row in rows
    )
    kinds = tuple(_kind([row[i].text for row in cells]) for i in range(len(header)))
    return Table(caption, tuple(header), cells, kinds, folded)


def _kind(column: Sequence[str]) -> str:
    characters = set("".join(column))
    if characters & _DIGITS and not characters - _DIGITS - set(".,+−–()… %"):
        return "number"
    return "name" if all(len(text) <= _LONGEST_NAME for text in column) else "text"


def _select(
    table: pd.DataFrame, train_set: str, test_set: str, family: str, scheme: str
) -> pd.DataFrame:
    """Return the rows of the reference models."""
    return table[
        table["model"].isin(REFERENCE_MODELS)
        & (table["train_set"] == train_set)
        & (table["test_set"] == test_set)
        & (table["family"] == family)
        & (table["class_scheme"] == scheme)
    ]


def _counts(row: Any) -> list[str]:
    return [f"{int(row[name]):,}" for name in ("n_test", "n_clusters", "seeds")]


def _only(rows: pd.DataFrame) -> str:
    return interval(rows.iloc[0]) if len(rows) else "–"


def _leading(text: str) -> float:
    return -1.0 if text == "–" else float(text.split()[0])


def _integer(value: Any) -> str:
    return "–" if value is None or pd.isna(value) else f"{round(float(value)):,}"


def _run(origin: Any, tracking: str) -> Cell:
    run, experiment = origin.get("mlflow_run"), origin.get("mlflow_experiment")
    if not run:
        return Cell("not recorded")
    if not experiment:
        return Cell(str(run))
    place = f"#/experiments/{quote(str(experiment), safe='')}/runs/{quote(str(run), safe='')}"
    return Cell(str(run), f"{tracking}/{place}")
