"""The tables of the page, as text in rows."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pandas as pd

from sgbench.evaluation import Confusion, Score
from sgbench.evaluation import confusions as confusions_of
from sgbench.leaderboard import identity
from sgbench.models import REFERENCE_MODELS, base_name
from sgbench.plots import learning_curves, of_one_data, on_meshes
from sgbench.plots.shown import (
    CDDD,
    CDDD_IN_DOMAIN,
    CLASS_GOALS,
    GCDD,
    PHYSICAL,
    ULBD,
    WITHOUT,
)
from sgbench.report._format import interval, percent, percents, plural
from sgbench.report._rows import data_of, select
from sgbench.report.claims.laws import PUBLISHED_CEILINGS
from sgbench.sets import IN_MESH, OFF_MESH, SetSpec
from sgbench.symmetry import (
    TOP_K,
    Ceiling,
    extinction_classes,
    family_spacegroups,
    spacegroup_symbol,
)
from sgbench.text import percent as plain_percent
from sgbench.text import points

_K = range(1, TOP_K + 1)
_WORST = 15
_LONGEST_NAME = 32
_DIGITS = set("0123456789")
_COUNTS = ("n", "clusters", "seeds")
_COST = ("parameters", "train_patterns", "train_seconds")
_COMPARED = tuple(one.name for one in (IN_MESH, OFF_MESH, CDDD_IN_DOMAIN, CDDD, GCDD))
_UNTRAINED = "none"  # the training set of a model that needs none


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
        rows.append([f"{family}, article", *(f"{value:.1f}" for value in published)])
    header = ["family", *(f"top-{k} (%)" for k in _K)]
    return table_of("Ceilings of space-group accuracy, balanced labels.", header, rows)


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
    return table_of(
        f"Extinction classes, {family}: {len(rows)} classes of "
        f"{len(family_spacegroups(family))} space groups.",
        ["class", "reflection conditions", "groups", "space groups"],
        rows,
    )


def top_k(
    table: pd.DataFrame,
    caption: str,
    scheme: str,
    wanted: Iterable[tuple[str, SetSpec, SetSpec]],
) -> Table | None:
    """Return top-1 to top-5 accuracy of the reference models; None where there is no row.

    `wanted` are family, training set, which gets the family, and test set.
    """
    bounded = scheme == "spacegroup"  # all extinction classes can be told apart
    rows = [
        [
            family, row["train_set"], row["test_set"], data_of(row), row["model"], *_counts(row),
            interval(row), *percents(row, "top", _K[1:]),
            *([" ".join(percents(row, "ceiling_top"))] if bounded else []),
        ]
        for family, train, test in wanted
        for _, row in select(
            table, train.of(family).name, test.name, family, scheme
        ).iterrows()
    ]  # fmt: skip
    header = [
        "family", "trained on", "tested on", "source", "model", *_COUNTS, "top-1 (95 %)",
        *(f"top-{k}" for k in _K[1:]), *(["ceiling top-1…5"] if bounded else []),
    ]  # fmt: skip
    return _listing(f"{caption} Percent.", header, rows)


def mesh(table: pd.DataFrame) -> Table | None:
    """Return accuracy by lattice step and number of patterns (Fig. S1)."""
    rows = [
        [
            f"{row['mesh'].step:g}", str(row["mesh"].patterns), row["test_set"], data_of(row),
            row["model"], *_counts(row), interval(row), points(-row["gap_top1"]),
        ]
        for _, row in on_meshes(table, REFERENCE_MODELS).iterrows()
    ]  # fmt: skip
    rows.sort(key=lambda row: (float(row[0]), int(row[1]), *row[2:5]))
    header = [
        "step (Å)", "patterns a lattice", "tested on", "source", "model", *_COUNTS,
        "top-1 (95 %)", "beyond ceiling",
    ]  # fmt: skip
    caption = "Space groups of ULBD-cubic by mesh and number of patterns. Percent and points."
    return _listing(caption, header, rows)


def learning(table: pd.DataFrame) -> Table | None:
    """Return errors over extinction classes by the length of the training, and their power laws."""
    rows = []
    for curve in learning_curves(table):
        law = "–" if curve.exponent is None else f"{curve.exponent:.2f} ± {curve.uncertainty:.2f}"
        wanted = CLASS_GOALS.get(curve.family, ())
        patterns = [curve.patterns_for(1 - goal) for goal in dict.fromkeys(wanted)]
        needed = "; ".join(
            f"{percent(goal)}: {_rounded(n)}"
            for goal, n in zip(dict.fromkeys(wanted), patterns, strict=True)
            if n is not None
        )
        last = len(curve.patterns) - 1
        rows += [
            [
                curve.family, curve.model, f"{n:,}", str(seeds), f"{n_test:,}",
                f"{plain_percent(error)} ({plain_percent(low)}–{plain_percent(high)})",
                law if place == last else "", needed if place == last else "",
            ]
            for place, (n, seeds, n_test, error, low, high) in enumerate(
                zip(
                    curve.patterns, curve.seeds, curve.n_test, curve.errors, curve.low, curve.high,
                    strict=True,
                )
            )
        ]  # fmt: skip
    header = [
        "family", "model", "patterns", "seeds", "n", "classes wrong (95 %)", "exponent",
        "patterns for",
    ]  # fmt: skip
    caption = (
        "Extinction classes of ULBD-off-mesh, percent wrong. The error is taken to fall as the "
        "number of patterns to the power of minus the exponent; ± is one standard error, from the "
        "test patterns alone. Last column: what that law, carried on, asks for."
    )
    return table_of(caption, header, rows) if rows else None


def ablation(table: pd.DataFrame) -> Table | None:
    """Return what each ingredient of ULBD-physical adds, on every test set of the cubic family."""
    names = {
        ULBD: "uniform intensities (the article's)",
        PHYSICAL: "all three ingredients",
        **{spec: f"without {words}" for spec, words in WITHOUT.items()},
    }
    found = {
        spec: select(table, spec.of("cubic").name, None, "cubic", "extinction") for spec in names
    }
    if all(found[spec].empty for spec in WITHOUT):
        return None
    whole = {_same(row): row["top1"] for _, row in found[PHYSICAL].iterrows()}
    rows = [
        [
            name, test, data_of(row), row["model"], *_counts(row), interval(row),
            points(row["top1"] - whole[_same(row)]),
        ]
        for test in dict.fromkeys(table["test_set"])
        for spec, name in names.items()
        for _, row in found[spec][found[spec]["test_set"] == test].iterrows()
        if _same(row) in whole
    ]  # fmt: skip
    header = [
        "trained on", "tested on", "source", "model", *_COUNTS, "classes right (95 %)",
        "from the whole",
    ]  # fmt: skip
    caption = "Ablation of ULBD-physical, cubic, extinction classes. Percent and points."
    return _listing(caption, header, rows)


def models(table: pd.DataFrame, family: str) -> Table | None:
    """Return all models that were trained on the ULBD of a family, and the untrained ones."""
    trained = ULBD.of(family).name
    own = table[table["family"] == family]
    # Data that the trained ones were tested on come before data of untrained ones alone.
    mine, others = of_one_data(
        pd.concat([own[own["train_set"] == name] for name in (trained, _UNTRAINED)])
    )
    ranked = []
    for model, same in mine.groupby("model"):
        if base_name(str(model)) != model:
            continue  # a point of a learning curve
        cost = same.iloc[0]
        control = cost["status"] == "control"
        accuracy = {
            (row["test_set"], row["class_scheme"]): (interval(row), row["top1"])
            for _, row in same[::-1].iterrows()
        }
        wanted = [(IN_MESH.name, "spacegroup"), *((test, "extinction") for test in _COMPARED)]
        cells = [accuracy.get(one, ("–", 0.0))[0] for one in wanted]
        costs = ["", "", ""] if control else [_integer(cost[name]) for name in _COST]
        best = accuracy.get((OFF_MESH.name, "extinction"), ("", -1.0))[1]
        ranked.append(((control, -best, model), [str(model), *cells, *costs]))
    header = [
        "model", f"space groups, {IN_MESH.name}", *(f"classes, {test}" for test in _COMPARED),
        "weights", "patterns", "seconds",
    ]  # fmt: skip
    several = ", ".join(sorted(set(others["test_set"])))
    caption = (
        f"All models trained on {trained}, and untrained ones: top-1 with 95 % interval, percent. "
        "Best on off-mesh classes first."
        + (f" Of several test data of {several} the first are shown." if several else "")
    )
    rows = [row for _, row in sorted(ranked)]
    return table_of(caption, header, rows) if rows else None


def matrix(table: pd.DataFrame) -> Table | None:
    """Return every row of the leaderboard."""
    rows = [
        [
            row["model"], row["train_set"], row["test_set"], data_of(row), row["family"],
            row["class_scheme"], *_counts(row), interval(row), *percents(row, "top", _K[1:]),
            plain_percent(row["ceiling_top1"]), plain_percent(row["balanced_accuracy"]),
            "–" if pd.isna(row["ece"]) else f"{row['ece']:.3f}",
        ]
        for _, row in table.iterrows()
    ]  # fmt: skip
    header = [
        "model", "trained on", "tested on", "source", "family", "scheme", *_COUNTS,
        "top-1 (95 %)", *(f"top-{k}" for k in _K[1:]), "ceiling top-1", "balanced", "ECE",
    ]  # fmt: skip
    caption = f"The whole leaderboard, {plural(len(rows), 'row')}."
    return _listing(caption, header, rows, folded=True)


def confusions(
    scores: Sequence[Score], table: pd.DataFrame, test_set: str, family: str
) -> Table | None:
    """Return the most frequent confusions of the reference model trained on ULBD.

    They are on the first test data in the order of the leaderboard `table`.
    """
    trained = ULBD.of(family).name
    scored, _ = of_one_data(select(table, trained, test_set, family, "extinction"))
    asked = {"train_set": trained, "test_set": test_set, "family": family}
    known = set(scored["test_sha256"])
    mine: list[Confusion] = []
    for model in REFERENCE_MODELS:
        mine = confusions_of(
            [one for one in scores if (asked | {"model": model}).items() <= identity(one).items()
             and one.test_sha256 in known]
        )  # fmt: skip
        if mine:
            break
    else:
        return None
    worst = mine[:_WORST]
    rows = [
        [
            f"{one.true_class} taken for {one.predicted_class}", "; ".join(one.missed) or "–",
            "; ".join(one.invented) or "–", f"{one.n:,}", f"{one.n_true:,}", percent(one.share),
        ]
        for one in worst
    ]  # fmt: skip
    listed, every = (sum(one.n for one in part) for part in (worst, mine))
    share = percent(listed / every)
    shown = (
        f"all {plural(len(mine), 'confusion')}"
        if len(worst) == len(mine)
        else f"the {len(worst)} most frequent of {len(mine)} confusions, {share} of wrong answers"
    )
    caption = f"{family}, {model} trained on {trained}, tested on {test_set}: {shown}."
    header = [
        "confusion", "conditions missed", "conditions invented", "n", "of", "share of the class"
    ]  # fmt: skip
    return table_of(caption, header, rows)


def runs(scores: Iterable[Score], tracking: str) -> Table | None:
    """Return every training, with its MLflow run; None where nothing was trained.

    Parameters
    ----------
    scores : iterable of Score
    tracking : str
        Address of an MLflow server, for links.
    """
    found = {
        tuple(str(one.provenance.get(name)) for name in ("train_set", "model", "seed")): (
            one.provenance
        )
        for one in scores
        if one.provenance["train_set"] != _UNTRAINED
    }
    rows: list[list[str | Cell]] = [
        [
            *key, _integer(origin.get("train_patterns")), _integer(origin.get("train_seconds")),
            str(origin.get("hardware") or "–"), _run(origin, tracking),
        ]
        for key, origin in sorted(found.items())
    ]  # fmt: skip
    header = ["trained on", "model", "seed", "patterns", "seconds", "hardware", "MLflow run"]
    caption = f"All {plural(len(rows), 'training')}."
    return table_of(caption, header, rows) if rows else None


def _listing(
    caption: str,
    header: Sequence[str],
    rows: Sequence[Sequence[str]],
    folded: bool = False,
) -> Table | None:
    """Return rows of a leaderboard, with their source where a test set has several; None if none.

    The column ``source`` must be there in any case.
    """
    place = header.index("source")
    test = [header.index(name) for name in ("tested on", "family") if name in header]
    tests = [tuple(row[i] for i in test) for row in rows]
    if len({(*one, row[place]) for one, row in zip(tests, rows, strict=True)}) == len(set(tests)):
        header, *rows = ([*row[:place], *row[place + 1 :]] for row in (header, *rows))
    return table_of(caption, header, rows, folded) if rows else None


def table_of(
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


def _rounded(patterns: float) -> str:
    """Return a number of patterns with two digits that count."""
    digits = 1 - math.floor(math.log10(patterns))
    return f"{round(patterns, digits):,.0f}"


def _same(row: Any) -> tuple[str, ...]:
    """Return what rows share that are compared: the model and the test data."""
    return row["model"], row["test_set"], data_of(row)


def _counts(row: Any) -> list[str]:
    return [f"{int(row[name]):,}" for name in ("n_test", "n_clusters", "seeds")]


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
