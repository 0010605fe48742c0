"""The architecture's promises about imports."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import sgbench

# docs/architecture.md: imports point one way, from right to left.
ORDER = (
    "errors", "files", "workers", "symmetry", "diffraction", "decoder", "datasets", "models",
    "training", "evaluation", "leaderboard", "submission", "plots", "report", "site", "cli",
)  # fmt: skip
ROOT = Path(sgbench.__file__).parent


def imported(path: Path) -> set[str]:
    """Parts of sgbench that a module imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        names = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        names += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        found |= {name.split(".")[1] for name in names if name.startswith("sgbench.")}
    return found


def typing_only(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            for inner in node.body:
                if isinstance(inner, ast.ImportFrom) and (inner.module or "").startswith("sgbench"):
                    found.add(inner.module.split(".")[1])
    return found


@pytest.mark.parametrize("part", ORDER[3:-1])
def test_imports_point_one_way(part):
    allowed = set(ORDER[: ORDER.index(part) + 1])
    modules = list((ROOT / part).rglob("*.py"))
    assert modules
    for path in modules:
        assert imported(path) - typing_only(path) <= allowed, path


def all_imports(path: Path) -> set[str]:
    """Modules that a module imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            found.add(node.module or "")
        elif isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
    return found


@pytest.mark.parametrize(
    ("package", "worker"),
    [("cctbx", "cctbx_worker"), ("iotbx", None), ("pyxtal", "pyxtal_worker")],
)
def test_only_its_worker_imports_a_package(package, worker):
    guilty = {
        path.stem
        for path in ROOT.rglob("*.py")
        if package in {name.split(".")[0] for name in all_imports(path)}
    }
    assert guilty == ({worker} if worker else set())


def test_nobody_imports_a_worker():
    """They are run, since what they import does not go with what others import."""
    for path in ROOT.rglob("*.py"):
        assert not all_imports(path) & {"sgbench.cctbx_worker", "sgbench.pyxtal_worker"}, path


def test_cctbx_is_imported_first():
    """After packages with an older C++ runtime it would end the process."""
    body = ast.parse((ROOT / "cctbx_worker.py").read_text()).body
    first = next(node for node in body if isinstance(node, ast.Import | ast.ImportFrom))
    assert isinstance(first, ast.ImportFrom)
    assert first.module == "cctbx"


def test_listings_do_not_wait_for_torch():
    code = (
        "import sys; sys.argv[1:] = ['ceilings']\n"
        "from sgbench.cli import main\n"
        "try: main()\n"
        "except SystemExit: pass\n"
        "heavy = {'torch', 'mlflow', 'pandas', 'cctbx', 'pymatgen', 'pyxtal', 'mp_api', "
        "'optimade', 'matplotlib', 'mlcroissant'} & sys.modules.keys()\n"
        "sys.exit(' '.join(heavy) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
