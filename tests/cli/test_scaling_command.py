import pandas as pd
import pytest
from example_results import DESIGNED, MESHES, made_up_scores

from sgbench.evaluation import write_score


def keep(folder, train_set, tests=DESIGNED, schemes=("spacegroup", "extinction"), **changes):
    for test in tests:
        for one in made_up_scores(train_set, test, "cubic", 0.7, **changes):
            if one.class_scheme in schemes:
                write_score(folder / train_set / f"{test}.{one.class_scheme}.json", one)


def test_table_and_plot_hold_every_mesh(call, tmp_path):
    for name in (*MESHES, "ulbd-cubic"):
        keep(tmp_path / "scores", name)
    said = call("scaling", *sorted((tmp_path / "scores").iterdir()), "--output", "scaling.csv")
    assert "24 rows" in said.stdout
    table = pd.read_csv(tmp_path / "scaling.csv")
    meshes = {
        f"ulbd-cubic@{step:g}x{n}"
        for step, n in zip(table["step"], table["patterns_per_lattice"], strict=True)
    }
    assert meshes == set(table["train_set"]) == set(MESHES)
    assert (table["ceiling_top1"] - table["top1"]).to_numpy() == pytest.approx(
        table["gap_top1"].to_numpy(), abs=1e-6
    )
    picture = (tmp_path / "scaling.svg").read_text()
    assert "lattice step" in picture
    assert "5 patterns a lattice" in picture


def test_other_data_are_tabulated_and_not_drawn(call, tmp_path):
    keep(tmp_path / "scores" / "one", MESHES[0])
    keep(tmp_path / "scores" / "two", MESHES[1], n=100)
    said = call("scaling", "scores/one", "scores/two", "--output", "scaling.csv")
    assert "8 rows; 2 of other test data are not drawn" in said.stdout


def test_studies_of_other_things_are_refused(refused, tmp_path):
    keep(tmp_path / "plain", "ulbd-cubic")
    assert "the scores are of: none" in refused("scaling", "plain", "--output", "s.csv")
    keep(tmp_path / "two", MESHES[0])
    keep(tmp_path / "two", MESHES[1], model="forest")
    assert "forest cubic" in refused(
        "scaling", *(f"two/{name}" for name in MESHES[:2]), "--output", "s.csv"
    )
    keep(tmp_path / "classes", MESHES[0], schemes=("extinction",))
    assert "nothing to draw" in refused("scaling", f"classes/{MESHES[0]}", "--output", "s.csv")
