"""What cells that were never shown cost on real structures: beyond the article."""

from typing import Any

from sgbench.leaderboard import pair_p
from sgbench.plots.shown import CDDD, CDDD_IN_DOMAIN, MINERAL_CELLS, MINERAL_OFF_MESH, ULBD
from sgbench.report._format import interval, percent, samples, stated
from sgbench.report._results import Results
from sgbench.report.claims._claim import (
    EACH_FAMILY,
    Finding,
    budget,
    claim,
    graded,
    reference_rows,
)
from sgbench.sets import OFF_MESH
from sgbench.text import points


@claim(
    "Cells of minerals",
    "Most of what the ULBD model loses on real structures is cells that it was never shown "
    "({family}).",
    "not in the article",
    EACH_FAMILY,
)
def unseen_cells_cost(results: Results, family: str) -> Finding:
    """Judge how much of the loss on CDDD a designed set wins back that spans the minerals' cells.

    Extinction classes. The loss is the ULBD model's accuracy off-mesh minus that on all of CDDD;
    what is won back is how much more accurate there a model is that was trained on the minerals'
    cells. Reproduced if that is at least half of the loss and the intervals on CDDD are apart,
    partly if the intervals are.
    """
    pairs = [
        (ULBD, OFF_MESH), (ULBD, CDDD), (MINERAL_CELLS, CDDD), (MINERAL_CELLS, MINERAL_OFF_MESH),
        (ULBD, CDDD_IN_DOMAIN), (MINERAL_CELLS, CDDD_IN_DOMAIN),
    ]  # fmt: skip
    rows, how = reference_rows(results, family, "extinction", pairs)
    own, plain, spanning, its_own, plain_inside, spanning_inside = rows
    lost, won = own["top1"] - plain["top1"], spanning["top1"] - plain["top1"]
    beyond = spanning["top1_low"] > plain["top1_high"]
    share = f"{100 * won / lost:.0f} % of the loss" if lost > 0 else "and nothing is lost"
    p = pair_p(results.pairs, plain, spanning)
    return (
        graded(beyond and 2 * won >= lost, beyond),
        f"ULBD model {interval(own)} % off-mesh and {interval(plain)} % on CDDD; with minerals' "
        f"cells {interval(spanning)} % on CDDD"
        f"{'' if p is None else f' (paired p = {p:.1g})'}, {samples(plain)}; "
        f"{_apart(plain, plain_inside)} against {_apart(spanning, spanning_inside)}; "
        f"{stated(its_own)} on its own off-mesh patterns",
        f"Lost are {points(lost)} points, won back {points(won)}: {share}. The wider set has edges "
        "log-uniform over the range of the AMCSD's, up to 5,000 Å³, where many lines overlap: a "
        "reader of resolved lines would name "
        f"{percent(its_own['resolution_ceiling_top1'])} of its classes. {how} {budget(rows)}",
    )


def _apart(whole: Any, inside: Any) -> str:
    """Say how many are right of the structures inside and outside of the ULBD's range."""
    n_outside = int(whole["n_test"] - inside["n_test"])
    if not n_outside:
        return f"{percent(inside['top1'])} inside of the ULBD's range, which has them all,"
    right = whole["top1"] * whole["n_test"] - inside["top1"] * inside["n_test"]
    return (
        f"{percent(inside['top1'])} inside of the ULBD's range of cells and "
        f"{percent(right / n_outside)} of the {n_outside:,} outside"
    )
