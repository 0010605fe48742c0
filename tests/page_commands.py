"""The commands of a page of the documentation, run as they stand.

A block with a title is a file, which is written. Of the others, ``sh`` and ``bash`` are run,
``python`` is given to the interpreter, and of ``console`` the commands are run and must print what
the page says. All of a page run one after the other in one shell and one folder. A block after
``<!-- skip: why -->`` is left out.
"""

import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

PROJECT = Path(__file__).parents[1]
_BLOCK = re.compile(
    r"(?:^<!-- skip: (?P<skip>[^\n]+) -->\n+)?"
    r'^```(?P<kind>\w+)(?: title="(?P<title>[^"]+)")?\n(?P<text>.*?)^```$',
    re.DOTALL | re.MULTILINE,
)
_END = "END-OF-BLOCK"
RUN = ("sh", "bash", "python", "console")


def blocks(page: Path, kinds: Sequence[str] = RUN) -> list[re.Match[str]]:
    """Return what is to be written or run, in order."""
    found = _BLOCK.finditer(page.read_text(encoding="utf-8"))
    return [one for one in found if not one["skip"] and (one["title"] or one["kind"] in kinds)]


def script(page: Path, kinds: Sequence[str] = RUN) -> str:
    """Return a page as one script, which names the line of the page before each block."""
    parts = ["set -e -o pipefail"]
    for block in blocks(page, kinds):
        line = block.string.count("\n", 0, block.start("text"))
        parts.append(f"echo '# {page.name}, line {line}' >&2")
        parts += _as_shell(block)
    return "\n".join(parts)


def run_page(
    page: Path, folder: Path, timeout: float = 300, kinds: Sequence[str] = RUN
) -> subprocess.CompletedProcess[str]:
    """Run a page in a folder; fail with what was printed last."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    done = subprocess.run(
        ["bash"], input=script(page, kinds), cwd=folder, env=os.environ | {"PATH": path},
        capture_output=True, text=True, timeout=timeout, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return done


def _as_shell(block: re.Match[str]) -> list[str]:
    text = block["text"]
    if block["title"]:
        return [f"mkdir -p $(dirname {block['title']})", f"cat > {block['title']} {_here(text)}"]
    if block["kind"] == "python":
        return [f"python - {_here(text)}"]
    if block["kind"] == "console":
        return [
            # What follows a command may be cut off by `head`, which ends the command.
            f"diff -b --unified <({command}) - {_here(expected)}"
            for command, expected in re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", text, re.MULTILINE)
        ]
    return [text]


def _here(text: str) -> str:
    return f"<<'{_END}'\n{text}{_END}"
