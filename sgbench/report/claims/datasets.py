"""What datasets of structures look like: Figs. 2 to 4 and 6."""

import numpy as np

from sgbench.plots.shown import CDDD, GCDD
from sgbench.report._cells import PATTERNS_A_GROUP
from sgbench.report._results import Results
from sgbench.report.claims._claim import (
    Finding,
    NotRunError,
    claim,
    graded,
    no_structures,
    origin_of,
)
from sgbench.structures import FEW
from sgbench.symmetry import spacegroup_symbol


@claim(
    "Fig. 2",
    "In a database, the cells of a space group cluster at one or several values.",
    "a histogram for P 2 2 2 and P 4/m n c",
    of_models=False,
)
def cells_cluster(results: Results) -> Finding:
    """Judge whether cell edges of real structures cluster within a space group.

    Measured is the median `relative_spread` over the edges of all space groups with at least
    `FEW` structures. Reproduced up to 0.5, partly up to 0.8.
    """
    crystals = results.structures.sets.get(CDDD.dataset)
    if crystals is None or not (found := crystals.spreads):
        raise no_structures("CDDD")
    middle = float(np.median([spread for *_, spread in found]))
    groups = {group for group, *_ in found}
    return (
        graded(middle <= 0.5, middle <= 0.8),
        f"relative spread {middle:.2f}, the median over {len(found)} edges of {len(groups)} "
        f"space groups with {FEW} structures or more (uniform: 1)",
        "The measure is the least number of 0.2 Å bins that hold half of a group's structures, "
        "relative to as many uniform draws over the same range; up to 0.5 counts as clustered. "
        + origin_of(crystals),
    )


@claim(
    "Fig. 3",
    "In a space group, similar cells give similar patterns, and different cells other ones.",
    "five patterns of P m a 2",
    of_models=False,
)
def patterns_follow_cells(results: Results) -> Finding:
    """Judge whether similar cells of a space group give similar patterns, and others do not.

    Measured is the cosine similarity of the patterns of two structures of other names in one space
    group. Reproduced if its median over pairs whose edges all agree within 1 % is at least twice
    that over pairs with an edge that differs by more than 10 %; partly if it is larger.
    """
    crystals = results.structures.sets.get(CDDD.dataset)
    if crystals is None or not crystals.near[1] or not crystals.far[1]:
        raise no_structures("CDDD")
    (alike, n_near), (unlike, n_far) = crystals.near, crystals.far
    return (
        graded(alike >= 2 * unlike, alike > unlike),
        f"median cosine similarity {alike:.2f} with edges within 1 % ({n_near:,} pairs), "
        f"{unlike:.2f} with an edge more than 10 % apart ({n_far:,} pairs)",
        "Pairs are of structures of one space group with different names. Twice as similar counts "
        f"as reproduced. Each group with {FEW} or more gives up to {PATTERNS_A_GROUP} structures. "
        + origin_of(crystals),
    )


@claim(
    "Fig. 4",
    "The cells of random structures are spread more evenly than those of a database.",
    "histograms closer to an unsymmetric Gaussian",
    of_models=False,
)
def random_cells_spread(results: Results) -> Finding:
    """Judge whether random structures have smoother distributions of cells than real ones.

    Measured is the median `relative_spread` over the edges of space groups that have at least
    `FEW` structures in both sets, from as many structures of each. Reproduced if that of the random
    structures is at least 1.5 times the other, partly if it is larger.
    """
    if not (found := results.structures.paired):
        raise no_structures("CDDD and GCDD")
    of_real, of_random = np.median(np.array(found), axis=0).tolist()
    sizes = list(results.structures.sets[GCDD.dataset].n.values())
    return (
        graded(of_random >= 1.5 * of_real, of_random > of_real),
        f"relative spread {of_random:.2f} (GCDD) and {of_real:.2f} (CDDD), the medians over "
        f"{len(found)} edges with as many structures of each",
        "1.5 times as spread counts as reproduced. That each distribution has one hump is not "
        "tested; the figure shows it for two groups. GCDD has "
        f"{np.median(sizes):g} structures in the median of its {len(sizes)} groups, where the "
        "article's has up to 1,000 in each of 230.",
    )


@claim(
    "Fig. 6",
    "Some space groups have very many structures, others none.",
    "up to 10,000 structures in a group, none in others",
    of_models=False,
)
def groups_are_imbalanced(results: Results) -> Finding:
    """Judge whether space groups of a database differ widely in their number of structures.

    Reproduced if the largest has at least ten times the structures of the median one among those
    that have any, and some have none; partly if one of both holds. Judged only where the dataset
    covers all families.
    """
    crystals = results.structures.sets.get(CDDD.dataset)
    if crystals is None or crystals.n_covered < 230:
        raise NotRunError("A database of all crystal families is needed, and was not built.")
    counts = crystals.n
    largest, most = max(counts.items(), key=lambda entry: entry[1])
    middle = float(np.median(list(counts.values())))
    uneven, empty = most >= 10 * middle, 230 - len(counts)
    return (
        graded(uneven and empty > 0, uneven or empty > 0),
        f"{most:,} structures in {spacegroup_symbol(largest)}, {middle:g} in the median group, "
        f"ratio {most / middle:.0f}; {empty} groups without any",
        "A ratio of ten, and groups without structures, count as reproduced. "
        + origin_of(crystals),
    )
