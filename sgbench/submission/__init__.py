"""Submissions of strangers: checked, scored and put on the leaderboard, nothing of them trusted."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sgbench.submission._all import HOME, LEFT_OUT, score_all, submission_folders
    from sgbench.submission._description import Submission
    from sgbench.submission._evaluation import Evaluation
    from sgbench.submission._folder import MOST_BYTES
    from sgbench.submission._new import new_submission, write_patterns
    from sgbench.submission._problems import Problem, RefusedError
    from sgbench.submission._python import evaluate
    from sgbench.submission._rows import add_rows, write_scores
    from sgbench.submission._sandbox import Limits, walls
    from sgbench.submission._scoring import (
        Checked,
        Compared,
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
    from sgbench.submission._verify import verify_submission

_MODULES = {
    "_all": ("HOME", "LEFT_OUT", "score_all", "submission_folders"),
    "_description": ("Submission",),
    "_evaluation": ("Evaluation",),
    "_folder": ("MOST_BYTES",),
    "_new": ("new_submission", "write_patterns"),
    "_problems": ("Problem", "RefusedError"),
    "_python": ("evaluate",),
    "_rows": ("add_rows", "write_scores"),
    "_sandbox": ("Limits", "walls"),
    "_scoring": ("Checked", "Compared", "check_submission", "score_sealed", "score_submission"),
    "_seal": ("Round", "read_round", "reveal_round", "seal_round"),
    "_track": (
        "PER_SPACEGROUP", "Shuffled", "Track", "public_samples", "sealed_samples",
    ),
    "_verify": ("verify_submission",),
}  # fmt: skip

__all__ = [
    "HOME",
    "LEFT_OUT",
    "MOST_BYTES",
    "PER_SPACEGROUP",
    "Checked",
    "Compared",
    "Evaluation",
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
    "score_all",
    "score_sealed",
    "score_submission",
    "seal_round",
    "sealed_samples",
    "submission_folders",
    "verify_submission",
    "walls",
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
