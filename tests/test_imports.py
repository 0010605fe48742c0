"""What imports promise, beside the layers (tests/docs/test_architecture.py)."""

import ast
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest
from typer.main import get_command

import sgbench

ROOT = Path(sgbench.__file__).parent


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
        assert not all_imports(path) & {
            "sgbench.structures.cctbx_worker",
            "sgbench.structures.pyxtal_worker",
        }, path


def test_cctbx_is_imported_first():
    """After packages with an older C++ runtime it would end the process."""
    body = ast.parse((ROOT / "structures" / "cctbx_worker.py").read_text()).body
    first = next(node for node in body if isinstance(node, ast.Import | ast.ImportFrom))
    assert isinstance(first, ast.ImportFrom)
    assert first.module == "cctbx"
    # The worker's own package comes before it.
    code = (
        "import sys; import sgbench.structures\n"
        "known = {'sgbench'} | sys.stdlib_module_names\n"
        "found = {name.split('.')[0] for name in sys.modules} - known\n"
        "sys.exit(' '.join(n for n in found if not n.startswith('_')) or 0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


_HEAVY = (
    "torch", "mlflow", "pandas", "cctbx", "pymatgen", "pyxtal", "mp_api", "optimade", "matplotlib",
    "mlcroissant", "timm", "onnxruntime", "sklearn", "snakemake",
)  # fmt: skip
# These take most of what help may take.
_FOR_NUMBERS = ("numpy", "numba", "scipy", "pyarrow", "rich")


def imported(arguments: list[list[str]], packages: tuple[str, ...]) -> set[str]:
    """Which of some packages are there after some commands, in a process of its own."""
    code = (
        "import contextlib, io, sys\n"
        "from sgbench.cli import main\n"
        f"for words in {arguments}:\n"
        "    sys.argv[1:] = words\n"
        "    with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):\n"
        "        main()\n"
        f"print(*({set(packages)} & sys.modules.keys()))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=ROOT.parent
    )
    assert done.returncode == 0, done.stderr
    return set(done.stdout.split())


def test_listings_do_not_wait_for_torch():
    listings = [
        ["ceilings"], ["models"], ["models", "--pretrained"], ["plan", "laptop"],
        ["dataset", "list"], ["dataset", "test-sets"], ["dataset", "sources"],
    ]  # fmt: skip
    assert imported(listings, _HEAVY) == set()
    # Each of these takes half a second, and a listing computes nothing.
    assert (
        imported([["dataset", "list"], ["classes", "cubic"]], ("numba", "pyarrow", "scipy"))
        == set()
    )


def test_help_waits_for_no_numbers():
    app = import_module("sgbench.cli._app").app
    group = get_command(app)
    commands = [[name, "-h"] for name in group.list_commands(None)]
    assert len(commands) > 20
    deep = [["dataset", "build", "-h"], ["submission", "check", "-h"], ["track", "sync", "-h"]]
    told = [[], ["-h"], ["--help"], ["--version"], *commands, *deep]
    assert imported(told, (*_HEAVY, *_FOR_NUMBERS)) == set()
