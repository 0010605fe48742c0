"""What `pip install sgbench` brings is enough to score a model, and extras are named where not."""

import ast
import pickle
import subprocess
import sys
import tomllib
from importlib.metadata import packages_distributions, requires
from importlib.util import find_spec
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import sgbench
from sgbench.errors import SgbenchError
from sgbench.extras import EXTRAS, MissingExtraError

ROOT = Path(sgbench.__file__).parent
PROJECT = tomllib.loads((ROOT.parent / "pyproject.toml").read_text())["project"]
STATED = {
    "": PROJECT["dependencies"],
    **{extra: PROJECT["optional-dependencies"][extra] for extra in EXTRAS},
}
BRINGS = {
    extra: {canonicalize_name(Requirement(one).name) for one in stated}
    for extra, stated in STATED.items()
}
OF_MODULE = {
    module: {canonicalize_name(name) for name in names}
    for module, names in packages_distributions().items()
}


def base() -> set[str]:
    """Modules that `pip install sgbench` brings, with those that its packages need in turn."""
    found, pending = set(), [Requirement(one) for one in PROJECT["dependencies"]]
    while pending:
        one = pending.pop()
        if canonicalize_name(one.name) in found:
            continue
        found.add(canonicalize_name(one.name))
        for text in requires(one.name) or []:
            needed = Requirement(text)
            extras = one.extras or {""}
            if not needed.marker or any(needed.marker.evaluate({"extra": e}) for e in extras):
                pending.append(needed)
    return {module for module, names in OF_MODULE.items() if names & found}


# Python finds no module of other packages than those.
WITHOUT = """
import sys
from importlib.machinery import PathFinder

class Bare(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        missing = name.partition(".")[0] in {missing}
        return None if missing else super().find_spec(name, path, target)

sys.meta_path[sys.meta_path.index(PathFinder)] = Bare
"""


def run(code: str) -> str:
    missing = sorted(set(OF_MODULE) - base() - {"sgbench"})
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT.replace("{missing}", repr(missing)) + code],
        capture_output=True, text=True, check=False, cwd=ROOT.parent,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


def imports() -> dict[str, set[str]]:
    """Packages of others that sgbench imports anywhere, and the modules of ours that do."""
    found: dict[str, set[str]] = {}
    for path in ROOT.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                names = [str(node.module)]
            for name in names:
                package = name.partition(".")[0]
                if package not in sys.stdlib_module_names | {"sgbench"}:
                    found.setdefault(package, set()).add(str(path.relative_to(ROOT)))
    return found


def test_each_import_is_of_a_package_that_is_asked_for():
    unasked = {}
    for package, where in imports().items():
        extra = next((extra for extra, modules in EXTRAS.items() if package in modules), "")
        # pydantic pins its core to one version.
        brought = OF_MODULE["pydantic" if package == "pydantic_core" else package]
        if not brought & BRINGS[extra]:
            unasked[package] = where
    assert unasked == {}


def test_each_package_of_an_extra_is_named_by_a_module():
    for extra, modules in EXTRAS.items():
        assert BRINGS[extra] == set().union(*(OF_MODULE[one] for one in modules)) & BRINGS[extra]
        assert all(OF_MODULE[one] & BRINGS[extra] for one in modules)


def test_all_is_all_of_them_and_developers_have_it():
    (everything,) = PROJECT["optional-dependencies"]["all"]
    assert Requirement(everything).extras == set(EXTRAS)
    assert "sgbench[all]" in PROJECT["optional-dependencies"]["dev"]


def test_a_bare_installation_scores_a_function_and_shows_it():
    said = run(
        """
import numpy as np, sgbench
from sgbench.submission import _track
_track.PER_SPACEGROUP["smoke"] = 2

def uniform(patterns):
    return np.full((len(patterns), 36), 1 / 36)

found = sgbench.evaluate(uniform, scale="smoke")
print(found)
assert "<table>" in found._repr_html_()
assert len(found.to_frame()) == 4
assert len(found.plot().axes) == 2
print(*({name.partition(".")[0] for name in sys.modules} & {"torch", "sklearn", "mlflow"}))
"""
    )
    assert said.startswith("uniform on ulbd-cubic at scale smoke")
    assert said.endswith("\n\n")


def test_its_commands_list_what_there_is_and_name_the_extra_for_the_rest(tmp_path):
    commands = [
        ["classes", "cubic"], ["models"], ["models", "--pretrained"], ["plan", "laptop"],
        ["dataset", "list"], ["dataset", "test-sets"], ["dataset", "sources"],
        ["submission", "new", str(tmp_path / "mine")],
        ["train", "cnn-park2017", "ulbd-cubic", "--patterns", "64", "-o", str(tmp_path / "m.pt")],
        ["dataset", "build", "cddd", "--source", "amcsd", "-o", str(tmp_path / "cddd.parquet")],
        ["submission", "check", str(tmp_path / "mine")],
    ]  # fmt: skip
    said = run(
        f"""
import contextlib, io
from sgbench.cli import main
for words in {commands}:
    sys.argv[1:] = words
    out, err, status = io.StringIO(), io.StringIO(), 0
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            main()
    except SystemExit as end:
        status = end.code
    print(status or 0, err.getvalue().replace(chr(10), " "))
"""
    )
    lines = said.splitlines()
    assert [line.rstrip() for line in lines[:8]] == ["0"] * 8, said
    for line, extra in zip(lines[8:10], ("torch", "structures"), strict=True):
        assert line.startswith("2 error: ")
        assert f"pip install 'sgbench[{extra}]'" in line
    assert "sgbench[" not in lines[10]


def test_a_missing_package_is_an_error_of_both_kinds():
    with pytest.raises(SgbenchError, match=r"torch is not installed; .*'sgbench\[torch\]'") as info:
        raise MissingExtraError("torch", "torch")
    assert isinstance(info.value, ImportError)
    assert info.value.name == "torch"
    copied = pickle.loads(pickle.dumps(info.value))
    assert (str(copied), copied.name) == (str(info.value), "torch")


def test_others_find_out_by_themselves():
    """What tries a package and goes on without it is none of our business."""
    said = run(
        """
import sgbench, importlib.util
print(importlib.util.find_spec("torch"))
try:
    import torch
except ImportError as error:
    print(type(error).__name__)
"""
    )
    assert said.split() == ["None", "ModuleNotFoundError"]
    assert find_spec("torch") is not None


def test_types_are_told():
    assert (ROOT / "py.typed").is_file()
