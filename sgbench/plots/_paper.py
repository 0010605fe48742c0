"""Which figures the results of a scale make: the paper's, and some more."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from sgbench.models import base_name
from sgbench.plots._accuracy import (
    mesh_dependence,
    models_compared,
    regret_curves,
    top_k_accuracies,
    training_curves,
)
from sgbench.plots._conditions import condition_curves, curves_caption
from sgbench.plots._confusion import confusion_matrices, relabelling_scheme
from sgbench.plots._generalization import (
    designed_sets,
    generalization_bars,
    generalization_matrix,
)
from sgbench.plots._learning import learning_curves, learning_figure
from sgbench.plots._rows import NoDataError, Pair, Results, of_one_data, on_meshes
from sgbench.plots.shown import (
    CDDD,
    CDDD_IN_DOMAIN,
    CDDD_STRATIFIED,
    CDDD_STRATIFIED_TEST,
    CDDD_TEST,
    CDDD_TEST_IN_DOMAIN,
    CDDD_TRAIN,
    GCDD,
    GCDD_IN_DOMAIN,
    GCDD_TEST,
    GCDD_TEST_IN_DOMAIN,
    GCDD_TRAIN,
    IMBALANCED,
    PHYSICAL,
    ULBD,
    WITHOUT,
)
from sgbench.sets import DESIGNED, IN_MESH, OFF_MESH, SetSpec
from sgbench.sets import ULBD as DATASETS
from sgbench.symmetry import (
    PAPER_FAMILIES,
    Ceiling,
    extinction_classes,
    family_spacegroups,
    top_k_ceiling,
)
from sgbench.text import percent

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from sgbench.evaluation import Score

_TRAIN_SETS = (ULBD, PHYSICAL, CDDD_TRAIN, CDDD_STRATIFIED, GCDD_TRAIN)
_ABLATION = (ULBD, PHYSICAL, *WITHOUT)
_MESHES = (IN_MESH, OFF_MESH)
# The held-out parts, so that every model sees the same samples, whatever it was trained on.
_BARS = (
    (IN_MESH, None), (CDDD_STRATIFIED_TEST, None), (CDDD_TEST, CDDD_TEST_IN_DOMAIN),
    (GCDD_TEST, GCDD_TEST_IN_DOMAIN),
)  # fmt: skip
_REAL = (CDDD, CDDD_IN_DOMAIN, GCDD, OFF_MESH)
_MATRIX = (
    *_MESHES, CDDD, CDDD_IN_DOMAIN, CDDD_STRATIFIED_TEST, CDDD_TEST, CDDD_TEST_IN_DOMAIN,
    GCDD, GCDD_IN_DOMAIN, GCDD_TEST, GCDD_TEST_IN_DOMAIN,
)  # fmt: skip
_NO_BOUND = (
    " On structures a ceiling is a mark to compare with and no bound, since intensities carry more "
    "than absences."
)
#: What the curves under conditions are called.
CONDITION_CURVES = "Accuracy under conditions"


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
        In the order of the report. Files and their number do not depend on the results, but for
        curves under conditions, of which there is one a family that has any.
    """
    from sgbench.leaderboard import condition_lines, curve_kinds

    # The model's rows decide which data are shown. Other training sets than those of the figures
    # may have other test data of the same name: those of another protocol.
    trained = {one.of(family).name for one in _TRAIN_SETS for family in PAPER_FAMILIES}
    last = (table["model"] != model) | ~table["train_set"].isin(trained)
    first = table.iloc[np.argsort(last.to_numpy(), kind="stable")]
    results = Results(*of_one_data(first), scores, histories, model)
    for file, number, title, family, draw in _FIGURES:
        try:
            figure, caption, reason = *draw(results), None
        except NoDataError as error:
            figure, caption, reason = None, "", f"{error}."
        yield PaperFigure(file, number, title, caption, family, figure, reason)
    lines = condition_lines(table)  # models may be tested on fewer patterns than others
    for family in PAPER_FAMILIES:
        if curve_kinds(mine := [line for line in lines if line.family == family]):
            yield PaperFigure(
                f"conditions-{family}.svg", "", CONDITION_CURVES,
                curves_caption(mine), family, condition_curves(mine), None,
            )  # fmt: skip


def _confusions(results: Results, family: str, pairs: Sequence[Pair]) -> tuple["Figure", str]:
    panels, parts = [], []
    for letter, (train, test) in zip("ab", pairs, strict=False):
        rows = results.rows("spacegroup", [train], [test], [family])
        scores = results.scores_of(rows)
        if not scores:
            raise NoDataError(
                f"no score of {results.model} trained on {train.of(family).name} on {test.name}"
            )
        panels.append((f"({letter}) {train.label} → {test.label}", scores))
        allowed = _within_classes(scores)
        top1 = float(np.mean([one.raw[0] for one in scores]))
        parts.append(
            f"({letter}) Trained on {train.label}, tested on {test.label} "
            f"({scores[0].n_test:,} samples): {_percent(top1)} of the space groups right, "
            f"{_percent(allowed)} taken for another that extinction laws cannot tell from it, "
            f"{_percent(max(1 - top1 - allowed, 0.0))} beyond that." + results.remarks(rows)
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


def _top_k(
    results: Results, train_set: SetSpec, test_sets: Sequence[SetSpec]
) -> tuple["Figure", str]:
    rows = results.complete("spacegroup", [(train_set, test) for test in test_sets])
    parts = []
    for family, mine in rows.groupby("family", sort=False):
        tests = ", ".join(
            f"{_interval(row)} on {SetSpec.parse(row['test_set']).label} "
            f"(ceiling {_percent(row['ceiling_top1'])})"
            for _, row in mine.iterrows()
        )
        parts.append(f"{family}: {tests}")
    return top_k_accuracies(rows), (
        f"{results.model} trained on {train_set.label}, top-1 over space groups. "
        + "; ".join(parts) + "." + ("" if train_set.origin == DESIGNED else _NO_BOUND)
        + results.remarks(rows, PAPER_FAMILIES)
    )  # fmt: skip


def _top_k_of_real(results: Results) -> tuple["Figure", str]:
    """Show the article's split where a model was trained on it, else the grouped one."""
    if results.rows("spacegroup", [CDDD_STRATIFIED], [CDDD_STRATIFIED_TEST]).empty:
        return _top_k(results, CDDD_TRAIN, (CDDD_TEST, GCDD))
    return _top_k(results, CDDD_STRATIFIED, (CDDD_STRATIFIED_TEST, GCDD))


def _training(results: Results) -> tuple["Figure", str]:
    from sgbench.designed import data_ceiling

    panels = {
        "(a) imbalanced": IMBALANCED.name,
        "(b) balanced": ULBD.of("cubic").name,
    }
    imbalanced = DATASETS[panels["(a) imbalanced"]]
    balanced = Ceiling.of_family("cubic").top[0]
    weights = dict(zip(imbalanced.spacegroups, imbalanced.n_cells.tolist(), strict=True))
    by_label, by_cell = top_k_ceiling(weights)[0], data_ceiling(imbalanced)[0]
    histories = {}
    for title, train_set in panels.items():
        runs = [run for run in results.histories.get(train_set, ()) if len(run)]
        if not runs:
            raise NoDataError(f"no history of {results.model} trained on {train_set}")
        histories[title] = runs
    line = {"balanced ceiling": balanced}
    reached = {
        title: float(np.mean([run["top1"].max() for run in runs]))
        for title, runs in histories.items()
    }
    return training_curves(
        histories,
        {
            "(a) imbalanced": {
                **line,
                "ceiling of its labels": by_label,
                "ceiling of its labels and cells": by_cell,
            },
            "(b) balanced": line,
        },
    ), (
        f"{results.model}, accuracy over space groups on the validation part of the training set. "
        f"(a) reaches {_percent(reached['(a) imbalanced'])}, (b) "
        f"{_percent(reached['(b) balanced'])}; the balanced ceiling is {_percent(balanced)}. "
        f"The same laws allow {_percent(by_label)} on the imbalanced set by its labels alone, and "
        f"{_percent(by_cell)} with the cell, which differs between its space groups."
    )


def _regret(results: Results) -> tuple["Figure", str]:
    found = {}
    for family in (*PAPER_FAMILIES, "all"):
        runs = results.histories.get(ULBD.of(family).name, ())
        if known := [run for run in runs if (run["regret"] > 0).any()]:
            found[family] = known
    if not found:
        raise NoDataError(f"no history of {results.model} trained on ULBD has its regret")
    parts = []
    for family, runs in found.items():
        last = [run[run["regret"].notna()].iloc[-1] for run in runs]
        after, left = (
            float(np.mean([row[name] for row in last])) for name in ("patterns", "regret")
        )
        parts.append(f"{family}: {left:.3f} after {after:,.0f} patterns")
    return regret_curves(found), (
        f"{results.model} trained on ULBD, on the validation part of the training set: what the "
        "stated chances of space groups lose to the exact ones, in nats. A straight line is a "
        f"power law. {'; '.join(parts)}."
    )


def _learning(results: Results) -> tuple["Figure", str]:
    curves = list(learning_curves(results.table))
    if not curves:
        raise NoDataError("no model trained on ULBD has rows of several lengths")
    parts = [
        f"{one.family}, {one.model}: error ∝ patterns^−{one.exponent:.2f} ± {one.uncertainty:.2f}"
        for one in curves
        if one.exponent is not None
    ]
    return learning_figure(curves), (
        "Trained on ULBD, extinction classes off-mesh, by the number of training patterns. "
        f"{'; '.join(parts)}. What is given after ± is one standard error, from the test patterns "
        "alone."
    )


def _relabelling(_: Results, family: str) -> tuple["Figure", str]:
    groups = family_spacegroups(family)
    classes = extinction_classes(groups)
    alone = sum(len(cls.spacegroups) == 1 for cls in classes)
    return relabelling_scheme(family), (
        f"The {len(groups)} {family} space groups become {len(classes)} extinction classes; "
        f"{alone} of these are a single space group. Over classes the ceiling is 100 %."
    )


def _bars(results: Results) -> tuple["Figure", str]:
    others = [(train, test) for train in _TRAIN_SETS for pair in _BARS for test in pair if test]
    needed = [(train, test) for train in (ULBD, CDDD_TRAIN) for test in (IN_MESH, CDDD_TEST)]
    rows = results.complete("extinction", needed, others)
    parts = []
    for family, mine in rows.groupby("family", sort=False):
        value = {
            tuple(SetSpec.parse(row[name]).of("") for name in ("train_set", "test_set")): row[
                "top1"
            ]
            for _, row in mine.iterrows()
        }
        kept = [
            f"{train.label}-trained {percent(value[train, here])} → "
            f"{percent(value[train, there])} % ({there.label})"
            for train, here, there in (
                (ULBD, IN_MESH, CDDD_TEST),
                (ULBD, IN_MESH, CDDD_STRATIFIED_TEST),
                (CDDD_TRAIN, CDDD_TEST, IN_MESH),
                (CDDD_STRATIFIED, CDDD_STRATIFIED_TEST, IN_MESH),
            )
            if (train, here) in value and (train, there) in value
        ]
        parts.append(f"{family}: {', '.join(kept)}")
    return generalization_bars(rows, _TRAIN_SETS, _BARS), (
        f"{results.model}, extinction classes right. From a model's own kind of data to the other, "
        "ULBD in-mesh and the test part of CDDD (in the article's split it has copies of what CDDD "
        f"models are trained on): {'; '.join(parts)}." + results.remarks(rows, PAPER_FAMILIES)
    )


def _meshes(results: Results) -> tuple["Figure", str]:
    rows = on_meshes(results.table, [results.model])
    rows = rows[rows["test_set"].isin([one.name for one in _MESHES])]
    if rows.empty:
        raise NoDataError(
            f"no score of {results.model} trained on a set {ULBD.of('cubic').name}@STEPxPATTERNS"
        )
    first = rows[rows["test_set"] == rows["test_set"].iloc[0]].sort_values("top1")
    low, high = first.iloc[0], first.iloc[-1]
    test = SetSpec.parse(low["test_set"])
    return mesh_dependence(rows), (
        f"{results.model}, cubic, space groups on {test.label}: from {_interval(low)} "
        f"({low['mesh']}, step in Å × patterns a lattice) to {_interval(high)} ({high['mesh']}); "
        f"the ceiling is {_percent(high['ceiling_top1'])}." + results.remarks(rows)
    )


def _matrix(results: Results) -> tuple["Figure", str]:
    rows = results.rows("extinction", _TRAIN_SETS, _MATRIX)
    if rows["train_set"].nunique() < 2:
        raise NoDataError(f"{results.model} has scores of fewer than two training sets")
    tests = [one for one in _MATRIX if one.name in set(rows["test_set"])]
    trained = {SetSpec.parse(name).of("") for name in rows["train_set"]}
    trains = [one for one in _TRAIN_SETS if one in trained]
    return generalization_matrix(rows, trains, tests), (
        f"{results.model}, extinction classes right, in percent. A dash is a pair that was not "
        "scored, among them structures that the model was trained on."
        + results.remarks(rows, PAPER_FAMILIES)
    )


def _designed(results: Results) -> tuple["Figure", str]:
    pairs = [(train, test) for train in _ABLATION for test in _REAL]
    rows = results.complete("extinction", [(train, CDDD) for train in _ABLATION[:2]], pairs)
    parts = []
    for family, mine in rows[rows["test_set"] == CDDD.name].groupby("family", sort=False):
        uniform, physical = (
            mine[mine["train_set"] == one.of(str(family)).name].iloc[0] for one in _ABLATION[:2]
        )
        apart = physical["top1_low"] > uniform["top1_high"] or (
            physical["top1_high"] < uniform["top1_low"]
        )
        parts.append(
            f"{family}: {_interval(uniform)} with uniform intensities, {_interval(physical)} with "
            f"physical ones (intervals {'apart' if apart else 'overlap'})"
        )
    tests = [one for one in _REAL if one.name in set(rows["test_set"])]
    return designed_sets(rows, _ABLATION, tests), (
        f"{results.model}, extinction classes right on CDDD. {'; '.join(parts)}. The band is the "
        "interval of the uniform set." + results.remarks(rows, PAPER_FAMILIES)
    )


def _models(results: Results, family: str) -> tuple["Figure", str]:
    trained = ULBD.of(family).name
    table = results.table[
        (results.table["family"] == family)
        & (results.table["train_set"] == trained)
        & (results.table["model"].map(base_name) == results.table["model"])
    ]
    panels = []
    for letter, (scheme, test_set, what) in zip(
        "abc",
        (
            ("spacegroup", OFF_MESH, "space groups"),
            ("extinction", OFF_MESH, "classes"),
            ("extinction", CDDD, "classes"),
        ),
        strict=True,
    ):
        rows = table[(table["class_scheme"] == scheme) & (table["test_set"] == test_set.name)]
        if len(rows) < 2:
            raise NoDataError(
                f"fewer than two models are trained on {trained} and scored on {test_set.name}"
            )
        panels.append((f"({letter}) {what}, {test_set.label}", rows))
    best, best_real = (rows.sort_values("top1").iloc[-1] for _, rows in (panels[0], panels[2]))
    return models_compared(panels), (
        f"Trained on ULBD, {family}. Best on ULBD-off-mesh over space groups: {best['model']} with "
        f"{_interval(best)} (ceiling {_percent(best['ceiling_top1'])}); best on CDDD over "
        f"extinction classes: {best_real['model']} with {_interval(best_real)}."
        + "".join(results.remarks(rows) for _, rows in panels[1:])
    )


def _percent(fraction: float) -> str:
    return f"{percent(fraction)} %"


def _interval(row: "pd.Series") -> str:
    top, low, high = (percent(row[name]) for name in ("top1", "top1_low", "top1_high"))
    return f"{top} % ({low}–{high})"


_Draw = Callable[[Results], tuple["Figure", str]]
# File, number, title and family of each figure, in the order of the report, and what draws it.
_FIGURES: tuple[tuple[str, str, str, str | None, _Draw], ...] = (
    *(
        (
            f"fig5-confusion-{one}.svg", "Fig. 5 (a, b)", "A model trained on real structures", one,
            partial(_confusions, family=one, pairs=((CDDD_TRAIN, CDDD_TEST), (CDDD_TRAIN, GCDD))),
        )
        for one in PAPER_FAMILIES
    ),
    (
        "fig5-top-k.svg", "Fig. 5 (c)", "Accuracy of a model trained on real structures", None,
        _top_k_of_real,
    ),
    *(
        (
            f"fig7-confusion-{one}.svg", "Fig. 7", "Confusion and the distribution of samples", one,
            partial(
                _confusions, family=one, pairs=((CDDD_TRAIN, CDDD_TEST), (GCDD_TRAIN, GCDD_TEST))
            ),
        )
        for one in PAPER_FAMILIES
    ),
    (
        "fig8-training.svg", "Fig. 8", "Training on an imbalanced and on a balanced set", "cubic",
        _training,
    ),
    (
        "fig9-top-k.svg", "Fig. 9", "Accuracy on designed sets beside the ceiling", None,
        partial(_top_k, train_set=ULBD, test_sets=_MESHES),
    ),
    (
        "fig10a-classes.svg", "Fig. 10 (a)", "Space groups relabelled to extinction classes",
        "cubic", partial(_relabelling, family="cubic"),
    ),
    (
        "fig10-generalization.svg", "Fig. 10 (b–d)", "Generalization to another kind of data", None,
        _bars,
    ),
    ("figS1-mesh.svg", "Fig. S1", "How fine a mesh has to be", "cubic", _meshes),
    ("learning.svg", "", "Error against training patterns", None, _learning),
    ("regret.svg", "", "Regret in the course of a training", None, _regret),
    (
        "generalization-matrix.svg", "", "Every training set against every test set", None, _matrix,
    ),
    ("designed-sets.svg", "", "Designed sets and their ingredients", None, _designed),
    *(
        (f"models-{one}.svg", "", "All models", one, partial(_models, family=one))
        for one in PAPER_FAMILIES
    ),
)  # fmt: skip
