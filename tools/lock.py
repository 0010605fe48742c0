"""Write requirements.lock and environment.yml from what is installed beside this interpreter.

Called by `make lock` with the interpreter of a fresh environment.
"""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
HEADER = """\
# Exact versions of all that `pip install .[dev]` brings, for Python 3.11+ on Linux (x86-64).
# Made by `make lock`, together with environment.yml.
"""
CONDA = """\
# conda env create -f environment.yml && conda activate sgbench
# pip install --no-deps --no-build-isolation --editable .
# The same pins as requirements.lock; `make lock` writes both.
name: sgbench
channels:
  - conda-forge
dependencies:
  - python=3.11
  - pip
  - pip:
"""


def main() -> None:
    """Freeze and write both files."""
    freeze = [sys.executable, "-m", "pip", "freeze", "--all", "--exclude", "sgbench"]
    lines = subprocess.run(freeze, check=True, capture_output=True, text=True).stdout.splitlines()
    pins = sorted(line for line in lines if "==" in line and not line.startswith("pip=="))
    (ROOT / "requirements.lock").write_text(HEADER + "".join(f"{pin}\n" for pin in pins))
    (ROOT / "environment.yml").write_text(CONDA + "".join(f"      - {pin}\n" for pin in pins))


if __name__ == "__main__":
    main()
