"""What scoring in Python gives: a table for eyes, and scores to go on with."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, overload

from sgbench.evaluation import SCHEME_NAMES, Score
from sgbench.text import percent, table_html, table_text

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


@dataclass(frozen=True, repr=False)
class Evaluation(Sequence[Score]):
    """Scores of one model on the test sets of a track.

    It is a sequence of them. Python prints it as a table, and a notebook shows it as one.

    Attributes
    ----------
    title : str
        The model, the track and the scale.
    scores : tuple of Score
        For each test set, by space group and by extinction class.
    """

    title: str
    scores: tuple[Score, ...]

    @overload
    def __getitem__(self, index: int) -> Score: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Score]: ...
    def __getitem__(self, index: int | slice) -> Score | Sequence[Score]:
        return self.scores[index]

    def __len__(self) -> int:
        return len(self.scores)

    def __iter__(self) -> Iterator[Score]:
        return iter(self.scores)

    def __repr__(self) -> str:
        return f"{self._caption}\n\n{table_text(self._rows())}".rstrip("\n")

    def _repr_html_(self) -> str:
        return table_html(self._rows(), self._caption)

    def to_frame(self) -> "pd.DataFrame":
        """Return the scores as rows of a leaderboard (`sgbench.leaderboard.COLUMNS`), as fractions.

        So they can be laid below those of ``results/leaderboard.csv``.
        """
        from sgbench.leaderboard import build_table

        return build_table(self.scores)

    def plot(self) -> "Figure":
        """Show top-1 to top-5 accuracy with its 95 % interval, beside its ceiling.

        Returns
        -------
        Figure
            With `savefig`; a notebook shows it after ``%matplotlib inline``.
        """
        from sgbench.plots import top_k_by_scheme

        return top_k_by_scheme(self.to_frame())

    @property
    def _caption(self) -> str:
        return f"{self.title}, in percent"

    def _rows(self) -> list[dict[str, Any]]:
        return [
            {
                "test set": one.test_set,
                "labels": SCHEME_NAMES[one.class_scheme],
                "n": one.n_test,
                "top-1": _percent(one.top[0]),
                "95 % interval": f"{_percent(one.top_low[0])} to {_percent(one.top_high[0])}",
                "ceiling": None if one.ceiling is None else _percent(one.ceiling[0]),
                "top-5": _percent(one.top[4]),
                "calibration error": _percent(one.ece),
            }
            for one in self.scores
        ]


def _percent(fraction: float) -> Decimal:
    return Decimal(percent(fraction))  # which prints as 5.0, and not as 5
