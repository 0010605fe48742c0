"""Reproducible benchmark for predicting space groups from powder diffraction patterns."""

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

from sgbench.extras import name_missing_extras
from sgbench.version import __version__

if TYPE_CHECKING:
    from sgbench.identification import identify
    from sgbench.submission import evaluate

__all__ = ["__version__", "evaluate", "identify"]

name_missing_extras()

# numba knows no other limit on its threads and reads this one once, when it is imported. Without
# it, several trainings side by side wait for each other's threads.
if os.environ.get("OMP_NUM_THREADS", "").isdigit():
    os.environ.setdefault("NUMBA_NUM_THREADS", os.environ["OMP_NUM_THREADS"])


# These load more than most commands need.
_HOMES = {"evaluate": "submission", "identify": "identification"}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(import_module(f"sgbench.{_HOMES[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
