"""What is said when a package of an extra is not installed, wherever sgbench imports it."""

import sys
from types import FrameType

from sgbench.errors import SgbenchError

#: Extras of pyproject.toml, and the names under which their packages are imported.
EXTRAS = {
    "workflow": ("markdown_it", "psutil", "snakemake"),
    "structures": (
        "cctbx", "iotbx", "larixite", "mlcroissant", "mp_api", "optimade", "pymatgen", "pyxtal",
        "requests", "spglib", "urllib3",
    ),
    "sklearn": ("joblib", "sklearn", "skops"),
    "torch": ("onnxscript", "safetensors", "timm", "torch", "torchvision"),
    "tracking": ("mlflow",),
}  # fmt: skip
_EXTRA_OF = {package: extra for extra, packages in EXTRAS.items() for package in packages}


class MissingExtraError(SgbenchError, ModuleNotFoundError):
    """A package is asked for that an extra brings, and the extra is not installed."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(
            f"{package} is not installed; expected what the extra '{extra}' brings. Install it: "
            f"pip install 'sgbench[{extra}]'."
        )
        self.name = package
        self.extra = extra

    def __reduce__(self) -> tuple[type, tuple[str | None, str]]:
        return type(self), (self.name, self.extra)  # whole from one process to another


class _LastFinder:
    """Whom Python asks for a module last of all, when nobody else has found it.

    The sentence is for imports of ours alone: others may try a package and go on without it.
    """

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> None:
        extra = _EXTRA_OF.get(name)
        if extra and _is_ours(sys._getframe(1)):
            raise MissingExtraError(name, extra)


def name_missing_extras() -> None:
    """Have Python name the extra where an import of sgbench finds no package."""
    if _LastFinder not in sys.meta_path:
        sys.meta_path.append(_LastFinder)


def _is_ours(frame: FrameType | None) -> bool:
    """Tell whether what imports is a module of sgbench; between are frames of importlib."""
    while frame is not None and frame.f_globals.get("__package__") == "importlib":
        frame = frame.f_back
    package = frame.f_globals.get("__package__") if frame else None
    return str(package).partition(".")[0] == "sgbench"
