"""Which figures the results of a scale make: the paper's, and some more."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from sgbench.datasets import with_family
from sgbench.plots._results import (
    confusion_matrices,
    designed_sets,
    generalization_bars,
    generalization_matrix,
    mesh_dependence,
    models_compared,
    relabelling_scheme,
    short_name,
    top_k_accuracies,
    training_curves,
)
from sgbench.symmetry import (
    PAPER_FAMILIES,
    Ceiling,
    extinction_classes,
    family_spacegroups,
    top_k_ceiling,
)

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from sgbench.evaluation import Score

_TRAIN_SETS = ("ulbd", "ulbd-physical", "cddd-paper-split", "cddd", "gcdd")
_ABLATION = (
    "ulbd", "ulbd-physical", "ulbd-physical-no-wilson", "ulbd-physical-no-multiplicity",
    "ulbd-physical-no-falloff",
)  # fmt: skip
_MESHES = ("ulbd-in-mesh", "ulbd-off-mesh")
# The held-out parts, so that every model sees the same samples, whatever it was trained on.
_BARS = (
    ("ulbd-in-mesh", None), ("cddd-paper-test", None), ("cddd-test", "cddd-test-in-domain"),
    ("gcdd-test", "gcdd-test-in-domain"),
)  # fmt: skip
_REAL = ("cddd", "cddd-in-domain", "gcdd", "ulbd-off-mesh")
_MATRIX = (
    *_MESHES, "cddd", "cddd-in-domain", "cddd-paper-test", "cddd-test", "cddd-test-in-domain",
    "gcdd", "gcdd-in-domain", "gcdd-test", "gcdd-test-in-domain",
)  # fmt: skip
_NO_BOUND = (
    " On structures a ceiling is a mark to compare with and no bound, since intensities carry more "
    "than absences."
)


@dataclass(frozen=True)
class PaperFigure:
    """A figure of the report, or why it could not be drawn.

    Attributes
    ----------
    file : str
        Its name is the same at every scale.
    number : str
        Number in the paper, or empty for what the paper does not have.
    title, caption : str
        The caption holds the numbers that matter, and says what is missing from the figure.
    family : str or None
        None where it shows several.
    figure : Figure or None
    reason : str or None
        Why there is no figure.
    """

    file: str
    number: str
    title: str
    caption: str
    family: str | None
    figure: "Figure | None"
    reason: str | None


class _NoDataError(Exception):
    """What a figure needs is not among the results; says what."""


@dataclass(frozen=True)
class _Results:
    """The rows, scores and histories that figures are made of."""

    table: "pd.DataFrame"
    scores: Sequence["Score"]
    histories: Mapping[str, Sequence["pd.DataFrame"]]
    model: str

    def rows(
        self, scheme: str, train_sets: Sequence[str], test_sets: Sequence[str]
    ) -> "pd.DataFrame":
        """Return the model's rows; training sets without their family, rows in this order."""
        table = self.table[
            (self.table["model"] == self.model) & (self.table["class_scheme"] == scheme)
        ]
        wanted = [
            (family, with_family(train_set, family), test_set)
            for family in PAPER_FAMILIES
            for train_set in train_sets
            for test_set in test_sets
        ]
        key = list(zip(table["family"], table["train_set"], table["test_set"], strict=True))
        place = {name: position for position, name in reversed(list(enumerate(key)))}
        return table.iloc[[place[name] for name in wanted if name in place]]

    def complete(
        self, scheme: str, needed: Sequence[tuple[str, str]], also: Sequence[tuple[str, str]] = ()
    ) -> "pd.DataFrame":
        """Return rows of those families that have all needed pairs of training and test set."""
        import pandas as pd

        def of(pairs: Sequence[tuple[str, str]]) -> "pd.DataFrame":
            return pd.concat([self.rows(scheme, [train], [test]) for train, test in pairs])

        found = of(needed)
        n = found.groupby("family").size()
        families = [family for family, size in n.items() if size == len(needed)]
        if not families:
            pairs = " and ".join(f"{train} on {test}" for train, test in needed)
            raise _NoDataError(f"no family has scores of {self.model} trained on {pairs}")
        rows = of([*needed, *(pair for pair in also if pair not in needed)])
        return rows[rows["family"].isin(families)]

    def scores_of(self, train_set: str, test_set: str) -> list["Score"]:
        """Return the model's scores over space groups, one a seed."""
        found = [
            one
            for one in self.scores
            if one.class_scheme == "spacegroup"
            and one.test_set == test_set
            and (one.provenance["model"], one.provenance["train_set"]) == (self.model, train_set)
        ]
        if not found:
            raise _NoDataError(f"no score of {self.model} trained on {train_set} on {test_set}")
        return found


def paper_figures(
    table: "pd.DataFrame",
    scores: Sequence["Score"],
    histories: Mapping[str, Sequence["pd.DataFrame"]],
    model: str,
) -> Iterator[PaperFigure]:
    """Draw every figure for which there are results.

    Parameters
    ----------
    table : DataFrame
        The leaderboard, of one scale.
    scores : sequence of Score
        Those of the model over space groups, for the confusion matrices.
    histories : mapping of str to sequence of DataFrame
        From a training set to the histories of the model's trainings on it.
    model : str
        Name of the model that is shown where a figure shows one.

    Yields
    ------
    PaperFigure
        In the order of the report. Files and their number do not depend on the results.
    """
    results = _Results(table, scores, histories, model)
    for family in PAPER_FAMILIES:
        yield _drawn(
            f"fig5-confusion-{family}.svg", "Fig. 5 (a, b)", "A model trained on real structures",
            partial(_confusions, results, family, (("cddd", "cddd-test"), ("cddd", "gcdd"))),
            family,
        )  # fmt: skip
    yield _drawn(
        "fig5-top-k.svg", "Fig. 5 (c)", "Accuracy of a model trained on real structures",
        partial(_top_k_of_real, results),
    )  # fmt: skip
    for family in PAPER_FAMILIES:
        yield _drawn(
            f"fig7-confusion-{family}.svg", "Fig. 7", "Confusion and the distribution of samples",
            partial(_confusions, results, family, (("cddd", "cddd-test"), ("gcdd", "gcdd-test"))),
            family,
        )  # fmt: skip
    yield _drawn(
        "fig8-training.svg", "Fig. 8", "Training on an imbalanced and on a balanced set",
        partial(_training, results), "cubic",
    )  # fmt: skip
    yield _drawn(
        "fig9-top-k.svg", "Fig. 9", "Accuracy on designed sets beside the ceiling",
        partial(_top_k, results, "ulbd", _MESHES),
    )  # fmt: skip
    yield _drawn(
        "fig10a-classes.svg", "Fig. 10 (a)", "Space groups relabelled to extinction classes",
        partial(_relabelling, "cubic"), "cubic",
    )  # fmt: skip
    yield _drawn(
        "fig10-generalization.svg", "Fig. 10 (b–d)", "Generalization to another kind of data",
        partial(_bars, results),
    )  # fmt: skip
    yield _drawn(
        "figS1-mesh.svg", "Fig. S1", "How fine a mesh has to be", partial(_meshes, results), "cubic"
    )
    yield _drawn(
        "generalization-matrix.svg", "", "Every training set against every test set",
        partial(_matrix, results),
    )  # fmt: skip
    yield _drawn(
        "designed-sets.svg", "", "Designed sets and their ingredients", partial(_designed, results)
    )
    for family in PAPER_FAMILIES:
        yield _drawn(
            f"models-{family}.svg", "", "All models", partial(_models, results, family), family
        )


def _drawn(
    file: str,
    number: str,
    title: str,
    draw: Callable[[], tuple["Figure", str]],
    family: str | None = None,
) -> PaperFigure:
    try:
        figure, caption = draw()
    except _NoDataError as error:
        return PaperFigure(file, number, title, "", family, None, f"{error}.")
    return PaperFigure(file, number, title, caption, family, figure, None)


def _confusions(
    results: _Results, family: str, pairs: Sequence[tuple[str, str]]
) -> tuple["Figure", str]:
    panels, parts = [], []
    for letter, (train, test) in zip("ab", pairs, strict=False):
        scores = results.scores_of(f"{train}-{family}", test)
        names = f"{short_name(train, family)} → {short_name(test, family)}"
        panels.append((f"({letter}) {names}", scores))
        allowed = _within_classes(scores)
        top1 = float(np.mean([one.top[0] for one in scores]))
        parts.append(
            f"({letter}) Trained on {short_name(train, family)}, tested on "
            f"{short_name(test, family)} ({scores[0].n_test:,} samples): {_percent(top1)} of the "
            f"space groups right, {_percent(allowed)} taken for another that extinction laws "
            f"cannot tell from it, {_percent(max(1 - top1 - allowed, 0.0))} beyond that."
        )
    return confusion_matrices(panels), " ".join(parts)


def _within_classes(scores: Sequence["Score"]) -> float:
    """Return the share of samples taken for another space group of the same class."""
    home = {
        number: index
        for index, cls in enumerate(extinction_classes(family_spacegroups(scores[0].family)))
        for number in cls.spacegroups
    }
    triples = [triple for one in scores for triple in one.confusion]
    inside = sum(n for a, b, n in triples if a != b and home[a] == home[b])
    return inside / sum(n for *_, n in triples)


def _top_k(results: _Results, train_set: str, test_sets: Sequence[str]) -> tuple["Figure", str]:
    rows = results.complete("spacegroup", [(train_set, test) for test in test_sets])
    parts = []
    for family, mine in rows.groupby("family", sort=False):
        tests = ", ".join(
            f"{_interval(row)} on {short_name(row['test_set'], str(family))} "
            f"(ceiling {_percent(row['ceiling_top1'])})"
            for _, row in mine.iterrows()
        )
        parts.append(f"{family}: {tests}")
    return top_k_accuracies(rows), (
        f"{results.model} trained on {short_name(train_set)}, top-1 over space groups. "
        + "; ".join(parts) + "." + ("" if train_set == "ulbd" else _NO_BOUND) + _absent(rows)
    )  # fmt: skip


def _top_k_of_real(results: _Results) -> tuple["Figure", str]:
    """Show the paper's split where a model was trained on it, else the grouped one."""
    papers = ("cddd-paper-split", "cddd-paper-test")
    if results.rows("spacegroup", papers[:1], papers[1:]).empty:
        return _top_k(results, "cddd", ("cddd-test", "gcdd"))
    return _top_k(results, papers[0], (papers[1], "gcdd"))


def _training(results: _Results) -> tuple["Figure", str]:
    from sgbench.datasets import ULBD, data_ceiling

    imbalanced = ULBD["ulbd-cubic-imbalanced"]
    balanced = Ceiling.of_family("cubic").top[0]
    weights = dict(zip(imbalanced.spacegroups, imbalanced.n_cells.tolist(), strict=True))
    by_label, by_cell = top_k_ceiling(weights)[0], data_ceiling(imbalanced)[0]
    panels = {"(a) imbalanced": "ulbd-cubic-imbalanced", "(b) balanced": "ulbd-cubic"}
    histories = {}
    for title, train_set in panels.items():
        runs = [run for run in results.histories.get(train_set, ()) if len(run)]
        if not runs:
            raise _NoDataError(f"no history of {results.model} trained on {train_set}")
        histories[title] = runs
    line = {"balanced ceiling": balanced}
    figure = training_curves(
        histories,
        {
            "(a) imbalanced": {
                **line,
                "ceiling of its labels": by_label,
                "ceiling of its labels and cells": by_cell,
            },
            "(b) balanced": line,
        },
    )
    reached = {
        title: float(np.mean([run["top1"].max() for run in runs]))
        for title, runs in histories.items()
    }
    return figure, (
        f"{results.model}, accuracy over space groups on the validation part of the training set. "
        f"(a) reaches {_percent(reached['(a) imbalanced'])}, (b) "
        f"{_percent(reached['(b) balanced'])}; the balanced ceiling is {_percent(balanced)}. "
        f"The same laws allow {_percent(by_label)} on the imbalanced set by its labels alone, and "
        f"{_percent(by_cell)} with the cell, which differs between its space groups."
    )


def _relabelling(family: str) -> tuple["Figure", str]:
    groups = family_spacegroups(family)
    classes = extinction_classes(groups)
    alone = sum(len(cls.spacegroups) == 1 for cls in classes)
    return relabelling_scheme(family), (
        f"The {len(groups)} {family} space groups become {len(classes)} extinction classes; "
        f"{alone} of these are a single space group. Over classes the ceiling is 100 %."
    )


def _bars(results: _Results) -> tuple["Figure", str]:
    others = [(train, test) for train in _TRAIN_SETS for pair in _BARS for test in pair if test]
    needed = [(train, test) for train in ("ulbd", "cddd") for test in ("ulbd-in-mesh", "cddd-test")]
    rows = results.complete("extinction", needed, others)
    parts = []
    for family, mine in rows.groupby("family", sort=False):
        value = {
            (row["train_set"].replace(f"-{family}", ""), row["test_set"]): row["top1"]
            for _, row in mine.iterrows()
        }
        kept = [
            f"{short_name(train)}-trained {100 * value[train, here]:.1f} → "
            f"{100 * value[train, there]:.1f} % ({short_name(there)})"
            for train, here, there in (
                ("ulbd", "ulbd-in-mesh", "cddd-test"),
                ("ulbd", "ulbd-in-mesh", "cddd-paper-test"),
                ("cddd", "cddd-test", "ulbd-in-mesh"),
                ("cddd-paper-split", "cddd-paper-test", "ulbd-in-mesh"),
            )
            if (train, here) in value and (train, there) in value
        ]
        parts.append(f"{family}: {', '.join(kept)}")
    return generalization_bars(rows, _TRAIN_SETS, _BARS), (
        f"{results.model}, extinction classes right. From a model's own kind of data to the other, "
        "ULBD in-mesh and the test part of CDDD (in the paper's split it has copies of what CDDD "
        f"models are trained on): {'; '.join(parts)}." + _absent(rows)
    )


def _meshes(results: _Results) -> tuple["Figure", str]:
    table = results.table
    rows = table[
        (table["model"] == results.model)
        & (table["class_scheme"] == "spacegroup")
        & table["train_set"].str.startswith("ulbd-cubic@")
        & table["test_set"].isin(_MESHES)
    ]
    if rows.empty:
        raise _NoDataError(f"no score of {results.model} trained on a set ulbd-cubic@STEPxPATTERNS")
    first = rows[rows["test_set"] == rows["test_set"].iloc[0]].sort_values("top1")
    low, high = first.iloc[0], first.iloc[-1]
    return mesh_dependence(rows), (
        f"{results.model}, cubic, space groups on {short_name(low['test_set'], 'cubic')}: from "
        f"{_interval(low)} ({low['train_set'].split('@')[1]}, step in Å × patterns a lattice) to "
        f"{_interval(high)} ({high['train_set'].split('@')[1]}); the ceiling is "
        f"{_percent(high['ceiling_top1'])}."
    )


def _matrix(results: _Results) -> tuple["Figure", str]:
    rows = results.rows("extinction", _TRAIN_SETS, _MATRIX)
    if rows["train_set"].nunique() < 2:
        raise _NoDataError(f"{results.model} has scores of fewer than two training sets")
    tests = [name for name in _MATRIX if name in set(rows["test_set"])]
    trains = [
        name for name in _TRAIN_SETS
        if any(with_family(name, family) in set(rows["train_set"]) for family in PAPER_FAMILIES)
    ]  # fmt: skip
    return generalization_matrix(rows, trains, tests), (
        f"{results.model}, extinction classes right, in percent. A dash is a pair that was not "
        "scored, among them structures that the model was trained on." + _absent(rows)
    )


def _designed(results: _Results) -> tuple["Figure", str]:
    pairs = [(train, test) for train in _ABLATION for test in _REAL]
    rows = results.complete("extinction", [(train, "cddd") for train in _ABLATION[:2]], pairs)
    parts = []
    for family, mine in rows[rows["test_set"] == "cddd"].groupby("family", sort=False):
        uniform, physical = (
            mine[mine["train_set"] == with_family(name, str(family))].iloc[0]
            for name in _ABLATION[:2]
        )
        apart = physical["top1_low"] > uniform["top1_high"] or (
            physical["top1_high"] < uniform["top1_low"]
        )
        parts.append(
            f"{family}: {_interval(uniform)} with uniform intensities, {_interval(physical)} with "
            f"physical ones (intervals {'apart' if apart else 'overlap'})"
        )
    tests = [name for name in _REAL if name in set(rows["test_set"])]
    return designed_sets(rows, _ABLATION, tests), (
        f"{results.model}, extinction classes right on CDDD. {'; '.join(parts)}. The band is the "
        "interval of the uniform set." + _absent(rows)
    )


def _models(results: _Results, family: str) -> tuple["Figure", str]:
    table = results.table[
        (results.table["family"] == family) & (results.table["train_set"] == f"ulbd-{family}")
    ]
    panels = []
    for letter, (scheme, test_set, what) in zip(
        "abc",
        (
            ("spacegroup", "ulbd-off-mesh", "space groups"),
            ("extinction", "ulbd-off-mesh", "classes"),
            ("extinction", "cddd", "classes"),
        ),
        strict=True,
    ):
        rows = table[(table["class_scheme"] == scheme) & (table["test_set"] == test_set)]
        if len(rows) < 2:
            raise _NoDataError(
                f"fewer than two models are trained on ulbd-{family} and scored on {test_set}"
            )
        panels.append((f"({letter}) {what}, {short_name(test_set, family)}", rows))
    best, best_real = (rows.sort_values("top1").iloc[-1] for _, rows in (panels[0], panels[2]))
    return models_compared(panels), (
        f"Trained on ULBD, {family}. Best on ULBD-off-mesh over space groups: {best['model']} with "
        f"{_interval(best)} (ceiling {_percent(best['ceiling_top1'])}); best on CDDD over "
        f"extinction classes: {best_real['model']} with {_interval(best_real)}."
    )


def _percent(fraction: float) -> str:
    return f"{100 * fraction:.1f} %"


def _interval(row: "pd.Series") -> str:
    low, high = 100 * row["top1_low"], 100 * row["top1_high"]
    return f"{100 * row['top1']:.1f} % ({low:.1f}–{high:.1f})"


def _absent(rows: "pd.DataFrame") -> str:
    missing = [family for family in PAPER_FAMILIES if family not in set(rows["family"])]
    return f" Without results: {', '.join(missing)}." if missing else ""
