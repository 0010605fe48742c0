"""What is wrong with a submission, said so that its author can mend it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from sgbench.errors import SgbenchError

_LONGEST = 200


@dataclass(frozen=True)
class Problem:
    """One thing to mend.

    Attributes
    ----------
    where : str
        File, and the place in it.
    found, expected : str
    mend : str
        What to do, as a sentence.
    """

    where: str
    found: str
    expected: str
    mend: str

    def __str__(self) -> str:
        return f"{self.where}: {self.found}; expected {self.expected}. {self.mend}"


class RefusedError(SgbenchError):
    """A submission that cannot be scored, with everything that is wrong with it."""

    def __init__(self, folder: Path, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        super().__init__("\n".join([f"{folder.name}: {count}", *map(str, problems)]))


def shown(value: object) -> str:
    """Return a stranger's value as it can be printed: on one line, plain and not long."""
    text = value if isinstance(value, str) else repr(value)
    safe = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text[: _LONGEST + 1])
    return safe if len(safe) <= _LONGEST else safe[:_LONGEST] + "…"
