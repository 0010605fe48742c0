"""What code, environment and settings results are made with, so that they can be made again."""

import hashlib
import json
import os
import re
import subprocess
from collections.abc import Iterable
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

_PROJECT = Path(__file__).parents[1]
_LOCK = "requirements.lock"
# What results follow from. The tables of results are tracked as well, and a run writes them.
_CODE = ("sgbench", "workflow", "config", "Snakefile", "pyproject.toml", _LOCK)
_COMMIT = re.compile(r"[0-9a-f]{40}")
#: Settings that no result follows from; the store's address may hold a password.
ASIDE = ("scale", "device", "mlflow_store", "kept")
# Of a hook, these tell git of another clone than the folder that it is asked about.
_ELSEWHERE = {"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"}
_PIN = re.compile(r"([A-Za-z0-9._-]+)==(\S+)")


def made_with() -> dict[str, str | None]:
    """Return what tells how to make again what this process makes.

    Returns
    -------
    dict
        ``commit``: the project's, or None outside of a clone and where code is not as committed.
        ``lock_sha256``: of ``requirements.lock``, or None where a package has another version than
        it says. ``settings``: JSON of what was laid over the scale's settings, or None outside of
        the workflow, where nobody knows.
    """
    return {
        "commit": _commit(_PROJECT),
        "lock_sha256": _lock_sha256(_PROJECT),
        "settings": os.environ.get("SGBENCH_SETTINGS"),
    }


def newest_day(commits: Iterable[object], project: Path = _PROJECT) -> str | None:
    """Return the day of the newest of commits, such as ``2026-01-31``.

    Parameters
    ----------
    commits : iterable of object
        As the leaderboard names them: a commit or several in a text; anything else has none.
    project : Path
        Folder of the project.

    Returns
    -------
    str or None
        None where no commit is known, or one is not at hand, as outside of a clone and in one
        without history: it may be the newest.
    """
    named = {word for text in commits for word in str(text).split() if _COMMIT.fullmatch(word)}
    if not named:
        return None
    # Of commits alone: whatever else has such a hash has no day.
    asked = [f"{one}^{{commit}}" for one in sorted(named)]
    try:
        days = _git(project, "log", "--no-walk", "--no-show-signature", "--format=%cs", *asked)
    except (OSError, subprocess.SubprocessError):
        return None
    return max(days.split(), default=None)


def _git(project: Path, *words: str) -> str:
    here = {name: value for name, value in os.environ.items() if name not in _ELSEWHERE}
    return subprocess.run(
        ["git", "-C", str(project), *words],
        capture_output=True, text=True, check=True, timeout=60, env=here,
    ).stdout.strip()  # fmt: skip


@cache
def _commit(project: Path) -> str | None:
    try:
        # A package that was installed may lie inside of another project's clone.
        top = _git(project, "rev-parse", "--show-toplevel")
        if Path(top).resolve() != project.resolve():
            return None
        changed = _git(project, "status", "--porcelain", "--", *_CODE)
        return None if changed else _git(project, "rev-parse", "HEAD")
    except (OSError, subprocess.SubprocessError):
        return None


@cache
def _lock_sha256(project: Path) -> str | None:
    try:
        content = (project / _LOCK).read_bytes()
    except OSError:
        return None
    for name, pinned in _PIN.findall(content.decode()):
        try:
            if version(name) != pinned:
                return None
        except PackageNotFoundError:
            return None
    return hashlib.sha256(content).hexdigest()


def settings_json(given: "dict[str, object]") -> str:
    """Return what a caller laid over a scale's settings, as far as results follow from it.

    Parameters
    ----------
    given : dict
        What ``--config`` said. What is `ASIDE` is left out, and so is where a source of structures
        lies, which is a path or an address of somebody's own.
    """
    kept = {name: value for name, value in given.items() if name not in ASIDE}
    if isinstance(source := kept.get("source"), dict):
        kept["source"] = {name: value for name, value in source.items() if name != "location"}
    return json.dumps(kept, sort_keys=True)
