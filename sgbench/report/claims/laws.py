"""What follows from the extinction laws alone: Table I and Tables S1 to S3."""

from collections.abc import Mapping, Sequence

from sgbench.report._results import Results
from sgbench.report.claims._claim import (
    Finding,
    claim,
    graded,
)
from sgbench.symmetry import (
    TOP_K,
    Ceiling,
    extinction_classes,
    family_spacegroups,
)

#: Table I of the article, in percent.
PUBLISHED_CEILINGS = {
    "cubic": (47.2, 72.2, 80.5, 88.9, 97.2),
    "tetragonal": (45.6, 70.6, 83.8, 88.2, 91.2),
    "trigonal-hexagonal": (17.3, 34.6, 48.1, 59.6, 69.2),
}
# With n groups, top-k minus top-(k-1) times n is the number of classes with at least k members, so
# Table I tells how many classes of each size the article has.
_PUBLISHED_SIZES = {
    family: tuple(
        round(len(family_spacegroups(family)) * (high - low) / 100)
        for low, high in zip((0.0, *values), values, strict=False)
    )
    for family, values in PUBLISHED_CEILINGS.items()
}


def _percents(ceilings: Mapping[str, Sequence[float]]) -> str:
    return "; ".join(
        f"{family} {' '.join(f'{value:.1f}' for value in values)} %"
        for family, values in ceilings.items()
    )


def _sizes(sizes: Mapping[str, Sequence[int]]) -> str:
    return "; ".join(
        f"{family} {len(family_spacegroups(family))} groups in {found[0]} classes "
        f"({' '.join(map(str, found))})"
        for family, found in sizes.items()
    )


@claim(
    "Table I",
    "Extinction laws bound the top-1 to top-5 accuracy.",
    _percents(PUBLISHED_CEILINGS),
    of_models=False,
)
def ceilings_agree(results: Results) -> Finding:
    """Judge ceilings: reproduced if all differ by less than 0.1 points, partly if some do."""
    ours = {f: [100 * top for top in Ceiling.of_family(f).top] for f in PUBLISHED_CEILINGS}
    agree = [
        abs(one - other) < 0.1
        for family, published in PUBLISHED_CEILINGS.items()
        for one, other in zip(ours[family], published, strict=True)
    ]
    return (
        graded(all(agree), any(agree)),
        _percents(ours),
        f"{sum(agree)} of {len(agree)} values agree within 0.1 points. They are exact: no data is "
        "involved. The article cuts cubic top-3, 29/36, to 80.5 where rounding gives 80.6.",
    )


@claim(
    "Tables S1–S3",
    "Space groups of a family fall into these extinction classes.",
    _sizes(_PUBLISHED_SIZES),
    of_models=False,
)
def classes_agree(results: Results) -> Finding:
    """Judge how many extinction classes there are, and how large they are.

    Reproduced if the numbers of classes with at least 1 to 5 members agree for the three families,
    partly if the numbers of classes do.
    """
    sizes = {
        family: [len(cls.spacegroups) for cls in extinction_classes(family_spacegroups(family))]
        for family in PUBLISHED_CEILINGS
    }
    ours = {
        family: tuple(sum(size >= k for size in found) for k in range(1, TOP_K + 1))
        for family, found in sizes.items()
    }
    same_number = all(ours[family][0] == theirs[0] for family, theirs in _PUBLISHED_SIZES.items())
    return (
        graded(ours == _PUBLISHED_SIZES, same_number),
        _sizes(ours),
        "Classes with at least 1 to 5 members are counted; the published numbers follow from "
        "Table I. Ours are derived from the symmetry operators, and their members are listed "
        "below. A list of the supplement's members was not at hand, so the sizes are compared.",
    )
