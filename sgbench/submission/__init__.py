"""Submissions of strangers: checked, scored and put on the leaderboard, nothing of them trusted."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sgbench.submission._description import Submission
    from sgbench.submission._new import new_submission, write_patterns
    from sgbench.submission._problems import Problem, RefusedError
    from sgbench.submission._python import evaluate
    from sgbench.submission._rows import add_rows, write_scores
    from sgbench.submission._sandbox import Limits
    from sgbench.submission._scoring import (
        Checked,
        check_submission,
        score_sealed,
        score_submission,
    )
    from sgbench.submission._seal import Round, read_round, reveal_round, seal_round
    from sgbench.submission._track import (
        PER_SPACEGROUP,
        Shuffled,
        Track,
        public_samples,
        sealed_samples,
    )

_MODULES = {
    "_description": ("Submission",),
    "_new": ("new_submission", "write_patterns"),
    "_problems": ("Problem", "RefusedError"),
    "_python": ("evaluate",),
    "_rows": ("add_rows", "write_scores"),
    "_sandbox": ("Limits",),
    "_scoring": ("Checked", "check_submission", "score_sealed", "score_submission"),
    "_seal": ("Round", "read_round", "reveal_round", "seal_round"),
    "_track": (
        "PER_SPACEGROUP", "Shuffled", "Track", "public_samples", "sealed_samples",
    ),
}  # fmt: skip

__all__ = [
    "PER_SPACEGROUP",
    "Checked",
    "Limits",
    "Problem",
    "RefusedError",
    "Round",
    "Shuffled",
    "Submission",
    "Track",
    "add_rows",
    "check_submission",
    "evaluate",
    "new_submission",
    "public_samples",
    "read_round",
    "reveal_round",
    "score_sealed",
    "score_submission",
    "seal_round",
    "sealed_samples",
    "write_patterns",
    "write_scores",
]


def __getattr__(name: str) -> Any:
    # The processes that handle strangers' files are modules of this package: they must have one
    # thread and little memory when they start, which what is listed here would take from them.
    for module, names in _MODULES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
