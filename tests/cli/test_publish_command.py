"""What `sgbench publish` writes stands for the run: every page and table is made of it alike."""

import shutil

import pandas as pd
import pytest
from example_results import history, made_up_scores

from sgbench.archives import read_archive, write_archive
from sgbench.evaluation import write_score
from sgbench.leaderboard import open_scores, read_csv
from sgbench.site import read_score_files, site_data

ARCHIVE = "results/published/laptop.tar.xz"


@pytest.fixture
def run(call, tmp_path):
    """A finished run: two models of the workflow and a submission, and what is of no row."""
    folder = tmp_path / "results" / "laptop"
    made = {
        "scores/ulbd-cubic/a/seed0": {"model": "a"},
        "scores/ulbd-cubic/b/seed0": {"model": "b"},
        "scores/ulbd-cubic/b/seed1": {"model": "b", "seed": 1},
        "submissions/c": {"model": "c", "status": "self-reported"},
        "scores/ulbd-cubic/old/seed0": {"model": "old"},
    }
    for number, (place, origin) in enumerate(made.items()):
        for test_set in ("ulbd-in-mesh", "cddd"):
            scores = made_up_scores(
                "ulbd-cubic", test_set, "cubic", 0.9 - 0.1 * number,
                **{"n": 100, "scale": "laptop", "predictions_sha256": f"{number}" * 64, **origin},
            )  # fmt: skip
            for one in scores:
                path = folder / place / f"{one.test_set}.{one.class_scheme}.json"
                write_score(path, one)
    models = folder / "models" / "ulbd-cubic" / "a" / "seed0"
    models.mkdir(parents=True)
    history(0.5).to_csv(models / "history.csv", index=False)
    rows = [folder / place for place in list(made)[:-1]]
    call("leaderboard", *rows, "-o", folder / "leaderboard.csv", "--by-class", folder / "c.csv")
    call("publish", "laptop")
    return folder


def page(tmp_path, name):
    return (tmp_path / name / "index.html").read_bytes()


def test_pages_are_those_of_the_run(call, run, tmp_path):
    call("site", "--table", run / "leaderboard.csv", "--scores", run, "-o", "ran")
    call("site", "--table", ARCHIVE, "--scores", "results/published", "-o", "published")
    assert b'"by_class"' in page(tmp_path, "ran")
    assert page(tmp_path, "published") == page(tmp_path, "ran")


def test_what_is_local_and_published_counts_once(call, run, tmp_path):
    table = read_csv(run / "leaderboard.csv")
    with open_scores([run, tmp_path / ARCHIVE]) as files:
        twice = site_data(table, "", read_score_files(files))
    with open_scores([run]) as files:
        assert len(files) == 20
        assert twice == site_data(table, "", read_score_files(files))


def test_tables_are_those_of_the_run(call, run, tmp_path):
    call("leaderboard", "--table", "results/published/full.tar.xz", "--table", ARCHIVE,
         "-o", "all.csv")  # fmt: skip
    for name in ("csv", "pairs.csv", "md"):
        assert (tmp_path / f"all.{name}").read_bytes() == (
            run / f"leaderboard.{name}"
        ).read_bytes(), name
    call("leaderboard", ARCHIVE, "-o", "again.csv", "--by-class", "classes.csv")
    assert (tmp_path / "classes.csv").read_bytes() == (run / "c.csv").read_bytes()
    call("confusions", ARCHIVE, "--format", "csv", "-o", "confusions.csv")
    assert set(pd.read_csv("confusions.csv")["model"]) == {"a", "b", "c"}


def test_figures_name_the_archive_that_lacks_a_model(refused, run):
    said = refused("figures", "--scale-folder", ARCHIVE, "--model", "d", "-o", "x")
    assert f"{ARCHIVE}/leaderboard.csv has no row of the model 'd'; expected one of a, b, c" in said


def test_only_what_pages_read_is_published(run):
    names = set(read_archive(run.parents[1] / ARCHIVE))
    assert {name for name in names if "/" not in name} == {
        "leaderboard.csv", "leaderboard.pairs.csv", "structures.json",
    }  # fmt: skip
    assert {name.partition("/")[0] for name in names if "/" in name} == {
        "scores", "submissions", "models",
    }  # fmt: skip
    assert not any("/old/" in name or name.endswith(".parquet") for name in names)


def test_the_same_run_is_published_as_the_same_bytes(call, run, tmp_path):
    before = (tmp_path / ARCHIVE).read_bytes()
    for path in run.rglob("*"):
        path.touch()
    call("publish", "laptop")
    assert (tmp_path / ARCHIVE).read_bytes() == before


def test_a_scale_without_results(refused):
    assert "results/full/leaderboard.csv is missing" in refused("publish", "full")


def test_damage_inside_of_an_archive_names_it(call, run, refused):
    files = read_archive(run.parents[1] / ARCHIVE)
    name = next(name for name in files if name.endswith("cddd.extinction.json"))
    write_archive(run.parents[1] / ARCHIVE, files | {name: b"{}"})
    shutil.rmtree(run)
    for command in (("report", "--scale-folder"), ("confusions",), ("leaderboard", "-o", "x.csv")):
        said = refused(*command, ARCHIVE, *(["-o", "x"] if "report" in command else []))
        assert f"{ARCHIVE}/{name} is not a readable score" in said


def test_the_report_is_of_the_largest_scale_that_is_published(call, run, tmp_path):
    scores = made_up_scores("ulbd-cubic", "ulbd-in-mesh", "cubic", 0.9, n=100, scale="full")
    for one in scores:
        write_score(tmp_path / f"results/full/scores/a/{one.class_scheme}.json", one)
    call("leaderboard", "results/full/scores", "-o", "results/full/leaderboard.csv")
    call("publish", "full")
    said = call("report", "--scale-folder", "results/published", "-o", "report")
    assert said.stdout.endswith("index.html: scale full\n")


def test_an_archive_beside_a_run_is_refused(run, refused):
    shutil.copy(run.parents[1] / ARCHIVE, run / "old.tar.xz")
    said = refused("report", "--scale-folder", "results/laptop", "-o", "x")
    assert "results/laptop has the archive old.tar.xz beside" in said
    assert "move the other away" in said


def test_links(call, run, tmp_path):
    links = ("--report", "report/index.html", "--docs", "docs/index.html")
    call("site", "--table", ARCHIVE, *links, "-o", "pages")
    links = ("--leaderboard", "../index.html", "--docs", "../docs/index.html")
    call("report", "--scale-folder", ARCHIVE, *links, "-o", "pages/report")
    site, report = page(tmp_path, "pages").decode(), page(tmp_path, "pages/report").decode()
    for address in ("report/index.html", "docs/index.html", "docs/submitting.html"):
        assert f'href="{address}"' in site
    for address in ("../index.html", "../docs/index.html", "../docs/submitting.html"):
        assert f'href="{address}"' in report
