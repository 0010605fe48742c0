"""What tells rows of results apart, and which of them can be compared."""

from sgbench.evaluation import Score

#: What tells rows apart. Rows that differ in source or checksum were tested on other data.
IDENTITY = (
    "model", "train_set", "test_set", "source", "test_sha256", "family", "class_scheme", "scale",
)  # fmt: skip
#: What rows share that are ranked, paired or drawn beside one another.
TESTED_ON = tuple(name for name in IDENTITY if name not in ("model", "train_set"))


def identity(score: Score) -> dict[str, str]:
    """Return the values of `IDENTITY` of a score."""
    values = {**score.provenance, **vars(score)}
    return {name: str(values[name]) for name in IDENTITY}


def tested_on(score: Score) -> tuple[str, ...]:
    """Return the values of `TESTED_ON` of a score."""
    values = identity(score)
    return tuple(values[name] for name in TESTED_ON)
