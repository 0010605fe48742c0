"""Verdicts on both sides of each threshold."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from example_crystals import crystal_set

from sgbench.evaluation import LabelScore, Score
from sgbench.evaluation._scores import wilson_interval
from sgbench.leaderboard import build_table, read_pairs
from sgbench.report import REFERENCE_MODELS, _claims
from sgbench.symmetry import Ceiling, extinction_classes, family_spacegroups

YES, PARTLY, NO, ABSENT = "reproduced", "partly", "not reproduced", "not run at this scale"
MODEL, *_, OTHER = REFERENCE_MODELS
CUBIC = tuple(Ceiling.of_family("cubic").top)


def result(
    train_set, test_set, top1, half=0.01, scheme="extinction", family="cubic", **changes
) -> Score:
    """A score whose intervals reach as far to both sides."""
    model = changes.pop("model", MODEL)
    ceiling = changes.pop("ceiling", CUBIC if scheme == "spacegroup" else (1.0,) * 5)
    top = changes.pop("top", (top1, *ceiling[1:]))
    values = {
        "test_set": test_set, "family": family, "class_scheme": scheme, "n_test": 1200,
        "n_clusters": 1200, "top": top, "top_low": tuple(t - half for t in top),
        "top_high": tuple(t + half for t in top), "ceiling": ceiling,
        "gap": tuple(c - t for c, t in zip(ceiling, top, strict=True)),
        "share": tuple(t / c for c, t in zip(ceiling, top, strict=True)),
        "balanced_accuracy": top1, "ece": 0.0, "by_label": {}, "confusion": (),
    }  # fmt: skip
    provenance = {
        "model": model, "train_set": train_set, "scale": "laptop", "seed": 0,
        "train_patterns": changes.pop("train_patterns", 1000),
    }  # fmt: skip
    return Score(**{**values, **changes}, provenance=provenance)


def table(*scores) -> pd.DataFrame:
    return build_table(scores)


NO_PAIRS = read_pairs(Path("none.csv"))
EMPTY = table(result("ulbd-monoclinic", "ulbd-in-mesh", 0.5))


# --- without data -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "claim",
    [
        _claims.cells_cluster(None),
        _claims.patterns_follow_cells(None),
        _claims.random_cells_spread(None, crystal_set()),
        _claims.groups_are_imbalanced(None),
        _claims.groups_are_imbalanced(crystal_set({225: 50})),  # not of all families
        _claims.cells_cluster(crystal_set({225: 3})),
        _claims.random_structures_are_harder(EMPTY, "cubic"),
        _claims.accuracy_follows_samples((), crystal_set(), "cubic"),
        _claims.imbalance_flatters(EMPTY, {}),
        _claims.lies_on_ceiling(EMPTY, "cubic"),
        _claims.generalizes(EMPTY, "cubic", "cddd-test"),
        _claims.fine_mesh_suffices(EMPTY),
        _claims.class_accuracy(EMPTY, "cubic"),
        _claims.physical_is_ahead(EMPTY, NO_PAIRS, "cubic"),
        _claims.every_ingredient_counts(EMPTY),
    ],
    ids=lambda claim: claim.key,
)
def test_what_was_not_run_says_so(claim):
    assert claim.verdict == ABSENT
    assert claim.measured == ""
    assert claim.reason


# --- theory -------------------------------------------------------------------------------------


def test_table_one_agrees():
    ceilings = {f: Ceiling.of_family(f) for f in _claims.PUBLISHED_CEILINGS}
    claim = _claims.ceilings_agree(ceilings)
    assert claim.verdict == YES
    assert "15 of 15" in claim.reason
    assert "47.2 72.2 80.6 88.9 97.2" in claim.measured


def test_ceilings_that_differ():
    ceilings = {f: Ceiling.of_family(f) for f in _claims.PUBLISHED_CEILINGS}
    moved = {f: replace(c, top=(c.top[0] + 0.002, *c.top[1:])) for f, c in ceilings.items()}
    assert _claims.ceilings_agree(moved).verdict == PARTLY
    moved = {f: replace(c, top=tuple(t + 0.002 for t in c.top)) for f, c in ceilings.items()}
    assert _claims.ceilings_agree(moved).verdict == NO


def test_the_sizes_of_classes():
    classes = {f: extinction_classes(family_spacegroups(f)) for f in _claims.PUBLISHED_CEILINGS}
    claim = _claims.classes_agree(classes)
    assert claim.verdict == YES
    assert claim.published == claim.measured
    assert "52 groups in 9 classes (9 9 7 6 5)" in claim.measured
    first, second, *rest = classes["cubic"]
    # One group moves from the first class, which then has four members, to the second.
    group = first.spacegroups[0]
    moved = (
        replace(first, spacegroups=first.spacegroups[1:]),
        replace(second, spacegroups=(*second.spacegroups, group)),
        *rest,
    )
    assert _claims.classes_agree({**classes, "cubic": moved}).verdict == PARTLY
    assert _claims.classes_agree({**classes, "cubic": classes["cubic"][1:]}).verdict == NO


# --- datasets -----------------------------------------------------------------------------------


def crystals(cells, group=225):
    """As many crystals of one group as there are cubic edges."""
    found = crystal_set({group: len(cells)})
    edges = np.repeat(np.asarray(cells, dtype=float)[:, None], 3, axis=1)
    return replace(found, cell=np.hstack([edges, np.full((len(cells), 3), 90.0)]))


@pytest.mark.parametrize(
    ("spread", "verdict"),
    [(0.5, YES), (0.51, PARTLY), (0.8, PARTLY), (0.81, NO)],
)
def test_how_much_clustering_is_enough(monkeypatch, spread, verdict):
    monkeypatch.setattr(_claims, "spreads", lambda crystals: {(225, 0): spread})
    assert _claims.cells_cluster(crystal_set()).verdict == verdict


def test_clustered_and_uniform_cells():
    draw = np.random.default_rng(0)
    near = np.concatenate([draw.normal(5, 0.1, 60), draw.normal(9, 0.1, 60), [3, 15]])
    assert _claims.cells_cluster(crystals(near)).verdict == YES
    assert _claims.cells_cluster(crystals(draw.uniform(3, 15, 122))).verdict == NO


@pytest.mark.parametrize(
    ("near", "far", "verdict"),
    [(0.6, 0.3, YES), (0.59, 0.3, PARTLY), (0.31, 0.3, PARTLY), (0.3, 0.3, NO)],
)
def test_how_alike_is_enough(monkeypatch, near, far, verdict):
    monkeypatch.setattr(_claims, "similarities", lambda crystals: ([near], [far]))
    assert _claims.patterns_follow_cells(crystal_set()).verdict == verdict


@pytest.mark.parametrize(
    ("random", "verdict"), [(0.75, YES), (0.74, PARTLY), (0.51, PARTLY), (0.5, NO)]
)
def test_how_much_more_even_is_enough(monkeypatch, random, verdict):
    monkeypatch.setattr(_claims, "paired_spreads", lambda real, other: [(0.5, random)])
    assert _claims.random_cells_spread(crystal_set(), crystal_set()).verdict == verdict


@pytest.mark.parametrize(
    ("largest", "empty", "verdict"),
    [(20, True, YES), (19, True, PARTLY), (20, False, PARTLY), (19, False, NO)],
)
def test_how_imbalanced_is_enough(largest, empty, verdict):
    counts = dict.fromkeys(range(1, 231 - empty), 2) | {225: largest}
    claim = _claims.groups_are_imbalanced(crystal_set(counts, families=("all",)))
    assert claim.verdict == verdict
    assert f"{largest} structures in F m -3 m" in claim.measured


# --- models -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("random", "verdict"), [(0.479, YES), (0.481, PARTLY), (0.499, PARTLY), (0.5, NO)]
)
def test_loss_on_random_structures(random, verdict):
    found = table(
        result("cddd-cubic-paper-split", "cddd-paper-test", 0.5, scheme="spacegroup"),
        result("cddd-cubic-paper-split", "gcdd", random, scheme="spacegroup"),
    )
    claim = _claims.random_structures_are_harder(found, "cubic")
    assert claim.verdict == verdict
    assert "n = 1,200, 1 seed" in claim.measured
    assert _claims.random_structures_are_harder(found, "tetragonal").verdict == ABSENT


def accuracies(accuracy):
    """The crystals of the example, cubic ones of several groups, and accuracies of these groups."""
    counts = {195 + i: 10 * (i + 1) for i in range(len(accuracy))}
    found = crystal_set(counts)
    labels = {str(g): LabelScore(5, 5, a, a, a) for g, a in zip(counts, accuracy, strict=True)}
    return found, (
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
    found, scores = accuracies(accuracy)
    assert _claims.accuracy_follows_samples(scores, found, "cubic").verdict == verdict


def test_accuracy_where_all_groups_have_as_many():
    _, scores = accuracies((0.1, 0.2, 0.3, 0.4, 0.5, 0.6))
    even = crystal_set(dict.fromkeys(range(195, 201), 20))
    even = replace(even, split_grouped=("train",) * len(even))
    assert _claims.accuracy_follows_samples(scores, even, "cubic").verdict == ABSENT


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
    found = table(
        result("ulbd-cubic-imbalanced", "ulbd-imbalanced-in-mesh", uneven, scheme="spacegroup"),
        result("ulbd-cubic", "ulbd-in-mesh", even, scheme="spacegroup"),
    )
    assert _claims.imbalance_flatters(found, {}).verdict == verdict
    history = {
        ("ulbd-cubic-imbalanced", MODEL): (pd.DataFrame({"top1": [0.6, 0.82]}),),
        ("ulbd-cubic", MODEL): (pd.DataFrame({"top1": [0.47, 0.46]}),),
        ("ulbd-cubic", OTHER): (pd.DataFrame({"top1": [0.99]}),),
    }
    assert "validation 82.0 % and 47.0 %" in _claims.imbalance_flatters(found, history).measured


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
    found = table(
        result("ulbd-cubic", "ulbd-in-mesh", top[0], half, "spacegroup", top=tuple(top)),
        result("ulbd-cubic", "ulbd-off-mesh", 0.1, scheme="spacegroup"),
    )
    assert _claims.lies_on_ceiling(found, "cubic").verdict == verdict


def pairs(ulbd, cddd, real, half=0.01):
    trained = "cddd-cubic" + ("-paper-split" if "paper" in real else "")
    return table(
        result("ulbd-cubic", "ulbd-in-mesh", 0.99, half),
        result("ulbd-cubic", real, 0.99 - ulbd, half),
        result(trained, real, 0.9, half),
        result(trained, "ulbd-in-mesh", 0.9 - cddd, half),
    )


REAL = ("cddd-paper-test", "cddd-test", "cddd-test-in-domain")


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
    found = pairs(ulbd, cddd, real)
    assert _claims.generalizes(found, "cubic", real).verdict == verdict
    for other in set(REAL) - {real}:
        assert _claims.generalizes(found, "cubic", other).verdict == ABSENT


def test_the_interval_of_a_difference():
    # Newcombe (1998), Table II, example (a): 56/70 and 48/80, method 10.
    rows = []
    for right, n in ((56, 70), (48, 80)):
        low, high = wilson_interval(np.array(right / n), n)
        rows.append({"top1": right / n, "top1_low": low, "top1_high": high})
    value, low, high = _claims.difference(*rows)
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
    found = table(
        *(
            result(f"ulbd-cubic@{name}", test, CUBIC[0] - (0 if yes else 0.05), scheme="spacegroup")
            for name, yes in reached.items()
            for test in ("ulbd-in-mesh", "cddd")
        )
    )
    assert _claims.fine_mesh_suffices(found).verdict == verdict


# --- beyond the paper ---------------------------------------------------------------------------


@pytest.mark.parametrize(("family", "asked"), _claims.CLASS_ACCURACY.items())
@pytest.mark.parametrize(
    ("inside", "between", "verdict"),
    [(0.0, 0.0, YES), (0.0, -0.001, PARTLY), (-0.001, 0.0, PARTLY), (-0.001, -0.001, NO)],
)
def test_class_accuracy(family, asked, inside, between, verdict):
    train = f"ulbd-{family}"
    found = table(
        result(train, "ulbd-in-mesh", asked + inside, family=family),
        result(train, "ulbd-off-mesh", asked + between, family=family),
    )
    claim = _claims.class_accuracy(found, family)
    assert claim.verdict == verdict
    assert not claim.of_paper
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
    claim = _claims.physical_is_ahead(table(*scores), NO_PAIRS, "cubic")
    assert claim.verdict == verdict
    assert "paired" not in claim.measured
    assert "Each training saw 1,000 patterns." in claim.reason
    unequal = [result("ulbd-cubic", "cddd", 0.8, train_patterns=500), *scores[1:]]
    claim = _claims.physical_is_ahead(table(*unequal), NO_PAIRS, "cubic")
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
    measured = _claims.physical_is_ahead(table(*scores), pairs, "cubic").measured
    assert "(paired p = 0.01)" in measured.split(";")[0]
    assert "paired" not in measured.split(";")[1]


@pytest.mark.parametrize(
    ("losses", "verdict"),
    [((0.021, 0.021, 0.021), YES), ((0.021, 0.019, 0.0), PARTLY), ((0.019, 0.019, -0.1), NO)],
)
def test_ingredients(losses, verdict):
    names = [f"ulbd-physical-cubic-no-{part}" for part in _claims.INGREDIENTS]
    scores = [result("ulbd-physical-cubic", "cddd", 0.9)]
    scores += [result(name, "cddd", 0.9 - loss) for name, loss in zip(names, losses, strict=True)]
    claim = _claims.every_ingredient_counts(table(*scores))
    assert claim.verdict == verdict
    if verdict == YES:
        assert "without fall-off 87.9 (86.9–88.9) (−2.1)" in claim.measured


# --- which model --------------------------------------------------------------------------------


def test_a_claim_takes_the_first_reference_model_that_has_all_it_needs():
    best = result("ulbd-cubic", "ulbd-in-mesh", 1.0, model="somebody")
    other = [result("ulbd-cubic", f"ulbd-{s}-mesh", 1.0, model=OTHER) for s in ("in", "off")]
    first = [result("ulbd-cubic", f"ulbd-{s}-mesh", 0.5, model=MODEL) for s in ("in", "off")]
    only_half = _claims.class_accuracy(table(best, *other, first[0]), "cubic")
    assert only_half.verdict == YES
    assert f"Model: {OTHER}." in only_half.reason
    both = _claims.class_accuracy(table(best, *other, *first), "cubic")
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
    claim = _claims.class_accuracy(table(*scores), "cubic")
    assert "99.7 % (98.7–100.7); n = 1,200 in 400 clusters, 2 seeds (sd 0.3)" in claim.measured
