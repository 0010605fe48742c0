"""The page of commands: what `--help` says, so that it is said once."""

import re
import subprocess
import sys
from typing import Any

from sphinx.application import Sphinx

PAGE = "commands"
# Cut off after a few words; the commands follow in full.
_LIST = re.compile(r"\*\*Commands\*\*:\n\n(\* .*\n)+\n?")


def reference() -> str:
    """Return all commands with their options, as Markdown below a heading."""
    told = subprocess.run(
        [sys.executable, "-m", "typer", "sgbench.cli._app", "utils", "docs", "--name", "sgbench"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    return _LIST.sub("", told[told.index("\n## ") :])


def _source_read(_app: Sphinx, page: str, source: list[str]) -> None:
    if page == PAGE:
        source[0] += reference()


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect to the reading of pages."""
    app.connect("source-read", _source_read)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
