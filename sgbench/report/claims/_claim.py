"""What a claim is, the decorator that enters one, and what rules have in common."""

import importlib
import pkgutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
import pandas as pd

from sgbench.models import REFERENCE_MODELS, base_name
from sgbench.plots import of_one_data
from sgbench.report._results import Results
from sgbench.report._rows import data_of, select
from sgbench.report._structures import StructureFacts
from sgbench.sets import SetSpec
from sgbench.symmetry import PAPER_FAMILIES

Verdict = Literal[
    "reproduced",
    "partly",
    "not reproduced",
    "too little training to judge",
    "not in these results",
]
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
_TOO_LITTLE, _NOT_RUN = VERDICTS[3:]
#: What a rule returns: the verdict, what was measured, and the reason.
Finding = tuple[Verdict, str, str]
#: Cases of a claim that is made of each of the article's families.
EACH_FAMILY = tuple({"family": family} for family in PAPER_FAMILIES)
POINT = 0.01
#: Why accuracies on the article's split flatter.
COPIES = (
    "The split is the article's stratified one, so most test structures have a training structure "
    "of the same prototype."
)

_OUTCOMES = dict(
    zip(VERDICTS, ("holds", "holds in part", "does not hold", *VERDICTS[3:]), strict=True)
)
# The items of the article in its order, then those of this project; others come last.
_ORDER = (
    "Fig. 2", "Fig. 3", "Fig. 4", "Fig. 5", "Fig. 6", "Fig. 7", "Fig. 8", "Table I",
    "Tables S1–S3", "Fig. 9", "Fig. 10", "Fig. S1", "Extinction classes",
    "Cells of minerals",
)  # fmt: skip


@dataclass(frozen=True)
class Claim:
    """A statement of the article, or of this project, beside what was measured.

    Attributes
    ----------
    key : str
        Unique, fit for an address.
    item : str
        Figure or table of the article, e.g. ``Fig. 9``; a section of this project's own where the
        article has none.
    statement, published, measured : str
    verdict : str
        One of `VERDICTS`.
    reason : str
        Why this verdict, and where what was measured differs from what the article did.
    """

    key: str
    item: str
    statement: str
    published: str
    measured: str
    verdict: Verdict
    reason: str

    @property
    def of_article(self) -> bool:
        """Whether it is the article's, and not one that this project sets itself."""
        return self.item.startswith(("Fig. ", "Table"))

    @property
    def outcome(self) -> str:
        """The verdict in words that fit: what is not the article's holds, or does not."""
        return self.verdict if self.of_article else _OUTCOMES[self.verdict]


class NotRunError(Exception):
    """Raised by a rule where what it needs is missing; the message becomes the reason."""


Judge = Callable[..., Claim]
_RULES: list[tuple[str, str, Judge, Sequence[Mapping[str, str]]]] = []


def claim(
    item: str,
    statement: str | Callable[..., str],
    published: str | Callable[..., str],
    cases: Sequence[Mapping[str, str]] = ({},),
    of_models: bool = True,
) -> Callable[[Callable[..., Finding]], Judge]:
    """Enter a claim; use as a decorator of its rule.

    The rule takes results and the values of a case. It raises `NotRunError` where it cannot judge.
    What it becomes takes the same and returns a `Claim`. The name of the rule gives the claim's
    key.

    Parameters
    ----------
    item : str
        As that of `Claim`.
    statement, published : str or callable
        A text in which ``{family}`` and other values of a case are filled in, or a function of
        them.
    cases : sequence of mapping
        Each makes a claim of its own.
    of_models : bool
        Whether it is about trained models, which the scale ``smoke`` trains far too little.
    """

    def enter(rule: Callable[..., Finding]) -> Judge:
        def judge(results: Results, **case: str) -> Claim:
            try:
                verdict, measured, reason = rule(results, **case)
            except NotRunError as missing:
                verdict, measured, reason = _NOT_RUN, "", str(missing)
            if of_models and results.scale == "smoke" and verdict != _NOT_RUN:
                verdict = _TOO_LITTLE
                reason = f"This scale only shows that every step runs. {reason}"
            words = [
                text(**case) if callable(text) else text.format(**case)
                for text in (statement, published)
            ]
            key = "-".join((rule.__name__.replace("_", "-"), *case.values()))
            return Claim(key, item, words[0], words[1], measured, verdict, reason)

        _RULES.append((item, rule.__module__, judge, cases))
        return judge

    return enter


def all_claims(results: Results) -> tuple[Claim, ...]:
    """Judge every claim, in the order of the article, and of their modules within an item."""
    import sgbench.report.claims as package

    for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        importlib.import_module(module.name)
    places = {item: place for place, item in enumerate(_ORDER)}
    ordered = sorted(_RULES, key=lambda entry: (places.get(entry[0], len(places)), *entry[:2]))
    return tuple(judge(results, **case) for _, _, judge, cases in ordered for case in cases)


def graded(fully: bool, partly: bool) -> Verdict:
    """Return the verdict where all of a claim holds, or a part of it, or nothing."""
    return VERDICTS[0] if fully else VERDICTS[1] if partly else VERDICTS[2]


def reference_rows(
    results: Results,
    family: str,
    scheme: str,
    pairs: Sequence[tuple[SetSpec, SetSpec]],
    models: Sequence[str] = REFERENCE_MODELS,
) -> tuple[list[Any], str]:
    """Return the rows that a claim is judged by.

    They are of the first reference model that has them all, so that no claim can choose the model
    that suits it; where none has, of the longest of its shortened trainings (``NAME@N``) that has
    them all, so that trainings of one length are compared. They are of the first test data that
    these training sets have in the table's order.

    Parameters
    ----------
    results : Results
    family, scheme : str
    pairs : sequence of (SetSpec, SetSpec)
        Training sets, which get the family, and test sets.
    models : sequence of str
        In the order of preference.

    Returns
    -------
    rows : list of Series
    how : str
        What `judged_by` says of them.

    Raises
    ------
    NotRunError
        If none of the models has all rows.
    """
    names = [(train.of(family).name, test.name) for train, test in pairs]
    trained, tested = (list(dict.fromkeys(part)) for part in zip(*names, strict=True))
    # Other training sets may have other test data of the same name: those of another protocol.
    table, others = of_one_data(results.table[results.table["train_set"].isin(trained)])
    for model in (*models, *_shortened(table, models)):
        found = [select(table, *pair, family, scheme, (model,)) for pair in names]
        if all(map(len, found)):
            rows = [one.iloc[0] for one in found]
            return rows, judged_by(rows, others)
    raise NotRunError(
        f"The leaderboard of this scale lacks rows of {models[0]} trained on {', '.join(trained)} "
        f"and tested on {', '.join(tested)}."
    )


def _shortened(table: pd.DataFrame, models: Sequence[str]) -> list[str]:
    """Return the models of a table that are others of a stated length, the longest first."""
    lengths = {
        (models.index(base_name(name)), -int(name.rpartition("@")[2])): name
        for name in table["model"].unique()
        if base_name(name) in models and base_name(name) != name
    }
    return [lengths[place] for place in sorted(lengths)]


def judged_by(rows: Sequence[Any], others: pd.DataFrame) -> str:
    """Say by which model, and by which data where `others` are rows on other test data."""
    several = set(zip(others["family"], others["test_set"], strict=True))
    notes = {
        f" {row['test_set']} has rows of several test data; the first are judged ({data_of(row)})."
        for row in rows
        if (row["family"], row["test_set"]) in several
    }
    return "".join([f"Model: {rows[0]['model']}.", *sorted(notes)])


def on_ceiling(row: Any, k: int = 1) -> bool:
    """Tell whether a top-k accuracy is on its ceiling: inside the interval, or within a point."""
    ceiling = row[f"ceiling_top{k}"]
    inside = row[f"top{k}_low"] <= ceiling <= row[f"top{k}_high"]
    return bool(inside or abs(row[f"gap_top{k}"]) < POINT)


def difference(first: Any, second: Any) -> tuple[float, float, float]:
    """Return how much the first row's top-1 accuracy exceeds the second's, with a 95 % interval.

    The interval comes from those of both rows as if they were independent (Newcombe, Stat. Med. 17,
    873, 1998, method 10).
    """
    value = first["top1"] - second["top1"]
    below = np.hypot(first["top1"] - first["top1_low"], second["top1_high"] - second["top1"])
    above = np.hypot(first["top1_high"] - first["top1"], second["top1"] - second["top1_low"])
    return float(value), float(value - below), float(value + above)


def budget(rows: Sequence[Any]) -> str:
    """Say how many patterns trainings saw."""
    if any(pd.isna(row["train_patterns"]) for row in rows):
        return "How many patterns the trainings saw is not recorded."
    patterns = sorted({int(row["train_patterns"]) for row in rows})
    if len(patterns) == 1:
        return f"Each training saw {patterns[0]:,} patterns."
    return f"The trainings saw {patterns[0]:,} to {patterns[-1]:,} patterns."


def origin_of(crystals: StructureFacts) -> str:
    """Say how many structures there are and where they come from."""
    source = crystals.source
    if source == "materials-project":
        return f"{len(crystals):,} structures of the Materials Project (the article: 155,360)."
    name = "AMCSD (minerals)" if source == "amcsd" else source
    return (
        f"{len(crystals):,} structures of the {name} in place of 155,360 of the Materials Project."
    )


def no_structures(what: str) -> NotRunError:
    """Return the reason of a claim for which structures are missing."""
    return NotRunError(f"There are not enough structures of {what}.")
