"""The tutorials that check something, word for word, in a folder with what they use of a clone."""

import shutil

import pytest
from page_commands import PROJECT, run_page

TUTORIALS = PROJECT / "docs" / "tutorials"


@pytest.fixture
def clone(tmp_path):
    for name in ("submissions", "benchmarks"):
        shutil.copytree(
            PROJECT / name, tmp_path / name, ignore=shutil.ignore_patterns("*.py", "__pycache__")
        )
    (tmp_path / "results").mkdir()
    shutil.copy(PROJECT / "results" / "leaderboard.csv", tmp_path / "results")
    return tmp_path


def test_review_finds_the_published_numbers(clone):
    done = run_page(TUTORIALS / "review.md", clone)
    compared = [line for line in done.stdout.splitlines() if line.startswith(("top", "ceiling"))]
    assert compared == [
        f"{name}: equal in {n} rows" for n in (2, 4) for name in ("top1", "top5", "ceiling_top1")
    ]
    assert "above the ceiling: " in done.stderr


def test_own_ci_catches_the_drop(clone):
    done = run_page(TUTORIALS / "own-ci.md", clone)
    assert done.stderr.count("dropped: my-model") == 4
    assert "1 passed" in done.stdout
