"""Paired tests: what is planted is found, and equal models are told apart no more than they may."""

from dataclasses import replace
from itertools import combinations, product

import numpy as np
import pytest
from example_results import made_up_scores
from scipy.stats import binom

from sgbench.errors import SgbenchError
from sgbench.evaluation import Answers, Score, wilson_interval
from sgbench.evaluation._hits import _bootstrap_interval
from sgbench.leaderboard import (
    Accuracy,
    _pairs,
    build_pairs,
    build_table,
    difference_p,
    paired_p,
    pairs_of,
    places,
    read_pairs,
    row_key,
    write_pairs,
)
from sgbench.leaderboard._pairs import _FEW


def from_discordant(more: int, less: int) -> np.ndarray:
    """Differences of two models of which one alone is right so often, and the other so often."""
    return np.concatenate([np.ones(more), -np.ones(less), np.zeros(100)])


@pytest.mark.parametrize(
    ("more", "less", "expected"),
    [
        (59, 121, 4.434e-06),  # the example of statsmodels.stats.contingency_tables.mcnemar
        (15, 5, 0.041389),
        (1, 0, 1.0),
        (7, 7, 1.0),
        (0, 0, 1.0),
        (10, 0, 2 * 0.5**10),
    ],
)
def test_without_ties_it_is_mcnemars_exact_test(more, less, expected):
    assert paired_p(from_discordant(more, less)) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize("seed", range(5))
def test_fractions_are_tested_by_all_changes_of_sign(seed):
    draw = np.random.default_rng(seed)
    values = draw.choice([1, 1 / 2, 1 / 3, 2 / 3, 3, 1 / 4], 11) * draw.choice([-1, 1], 11)
    sums = np.array(list(product((-1, 1), repeat=11))) @ np.abs(values)
    expected = np.mean(np.abs(sums) >= abs(values.sum()) - 1e-9)
    assert paired_p(values) == pytest.approx(expected, rel=1e-9)
    assert paired_p(-values) == pytest.approx(expected, rel=1e-9)


def test_differences_too_small_for_the_grid_are_no_error():
    """Large classes and many seeds make them: a part of a sample's chance in a part of the runs."""
    small = np.array([1 / 720, -1 / 480, 1 / 230])
    assert paired_p(small[:2]) == 1.0
    assert paired_p(np.concatenate([small, np.ones(10)])) == pytest.approx(
        paired_p(np.concatenate([small[2:], np.ones(10)]))
    )


def test_many_differences_are_normal(monkeypatch):
    """The approximation agrees with the exact distribution where it begins."""
    draw = np.random.default_rng(0)
    for _ in range(5):
        few = draw.choice([1.0, 0.5], _FEW) * draw.choice([-1, 1], _FEW, p=[0.42, 0.58])
        exact = paired_p(few)
        with monkeypatch.context() as patch:
            patch.setattr(_pairs, "_FEW", 0)
            assert paired_p(few) == pytest.approx(exact, rel=0.2)


def scored(model: str, hit: np.ndarray, cluster: np.ndarray | None = None, **origin) -> Score:
    """A score by class on a made-up test set, with these answers."""
    one = made_up_scores("ulbd-cubic", "cddd", "cubic", 0.5, model, n=36)[1]
    cluster = np.arange(len(hit)) if cluster is None else cluster
    n, rate = int(cluster.max()) + 1, hit[:, None].mean(axis=0)
    low, high = (
        wilson_interval(rate, n) if n == len(hit) else _bootstrap_interval(hit[:, None], cluster)
    )
    top = {"top": rate, "top_low": low, "top_high": high}
    known = {name: origin.pop(name) for name in ("test_sha256", "source") if name in origin}
    return replace(
        one,
        **{"test_sha256": "t", **known},
        n_test=len(hit),
        n_clusters=n,
        **{name: (float(value[0]),) * 5 for name, value in top.items()},
        answers=Answers(hit.astype(np.float32), cluster.astype(np.int32)),
        provenance={
            **one.provenance, "predictions_sha256": f"{model:0<64}", **origin,
        },
    )  # fmt: skip


def accuracy(score: Score) -> Accuracy:
    return Accuracy(score.top[0], score.top_low[0], score.top_high[0])


def p_of(pairs, one: str, other: str) -> float:
    first, second = sorted((row_key(f"{one:0<64}"), row_key(f"{other:0<64}")))
    (found,) = pairs[(pairs["first"] == first) & (pairs["second"] == second)]["p"]
    return float(found)


def test_a_planted_difference_is_found_where_intervals_see_none():
    """They disagree on 40 of 2,000 samples, 30 to 10: one point, and no chance."""
    draw = np.random.default_rng(1)
    a = (draw.random(2000) < 0.8).astype(float)
    b = a.copy()
    b[np.flatnonzero(a == 1)[:30]] = 0
    b[np.flatnonzero(a == 0)[:10]] = 1
    rows = [scored("a", a), scored("b", b)]
    assert difference_p(*map(accuracy, rows)) > 0.2
    p = p_of(build_pairs(rows), "a", "b")
    assert p == pytest.approx(2 * binom.cdf(10, 40, 0.5), rel=1e-6)
    ranks = places([accuracy(one) for one in rows], {(0, 1): p})
    assert [(one.best, one.worst, one.paired) for one in ranks] == [(1, 1, True), (2, 2, False)]
    unpaired = places([accuracy(one) for one in rows])
    assert [(one.best, one.worst) for one in unpaired] == [(1, 2), (1, 2)]


def test_samples_that_belong_together_count_once():
    """The same 40 differences in two clusters tell nothing."""
    a = np.ones(2000)
    b = a.copy()
    b[:20] = b[1000:1020] = 0
    together = np.arange(2000)
    together[:20], together[1000:1020] = 0, 1000
    together = np.unique(together, return_inverse=True)[1]
    assert p_of(build_pairs([scored("a", a), scored("b", b)]), "a", "b") < 1e-9
    rows = [scored("a", a, together), scored("b", b, together)]
    assert p_of(build_pairs(rows), "a", "b") == 0.5


@pytest.mark.parametrize("kind", ["independent", "clusters", "ties"])
def test_equal_models_are_told_apart_as_rarely_as_promised(kind):
    """Five models that find the same samples hard: of 200 tables, 5 % may have a difference."""
    draw = np.random.default_rng([7, len(kind)])
    n, tables, models = 400, 200, 5
    wrong, rejected = 0, []
    for _ in range(tables):
        sizes = draw.integers(1, 12, n) if kind == "clusters" else np.ones(n, dtype=int)
        cluster = np.repeat(np.arange(n), sizes)[:n]
        hard = draw.beta(2, 1, n)[cluster]
        own = draw.random((models, n))[:, cluster] * 0.7 + 0.3 * draw.random((models, n))
        hits = (own < hard).astype(float)
        if kind == "ties":
            hits = hits / draw.choice([1, 1, 2, 3], (models, n))
        cluster = np.unique(cluster, return_inverse=True)[1]
        sums = [np.bincount(cluster, one) for one in hits]
        p = {pair: paired_p(sums[pair[0]] - sums[pair[1]])
             for pair in combinations(range(models), 2)}  # fmt: skip
        rejected += [value < 0.05 for value in p.values()]
        rows = [Accuracy(float(one.mean()), 0.0, 1.0) for one in hits]
        wrong += any((one.best, one.worst) != (1, models) for one in places(rows, p))
    assert 0.03 < np.mean(rejected) < 0.06  # near the nominal rate before Holm's correction
    assert wrong <= binom.ppf(0.999, tables, 0.05)


def test_seeds_are_one_row_and_their_spread_counts():
    draw = np.random.default_rng(4)
    base = (draw.random(3000) < 0.8).astype(float)

    def seeds(name, rates):
        found = []
        for seed, rate in enumerate(rates):
            hit = base * (draw.random(3000) < rate)
            found.append(scored(name, hit, seed=seed, predictions_sha256=f"{name}{seed}" * 30))
        return found

    rows = seeds("a", (0.99, 0.99, 0.99)) + seeds("b", (0.97, 0.97, 0.97))
    pairs, table = build_pairs(rows), build_table(rows)
    assert len(pairs) == 1
    keys = [row_key(text) for text in table["predictions_sha256"]]
    assert sorted(keys) == pairs[["first", "second"]].to_numpy()[0].tolist()
    p = float(pairs["p"].iloc[0])
    assert p < 1e-6
    steady, shaky = (
        places([Accuracy(0.79, 0.77, 0.81, sd, 3), Accuracy(0.776, 0.756, 0.796, sd, 3)],
               {(0, 1): p})
        for sd in (0.0005, 0.02)
    )  # fmt: skip
    assert p < steady[0].p < 0.05 < shaky[0].p


def test_what_cannot_be_paired_is_left_out():
    hit = np.tile([1.0, 0.0], 18)
    rows = [
        scored("a", hit),
        replace(scored("old", hit), answers=None),
        scored("control", hit, status="control"),
        scored("few", hit[:20], test_sha256="of its own"),
        scored("elsewhere", hit, source="of its own"),
        scored("b", 1 - hit),
        replace(scored("c", hit), test_set="gcdd"),
        scored("d", hit, scale="laptop"),
    ]
    pairs = build_pairs(rows)
    assert len(pairs) == 1
    assert p_of(pairs, "a", "b") == 1.0
    # Of a row with two seeds, one of which has no answers, there is nothing to compare.
    more = [*rows, replace(scored("b", hit, seed=1), answers=None)]
    assert build_pairs(more).empty


def test_pairs_are_written_and_read(tmp_path):
    hits = np.random.default_rng(0).random((3, 500)) < 0.7
    rows = [scored(f"m{i}", hit.astype(float)) for i, hit in enumerate(hits)]
    pairs = build_pairs(rows)
    write_pairs(tmp_path / "l.pairs.csv", pairs_of(pairs, build_table(rows)))
    found = read_pairs(tmp_path / "l.pairs.csv")
    assert found.drop(columns="p").equals(pairs.drop(columns="p"))
    assert found["p"].to_numpy() == pytest.approx(pairs["p"].to_numpy(), rel=5e-3)
    assert read_pairs(tmp_path / "none.csv").empty
    # Of rows that are gone nothing is kept.
    assert len(pairs_of(pairs, build_table(rows[:2]))) == 1
    assert len(pairs_of(read_pairs(tmp_path / "none.csv"), build_table(rows))) == 0


@pytest.mark.parametrize(
    "text", ["", "a,b\n1,2\n", "test_set,class_scheme,first,second,p\na,b,c,d,2\n",
             "test_set,class_scheme,first,second,p\na,b,c,,0.5\n", "\x00"],
)  # fmt: skip
def test_files_that_hold_no_pairs(tmp_path, text):
    (tmp_path / "p.csv").write_text(text)
    with pytest.raises(SgbenchError, match="is not a table of comparisons"):
        read_pairs(tmp_path / "p.csv")
