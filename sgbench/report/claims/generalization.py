"""What carries over from one kind of set to another: Fig. 10."""

from sgbench.plots.shown import (
    CDDD_STRATIFIED_TEST,
    CDDD_TEST,
    CDDD_TEST_IN_DOMAIN,
    CDDD_TRAIN,
    ULBD,
)
from sgbench.report._format import interval, samples
from sgbench.report._results import Results
from sgbench.report.claims._claim import (
    COPIES,
    EACH_FAMILY,
    POINT,
    Finding,
    claim,
    difference,
    graded,
    reference_rows,
)
from sgbench.sets import IN_MESH, SetSpec

_APART = (
    "The real structures are the held-out part of a grouped split (no prototype is on both sides, "
    "where the article's has some), "
)
# Which part of the real structures a generalization is judged on: in a few words, and how it
# differs from what the article did.
_PARTS = {
    CDDD_STRATIFIED_TEST.name: (
        "the article's stratified split",
        f"{COPIES} Cells that the ULBD's mesh does not reach are included.",
    ),
    CDDD_TEST.name: (
        "prototypes kept apart",
        f"{_APART}with cells that the ULBD's mesh does not reach.",
    ),
    CDDD_TEST_IN_DOMAIN.name: (
        "prototypes kept apart, cells in the mesh's range",
        f"{_APART}and of these only cells in the range of the ULBD's mesh.",
    ),
}


@claim(
    "Fig. 10",
    lambda family, real: (
        "The ULBD model hardly drops on CDDD, the CDDD model much on ULBD "
        f"({family}, {_PARTS[real][0]})."
    ),
    "almost no decrease against an obvious one",
    [{**case, "real": real} for real in _PARTS for case in EACH_FAMILY],
)
def generalizes(results: Results, family: str, real: str) -> Finding:
    """Judge whether the ULBD model carries over to CDDD, and the CDDD model not to ULBD.

    Extinction classes; a model's drop is its accuracy on the test set of its own kind minus that
    on the other. Reproduced if the ULBD model drops by less than 5 points and the interval of its
    drop lies below that of the CDDD model's; partly if one of both holds. `difference` gives the
    intervals.

    Parameters
    ----------
    results : Results
    family : str
    real : str
        Name of the test set of held-out structures.
    """
    test = SetSpec.parse(real)
    trained = SetSpec(CDDD_TRAIN.origin, split=test.split)
    pairs = [(train, tested) for train in (ULBD, trained) for tested in (IN_MESH, test)]
    rows, how = reference_rows(results, family, "extinction", pairs)
    ulbd_own, ulbd_other, cddd_other, cddd_own = rows
    ours, theirs = difference(ulbd_own, ulbd_other), difference(cddd_own, cddd_other)
    hardly, apart = ours[0] < 5 * POINT, ours[2] < theirs[1]
    smaller = "smaller than" if apart else "not smaller beyond the intervals than"
    return (
        graded(hardly and apart, hardly or apart),
        f"ULBD model: {interval(ulbd_own)} % on ULBD, {interval(ulbd_other)} % on CDDD, drop "
        f"{_drop(ours)} points; CDDD model: {interval(cddd_own)} % on CDDD, "
        f"{interval(cddd_other)} % on ULBD, drop {_drop(theirs)} points. ULBD: "
        f"{samples(ulbd_own)}; CDDD: {samples(ulbd_other)}",
        f"The ULBD model's drop is {'below' if hardly else 'not below'} 5 points, and "
        f"{smaller} the CDDD model's. {how} {_PARTS[real][1]}",
    )


def _drop(drop: tuple[float, float, float]) -> str:
    value, low, high = (f"{100 * part:.1f}".replace("-", "−") for part in drop)
    return f"{value} ({low} to {high})"
