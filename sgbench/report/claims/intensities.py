"""What intensities as crystals have them are worth: beyond the article."""

from sgbench.leaderboard import pair_p
from sgbench.plots.shown import CDDD, CDDD_IN_DOMAIN, PHYSICAL, ULBD, WITHOUT
from sgbench.report._format import interval, points, samples
from sgbench.report._results import Results
from sgbench.report.claims._claim import (
    EACH_FAMILY,
    Finding,
    budget,
    claim,
    graded,
    reference_rows,
)


@claim(
    "Physical intensities",
    "ULBD-physical is ahead of ULBD on real structures ({family}).",
    "not in the article; asked for: ahead beyond the intervals",
    EACH_FAMILY,
)
def physical_is_ahead(results: Results, family: str) -> Finding:
    """Judge whether intensities as crystals have them help on real structures.

    Extinction classes, on all of CDDD and on its cells in the mesh's range. Reproduced if the
    interval of ULBD-physical lies above that of ULBD on both, partly if its accuracy is higher on
    both, or if the interval lies above on one of them. The paired test, sample by sample, is stated
    beside it.
    """
    tests = (CDDD, CDDD_IN_DOMAIN)
    pairs = [(train, test) for test in tests for train in (ULBD, PHYSICAL)]
    rows, how = reference_rows(results, family, "extinction", pairs)
    compared = list(zip(rows[::2], rows[1::2], strict=True))
    beyond = [physical["top1_low"] > plain["top1_high"] for plain, physical in compared]
    ahead = [physical["top1"] > plain["top1"] for plain, physical in compared]
    return (
        graded(all(beyond), all(ahead) or any(beyond)),
        "; ".join(
            f"{plain['test_set']}: uniform {interval(plain)} %, physical {interval(physical)} %"
            f"{_paired(pair_p(results.pairs, plain, physical))}, {samples(plain)}"
            for plain, physical in compared
        ),
        "; ".join(
            f"{test.name}: {_apart(*outcome)}"
            for test, *outcome in zip(tests, beyond, ahead, strict=True)
        )
        + f". {how} {budget(rows[:2])}",
    )


@claim(
    "Physical intensities",
    "ULBD-physical needs Wilson statistics, multiplicity and fall-off, each of them (cubic).",
    "not in the article",
)
def every_ingredient_counts(results: Results) -> Finding:
    """Judge the ablation of ULBD-physical, which should lose without any of its ingredients.

    Cubic, extinction classes, CDDD. Reproduced if the interval without an ingredient lies below
    that of the whole for each of the three, partly if for some.
    """
    sets = [PHYSICAL, *WITHOUT]
    pairs = [(one, CDDD) for one in sets]
    rows, how = reference_rows(results, "cubic", "extinction", pairs)
    whole, *without = rows
    lost = [row["top1_high"] < whole["top1_low"] for row in without]
    parts = [
        f"without {name} {interval(row)} ({points(row['top1'] - whole['top1'])})"
        for name, row in zip(WITHOUT.values(), without, strict=True)
    ]
    return (
        graded(all(lost), any(lost)),
        f"whole {interval(whole)} %; {'; '.join(parts)}; {samples(whole)}",
        f"{sum(lost)} of {len(lost)} ingredients are missed beyond the intervals. {how} "
        f"{budget(rows)}",
    )


def _paired(p: float | None) -> str:
    return "" if p is None else f" (paired p = {p:.1g})"


def _apart(beyond: bool, ahead: bool) -> str:
    return "ahead beyond the intervals" if beyond else "intervals overlap" if ahead else "not ahead"
