"""Install the wheel in a bare environment, evaluate a function there, and print the table.

Called by `make package-test`. Packages come as `pip` is set up to get them, in the versions of
requirements.lock. The recipe of the conda package is rendered by rattler-build, which reads it.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
import venv
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
QUIETLY = ("--quiet", "--quiet", "--disable-pip-version-check")
NEEDED = ("sgbench/py.typed", "sgbench/models/index.json", "sgbench/submission/template.yaml")
NOT_THERE = ("torch", "snakemake", "mlflow", "pymatgen", "cctbx", "sklearn")
SCRIPT = """
import importlib.util
import numpy as np
import sgbench

def uniform(patterns):
    return np.full((len(patterns), 36), 1 / 36)

print(sgbench.evaluate(uniform, scale="smoke"))
there = [name for name in {names} if importlib.util.find_spec(name)]
assert not there, there
"""


RECIPE = """
import sys
from rattler_build import Stage0Recipe, VariantConfig

(variant,) = Stage0Recipe.from_file(sys.argv[1]).render(VariantConfig())
print("rattler-build renders", variant.recipe.package.name, variant.recipe.package.version)
"""


def main() -> None:
    """Build, install and use the wheel; what fails ends this."""
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        wheel = built(folder)
        lacking = set(NEEDED) - set(zipfile.ZipFile(wheel).namelist())
        if lacking:
            sys.exit(f"error: {wheel.name} lacks {', '.join(sorted(lacking))}")
        venv.create(folder / "bare", with_pip=True)
        python = folder / "bare" / "bin" / "python"
        pip = [python, "-m", "pip", "install", *QUIETLY, "--no-compile"]
        call(*pip, "--constraint", ROOT / "requirements.lock", wheel)
        call(python, "-m", "pip", "check", *QUIETLY)
        call(python, "-I", "-c", SCRIPT.replace("{names}", repr(NOT_THERE)))
        call(folder / "bare" / "bin" / "sgbench", "submission", "new", folder / "mine")
        groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
        call(*pip, *groups["recipe"])
        call(python, "-I", "-c", RECIPE, ROOT / "recipe" / "recipe.yaml")
    print(
        f"\nThe wheel scores a function in a bare environment ({time.monotonic() - started:.0f} s)"
    )


def built(folder: Path) -> Path:
    """Build from a copy: a build leaves files beside its sources, which go into the next one."""
    source = folder / "source"
    source.mkdir()
    for name in ("pyproject.toml", "setup.py", "README.md", "LICENSE"):
        shutil.copy2(ROOT / name, source)
    for name in ("sgbench", "snakemake_logger_plugin_sgbench"):
        shutil.copytree(
            ROOT / name, source / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info")
        )
    pip = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    call(*pip, "--wheel-dir", folder, source)
    (wheel,) = folder.glob("*.whl")
    return wheel


def call(*command: object) -> None:
    """Run a command outside of the repository, without what its environment adds."""
    words = [str(word) for word in command]
    done = subprocess.run(words, cwd=tempfile.gettempdir(), env=environment(), check=False)
    if done.returncode:
        sys.exit(f"error: {' '.join(words)[:200]} ended with status {done.returncode}")


def environment() -> dict[str, str]:
    """Return this environment without the way to these sources."""
    return {name: value for name, value in os.environ.items() if not name.startswith("PYTHONPATH")}


if __name__ == "__main__":
    main()
