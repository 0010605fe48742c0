import json
import subprocess

import pytest

from sgbench import provenance
from sgbench.provenance import made_with, newest_day, settings_json


@pytest.fixture
def clone(tmp_path, monkeypatch):
    """A clone of a project with a package and a lock."""
    (tmp_path / "sgbench").mkdir()
    (tmp_path / "sgbench" / "code.py").write_text("one = 1\n")
    (tmp_path / "requirements.lock").write_text("# pins\nnumpy==" + _numpy() + "\n")
    (tmp_path / "results.csv").write_text("a\n")
    git(tmp_path, "init", "--quiet")
    commit(tmp_path)
    monkeypatch.setattr(provenance, "_PROJECT", tmp_path)
    yield tmp_path
    provenance._commit.cache_clear()
    provenance._lock_sha256.cache_clear()


def _numpy() -> str:
    import numpy as np

    return np.__version__


def git(folder, *words):
    named = ["git", "-c", "user.name=n", "-c", "user.email=e@example.org", "-C", str(folder)]
    return subprocess.run([*named, *words], check=True, capture_output=True, text=True).stdout


def commit(folder):
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "more")


def told():
    provenance._commit.cache_clear()
    provenance._lock_sha256.cache_clear()
    return made_with()


def test_a_clone_tells_its_commit_and_its_lock(clone):
    found = told()
    assert found["commit"] == git(clone, "rev-parse", "HEAD").strip()
    assert len(found["lock_sha256"]) == 64


def test_code_that_is_not_as_committed_has_no_commit(clone):
    (clone / "results.csv").write_text("b\n")  # a run writes results
    assert told()["commit"]
    (clone / "sgbench" / "new.py").write_text("")
    assert told()["commit"] is None
    commit(clone)
    assert told()["commit"]
    (clone / "sgbench" / "code.py").write_text("one = 2\n")
    assert told()["commit"] is None


def test_a_package_inside_another_clone_has_no_commit(clone, monkeypatch):
    monkeypatch.setattr(provenance, "_PROJECT", clone / "sgbench")
    assert told() == {"commit": None, "lock_sha256": None, "settings": made_with()["settings"]}


@pytest.mark.parametrize("pin", ["numpy==0.0.1", "no-such-package-at-all==1.0"])
def test_another_environment_than_the_lock_has_no_hash(clone, pin):
    (clone / "requirements.lock").write_text(pin + "\n")
    assert told()["lock_sha256"] is None


def test_settings_come_from_the_workflow(monkeypatch):
    monkeypatch.delenv("SGBENCH_SETTINGS", raising=False)
    assert made_with()["settings"] is None
    monkeypatch.setenv("SGBENCH_SETTINGS", "{}")
    assert made_with()["settings"] == "{}"


def test_where_a_run_is_logged_and_computed_is_left_out():
    given = {
        "scale": "smoke", "families": ["cubic"], "device": "cpu", "kept": False,
        "mlflow_store": "postgresql://user:secret@host/db",
    }  # fmt: skip
    assert json.loads(settings_json(given)) == {"families": ["cubic"]}


def test_where_structures_lie_is_left_out():
    given = {"source": {"name": "table", "location": "/home/me/unpublished.csv"}}
    assert json.loads(settings_json(given)) == {"source": {"name": "table"}}


def test_a_hook_of_another_clone(clone, tmp_path_factory, monkeypatch):
    other = tmp_path_factory.mktemp("other")
    git(other, "init", "--quiet")
    git(other, "commit", "--quiet", "--allow-empty", "--message", "other")
    expected = told()["commit"]
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    assert told()["commit"] == expected


def test_the_day_of_the_newest_commit(tmp_path, monkeypatch):
    git(tmp_path, "init", "--quiet")
    commits = []
    for day in ("2026-01-02", "2026-03-04", "2026-02-03"):
        monkeypatch.setenv("GIT_COMMITTER_DATE", f"{day}T12:00:00Z")
        git(tmp_path, "commit", "--quiet", "--allow-empty", "--message", day)
        commits.append(git(tmp_path, "rev-parse", "HEAD").strip())
    first, second, third = commits
    assert newest_day([first, None, float("nan")], tmp_path) == "2026-01-02"
    assert newest_day([first, f"{second} {third}"], tmp_path) == "2026-03-04"
    # What is no commit, and one that is not at hand and may be newer.
    assert newest_day([first, "HEAD", "--all"], tmp_path) == "2026-01-02"
    assert newest_day([first, "0" * 40], tmp_path) is None
    (tmp_path / "text").write_text("2999-01-01")
    blob = git(tmp_path, "hash-object", "-w", "text").strip()
    assert newest_day([blob], tmp_path) is None
    assert newest_day([second], tmp_path / "nowhere") is None
