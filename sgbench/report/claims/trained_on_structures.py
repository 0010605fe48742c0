"""What models make of structures: Figs. 5 and 7."""

import numpy as np
from scipy.stats import spearmanr

from sgbench.leaderboard import IDENTITY, identity
from sgbench.plots.shown import (
    CDDD,
    CDDD_STRATIFIED,
    CDDD_STRATIFIED_TEST,
    CDDD_TEST,
    CDDD_TRAIN,
    GCDD,
)
from sgbench.report._format import plural, stated
from sgbench.report._results import Results
from sgbench.report._rows import data_of
from sgbench.report.claims._claim import (
    COPIES,
    EACH_FAMILY,
    Finding,
    NotRunError,
    claim,
    graded,
    origin_of,
    reference_rows,
)
from sgbench.text import points


@claim(
    "Fig. 5",
    "A model trained on CDDD is much worse on GCDD than on CDDD ({family}).",
    "an obvious decrease from top-1 to top-5, all 230 groups",
    EACH_FAMILY,
)
def random_structures_are_harder(results: Results, family: str) -> Finding:
    """Judge whether a model trained on real structures loses on random ones.

    Space groups, trained on the article's stratified split of CDDD, tested on its held-out part and
    on GCDD. Reproduced if the interval on GCDD lies below the other one, partly if only the
    accuracy is lower.
    """
    pairs = [(CDDD_STRATIFIED, test) for test in (CDDD_STRATIFIED_TEST, GCDD)]
    (real, random), how = reference_rows(results, family, "spacegroup", pairs)
    return (
        graded(random["top1_high"] < real["top1_low"], random["top1"] < real["top1"]),
        f"{CDDD_STRATIFIED_TEST.label} {stated(real)}; {GCDD.label} {stated(random)}",
        f"Top-1 changes by {points(random['top1'] - real['top1'])} points; intervals apart "
        f"count as reproduced. {how} The labels are the groups of one family, where the article "
        f"has all 230. {COPIES}",
    )


@claim(
    "Fig. 7",
    "Space groups with few structures are predicted worse ({family}).",
    "confusion beside the distribution of samples",
    EACH_FAMILY,
)
def accuracy_follows_samples(results: Results, family: str) -> Finding:
    """Judge whether a group's accuracy follows how many structures it has.

    Measured is Spearman's rank correlation, over the space groups that have test samples, of the
    number of training structures with the accuracy (trained and tested on CDDD, grouped split, mean
    of seeds). Reproduced if it is positive with p < 0.05, partly if it is only positive. Judged
    where at least five groups have test samples, and not all the same number of structures.
    """
    (row,), how = reference_rows(results, family, "spacegroup", [(CDDD_TRAIN, CDDD_TEST)])
    crystals = results.structures.sets.get(CDDD.dataset)
    if crystals is None or row["source"] not in ("unrecorded", crystals.source):
        raise NotRunError(f"The structures behind the rows ({data_of(row)}) are not at hand.")
    scores = [one for one in results.scores if all(identity(one)[n] == row[n] for n in IDENTITY)]
    if not scores:
        raise NotRunError("The scores behind the rows, which know each group, are not at hand.")
    accuracy = {
        int(group): float(np.mean([one.by_label[group].top1 for one in scores]))
        for group in scores[0].by_label
    }
    n = [crystals.n_trained.get(group, 0) for group in accuracy]
    # Ranks need values that differ.
    if len(n) < 5 or min(len(set(n)), len(set(accuracy.values()))) < 2:
        raise NotRunError("Fewer than five space groups have test samples, or all are alike.")
    rank, chance = map(float, spearmanr(n, list(accuracy.values())))
    return (
        graded(rank > 0 and chance < 0.05, rank > 0),
        (
            f"rank correlation {rank:+.2f} (p = {chance:.2g}) over {len(n)} space groups "
            f"with {scores[0].n_test:,} test samples, {plural(len(scores), 'seed')}"
        ).replace("-", "−"),
        f"A positive correlation with p < 0.05 counts as reproduced. {how} The labels are the "
        "groups of one family, where the article has all 230. Test structures are of other "
        f"prototypes than training ones. {origin_of(crystals)}",
    )
