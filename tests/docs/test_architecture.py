"""docs/architecture.md speaks of what exists."""

import importlib
import re
import subprocess
import sys
from pathlib import Path

from maintainers_tools import ROOT, tool

PAGE = (ROOT / "docs" / "architecture.md").read_text()
MOST_LINES = 500


def test_the_picture_of_the_layers_is_that_of_the_contract():
    assert tool("layers").with_picture(PAGE) == PAGE
    for package in (ROOT / "sgbench").glob("*/__init__.py"):
        assert f" {package.parent.name}" in tool("layers").picture()


def test_the_contracts_of_imports_hold():
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


def test_nouns_are_classes():
    table = PAGE.partition("| noun |")[2].partition("\n\n")[0]
    nouns = re.findall(r"`(\w+)\.(\w+)`", table)
    assert len(nouns) > 10
    for package, name in nouns:
        assert isinstance(getattr(importlib.import_module(f"sgbench.{package}"), name), type), name


def test_files_that_the_page_names_exist():
    for name in re.findall(r"`([a-z_]+/[\w/]+\.py)`", PAGE):
        assert (ROOT / "sgbench" / name).exists() or (ROOT / name).exists(), name


def test_modules_stay_small():
    long = {
        str(path.relative_to(ROOT)): n
        for path in (ROOT / "sgbench").rglob("*.py")
        if (n := len(path.read_text().splitlines())) > MOST_LINES
    }
    assert long == {}
