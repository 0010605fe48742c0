import numpy as np
import pandas as pd
import pytest

from sgbench.errors import SgbenchError
from sgbench.evaluation import LabelScore, Score
from sgbench.leaderboard import (
    CLASS_COLUMNS,
    COLUMNS,
    build_class_table,
    build_table,
    read_csv,
    sort_table,
    to_markdown,
    write_csv,
)
from sgbench.symmetry import extinction_classes, family_spacegroups

# docs/architecture.md, "Contracts that outsiders lean on"
PROMISED = {
    "model", "train_set", "test_set", "family", "class_scheme", "scale", "n_test", "seeds", "top1",
    "top2", "top3", "top4", "top5", "top1_low", "top1_high", "ceiling_top1", "ceiling_top2",
    "ceiling_top3", "ceiling_top4", "ceiling_top5", "share_top1", "ece", "parameters",
    "train_patterns", "patterns_per_second", "hardware", "status", "dataset_sha256",
    "predictions_sha256", "sgbench_version", "source", "test_sha256", "raw_top1", "raw_top5",
    "regret", "commit", "lock_sha256", "settings",
}  # fmt: skip


def made_up(top1=0.4, **changes) -> Score:
    provenance = {
        "model": "fcn", "train_set": "ulbd-cubic", "scale": "smoke", "seed": 0,
        "parameters": 1976884, "train_patterns": 6400, "train_seconds": 1.5, "hardware": "abacus",
        "patterns_per_second": 250.0,
        "dataset_sha256": "aa", "predictions_sha256": "cc",
        "scorer_version": "0.1.0", "commit": "1a" * 20, "lock_sha256": "dd", "settings": "{}",
    }  # fmt: skip
    values = {
        "test_set": "ulbd-in-mesh", "family": "cubic", "class_scheme": "spacegroup",
        "source": "designed", "test_sha256": "bb", "raw": (top1 + 0.01, 0.61, 0.71, 0.81, 0.91),
        "n_test": 360, "n_clusters": 360, "top": (top1, 0.6, 0.7, 0.8, 0.9),
        "top_low": (top1 - 0.05, 0.5, 0.6, 0.7, 0.8), "top_high": (top1 + 0.05, 0.7, 0.8, 0.9, 1.0),
        "ceiling": (0.472, 0.722, 0.805, 0.889, 0.972),
        "gap": (0.472 - top1, 0.122, 0.105, 0.089, 0.072),
        "share": (top1 / 0.472, 0.83, 0.87, 0.9, 0.93), "balanced_accuracy": top1, "ece": 0.02,
        "by_label": {"195": LabelScore(10, 10, top1, top1 - 0.1, top1 + 0.1)},
        "confusion": ((195, 195, 10),), "regret": 0.25,
    }  # fmt: skip
    provenance |= {k: changes.pop(k) for k in list(changes) if k in {*provenance, "status"}}
    return Score(**{**values, **changes}, provenance=provenance)


def test_the_promised_columns(tmp_path):
    write_csv(tmp_path / "leaderboard.csv", build_table([made_up()]))
    header = (tmp_path / "leaderboard.csv").read_text().splitlines()[0].split(",")
    assert set(header) >= PROMISED
    assert header == list(COLUMNS)


def test_a_row_says_what_the_score_says():
    (row,) = build_table([made_up()]).to_dict("records")
    assert row["model"] == "fcn"
    assert [row[f"top{k}"] for k in range(1, 6)] == [0.4, 0.6, 0.7, 0.8, 0.9]
    assert [row[f"raw_top{k}"] for k in range(1, 6)] == pytest.approx(
        [0.41, 0.61, 0.71, 0.81, 0.91]
    )
    assert (row["source"], row["test_sha256"]) == ("designed", "bb")
    assert [row[f"ceiling_top{k}"] for k in range(1, 6)] == [0.472, 0.722, 0.805, 0.889, 0.972]
    assert (row["top1_low"], row["top1_high"]) == pytest.approx((0.35, 0.45))
    assert row["share_top1"] == pytest.approx(0.4 / 0.472)
    assert row["gap_top1"] == pytest.approx(0.072)
    assert row["regret"] == 0.25
    assert (row["n_test"], row["seeds"], row["parameters"]) == (360, 1, 1976884)
    assert (row["status"], row["hardware"], row["sgbench_version"]) == (
        "reference", "abacus", "0.1.0",
    )  # fmt: skip
    assert pd.isna(row["top1_seed_sd"])


def test_seeds_are_one_row():
    scores = [
        made_up(0.40, seed=0, predictions_sha256="p0", ece=0.1),
        made_up(0.46, seed=1, predictions_sha256="p1", ece=0.3),
    ]
    (row,) = build_table(scores).to_dict("records")
    assert row["seeds"] == 2
    assert row["top1"] == pytest.approx(0.43)
    assert row["raw_top1"] == pytest.approx(0.44)
    assert row["top1_seed_sd"] == pytest.approx(0.06 / np.sqrt(2))
    assert (row["top1_low"], row["top1_high"]) == pytest.approx((0.38, 0.48))
    assert row["ece"] == pytest.approx(0.2)
    assert row["share_top1"] == pytest.approx(0.43 / 0.472)
    assert row["predictions_sha256"].split() == ["p0", "p1"]


@pytest.mark.parametrize(
    ("regrets", "expected"), [((0.1, 0.3), 0.2), ((-0.002,), -0.002), ((0.1, None), None)]
)
def test_the_regret_of_seeds(regrets, expected):
    """A mean over some of them only would be of other trainings than the accuracies."""
    scores = [made_up(seed=seed, regret=regret) for seed, regret in enumerate(regrets)]
    (row,) = build_table(scores).to_dict("records")
    assert row["regret"] == (None if expected is None else pytest.approx(expected))


@pytest.mark.parametrize(
    ("speeds", "expected"), [((100.0, 300.0), 200.0), ((100.0, None), 100.0), ((None, None), None)]
)
def test_the_speed_of_seeds(speeds, expected):
    """Of a control, and of scores of earlier versions, there is none."""
    scores = [made_up(seed=i, patterns_per_second=speed) for i, speed in enumerate(speeds)]
    (row,) = build_table(scores).to_dict("records")
    assert row["patterns_per_second"] == expected


@pytest.mark.parametrize(
    ("field", "value"),
    [("model", "other"), ("train_set", "cddd"), ("scale", "full"), ("test_set", "cddd"),
     ("source", "amcsd"), ("test_sha256", "of others"), ("dataset_sha256", "of others"),
     ("family", "tetragonal"), ("class_scheme", "extinction")],
)  # fmt: skip
def test_what_tells_rows_apart(field, value):
    table = build_table([made_up(), made_up(**{field: value})])
    assert len(table) == 2
    assert set(table["seeds"]) == {1}


def test_the_order_of_rows():
    scores = [
        made_up(0.2, model="worse"),
        made_up(0.3, model="better"),
        made_up(0.3, model="as good"),
        made_up(0.9, test_set="cddd"),
        made_up(0.9, test_set="cddd-in-domain"),
        made_up(0.9, test_set="ulbd-off-mesh"),
        made_up(0.1, class_scheme="extinction"),
        made_up(0.1, family="trigonal-hexagonal"),
        made_up(0.1, family="tetragonal"),
        made_up(0.1, scale="laptop"),
        made_up(0.1, scale="full", family="tetragonal"),
        made_up(0.1, scale="custom"),
    ]
    expected = [10, 9, 6, 2, 1, 0, 5, 4, 3, 8, 7, 11]
    wanted = build_table([scores[i] for i in expected])
    found = build_table(scores)
    pd.testing.assert_frame_equal(found, wanted)
    key = ["scale", "family", "class_scheme", "test_set", "model"]
    rows = [tuple(row) for row in found[key].to_numpy()]
    assert rows[0] == ("full", "tetragonal", "spacegroup", "ulbd-in-mesh", "fcn")
    assert [row[4] for row in rows[3:6]] == ["as good", "better", "worse"]
    assert [row[3] for row in rows[6:9]] == ["ulbd-off-mesh", "cddd-in-domain", "cddd"]
    assert rows[-1][0] == "custom"


@pytest.mark.parametrize("seed", range(3))
def test_sorting_does_not_depend_on_the_former_order(seed):
    table = build_table([made_up(0.1 * i, model=f"m{i}") for i in range(8)])
    shuffled = table.sample(frac=1, random_state=seed)
    pd.testing.assert_frame_equal(sort_table(shuffled), table)


def test_a_written_table_is_read(tmp_path):
    table = build_table([made_up(1 / 3), made_up(0.5, model="other", seed=4)])
    write_csv(tmp_path / "leaderboard.csv", table)
    found = read_csv(tmp_path / "leaderboard.csv")
    table["top1_seed_sd"] = table["top1_seed_sd"].astype(float)  # an empty cell is not a number
    pd.testing.assert_frame_equal(found, table, check_dtype=False, rtol=1e-5)
    assert [p.name for p in tmp_path.iterdir()] == ["leaderboard.csv"]


def test_the_same_scores_give_the_same_bytes(tmp_path):
    for name, order in (("a", 1), ("b", -1)):
        scores = [made_up(0.3, model="x"), made_up(0.4, model="y"), made_up(0.4, model="z")]
        write_csv(tmp_path / name, build_table(scores[::order]))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


@pytest.mark.parametrize("model", ["2024", "1e5", "null", "nan", "inf"])
def test_names_stay_text(model, tmp_path):
    """A submission may be called so."""
    write_csv(tmp_path / "l.csv", build_table([made_up(model=model, test_sha256="0" * 64)]))
    found = read_csv(tmp_path / "l.csv")
    assert found["model"].tolist() == [model]
    assert found["test_sha256"].tolist() == ["0" * 64]
    assert f"| {model} | ulbd-cubic |" in to_markdown(found)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b'a,b\n"1,2\n', b"a,b\n1,2,3\n1\n"])
def test_files_that_are_no_table(tmp_path, content):
    (tmp_path / "leaderboard.csv").write_bytes(content)
    with pytest.raises(SgbenchError):
        read_csv(tmp_path / "leaderboard.csv")


def test_a_table_without_a_column(tmp_path):
    build_table([made_up()]).drop(columns=["ece", "top1"]).to_csv(tmp_path / "l.csv", index=False)
    with pytest.raises(SgbenchError, match="lacks the columns top1, ece"):
        read_csv(tmp_path / "l.csv")


def test_no_table(tmp_path):
    with pytest.raises(SgbenchError, match="is missing"):
        read_csv(tmp_path / "none.csv")


def test_markdown():
    scores = [
        made_up(0.4),
        made_up(0.3, class_scheme="extinction"),
        made_up(0.2, model="control-uniform", hardware=None),
        made_up(0.1, test_set="ulbd-off-mesh", test_sha256="0123456789"),
    ]
    text = to_markdown(build_table(scores))
    sections = [line for line in text.splitlines() if line.startswith("## ")]
    assert sections == [
        "## cubic, extinction classes (scale smoke)",
        "## cubic, space groups (scale smoke)",
    ]
    assert "40.0 (35.0–45.0)" in text
    assert "Trained on: abacus." in text
    tables = [line for line in text.splitlines() if line.startswith("|")]
    assert len({line.count("|") for line in tables}) == 1
    assert len(tables) == 3 * 2 + 4
    headings = [line for line in text.splitlines() if line.startswith("### ")]
    assert headings == [
        "### ulbd-in-mesh (designed, bb), n = 360",
        "### ulbd-in-mesh (designed, bb), n = 360",
        "### ulbd-off-mesh (designed, 01234567), n = 360",
    ]
    said = [line for line in text.splitlines() if line.startswith("Ceiling, top-1 to top-5: ")]
    assert [line.split(": ")[1] for line in said] == ["47.2 72.2 80.5 88.9 97.2"] * 3


def test_markdown_has_neither_gap_nor_share_where_the_ceiling_is_a_mark():
    scores = [
        made_up(0.4, test_set="cddd", source="amcsd"),
        made_up(0.4, test_set="cddd", source="amcsd", class_scheme="extinction"),
        made_up(0.4, test_set="ulbd-off-mesh+laboratory"),
    ]
    parts = to_markdown(build_table(scores)).split("### ")[1:]
    marked = [part for part in parts if "A mark, no bound, top-1 to top-5: 47.2" in part]
    assert [part.split(" ")[0] for part in marked] == ["cddd"]
    assert "Intensities of structures differ" in marked[0]
    for part in parts:
        for word in (" gap ", " share "):
            assert (word in part) == (part not in marked)


def test_markdown_has_regret_where_it_is_known():
    known, other = made_up(0.4, regret=0.1234), made_up(0.3, model="old", regret=None)
    lines = to_markdown(build_table([known, other])).splitlines()
    (header,) = (line for line in lines if line.startswith("| model"))
    place = header.split(" | ").index("regret")
    cells = [line.split(" | ")[place] for line in lines if "| ulbd-cubic |" in line]
    assert cells == ["0.123", "–"]
    assert "| regret |" not in to_markdown(build_table([other]))


def test_a_score_without_its_origin_is_an_error():
    bare = Score(**{**vars(made_up()), "provenance": {"model": "fcn"}})
    with pytest.raises(SgbenchError):
        build_table([bare])


def test_classes_one_by_one():
    label = {"3": LabelScore(7, 5, 0.8, 0.5, 0.9), "0": LabelScore(2, 2, 0.5, 0.1, 0.9)}
    scores = [
        made_up(class_scheme="extinction", by_label=label),
        made_up(class_scheme="spacegroup"),
        made_up(class_scheme="extinction", by_label=label, status="control"),
    ]
    table = build_class_table(scores)
    assert list(table.columns) == list(CLASS_COLUMNS)
    classes = extinction_classes(family_spacegroups("cubic"))
    assert table["class"].tolist() == [classes[0].symbol, classes[3].symbol]
    assert table["spacegroups"].tolist()[1] == "198 208"
    assert table[["n", "n_clusters"]].to_numpy().tolist() == [[2, 2], [7, 5]]
