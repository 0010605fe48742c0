import csv
import json

import numpy as np
import pytest
import typer
from example_results import DESIGNED, MODEL, history, made_up_scores
from typer.testing import CliRunner

from sgbench.cli import _results
from sgbench.errors import SgbenchError
from sgbench.evaluation import confusions, write_score
from sgbench.leaderboard import build_table, write_csv

app = typer.Typer()
app.command("confusions")(_results.confusions)
app.command("figures")(_results.figures)


def call(*arguments):
    """Run a command and return what it prints; a user's mistake is raised."""
    done = CliRunner().invoke(app, list(map(str, arguments)))
    if done.exception is not None:
        raise done.exception
    return done.output


def keep(folder, scores):
    """Lay scores out as the workflow does."""
    for one in scores:
        origin = one.provenance
        place = folder / "scores" / origin["train_set"] / origin["model"] / f"seed{origin['seed']}"
        write_score(place / f"{one.test_set}.{one.class_scheme}.json", one)


def scored(train_set, test_set, **changes):
    values = {"predictions_sha256": f"{train_set}/{test_set}", **changes}
    return made_up_scores(train_set, test_set, "cubic", 0.7, **values)


@pytest.fixture
def scores():
    """Those of a small run: a cubic model on ULBD, and one on CDDD."""
    wanted = [("ulbd-cubic", test) for test in DESIGNED]
    wanted += [("cddd-cubic", test) for test in ("cddd-test", "gcdd", "ulbd-in-mesh")]
    return [one for train, test in wanted for one in scored(train, test)]


@pytest.fixture
def scale(tmp_path, scores):
    folder = tmp_path / "results" / "smoke"
    keep(folder, scores)
    write_csv(folder / "leaderboard.csv", build_table(scores))
    for name in ("ulbd-cubic", "ulbd-cubic-imbalanced"):
        place = folder / "models" / name / MODEL / "seed0"
        place.mkdir(parents=True)
        history(0.5).to_csv(place / "history.csv", index=False)
    return folder


def index_of(folder):
    return {entry["title"] + str(entry["family"]): entry
            for entry in json.loads((folder / "figures.json").read_text())}  # fmt: skip


def test_confusions_are_listed_most_frequent_first(scale, scores, tmp_path):
    call("confusions", scale / "scores", "--format", "csv", "-o", tmp_path / "c.csv")
    with open(tmp_path / "c.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    expected = confusions(scores)
    assert [row["sentence"] for row in rows] == [one.sentence for one in expected]
    assert [int(row["n"]) for row in rows] == sorted((one.n for one in expected), reverse=True)
    first, one = rows[0], expected[0]
    assert (first["model"], first["true_class"], first["predicted_class"]) == (
        MODEL, one.true_class, one.predicted_class,
    )  # fmt: skip
    assert first["missed"] == "; ".join(one.missed)


def test_conditions_are_lists_in_json(scale, scores):
    rows = json.loads(call("confusions", scale / "scores", "--format", "json"))
    found = [(row["missed"], row["invented"]) for row in rows]
    assert found == [(list(one.missed), list(one.invented)) for one in confusions(scores)]


def test_scores_over_space_groups_have_no_confusion_to_list(tmp_path, scores):
    write_score(tmp_path / "score.json", scores[0])
    assert scores[0].class_scheme == "spacegroup"
    with pytest.raises(SgbenchError, match="no confusion to list"):
        call("confusions", tmp_path / "score.json")


def test_figures_and_their_index(scale, tmp_path):
    said = call("figures", "--scale-folder", scale, "--output", tmp_path / "f")
    entries = json.loads((tmp_path / "f" / "figures.json").read_text())
    drawn = {entry["file"] for entry in entries if entry["file"]}
    assert {path.name for path in (tmp_path / "f").glob("*.svg")} == drawn
    assert drawn == {
        "fig5-confusion-cubic.svg", "fig5-top-k.svg", "fig8-training.svg", "fig9-top-k.svg",
        "fig10a-classes.svg", "generalization-matrix.svg", "regret.svg",
    }  # fmt: skip
    assert f"{len(drawn)} figures, {len(entries) - len(drawn)} left out" in said
    for entry in entries:
        assert set(entry) == {"file", "number", "title", "caption", "family", "reason"}
        assert (entry["file"] is None) == (entry["reason"] is not None)
        assert bool(entry["caption"]) == (entry["file"] is not None)
    assert {"Fig. 5 (a, b)", "Fig. 8", "Fig. 9", "Fig. S1"} <= {
        entry["number"] for entry in entries
    }


def test_rows_decide_which_scores_are_read(scale, scores, tmp_path):
    """A seed that the leaderboard does not have is not in the figures."""
    arguments = ("figures", "--scale-folder", scale, "--output", tmp_path / "f")
    call(*arguments)
    before = (tmp_path / "f" / "fig5-confusion-cubic.svg").read_bytes()
    keep(scale, scored("cddd-cubic", "cddd-test", seed=1, predictions_sha256="other"))
    call(*arguments)
    assert (tmp_path / "f" / "fig5-confusion-cubic.svg").read_bytes() == before
    more = [*scores, *scored("cddd-cubic", "cddd-test", seed=1, predictions_sha256="other")]
    write_csv(scale / "leaderboard.csv", build_table(more))
    call(*arguments)
    assert (tmp_path / "f" / "fig5-confusion-cubic.svg").read_bytes() != before


def test_scores_on_other_data_are_not_read(scale, tmp_path):
    """A file in the row's folder, of the same predictions, that was tested on something else."""
    arguments = ("figures", "--scale-folder", scale, "--output", tmp_path / "f")
    call(*arguments)
    before = (tmp_path / "f" / "fig5-confusion-cubic.svg").read_bytes()
    known = {"predictions_sha256": "cddd-cubic/cddd-test", "seed": 1}
    keep(scale, scored("cddd-cubic", "cddd-test", source="other", **known))
    call(*arguments)
    assert (tmp_path / "f" / "fig5-confusion-cubic.svg").read_bytes() == before


def test_a_figure_whose_data_are_gone_goes_too(scale, tmp_path):
    arguments = ("figures", "--scale-folder", scale, "--output", tmp_path / "f")
    call(*arguments)
    assert (tmp_path / "f" / "fig8-training.svg").exists()
    (scale / "models" / "ulbd-cubic" / MODEL / "seed0" / "history.csv").unlink()
    call(*arguments)
    assert not (tmp_path / "f" / "fig8-training.svg").exists()
    entry = index_of(tmp_path / "f")["Training on an imbalanced and on a balanced setcubic"]
    assert entry["reason"] == f"no history of {MODEL} trained on ulbd-cubic."


def test_the_training_set_of_a_history_may_have_no_score_yet(scale, tmp_path, scores):
    """The imbalanced set is in no row here, and its curve is drawn all the same."""
    assert not any(one.provenance["train_set"] == "ulbd-cubic-imbalanced" for one in scores)
    call("figures", "--scale-folder", scale, "--output", tmp_path / "f")
    assert (tmp_path / "f" / "fig8-training.svg").exists()


@pytest.mark.parametrize("content", ["", "step,patterns\n1,2\n", "patterns,top1\n1,x\n"])
def test_a_damaged_history(scale, tmp_path, content):
    path = scale / "models" / "ulbd-cubic" / MODEL / "seed0" / "history.csv"
    path.write_text(content)
    with pytest.raises(SgbenchError, match="not a readable history"):
        call("figures", "--scale-folder", scale, "--output", tmp_path / "f")


def test_a_model_that_is_not_there(scale, tmp_path):
    with pytest.raises(SgbenchError, match=f"no row of the model 'fnc'; expected one of {MODEL}"):
        call("figures", "--scale-folder", scale, "--output", tmp_path / "f", "--model", "fnc")
    assert not (tmp_path / "f").exists()


def test_no_leaderboard(tmp_path):
    with pytest.raises(SgbenchError, match=r"leaderboard\.csv is missing"):
        call("figures", "--scale-folder", tmp_path, "--output", tmp_path / "f")


def test_rows_of_two_scales(scale, scores, tmp_path):
    more = [*scores, *scored("ulbd-cubic", "cddd", scale="full")]
    write_csv(scale / "leaderboard.csv", build_table(more))
    with pytest.raises(SgbenchError, match="several scales"):
        call("figures", "--scale-folder", scale, "--output", tmp_path / "f")


def test_shares_are_fractions_of_the_true_class(scale):
    rows = json.loads(call("confusions", scale / "scores", "--format", "json"))
    assert np.allclose([row["n"] / row["n_true"] for row in rows], [row["share"] for row in rows])
