"""The command that makes a row again, from what the row says of how it was made."""

import hashlib
import json
import re
import shlex
from collections.abc import Mapping
from typing import Any

from sgbench.provenance import ASIDE

_COMMIT = re.compile(r"[0-9a-f]{40}")
# A terminal obeys control characters of what is pasted, whatever quotes are around them; and a name
# is one part of a path.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@+:,-]*")
_SUBMITTED = ("self-reported", "verified")
_OWN_STRUCTURES = "source"


def command_again(row: Mapping[str, Any]) -> str | None:
    """Return the command that makes a row again, for a shell in a clone of the project.

    It works in a folder of its own beside the clone, since the workflow makes nothing again that is
    there. Where that folder is there already, git says so and nothing is done. It ends with a table
    of the model's rows, whose `IDENTITY` and checksums are those of the row where the machine
    computes alike.

    Parameters
    ----------
    row : mapping
        Of the leaderboard, by its columns.

    Returns
    -------
    str or None
        None for what the workflow did not make, such as rows of scale ``custom``, for what was
        made from structures of somebody's own, for rows of before it was recorded, and where a name
        is none of the workflow's.
    """
    given = _settings(row.get("settings"))
    commits = str(row.get("commit")).split()
    # Seeds that were made by several commits are not made again by one.
    if given is None or len(commits) != 1 or not _COMMIT.fullmatch(commits[0]):
        return None
    names = [str(row[name]) for name in ("scale", "model", "train_set")]
    if not all(map(_NAME.fullmatch, names)):
        return None
    scale, model, train_set = names
    asked = [f"scale={scale}", "kept=false", *(f"{key}={given[key]}" for key in sorted(given))]
    if row["status"] in _SUBMITTED:
        target = f"results/{scale}/submissions"
        gather = ["sgbench", "leaderboard", f"{target}/{model}", "--output", "row.csv"]
    else:
        trained_on = f"none-{row['family']}" if train_set == "none" else train_set
        target, gather = f"results/{scale}/rows/{trained_on}/{model}.csv", []
    ask = ["snakemake", "--cores", "all", "--config", *asked, "--", target]
    place = f"../again-{commits[0][:7]}-{hashlib.sha256(shlex.join(ask).encode()).hexdigest()[:7]}"
    steps = [
        ["git", "worktree", "add", "--quiet", "--detach", place, commits[0]],
        ["cd", place],
        ["make", "setup"],
        [".", ".venv/bin/activate"],
        ask,
        gather,
    ]
    return " && ".join(shlex.join(step) for step in steps if step)


def _settings(text: object) -> dict[str, str] | None:
    """Return what was laid over the scale's settings, as Snakemake takes it; None if unknown."""
    try:
        given = json.loads(str(text))
    except (ValueError, RecursionError):
        return None
    if not isinstance(given, dict) or given.keys() & {_OWN_STRUCTURES, *ASIDE}:
        return None
    if not all(name.isidentifier() for name in given):
        return None
    return {name: json.dumps(value) for name, value in given.items()}
