"""Reproducible benchmark for predicting space groups from powder diffraction patterns."""

import os
from typing import TYPE_CHECKING, Any

from sgbench.extras import name_missing_extras
from sgbench.version import __version__

if TYPE_CHECKING:
    from sgbench.submission import evaluate

__all__ = ["__version__", "evaluate"]

name_missing_extras()

# numba knows no other limit on its threads and reads this one once, when it is imported. Without
# it, several trainings side by side wait for each other's threads.
if os.environ.get("OMP_NUM_THREADS", "").isdigit():
    os.environ.setdefault("NUMBA_NUM_THREADS", os.environ["OMP_NUM_THREADS"])


def __getattr__(name: str) -> Any:
    # Scoring loads more than most commands need.
    if name == "evaluate":
        from sgbench.submission import evaluate

        return evaluate
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
