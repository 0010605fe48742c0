"""Verdicts on both sides of each threshold."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from example_crystals import crystal_set

from sgbench.evaluation import LabelScore, Score, wilson_interval
from sgbench.leaderboard import build_table, read_pairs
from sgbench.models import REFERENCE_MODELS
from sgbench.plots.shown import CLASS_GOALS, ULBD, WITHOUT
from sgbench.report import Results, StructureFacts, Structures, all_claims
from sgbench.report._structures import all_facts
from sgbench.report.claims import (
    _claim,
    cells,
    datasets,
    designed,
    generalization,
    intensities,
    laws,
    trained_on_structures,
)
from sgbench.sets import DESIGNED, SetSpec
from sgbench.symmetry import Ceiling, extinction_classes, family_spacegroups

YES, PARTLY, NO, ABSENT = "reproduced", "partly", "not reproduced", "not in these results"
MODEL, *_, OTHER = REFERENCE_MODELS
CUBIC = tuple(Ceiling.of_family("cubic").top)


def result(
    train_set, test_set, top1, half=0.01, scheme="extinction", family="cubic", **changes
) -> Score:
    """A score whose intervals reach as far to both sides."""
    model = changes.pop("model", MODEL)
    ceiling = changes.pop("ceiling", CUBIC if scheme == "spacegroup" else (1.0,) * 5)
    top = changes.pop("top", (top1, *ceiling[1:]))
    source = DESIGNED if SetSpec.parse(test_set).origin == DESIGNED else "example"
    values = {
        "test_set": test_set, "family": family, "source": source,
        "test_sha256": f"{family} {test_set}", "class_scheme": scheme, "n_test": 1200,
        "n_clusters": 1200, "top": top, "top_low": tuple(t - half for t in top),
        "top_high": tuple(t + half for t in top), "raw": top, "ceiling": ceiling,
        "gap": tuple(c - t for c, t in zip(ceiling, top, strict=True)),
        "share": tuple(t / c for c, t in zip(ceiling, top, strict=True)),
        "balanced_accuracy": top1, "ece": 0.0, "by_label": {}, "confusion": (),
    }  # fmt: skip
    provenance = {
        "model": model, "train_set": train_set, "scale": changes.pop("scale", "laptop"), "seed": 0,
        "train_patterns": changes.pop("train_patterns", 1000),
    }  # fmt: skip
    return Score(**{**values, **changes}, provenance=provenance)


NO_PAIRS = read_pairs(Path("none.csv"))


def found(*scores, real=None, random=None, **changes) -> Results:
    """Results with a row of somebody else's, too."""
    scores = (*scores, result("ulbd-monoclinic", "ulbd-in-mesh", 0.5, family="monoclinic"))
    crystals = {"cddd": real, "gcdd": random}
    values = {
        "scale": "laptop", "table": build_table(scores), "scores": scores, "histories": {},
        "structures": all_facts({name: one for name, one in crystals.items() if one is not None}),
        "pairs": NO_PAIRS, "pictures": (), "conditions": pd.DataFrame(),
    }  # fmt: skip
    return Results(**{**values, **changes})


# --- without data -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "claim",
    [
        datasets.cells_cluster(found()),
        datasets.patterns_follow_cells(found()),
        datasets.random_cells_spread(found(random=crystal_set())),
        datasets.groups_are_imbalanced(found()),
        # not of all families
        datasets.groups_are_imbalanced(found(real=crystal_set({225: 50}))),
        datasets.cells_cluster(found(real=crystal_set({225: 3}))),
        trained_on_structures.random_structures_are_harder(found(), family="cubic"),
        trained_on_structures.accuracy_follows_samples(found(real=crystal_set()), family="cubic"),
        designed.imbalance_flatters(found()),
        designed.lies_on_ceiling(found(), family="cubic"),
        generalization.generalizes(found(), family="cubic", real="cddd-test"),
        designed.fine_mesh_suffices(found()),
        designed.class_accuracy(found(), family="cubic", learner="labels"),
        intensities.physical_is_ahead(found(), family="cubic"),
        intensities.every_ingredient_counts(found()),
        intensities.amplitudes_are_alike(found(), family="cubic"),
        cells.unseen_cells_cost(found(), family="cubic"),
    ],
    ids=lambda claim: claim.key,
)
def test_what_was_not_run_says_so(claim):
    assert claim.verdict == ABSENT
    assert claim.measured == ""
    assert claim.reason


# --- theory -------------------------------------------------------------------------------------


def test_table_one_agrees():
    claim = laws.ceilings_agree(found())
    assert claim.verdict == YES
    assert "15 of 15" in claim.reason
    assert "47.2 72.2 80.6 88.9 97.2" in claim.measured


@pytest.mark.parametrize(("n_moved", "verdict"), [(1, PARTLY), (5, NO)])
def test_ceilings_that_differ(monkeypatch, n_moved, verdict):
    class Moved:
        @staticmethod
        def of_family(family):
            ceiling = Ceiling.of_family(family)
            return replace(
                ceiling, top=tuple(t + 0.002 * (i < n_moved) for i, t in enumerate(ceiling.top))
            )

    monkeypatch.setattr(laws, "Ceiling", Moved)
    assert laws.ceilings_agree(found()).verdict == verdict


def test_the_sizes_of_classes(monkeypatch):
    claim = laws.classes_agree(found())
    assert claim.verdict == YES
    assert claim.published == claim.measured
    assert "52 groups in 9 classes (9 9 7 6 5)" in claim.measured
    cubic = family_spacegroups("cubic")
    first, second, *rest = extinction_classes(cubic)
    # One group moves from the first class, which then has four members, to the second.
    group = first.spacegroups[0]
    moved = (
        replace(first, spacegroups=first.spacegroups[1:]),
        replace(second, spacegroups=(*second.spacegroups, group)),
        *rest,
    )
    for classes, verdict in ((moved, PARTLY), ((second, *rest), NO)):
        monkeypatch.setattr(
            laws,
            "extinction_classes",
            lambda groups, classes=classes: (
                classes if groups == cubic else extinction_classes(groups)
            ),
        )
        assert laws.classes_agree(found()).verdict == verdict


# --- datasets -----------------------------------------------------------------------------------


def crystals(cells, group=225):
    """As many crystals of one group as there are cubic edges."""
    found = crystal_set({group: len(cells)})
    edges = np.repeat(np.asarray(cells, dtype=float)[:, None], 3, axis=1)
    return replace(found, cell=np.hstack([edges, np.full((len(cells), 3), 90.0)]))


def known(paired=(), **changes):
    """Results with structures of which this is known."""
    facts = StructureFacts(
        **{"source": "example", "n_covered": 36, "n": {225: 30}, "n_trained": {}, "spreads": (),
           "near": (0.0, 0), "far": (0.0, 0), **changes}
    )  # fmt: skip
    return found(structures=Structures({"cddd": facts, "gcdd": facts}, paired))


@pytest.mark.parametrize(
    ("spread", "verdict"),
    [(0.5, YES), (0.51, PARTLY), (0.8, PARTLY), (0.81, NO)],
)
def test_how_much_clustering_is_enough(spread, verdict):
    results = known(spreads=((225, 0, spread),))
    assert datasets.cells_cluster(results).verdict == verdict


def test_clustered_and_uniform_cells():
    draw = np.random.default_rng(0)
    near = np.concatenate([draw.normal(5, 0.1, 60), draw.normal(9, 0.1, 60), [3, 15]])
    assert datasets.cells_cluster(found(real=crystals(near))).verdict == YES
    even = crystals(draw.uniform(3, 15, 122))
    assert datasets.cells_cluster(found(real=even)).verdict == NO


@pytest.mark.parametrize(
    ("near", "far", "verdict"),
    [(0.6, 0.3, YES), (0.59, 0.3, PARTLY), (0.31, 0.3, PARTLY), (0.3, 0.3, NO)],
)
def test_how_alike_is_enough(near, far, verdict):
    results = known(near=(near, 1), far=(far, 1))
    assert datasets.patterns_follow_cells(results).verdict == verdict


@pytest.mark.parametrize(
    ("random", "verdict"), [(0.75, YES), (0.74, PARTLY), (0.51, PARTLY), (0.5, NO)]
)
def test_how_much_more_even_is_enough(random, verdict):
    results = known(paired=((0.5, random),))
    assert datasets.random_cells_spread(results).verdict == verdict


@pytest.mark.parametrize(
    ("largest", "empty", "verdict"),
    [(20, True, YES), (19, True, PARTLY), (20, False, PARTLY), (19, False, NO)],
)
def test_how_imbalanced_is_enough(largest, empty, verdict):
    counts = dict.fromkeys(range(1, 231 - empty), 2) | {225: largest}
    claim = datasets.groups_are_imbalanced(found(real=crystal_set(counts, families=("all",))))
    assert claim.verdict == verdict
    assert f"{largest} structures in F m -3 m" in claim.measured


# --- models -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("random", "verdict"), [(0.479, YES), (0.481, PARTLY), (0.499, PARTLY), (0.5, NO)]
)
def test_loss_on_random_structures(random, verdict):
    results = found(
        result("cddd-cubic-stratified", "cddd-stratified-test", 0.5, scheme="spacegroup"),
        result("cddd-cubic-stratified", "gcdd", random, scheme="spacegroup"),
    )
    claim = trained_on_structures.random_structures_are_harder(results, family="cubic")
    assert claim.verdict == verdict
    assert "n = 1,200, 1 seed" in claim.measured
    other = trained_on_structures.random_structures_are_harder(results, family="tetragonal")
    assert other.verdict == ABSENT


def accuracies(accuracy):
    """The crystals of the example, cubic ones of several groups, and accuracies of these groups."""
    counts = {195 + i: 10 * (i + 1) for i in range(len(accuracy))}
    real = crystal_set(counts)
    labels = {str(g): LabelScore(5, 5, a, a, a) for g, a in zip(counts, accuracy, strict=True)}
    return real, (
        result("cddd-cubic", "cddd-test", 0.5, scheme="spacegroup", by_label=labels),
        result("ulbd-cubic", "cddd-test", 0.5, scheme="spacegroup", by_label={}),
    )


@pytest.mark.parametrize(
    ("accuracy", "verdict"),
    [
        ((0.1, 0.2, 0.3, 0.4, 0.5, 0.6), YES),
        ((0.1, 0.6, 0.3, 0.2, 0.5, 0.4), PARTLY),
        ((0.6, 0.5, 0.4, 0.3, 0.2, 0.1), NO),
        ((0.1, 0.2, 0.3, 0.4), ABSENT),  # too few groups
        ((0.5,) * 6, ABSENT),  # no ranks
    ],
)
def test_accuracy_by_number_of_samples(accuracy, verdict):
    real, scores = accuracies(accuracy)
    judge = trained_on_structures.accuracy_follows_samples
    assert judge(found(*scores, real=real), family="cubic").verdict == verdict
    # Neither scores alone nor those of other structures will do.
    assert judge(found(*scores), family="cubic").verdict == ABSENT
    assert judge(found(*scores, real=real, scores=()), family="cubic").verdict == ABSENT
    elsewhere = [replace(one, source="elsewhere") for one in scores]
    assert judge(found(*elsewhere, real=real), family="cubic").verdict == ABSENT


def test_accuracy_where_all_groups_have_as_many():
    _, scores = accuracies((0.1, 0.2, 0.3, 0.4, 0.5, 0.6))
    even = crystal_set(dict.fromkeys(range(195, 201), 20))
    even = replace(even, split_grouped=("train",) * len(even))
    claim = trained_on_structures.accuracy_follows_samples(
        found(*scores, real=even), family="cubic"
    )
    assert claim.verdict == ABSENT
    assert "all are alike" in claim.reason


@pytest.mark.parametrize(
    ("uneven", "even", "verdict"),
    [
        (CUBIC[0] + 0.011, CUBIC[0], YES),
        (CUBIC[0] + 0.009, CUBIC[0], PARTLY),
        (CUBIC[0] + 0.011, CUBIC[0] - 0.011, PARTLY),
        (CUBIC[0] + 0.009, CUBIC[0] - 0.011, NO),
    ],
)
def test_imbalance(uneven, even, verdict):
    results = found(
        result("ulbd-cubic-imbalanced", "ulbd-imbalanced-in-mesh", uneven, scheme="spacegroup"),
        result("ulbd-cubic", "ulbd-in-mesh", even, scheme="spacegroup"),
    )
    assert designed.imbalance_flatters(results).verdict == verdict
    history = {
        ("ulbd-cubic-imbalanced", MODEL): (pd.DataFrame({"top1": [0.6, 0.82]}),),
        ("ulbd-cubic", MODEL): (pd.DataFrame({"top1": [0.47, 0.46]}),),
        ("ulbd-cubic", OTHER): (pd.DataFrame({"top1": [0.99]}),),
    }
    claim = designed.imbalance_flatters(replace(results, histories=history))
    assert "validation 82.0 % and 47.0 %" in claim.measured


@pytest.mark.parametrize(
    ("missed", "half", "verdict"),
    [
        (0.0099, 0.001, YES),  # within a point
        (0.02, 0.021, YES),  # within the interval
        (0.0101, 0.001, PARTLY),
        (0.0499, 0.001, PARTLY),
        (0.0501, 0.001, NO),
        (-0.0501, 0.001, NO),  # above the ceiling is not on it either
    ],
)
@pytest.mark.parametrize("k", [1, 5])
def test_on_the_ceiling(missed, half, verdict, k):
    top = [*CUBIC]
    top[k - 1] -= missed
    results = found(
        result("ulbd-cubic", "ulbd-in-mesh", top[0], half, "spacegroup", top=tuple(top)),
        result("ulbd-cubic", "ulbd-off-mesh", 0.1, scheme="spacegroup"),
    )
    assert designed.lies_on_ceiling(results, family="cubic").verdict == verdict


def pairs(ulbd, cddd, real, half=0.01):
    trained = "cddd-cubic" + ("-stratified" if "stratified" in real else "")
    return found(
        result("ulbd-cubic", "ulbd-in-mesh", 0.99, half),
        result("ulbd-cubic", real, 0.99 - ulbd, half),
        result(trained, real, 0.9, half),
        result(trained, "ulbd-in-mesh", 0.9 - cddd, half),
    )


REAL = ("cddd-stratified-test", "cddd-test", "cddd-test-in-domain")


@pytest.mark.parametrize("real", REAL)
@pytest.mark.parametrize(
    ("ulbd", "cddd", "verdict"),
    [
        (0.049, 0.5, YES),
        (0.051, 0.5, PARTLY),
        # Two drops with half-widths of 0.01 √2 each touch at a distance of 0.01 √8.
        (0.049, 0.049 + 0.0284, YES),
        (0.049, 0.049 + 0.0282, PARTLY),
        (0.051, 0.051 + 0.0282, NO),
        (0.3, -0.1, NO),
    ],
)
def test_generalization(ulbd, cddd, verdict, real):
    results = pairs(ulbd, cddd, real)
    assert generalization.generalizes(results, family="cubic", real=real).verdict == verdict
    for other in set(REAL) - {real}:
        claim = generalization.generalizes(results, family="cubic", real=other)
        assert claim.verdict == ABSENT


def test_the_interval_of_a_difference():
    # Newcombe (1998), Table II, example (a): 56/70 and 48/80, method 10.
    rows = []
    for right, n in ((56, 70), (48, 80)):
        low, high = wilson_interval(np.array(right / n), n)
        rows.append({"top1": right / n, "top1_low": low, "top1_high": high})
    value, low, high = _claim.difference(*rows)
    assert value == pytest.approx(0.2)
    assert (low, high) == pytest.approx((0.0524, 0.3339), abs=1e-4)


@pytest.mark.parametrize(
    ("reached", "verdict"),
    [
        ({"0.1x5": True, "0.05x20": True, "0.2x5": False, "0.1x4": True}, YES),
        ({"0.1x5": True, "0.05x20": True, "0.2x5": True}, PARTLY),
        ({"0.1x5": True, "0.05x20": False, "0.2x5": False}, PARTLY),
        ({"0.1x5": False, "0.05x20": False, "0.2x5": True}, NO),
        ({"0.1x5": True}, ABSENT),
        ({"0.2x5": False, "0.1x4": False}, ABSENT),
    ],
)
def test_meshes(reached, verdict):
    results = found(
        *(
            result(f"ulbd-cubic@{name}", test, CUBIC[0] - (0 if yes else 0.05), scheme="spacegroup")
            for name, yes in reached.items()
            for test in ("ulbd-in-mesh", "cddd")
        )
    )
    assert designed.fine_mesh_suffices(results).verdict == verdict


# --- beyond the article -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("family", "learner"),
    [("cubic", "labels"), ("tetragonal", "posteriors"), ("all", "posteriors")],
)
@pytest.mark.parametrize(
    ("inside", "between", "verdict"),
    [(0.0, 0.0, YES), (0.0, -0.001, PARTLY), (-0.001, 0.0, PARTLY), (-0.001, -0.001, NO)],
)
def test_class_accuracy(family, learner, inside, between, verdict):
    train, (asked, _) = ULBD.of(family).name, CLASS_GOALS[family]
    models = {"labels": MODEL, "posteriors": "fcn-wang2024.soft"}
    results = found(
        *(
            result(train, f"ulbd-{where}-mesh", asked + change, family=family, model=model)
            for where, change in (("in", inside), ("off", between))
            for model in (models[learner],)
        )
    )
    claim = designed.class_accuracy(results, family=family, learner=learner)
    assert claim.verdict == verdict
    other = designed.class_accuracy(results, family=family, learner=({*models} - {learner}).pop())
    assert other.verdict == ABSENT
    assert not claim.of_article
    assert claim.outcome in ("holds", "holds in part", "does not hold")


@pytest.mark.parametrize(
    ("everywhere", "in_domain", "verdict"),
    [
        (0.021, 0.021, YES),
        (0.021, 0.019, PARTLY),
        (0.021, -0.1, PARTLY),
        (0.019, 0.001, PARTLY),
        (0.019, 0.0, NO),
        (-0.05, -0.05, NO),
    ],
)
def test_physical_intensities(everywhere, in_domain, verdict):
    scores = [
        result(name, test, 0.8 + gain * (name != "ulbd-cubic"))
        for test, gain in (("cddd", everywhere), ("cddd-in-domain", in_domain))
        for name in ("ulbd-cubic", "ulbd-physical-cubic")
    ]
    claim = intensities.physical_is_ahead(found(*scores), family="cubic")
    assert claim.verdict == verdict
    assert "paired" not in claim.measured
    assert "Each training saw 1,000 patterns." in claim.reason
    unequal = [result("ulbd-cubic", "cddd", 0.8, train_patterns=500), *scores[1:]]
    claim = intensities.physical_is_ahead(found(*unequal), family="cubic")
    assert "500 to 1,000 patterns" in claim.reason


def test_the_paired_test_stands_beside_the_intervals():
    scores = [
        replace(one, provenance={**one.provenance, "predictions_sha256": f"{i}" * 64})
        for i, one in enumerate(
            result(name, test, 0.8)
            for test in ("cddd", "cddd-in-domain")
            for name in ("ulbd-physical-cubic", "ulbd-cubic")
        )
    ]
    pairs = pd.DataFrame(
        [("cddd", "extinction", "0" * 8, "1" * 8, 0.0123)], columns=NO_PAIRS.columns
    )
    results = found(*scores, pairs=pairs)
    measured = intensities.physical_is_ahead(results, family="cubic").measured
    assert "(paired p = 0.01)" in measured.split(";")[0]
    assert "paired" not in measured.split(";")[1]


@pytest.mark.parametrize(
    ("losses", "verdict"),
    [((0.021, 0.021, 0.021), YES), ((0.021, 0.019, 0.0), PARTLY), ((0.019, 0.019, -0.1), NO)],
)
def test_ingredients(losses, verdict):
    names = [one.of("cubic").name for one in WITHOUT]
    scores = [result("ulbd-physical-cubic", "cddd", 0.9)]
    scores += [result(name, "cddd", 0.9 - loss) for name, loss in zip(names, losses, strict=True)]
    claim = intensities.every_ingredient_counts(found(*scores))
    assert claim.verdict == verdict
    if verdict == YES:
        assert "without fall-off 87.9 (86.9–88.9) (−2.1)" in claim.measured


@pytest.mark.parametrize(
    ("plain", "spanning", "half", "verdict"),
    [
        (0.8, 0.9, 0.01, YES),  # half of 20 points
        (0.8, 0.899, 0.01, PARTLY),
        (0.8, 0.9, 0.051, NO),
        (0.8, 0.79, 0.01, NO),
        (1.0, 1.0, 0.01, NO),  # nothing is lost
    ],
)
def test_cells_never_shown(plain, spanning, half, verdict):
    results = found(
        result("ulbd-cubic", "ulbd-off-mesh", 1.0),
        result("ulbd-cubic", "cddd", plain, half),
        result("ulbd-mineral-cells-cubic", "cddd", spanning, half),
        result("ulbd-mineral-cells-cubic", "ulbd-mineral-cells-off-mesh", 0.9),
        result("ulbd-cubic", "cddd-in-domain", plain, n_test=900),
        result("ulbd-mineral-cells-cubic", "cddd-in-domain", 0.9, n_test=900),
    )
    claim = cells.unseen_cells_cost(results, family="cubic")
    assert claim.verdict == verdict
    if verdict == YES:
        assert "80.0 % of the 300 outside against 90.0 % inside" in claim.measured
        assert "Lost are +20.0 points, won back +10.0: 50 % of the loss" in claim.reason


def test_trainings_of_one_length_are_compared():
    """The whole length is on one side alone, so the longest length of both is judged."""
    tests = ["ulbd-off-mesh", "ulbd-amplitude-off-mesh", "cddd"]
    results = found(
        *(result("ulbd-cubic", test, 1.0) for test in tests),
        *(
            result(train, test, 0.8, model=f"{MODEL}@{n}", train_patterns=n)
            for n in (750, 375)
            for train in ("ulbd-cubic", "ulbd-amplitude-cubic")
            for test in tests
        ),
    )
    claim = intensities.amplitudes_are_alike(results, family="cubic")
    assert claim.verdict == YES
    assert f"Model: {MODEL}@750." in claim.reason
    assert "Each training saw 750 patterns." in claim.reason


@pytest.mark.parametrize(
    ("apart", "real", "verdict"),
    [(0.0, 0.009, YES), (0.0, 0.021, NO), (0.021, 0.019, PARTLY), (0.021, 0.021, NO)],
)
def test_amplitudes(apart, real, verdict):
    tests = {"ulbd-off-mesh": apart, "ulbd-amplitude-off-mesh": 0.0, "cddd": real}
    results = found(
        *(
            result(train, test, 0.9 + sign * change)
            for test, change in tests.items()
            for train, sign in (("ulbd-cubic", 0), ("ulbd-amplitude-cubic", 1))
        )
    )
    assert intensities.amplitudes_are_alike(results, family="cubic").verdict == verdict


# --- which model --------------------------------------------------------------------------------


def test_a_claim_takes_the_first_reference_model_that_has_all_it_needs():
    best = result("ulbd-cubic", "ulbd-in-mesh", 1.0, model="somebody")
    other = [result("ulbd-cubic", f"ulbd-{s}-mesh", 1.0, model=OTHER) for s in ("in", "off")]
    first = [result("ulbd-cubic", f"ulbd-{s}-mesh", 0.5, model=MODEL) for s in ("in", "off")]
    only_half = designed.class_accuracy(
        found(best, *other, first[0]), family="cubic", learner="labels"
    )
    assert only_half.verdict == YES
    assert f"Model: {OTHER}." in only_half.reason
    both = designed.class_accuracy(found(best, *other, *first), family="cubic", learner="labels")
    assert both.verdict == NO
    assert f"Model: {MODEL}." in both.reason


def test_seeds_and_clusters_are_told():
    scores = [
        replace(one, n_clusters=400, provenance={**one.provenance, "seed": seed})
        for seed, top1 in enumerate((0.995, 0.999))
        for one in (
            result("ulbd-cubic", "ulbd-in-mesh", top1),
            result("ulbd-cubic", "ulbd-off-mesh", top1),
        )
    ]
    claim = designed.class_accuracy(found(*scores), family="cubic", learner="labels")
    assert "99.70 % (98.7–100.7); n = 1,200 in 400 clusters, 2 seeds (sd 0.28)" in claim.measured


# --- which data ---------------------------------------------------------------------------------


def test_rows_of_other_test_data_are_not_mixed():
    """Two sets of minerals by one name: judged is the first, also where the other has more rows."""

    def both(source, physical, **changes):
        return [
            result(name, test, top1, source=source, test_sha256=f"{test} {source}", **changes)
            for test in ("cddd", "cddd-in-domain")
            for name, top1 in (("ulbd-cubic", 0.8), ("ulbd-physical-cubic", physical))
        ]

    one, other = both("a", 0.9), both("b", 0.7)
    alone = intensities.physical_is_ahead(found(*one), family="cubic")
    assert "several" not in alone.reason
    together = intensities.physical_is_ahead(found(*other, *one), family="cubic")
    assert (together.verdict, together.measured) == (alone.verdict, alone.measured)
    assert together.verdict == YES
    said = "cddd has rows of several test data; the first are judged (a cddd a)."
    assert said in together.reason
    # A row of the second data does not stand in for one that the first lack.
    lacking = intensities.physical_is_ahead(found(*other, *one[:3]), family="cubic")
    assert lacking.verdict == ABSENT


def test_test_data_of_other_training_sets_do_not_matter():
    """Those of another protocol come first here, and no claim asks for them."""
    published = result("ulbd-cubic-published", "ulbd-in-mesh", 0.5, test_sha256="0")
    mine = [result("ulbd-cubic", f"ulbd-{s}-mesh", 1.0) for s in ("in", "off")]
    claim = designed.class_accuracy(found(published, *mine), family="cubic", learner="labels")
    assert claim.verdict == YES
    assert "several" not in claim.reason


# --- which scale --------------------------------------------------------------------------------


def test_scale_smoke_judges_no_model():
    scores = [result("ulbd-cubic", f"ulbd-{s}-mesh", 0.1, scale="smoke") for s in ("in", "off")]
    smoke = replace(found(*scores), scale="smoke")
    claim = designed.class_accuracy(smoke, family="cubic", learner="labels")
    assert claim.verdict == claim.outcome == "too little training to judge"
    assert "off-mesh 10.0 %" in claim.measured
    assert claim.reason.startswith("This scale only shows that every step runs. Asked for is")
    assert laws.ceilings_agree(smoke).verdict == YES
    assert designed.class_accuracy(smoke, family="all", learner="posteriors").verdict == ABSENT
    verdicts = {claim.verdict for claim in all_claims(smoke)}
    assert not verdicts & {NO, PARTLY}


# --- the list -----------------------------------------------------------------------------------


def test_claims_are_in_the_order_of_the_article():
    items = list(dict.fromkeys(claim.item for claim in all_claims(found())))
    assert items == [
        "Fig. 2", "Fig. 3", "Fig. 4", "Fig. 5", "Fig. 6", "Fig. 7", "Fig. 8", "Table I",
        "Tables S1–S3", "Fig. 9", "Fig. 10", "Fig. S1", "Extinction classes",
        "Cells of minerals", "Physical intensities",
    ]  # fmt: skip
