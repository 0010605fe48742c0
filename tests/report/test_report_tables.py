from dataclasses import replace

import pandas as pd
import pytest
from example_results import DESIGNED, MODEL, all_scores, made_up_scores

from sgbench.leaderboard import build_table
from sgbench.report import _tables
from sgbench.sets import SetSpec
from sgbench.symmetry import PAPER_FAMILIES, extinction_classes, family_spacegroups


@pytest.fixture(scope="module")
def scores():
    return all_scores(("cubic",), n=120)


@pytest.fixture(scope="module")
def table(scores):
    return build_table(scores)


def texts(table):
    return [[cell.text for cell in row] for row in table.rows]


def test_ceilings_beside_the_published_ones():
    rows = texts(_tables.ceilings())
    assert rows[0][1:] == ["47.22", "72.22", "80.56", "88.89", "97.22"]
    assert rows[1][1:] == ["47.2", "72.2", "80.5", "88.9", "97.2"]
    assert len(rows) == 6


@pytest.mark.parametrize(("family", "n"), list(zip(PAPER_FAMILIES, (17, 31, 9), strict=True)))
def test_each_group_is_in_one_class(family, n):
    rows = texts(_tables.classes(family))
    assert len(rows) == n
    members = [
        int(part.rpartition("(")[2].rstrip(")")) for row in rows for part in row[3].split(", ")
    ]
    assert sorted(members) == list(family_spacegroups(family))
    assert sum(int(row[2]) for row in rows) == len(members)


def test_rows_are_those_asked_for(table):
    tests = (*map(SetSpec.parse, DESIGNED), SetSpec("designed", "sealed"))
    wanted = [("cubic", SetSpec("designed"), test) for test in tests]
    found = _tables.top_k(table, "A caption.", "spacegroup", wanted)
    assert [row[2] for row in texts(found)] == list(DESIGNED)
    one = table[
        (table["train_set"] == "ulbd-cubic")
        & (table["test_set"] == "ulbd-in-mesh")
        & (table["class_scheme"] == "spacegroup")
        & (table["model"] == MODEL)
    ].iloc[0]
    assert texts(found)[0][7].startswith(f"{100 * one['top1']:.1f} (")
    assert texts(found)[0][4] == "120"
    assert found.header[-1] == "ceiling top-1…5"
    assert _tables.top_k(table, "", "spacegroup", wanted[2:]) is None


def test_rows_of_several_test_data_tell_their_source(table):
    wanted = [("cubic", SetSpec("designed"), SetSpec("crystals", "all"))]
    one = _tables.top_k(table, "", "extinction", wanted)
    assert "source" not in one.header
    other = table.assign(source="elsewhere", test_sha256="0123456789", top1=0.25)
    both = pd.concat([table, other])
    found = _tables.top_k(both, "", "extinction", wanted)
    assert [row[found.header.index("source")] for row in texts(found)][1] == "elsewhere 01234567"
    assert len(found.rows) == 2 * len(one.rows)
    assert "source" in _tables.mesh(both).header
    assert "source" in _tables.matrix(both).header
    # Nothing is compared with rows of other data: all of these lie where the whole lies.
    ablation = _tables.ablation(both)
    elsewhere = [row for row in texts(ablation) if "elsewhere 01234567" in row]
    assert {row[-1] for row in elsewhere} == {"0.0"}
    # Models are compared on the first data.
    models = _tables.models(both, "cubic")
    assert texts(models) == texts(_tables.models(table, "cubic"))
    assert "the first are shown" in models.caption


def test_columns_know_what_they_hold():
    table = _tables.table_of(
        "", ["a", "b", "c", "d"],
        [["x", "1.5 (1.0–2.0)", "–", "a long text that may well go over several lines"],
         ["", "–", "–", "short"]],
    )  # fmt: skip
    assert table.kinds == ("name", "number", "name", "text")


def test_meshes_are_in_the_order_of_steps(table):
    rows = texts(_tables.mesh(table))
    assert [(row[0], row[1]) for row in rows[::2]] == [
        ("0.05", "1"), ("0.05", "5"), ("0.2", "1"), ("0.2", "5"), ("1", "1"), ("1", "5"),
    ]  # fmt: skip
    assert _tables.mesh(table[table["train_set"] == "ulbd-cubic"]) is None


def test_the_ablation_says_how_far_each_is_from_the_whole(table):
    rows = texts(_tables.ablation(table))
    on_cddd = {row[0]: row for row in rows if row[1] == "cddd"}
    assert on_cddd["all three ingredients"][-1] == "0.0"
    assert on_cddd["without multiplicity"][-1].startswith("−")
    assert len(on_cddd) == 5
    assert _tables.ablation(table[~table["train_set"].str.contains("-no-")]) is None


def test_all_models_and_controls(scores):
    control = made_up_scores(
        "none", "ulbd-off-mesh", "cubic", 0.99, "control-oracle", 120, status="control"
    )
    # A model that was trained on something else is not among them.
    other = made_up_scores("cddd-cubic", "ulbd-off-mesh", "cubic", 1.0, "elsewhere", 120)
    rows = texts(_tables.models(build_table([*scores, *control, *other]), "cubic"))
    soft = "fcn-wang2024.soft"
    assert [row[0] for row in rows] == [soft, MODEL, "forest", "knn", "control-oracle"]
    assert rows[2][1] == "–"  # was not tested in-mesh
    assert _tables.models(build_table(scores), "tetragonal") is None


def test_the_whole_leaderboard_is_folded(table):
    found = _tables.matrix(table)
    assert found.folded
    assert len(found.rows) == len(table)


def confused(n, **changes):
    """A score that takes class i, from 1, for the first one i times out of 100."""
    origin = {"model": MODEL, "train_set": "ulbd-cubic", "scale": "smoke"}
    origin = {name: changes.pop(name, value) for name, value in origin.items()}
    confusion = tuple(one for i in range(1, n + 1) for one in ((i, 0, i), (i, i, 100 - i)))
    one = made_up_scores("ulbd-cubic", "cddd", "cubic", 0.5)[1]
    return replace(
        one, confusion=confusion, provenance=origin, **{"test_sha256": "first", **changes}
    )


@pytest.fixture
def scored():
    """The row behind the confusions, and one of other data."""
    row = {
        "model": MODEL, "train_set": "ulbd-cubic", "test_set": "cddd", "family": "cubic",
        "class_scheme": "extinction", "source": "example", "test_sha256": ["first", "second"],
    }  # fmt: skip
    return pd.DataFrame(row)


def test_the_worst_confusions_come_first(scored):
    found = _tables.confusions([confused(16)], scored, "cddd", "cubic")
    rows = texts(found)
    assert len(rows) == 15
    symbols = [cls.symbol for cls in extinction_classes(family_spacegroups("cubic"))]
    assert rows[0][0] == f"{symbols[16]} taken for {symbols[0]}"
    assert rows[0][3:] == ["16", "100", "16.0 %"]
    assert rows[0][1] != "–"  # the first class has no conditions to invent
    assert {row[2] for row in rows} == {"–"}
    # 16 + 15 + … + 2 of 136
    assert "the 15 most frequent of 16 confusions, 99.3 % of wrong answers" in found.caption


def test_confusions_of_other_models_and_sets_stay_out(scored):
    found = _tables.confusions([confused(3), confused(3, model="knn")], scored, "cddd", "cubic")
    assert "all 3 confusions" in found.caption
    assert texts(found)[0][3:5] == ["3", "100"]
    for changes in (
        {"model": "knn"}, {"train_set": "cddd-cubic"}, {"test_set": "gcdd"},
        {"family": "tetragonal"}, {"test_sha256": "second"},
    ):  # fmt: skip
        assert _tables.confusions([confused(3, **changes)], scored, "cddd", "cubic") is None


def test_runs_are_one_row_a_training():
    scores = [
        *made_up_scores("ulbd-cubic", "cddd", "cubic", 0.5, mlflow_run="r/1", mlflow_experiment=7),
        *made_up_scores("ulbd-cubic", "gcdd", "cubic", 0.5, mlflow_run="r/1", mlflow_experiment=7),
        *made_up_scores("ulbd-cubic", "cddd", "cubic", 0.5, seed=1, mlflow_run="r2"),
        *made_up_scores("cddd-cubic", "gcdd", "cubic", 0.5, train_seconds=83.4, hardware="abacus"),
        *made_up_scores("none", "cddd", "cubic", 0.5, "control-prior", status="control"),
    ]
    found = _tables.runs(scores, "https://runs.example")
    rows = texts(found)
    assert [row[:3] for row in rows] == [
        ["cddd-cubic", MODEL, "0"], ["ulbd-cubic", MODEL, "0"], ["ulbd-cubic", MODEL, "1"],
    ]  # fmt: skip
    assert rows[0][4:] == ["83", "abacus", "not recorded"]
    assert [row[-1].href for row in found.rows] == [
        "", "https://runs.example/#/experiments/7/runs/r%2F1", "",
    ]  # fmt: skip
    assert _tables.runs([], "") is None
