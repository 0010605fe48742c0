import pytest
import typer
from example_results import made_up_scores
from typer.testing import CliRunner

from sgbench.cli import _report
from sgbench.errors import SgbenchError
from sgbench.leaderboard import build_table, write_csv

app = typer.Typer()
app.command()(_report.report)


def call(*arguments):
    """Run the command and return what it prints; a user's mistake is raised."""
    done = CliRunner().invoke(app, list(map(str, arguments)))
    if done.exception is not None:
        raise done.exception
    return done.output


@pytest.fixture
def scale(tmp_path):
    scores = made_up_scores("ulbd-cubic", "ulbd-in-mesh", "cubic", 0.9)
    write_csv(tmp_path / "smoke" / "leaderboard.csv", build_table(scores))
    return tmp_path / "smoke"


def test_a_page_is_written(scale, tmp_path):
    target = tmp_path / "report"
    said = call("--scale-folder", scale, "--output", target)
    assert "index.html" in said
    assert [path.name for path in target.iterdir()] == ["index.html"]
    page = (target / "index.html").read_text(encoding="utf-8")
    assert page.startswith("<!DOCTYPE html>")
    assert "Scale <strong>smoke</strong>" in page
    assert page.endswith("</html>\n")


def test_the_page_is_written_again_as_it_was(scale, tmp_path):
    for name in ("one", "other"):
        call("--scale-folder", scale, "--output", tmp_path / name)
    one, other = ((tmp_path / name / "index.html").read_bytes() for name in ("one", "other"))
    assert one == other


def test_the_store_is_named(scale, tmp_path):
    store = "sqlite:///elsewhere/mlflow.db"
    call("--scale-folder", scale, "--output", tmp_path, "--store", store)
    assert store in (tmp_path / "index.html").read_text(encoding="utf-8")


def test_no_results(tmp_path):
    with pytest.raises(SgbenchError, match=r"leaderboard\.csv"):
        call("--scale-folder", tmp_path, "--output", tmp_path / "report")
    assert not (tmp_path / "report").exists()
