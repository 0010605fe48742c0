import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from example_results import (
    MODEL,
    all_histories,
    all_scores,
    example_table,
    history,
    made_up_scores,
)
from scipy.stats import binomtest

from sgbench import plots
from sgbench.sets import SetSpec
from sgbench.symmetry import (
    PAPER_FAMILIES,
    extinction_classes,
    family_spacegroups,
    spacegroup_symbol,
)

# Where example_results.py is.
EXAMPLES = Path(__file__).parents[1]
ULBD, CDDD, GCDD = SetSpec("designed"), SetSpec("crystals"), SetSpec("random")


@pytest.fixture(scope="module")
def scores():
    return all_scores()


@pytest.fixture(scope="module")
def table(scores):
    return example_table(scores)


def pick(table, scheme="extinction", model=MODEL, **wanted):
    """Return rows of the leaderboard whose columns have one of the wanted values."""
    chosen = (table["class_scheme"] == scheme) & (table["model"] == model)
    for column, values in wanted.items():
        chosen &= table[column].isin([values] if isinstance(values, str) else values)
    return table[chosen]


def specs(*names):
    return [SetSpec.parse(name) for name in names]


def texts(figure, tmp_path):
    """Return all that can be read in the figure as it is written."""
    plots.save(figure, tmp_path / "figure.svg")
    svg = (tmp_path / "figure.svg").read_text()
    return [re.sub("<[^>]*>", "", text) for text in re.findall(r"<text[^>]*>.*?</text>", svg, re.S)]


def bars(axes):
    return [(round(p.get_x() + p.get_width() / 2, 6), p.get_height()) for p in axes.patches]


def points(axes):
    """Return x and y of each line that has points, by its label."""
    return {
        container.get_label(): np.array(container.lines[0].get_xydata())
        for container in axes.containers
        if getattr(container, "lines", [None])[0] is not None
    }


# Confusion matrices.


def cells(collection):
    """Return the centres of the cells that a collection fills."""
    return [tuple(path.vertices[:4].mean(axis=0)) for path in collection.get_paths()]


@pytest.mark.parametrize("family", PAPER_FAMILIES)
def test_a_confusion_matrix_has_each_pair_once(family):
    by_group, _ = made_up_scores(CDDD.of(family).name, "gcdd", family, 0.5)
    figure = plots.confusion_matrices([("a", [by_group]), ("b", [by_group])])
    matrix, strip = figure.axes[:2]
    shaded, within, beyond = matrix.collections
    classes = extinction_classes(family_spacegroups(family))
    home = {number: i for i, cls in enumerate(classes) for number in cls.spacegroups}
    assert len(cells(shaded)) == sum(len(cls.spacegroups) ** 2 for cls in classes)
    found = dict(zip(cells(within), within.get_array(), strict=True))
    outside = dict(zip(cells(beyond), beyond.get_array(), strict=True))
    n = {int(name): one.n for name, one in by_group.by_label.items()}
    expected = {(b, a): count / n[a] for a, b, count in by_group.confusion}
    assert found | outside == pytest.approx(expected)
    assert all(home[a] == home[b] for a, b in found)
    assert all(home[a] != home[b] for a, b in outside)
    lengths = {round(p.get_y() + p.get_height() / 2): p.get_width() + 0.5 for p in strip.patches}
    assert lengths == n
    # true groups run downwards, as in a printed matrix
    assert matrix.get_ylim()[0] > matrix.get_ylim()[1]
    assert matrix.get_ylim() == strip.get_ylim()


def test_seeds_of_a_confusion_matrix_are_summed():
    one, two = (
        made_up_scores("cddd-cubic", "cddd-test", "cubic", 0.5, seed=seed)[0] for seed in (0, 1)
    )
    assert one.confusion != two.confusion
    strip = plots.confusion_matrices([("a", [one, two])]).axes[1]
    total = sum(p.get_width() + 0.5 for p in strip.patches)
    assert total == pytest.approx(600)


# Curves and bars.


def test_top_k_of_a_designed_set_stands_beside_its_ceiling(table):
    rows = pick(
        table, "spacegroup", train_set=[ULBD.of(family).name for family in PAPER_FAMILIES],
        test_set=["ulbd-in-mesh", "ulbd-off-mesh"],
    )  # fmt: skip
    figure = plots.top_k_accuracies(rows)
    assert [axes.get_title() for axes in figure.axes] == list(PAPER_FAMILIES)
    for axes, family in zip(figure.axes, PAPER_FAMILIES, strict=True):
        mine = rows[rows["family"] == family]
        expected = 100 * mine[[f"ceiling_top{k}" for k in range(1, 6)]].iloc[0].to_numpy()
        assert dict(bars(axes)) == pytest.approx(dict(zip(range(1, 6), expected, strict=True)))
        for _, row in mine.iterrows():
            found = points(axes)[SetSpec.parse(row["test_set"]).label]
            assert found[:, 1] == pytest.approx([100 * row[f"top{k}"] for k in range(1, 6)])


def test_test_sets_with_other_labels_have_ceilings_of_their_own(table, tmp_path):
    rows = pick(
        table, "spacegroup", family="cubic", train_set="cddd-cubic", test_set=["cddd-test", "gcdd"]
    )
    figure = plots.top_k_accuracies(rows)
    (axes,) = figure.axes
    assert bars(axes) == []
    curves = {line.get_label(): line.get_ydata() for line in axes.lines}
    for _, row in rows.iterrows():
        name = SetSpec.parse(row["test_set"]).label
        assert curves[f"ceiling, {name}"][0] == pytest.approx(100 * row["ceiling_top1"])
    assert "ceiling, GCDD" in texts(figure, tmp_path)


def test_intervals_are_those_of_the_leaderboard(table):
    row = pick(table, family="cubic", train_set="ulbd-cubic", test_set="cddd").iloc[0]
    figure = plots.models_compared([("a", pd.DataFrame([row]))])
    bar = figure.axes[0].containers[0].lines[2][0]
    (low, _), (high, _) = bar.get_segments()[0]
    theirs = binomtest(round(300 * row["top1"]), 300).proportion_ci(0.95, method="wilson")
    assert (low, high) == pytest.approx((100 * theirs.low, 100 * theirs.high))


def test_training_curves_beside_their_ceilings(tmp_path):
    figure = plots.training_curves(
        {"(a)": [history(0.8), history(0.7)], "(b)": [history(0.4)]},
        {"(a)": {"balanced": 0.472, "own": 0.7}, "(b)": {"balanced": 0.472}},
    )
    first, second = figure.axes
    assert [len(line.get_xdata()) for line in first.lines] == [10, 10, 2, 2]
    assert first.lines[0].get_ydata()[-1] == pytest.approx(100 * history(0.8)["top1"].iloc[-1])
    assert first.lines[0].get_xdata()[-1] == 64
    assert [line.get_ydata()[0] for line in second.lines[1:]] == pytest.approx([47.2])
    assert {"balanced, 47.2 %", "own, 70.0 %"} <= set(texts(figure, tmp_path))


def test_bars_show_what_each_training_set_carries_over(table):
    rows = pick(table)
    inside, *real = specs("ulbd-in-mesh", "cddd-test", "cddd-test-in-domain")
    figure = plots.generalization_bars(rows, (ULBD, CDDD, GCDD), ((inside, None), tuple(real)))
    axes = figure.axes[1]
    assert axes.get_title() == "tetragonal"
    found = dict(bars(axes))
    for x, train in enumerate(("ulbd", "cddd", "gcdd")):
        for shift, test in ((-0.2, "ulbd-in-mesh"), (0.2, "cddd-test")):
            row = pick(
                table, family="tetragonal", train_set=f"{train}-tetragonal", test_set=test
            ).iloc[0]
            assert found.pop(round(x + shift, 6)) == pytest.approx(100 * row["top1"])
    assert found == {}
    part = points(axes)["cells in the ULBD's mesh only"]
    marked = pick(
        table, family="tetragonal", train_set="cddd-tetragonal", test_set="cddd-test-in-domain"
    )
    assert part[1] == pytest.approx([1.2, 100 * marked["top1"].iloc[0]])


def test_the_matrix_prints_each_value_and_a_dash_for_none(table):
    rows = pick(table)
    figure = plots.generalization_matrix(rows, (ULBD, CDDD), specs("ulbd-in-mesh", "cddd"))
    printed = [text.get_text() for text in figure.axes[0].texts]
    expected = [
        f"{100 * pick(table, family='cubic', train_set=a, test_set=b)['top1'].iloc[0]:.1f}"
        for a, b in (
            ("ulbd-cubic", "ulbd-in-mesh"), ("ulbd-cubic", "cddd"), ("cddd-cubic", "ulbd-in-mesh"),
        )
    ]  # fmt: skip
    assert printed == [*expected, "–"]


def test_curves_over_meshes_are_ordered_by_step(table):
    rows = pick(table, "spacegroup")
    rows = rows[rows["train_set"].str.contains("@") & (rows["test_set"] == "ulbd-off-mesh")]
    figure = plots.mesh_dependence(rows)
    (axes,) = figure.axes
    curves = points(axes)
    assert set(curves) == {"1 pattern a lattice", "5 patterns a lattice"}
    for n, curve in ((1, curves["1 pattern a lattice"]), (5, curves["5 patterns a lattice"])):
        assert curve[:, 0] == pytest.approx([0.05, 0.2, 1])
        expected = [
            100 * rows[rows["train_set"] == f"ulbd-cubic@{step}x{n}"]["top1"].iloc[0]
            for step in (0.05, 0.2, 1)
        ]
        assert curve[:, 1] == pytest.approx(expected)


def test_designed_sets_one_below_the_other(table, tmp_path):
    trained = (ULBD, *(replace(ULBD, law=law) for law in ("physical", "physical-no-wilson")))
    figure = plots.designed_sets(pick(table), trained, specs("cddd", "ulbd-off-mesh"))
    found = texts(figure, tmp_path)
    assert {"ULBD", "ULBD-physical", "without Wilson statistics"} <= set(found)
    assert found.count("ULBD-physical") == 3  # families
    assert found.count("without Wilson statistics") == 1
    row = pick(table, family="cubic", train_set="ulbd-physical-cubic", test_set="cddd").iloc[0]
    assert figure.axes[0].containers[1].lines[0].get_xdata() == pytest.approx(100 * row["top1"])


def test_models_are_sorted_by_the_first_panel(table):
    chosen = (table["train_set"] == "ulbd-cubic") & (table["test_set"] == "cddd")
    rows = table[chosen & (table["class_scheme"] == "spacegroup")]
    classes = table[chosen & (table["class_scheme"] == "extinction")]
    figure = plots.models_compared([("a", rows), ("b", classes)])
    names = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert names == rows.sort_values("top1", ascending=False)["model"].tolist()
    assert figure.axes[0].lines[0].get_xdata()[0] == pytest.approx(
        100 * rows["ceiling_top1"].iloc[0]
    )


@pytest.mark.parametrize("family", PAPER_FAMILIES)
def test_the_scheme_names_every_space_group_and_class(family, tmp_path):
    found = texts(plots.relabelling_scheme(family), tmp_path)
    groups = family_spacegroups(family)
    classes = extinction_classes(groups)
    assert {f"{n}  {spacegroup_symbol(n)}" for n in groups} <= set(found)
    assert sorted(cls.symbol for cls in classes) == sorted(set(found) & {c.symbol for c in classes})
    assert {f"{len(groups)} space groups", f"{len(classes)} classes"} <= set(found)


# All of them.

FILES = [
    *(f"fig5-confusion-{family}.svg" for family in PAPER_FAMILIES), "fig5-top-k.svg",
    *(f"fig7-confusion-{family}.svg" for family in PAPER_FAMILIES), "fig8-training.svg",
    "fig9-top-k.svg", "fig10a-classes.svg", "fig10-generalization.svg", "figS1-mesh.svg",
    "learning.svg", "regret.svg", "generalization-matrix.svg", "designed-sets.svg",
    *(f"models-{family}.svg" for family in PAPER_FAMILIES),
]  # fmt: skip


def test_everything_is_drawn_from_a_whole_run(table, scores):
    found = list(plots.paper_figures(table, scores, all_histories(), MODEL))
    assert [one.file for one in found] == FILES
    for one in found:
        assert one.reason is None, (one.file, one.reason)
        assert one.figure.get_figwidth() == pytest.approx(6.9)
        assert one.caption.endswith(".")
        assert "nan" not in one.caption
        assert "Without results" not in one.caption
    by_file = {one.file: one for one in found}
    row = pick(table, "spacegroup", train_set="ulbd-cubic", test_set="ulbd-off-mesh").iloc[0]
    assert f"{100 * row['top1']:.1f} % (" in by_file["fig9-top-k.svg"].caption
    assert "no bound" in by_file["fig5-top-k.svg"].caption
    assert "no bound" not in by_file["fig9-top-k.svg"].caption
    assert "(a) reaches 82.0 %, (b) 46.3 %" in by_file["fig8-training.svg"].caption
    assert "cubic: 0.016 after 64,000 patterns" in by_file["regret.svg"].caption


def test_what_is_missing_is_said(table, scores):
    few = table[(table["family"] == "cubic") & table["train_set"].str.startswith("ulbd")]
    found = {one.file: one for one in plots.paper_figures(few, [], {}, MODEL)}
    assert list(found) == FILES
    drawn = {name for name, one in found.items() if one.figure is not None}
    assert drawn == {
        "fig9-top-k.svg", "fig10a-classes.svg", "figS1-mesh.svg", "generalization-matrix.svg",
        "designed-sets.svg", "models-cubic.svg", "learning.svg",
    }  # fmt: skip
    assert found["fig8-training.svg"].reason == (
        f"no history of {MODEL} trained on ulbd-cubic-imbalanced."
    )
    assert "trained on cddd-cubic on cddd-test" in found["fig5-confusion-cubic.svg"].reason
    assert "CDDD on CDDD-test" in found["fig10-generalization.svg"].reason
    assert found["fig9-top-k.svg"].caption.endswith(
        "Without results: tetragonal, trigonal-hexagonal."
    )
    for one in found.values():
        assert (one.reason is None) == (one.figure is not None)


def test_rows_of_other_data_are_never_shown_beside_one_another(table, scores):
    """The second source has the better model, and comes later in the table."""
    other = [
        made_up_scores(f"{name}-cubic", "cddd-test", "cubic", 1.0, source="other")
        for name in ("ulbd", "cddd")
    ]
    mixed = [*(one for pair in other for one in pair), *scores]
    both = example_table(mixed)
    assert sorted(set(pick(both, family="cubic", test_set="cddd-test")["source"])) == [
        "crystals", "other",
    ]  # fmt: skip
    kept, others = plots.of_one_data(both)
    pd.testing.assert_frame_equal(kept.reset_index(drop=True), table)
    assert set(others["source"]) == {"other"}
    first = {one.file: one for one in plots.paper_figures(table, scores, {}, MODEL)}
    found = {one.file: one for one in plots.paper_figures(both, mixed, {}, MODEL)}
    sentence = " Of several data of one name, this shows cddd-test from crystals ("
    for file in (
        "fig5-confusion-cubic.svg", "fig10-generalization.svg", "generalization-matrix.svg",
    ):  # fmt: skip
        assert sentence in found[file].caption
        assert sentence not in first[file].caption
    assert found["fig9-top-k.svg"].caption == first["fig9-top-k.svg"].caption
    bars_of = [
        [bars(axes) for axes in one["fig10-generalization.svg"].figure.axes]
        for one in (first, found)
    ]
    assert bars_of[0] == bars_of[1]


def test_no_results_at_all(table):
    found = list(plots.paper_figures(table.iloc[:0], [], {}, MODEL))
    assert [one.file for one in found if one.figure is not None] == ["fig10a-classes.svg"]


def test_a_history_without_a_validation_is_none(table):
    histories = {**all_histories(), "ulbd-cubic": [history(0.4).iloc[:0]]}
    found = {one.file: one for one in plots.paper_figures(table, [], histories, MODEL)}
    assert found["fig8-training.svg"].reason == f"no history of {MODEL} trained on ulbd-cubic."


def test_regret_is_drawn_where_it_is_known(table):
    """Histories of earlier versions, and of sets whose posterior is not known, have none."""
    good, old = history(0.4), history(0.4).assign(regret=np.nan)
    below = good.assign(regret=[0.1, 0.01, -0.001, *[np.nan] * 7])
    histories = {
        "ulbd-cubic": [good, old, below], "ulbd-tetragonal": [old], "ulbd-all": [good],
        "ulbd-physical-trigonal-hexagonal": [good],
    }  # fmt: skip
    found = {one.file: one for one in plots.paper_figures(table, [], histories, MODEL)}
    figure = found["regret.svg"].figure
    assert [axes.get_title() for axes in figure.axes] == ["cubic", "all"]
    curves = [line.get_ydata().tolist() for line in figure.axes[0].lines]
    assert curves == [good["regret"].tolist(), [0.1, 0.01]]
    assert figure.axes[0].get_xscale() == figure.axes[0].get_yscale() == "log"
    without = {one.file: one for one in plots.paper_figures(table, [], {}, MODEL)}
    assert without["regret.svg"].reason == f"no history of {MODEL} trained on ULBD has its regret."


def test_figures_are_the_same_whenever_they_are_drawn(table, tmp_path):
    rows = pick(table, "spacegroup", train_set="ulbd-cubic")
    for name in ("one", "two"):
        plots.save(plots.top_k_accuracies(rows), tmp_path / name)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_plots_are_imported_without_matplotlib_and_pandas():
    code = (
        "import sys\n"
        "from sgbench import plots\n"
        "assert not {'matplotlib', 'pandas', 'torch'} & sys.modules.keys()\n"
        "plots.relabelling_scheme('cubic')\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=EXAMPLES)


def test_test_data_that_no_figure_asks_for_hide_nothing(table, scores):
    """Those of another protocol bear the same name, and come first here."""
    mine = (table["train_set"] == "ulbd-cubic") & (table["model"] == MODEL)
    published = table[mine].assign(train_set="ulbd-cubic-published", test_sha256="0")
    found = {
        one.file: one
        for one in plots.paper_figures(
            pd.concat([published, table]), scores, all_histories(), MODEL
        )
    }
    assert {one.reason for one in found.values()} == {None}
    row = pick(table, "spacegroup", train_set="ulbd-cubic", test_set="ulbd-off-mesh").iloc[0]
    assert f"{100 * row['top1']:.1f} % (" in found["fig9-top-k.svg"].caption
    assert "Without results" not in found["fig9-top-k.svg"].caption
