"""Compile now what is compiled at its first use, so that no job of the workflow waits for it.

Numba keeps the machine code beside the sources, in `__pycache__`. `make setup` runs this.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

from sgbench.models import REFERENCE

COMMANDS = (
    f"train {REFERENCE} ulbd-physical-cubic --patterns 128 --batch-size 32 -o m.pt",
    "predict decoder-pawley --family tetragonal --test-set ulbd-off-mesh --per-spacegroup 1 -o p",
    "ceilings --exact cubic",
    "predict control-posterior --family cubic --test-set ulbd-off-mesh+readout-1 "
    "--per-spacegroup 1 -o q",
)


def main() -> None:
    """Run a small example of each kind of work, all at once; a failure ends with its message."""
    sgbench = str(Path(sys.executable).parent / "sgbench")
    with tempfile.TemporaryDirectory() as folder:
        running = [
            subprocess.Popen(
                [sgbench, *command.split()], cwd=folder, text=True,
                stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
            )
            for command in COMMANDS
        ]  # fmt: skip
        said = [process.communicate()[1] for process in running]
    for process, text in zip(running, said, strict=True):
        if process.returncode:
            sys.exit(text)


if __name__ == "__main__":
    main()
