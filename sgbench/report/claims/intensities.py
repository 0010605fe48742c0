"""What intensities as crystals have them are worth: beyond the article."""

from sgbench.leaderboard import pair_p
from sgbench.plots.shown import (
    AMPLITUDE,
    AMPLITUDE_OFF_MESH,
    CDDD,
    CDDD_IN_DOMAIN,
    PHYSICAL,
    ULBD,
    WITHOUT,
)
from sgbench.report._format import interval, samples
from sgbench.report._results import Results
from sgbench.report.claims._claim import (
    EACH_FAMILY,
    POINT,
    Finding,
    budget,
    claim,
    graded,
    reference_rows,
)
from sgbench.sets import OFF_MESH
from sgbench.text import points


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


@claim(
    "Physical intensities",
    "Whether intensities or amplitudes are drawn uniformly makes no difference ({family}).",
    "the article draws intensities, and its published test patterns look like drawn amplitudes",
    EACH_FAMILY,
)
def amplitudes_are_alike(results: Results, family: str) -> Finding:
    """Judge whether a model that learnt from uniform amplitudes differs from the ULBD model.

    Extinction classes, on designed patterns of either law and on CDDD. Reproduced if the intervals
    overlap, or accuracies differ by less than a point, on all three; partly if on CDDD.
    """
    tests = (OFF_MESH, AMPLITUDE_OFF_MESH, CDDD)
    pairs = [(train, test) for test in tests for train in (ULBD, AMPLITUDE)]
    rows, how = reference_rows(results, family, "extinction", pairs)
    compared = list(zip(rows[::2], rows[1::2], strict=True))
    alike = [
        abs(one["top1"] - other["top1"]) < POINT
        or (one["top1_low"] <= other["top1_high"] and other["top1_low"] <= one["top1_high"])
        for one, other in compared
    ]
    return (
        graded(all(alike), alike[-1]),
        "; ".join(
            f"{one['test_set']}: trained on intensities {interval(one)} %, on amplitudes "
            f"{interval(other)} %{_paired(pair_p(results.pairs, one, other))}, {samples(one)}"
            for one, other in compared
        ),
        f"Alike on {sum(alike)} of {len(alike)} test sets, which is to overlap or to differ by "
        f"less than a point. {how} {budget(rows[:2])}",
    )


def _paired(p: float | None) -> str:
    return "" if p is None else f" (paired p = {p:.1g})"


def _apart(beyond: bool, ahead: bool) -> str:
    return "ahead beyond the intervals" if beyond else "intervals overlap" if ahead else "not ahead"
