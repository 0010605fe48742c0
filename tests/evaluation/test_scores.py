import json
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from sgbench.diffraction import CANONICAL, LineList, Samples
from sgbench.errors import SgbenchError
from sgbench.evaluation import (
    CLASS_SCHEMES,
    Predictions,
    predict_untrained,
    read_score,
    score,
    top_k_hits,
    wilson_interval,
    write_score,
)
from sgbench.evaluation._scores import calibration_bins, calibration_error
from sgbench.models import get_model
from sgbench.sets import SetSpec, TestSet, family_set, open_test_set
from sgbench.symmetry import Ceiling, class_labels, family_spacegroups

CUBIC = family_spacegroups("cubic")
PAPER = ("cubic", "tetragonal", "trigonal-hexagonal")


def truth_of(spacegroups, cluster=None) -> TestSet:
    n = len(spacegroups)
    lines = LineList(np.zeros(n + 1, dtype=np.int64), np.empty(0), np.empty(0, dtype=np.float32))
    ids = tuple(f"s{i}" for i in range(n))
    samples = Samples(ids, np.array(spacegroups), CANONICAL, lines)
    return TestSet(SetSpec("crystals", "all"), "cubic", "made-up", samples, 0, cluster)


def guesses(columns, sure=0.9) -> Predictions:
    """Predictions that give most of the probability to one space group each."""
    probabilities = np.full((len(columns), 36), (1 - sure) / 35, dtype=np.float32)
    probabilities[np.arange(len(columns)), columns] = sure
    ids = tuple(f"s{i}" for i in range(len(columns)))
    return Predictions(
        ids,
        "spacegroup",
        CUBIC,
        probabilities,
        {"model": "made-up", "train_set": "mine", "scale": "smoke"},
    )


@pytest.mark.parametrize("scheme", CLASS_SCHEMES)
def test_a_score_of_chances_that_rounding_leaves_above_one_can_be_read(tmp_path, scheme):
    """As those of nearest neighbours are, which had a written score refused."""
    surest = np.nextafter(np.float32(1), np.float32(2))
    guess = guesses([3] * 8, 1.0)
    guess.probabilities[:7] *= surest
    found = score(guess, truth_of([CUBIC[3]] * 8), scheme)
    write_score(tmp_path / "s.json", found)
    assert read_score(tmp_path / "s.json").calibration == found.calibration
    assert found.calibration[-1][2] == 1.0


# Few values, so that there are ties.
few = st.sampled_from([0.0, 0.125, 0.25, 0.5])


@given(st.integers(2, 5).flatmap(lambda n: st.tuples(
    st.lists(st.lists(few, min_size=n, max_size=n), min_size=1, max_size=4), st.integers(0, n - 1)
)))  # fmt: skip
def test_ties_are_averaged_over_all_orders(case):
    rows, label = case
    probabilities = np.array(rows, dtype=np.float32)
    n = probabilities.shape[1]
    orders = list(permutations(range(n)))
    expected = np.zeros((len(rows), 5))
    for place, row in enumerate(rows):
        for order in orders:  # labels in the order in which ties are broken
            ranking = sorted(order, key=lambda column: -row[column])
            expected[place, ranking.index(label) :] += 1 / len(orders)
    found = top_k_hits(probabilities, np.full(len(rows), label), 5)
    np.testing.assert_allclose(found, expected, atol=1e-12)


@pytest.mark.parametrize("scheme", CLASS_SCHEMES)
@pytest.mark.parametrize("family", PAPER)
def test_the_oracle_lands_on_the_ceiling(family, scheme):
    truth = open_test_set(SetSpec.parse("ulbd-in-mesh"), family_set(family), 2)
    guess, _ = predict_untrained(get_model("control-oracle"), truth, scheme, "smoke")
    result = score(guess, truth, scheme)
    expected = Ceiling.of_family(family).top if scheme == "spacegroup" else (1.0,) * 5
    assert result.top == pytest.approx(expected, abs=1e-12)
    assert result.raw == pytest.approx(expected, abs=1e-12)
    assert result.ceiling == pytest.approx(expected, abs=1e-12)
    assert result.gap == pytest.approx((0.0,) * 5, abs=1e-12)
    assert result.share == pytest.approx((1.0,) * 5, abs=1e-12)


@pytest.mark.parametrize("family", PAPER)
def test_guessing_scores_k_of_n(family):
    truth = open_test_set(SetSpec.parse("ulbd-in-mesh"), family_set(family), 1)
    guess, _ = predict_untrained(get_model("control-uniform"), truth, "spacegroup", "smoke")
    result = score(guess, truth, "spacegroup")
    n = len(family_spacegroups(family))
    assert result.top == pytest.approx([k / n for k in range(1, 6)])
    assert result.raw == pytest.approx([k / n for k in range(1, 6)])
    assert result.balanced_accuracy == pytest.approx(1 / n)
    assert result.ece == pytest.approx(0.0, abs=1e-6)


@given(st.integers(1, 2000).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n))))
def test_wilsons_interval_as_scipy_has_it(case):
    n, k = case
    theirs = binomtest(k, n).proportion_ci(0.95, method="wilson")
    low, high = wilson_interval(np.array([k / n]), n)
    assert (low[0], high[0]) == pytest.approx((theirs.low, theirs.high), abs=1e-9)


def test_independent_samples_get_wilsons_interval():
    result = score(guesses([0] * 30 + [5] * 70), truth_of([195] * 100), "spacegroup")
    theirs = binomtest(30, 100).proportion_ci(0.95, method="wilson")
    assert result.top[0] == pytest.approx(0.3)
    assert (result.top_low[0], result.top_high[0]) == pytest.approx((theirs.low, theirs.high))
    assert result.n_clusters == result.n_test == 100


def width(n_clusters: int, size: int) -> float:
    """Of the interval for samples whose clusters are right or wrong as a whole."""
    right = np.repeat(np.arange(n_clusters) % 2, size)
    cluster = tuple(str(i) for i in np.repeat(np.arange(n_clusters), size))
    truth = truth_of([195] * len(right), cluster)
    result = score(guesses(np.where(right, 0, 5)), truth, "spacegroup")
    assert result.n_clusters == n_clusters
    assert result.top_low[0] <= result.top[0] <= result.top_high[0]
    return result.top_high[0] - result.top_low[0]


def wilson_width(n: int) -> float:
    interval = binomtest(n // 2, n).proportion_ci(0.95, method="wilson")
    return interval.high - interval.low


def test_near_copies_do_not_make_an_interval_narrower():
    """400 samples of 40 minerals tell as much as 40 samples, if copies behave alike."""
    assert width(400, 1) == pytest.approx(wilson_width(400), rel=0.1)
    assert width(40, 10) == pytest.approx(wilson_width(40), rel=0.1)
    assert width(40, 10) > 2.5 * width(400, 1)


def test_a_perfect_score_on_clusters_is_not_a_point():
    truth = truth_of([195] * 20, tuple("aabbccddee" * 2))
    result = score(guesses([0] * 20), truth, "spacegroup")
    theirs = binomtest(5, 5).proportion_ci(0.95, method="wilson")
    assert (result.top_low[0], result.top_high[0]) == pytest.approx((theirs.low, theirs.high))


def test_a_score_does_not_depend_on_when_it_is_made():
    truth = truth_of([195] * 30, tuple("abcdefghij" * 3))
    results = [score(guesses([0, 5, 7] * 10), truth, "spacegroup") for _ in range(2)]
    assert results[0] == results[1]


@pytest.mark.parametrize(
    ("confidence", "hit", "expected"),
    [
        ([1.0, 1.0], [1, 1], 0.0),
        ([1.0, 1.0], [0, 0], 1.0),
        ([0.75] * 4, [1, 1, 1, 0], 0.0),
        ([0.75] * 4, [0, 0, 0, 1], 0.5),
        ([1.0, 1.0, 0.5, 0.5], [1, 1, 1, 1], 0.25),  # two bins: 0 and 0.5, half of the samples each
        ([0.9, 0.9, 0.6, 0.6], [0, 0, 1, 1], 0.65),  # bins never cancel each other
    ],
)
def test_calibration_in_closed_form(confidence, hit, expected):
    rows = [[value, *([(1 - value) / 2] * 2)] for value in confidence]
    bins = calibration_bins(np.array(rows, dtype=np.float32), np.array(hit, dtype=float))
    assert calibration_error(bins) == pytest.approx(expected, abs=1e-6)
    assert sum(n for _, n, _, _ in bins) == len(hit)
    assert sum(n * right for _, n, _, right in bins) == pytest.approx(sum(hit))
    assert all(i / 15 <= confidence <= (i + 1) / 15 for i, _, confidence, _ in bins)


def test_a_planted_overconfidence_is_in_the_bins():
    """Right as often as stated below one half, and ten points less often above."""
    draw = np.random.default_rng(3)
    confidence = draw.uniform(0.35, 1.0, 200_000).astype(np.float32)
    rest = (1 - confidence)[:, None] * np.full(3, 1 / 3, dtype=np.float32)
    hit = (draw.random(len(confidence)) < confidence - 0.1 * (confidence > 0.5)).astype(float)
    bins = calibration_bins(np.hstack([confidence[:, None], rest]), hit)
    assert [i for i, *_ in bins] == list(range(5, 15))
    for i, _, stated, right in bins:
        if i != 7:  # 0.5 lies within
            assert stated - right == pytest.approx(0.1 if i > 7 else 0.0, abs=0.015)


def test_labels_and_balance():
    """Three of four of one label and none of two of another: balanced, that is 3/8."""
    result = score(guesses([0, 0, 0, 9, 9, 9]), truth_of([195] * 4 + [196] * 2), "spacegroup")
    found = {name: (one.n, one.n_clusters, one.top1) for name, one in result.by_label.items()}
    assert found == {"195": (4, 4, 0.75), "196": (2, 2, 0.0)}
    low, high = wilson_interval(np.array([0.75]), 4)
    one = result.by_label["195"]
    assert (one.top1_low, one.top1_high) == pytest.approx((low[0], high[0]))
    assert result.balanced_accuracy == pytest.approx(0.375)
    assert result.top[0] == pytest.approx(0.5)


def test_confusions_are_counted():
    guess, truth = guesses([0, 0, 3, 9, 9]), truth_of([195, 195, 195, 196, 204])
    by_group = score(guess, truth, "spacegroup")
    assert by_group.confusion == ((195, 195, 2), (195, 198, 1), (196, 204, 1), (204, 204, 1))
    # 204 is of the class of 197, the third; 196 and 198 lead the second and the fourth
    by_class = score(guess, truth, "extinction")
    assert by_class.confusion == ((0, 0, 2), (0, 3, 1), (1, 2, 1), (2, 2, 1))


@given(st.lists(st.tuples(st.integers(0, 35), st.integers(0, 35)), min_size=1, max_size=60))
def test_confusions_agree_with_hits_and_labels(pairs):
    true, guessed = map(list, zip(*pairs, strict=True))
    for scheme in CLASS_SCHEMES:
        found = score(guesses(guessed), truth_of([195 + column for column in true]), scheme)
        assert sum(n for _, _, n in found.confusion) == len(pairs)
        right = sum(n for true, guess, n in found.confusion if true == guess)
        assert right == pytest.approx(found.top[0] * len(pairs))
        for name, one in found.by_label.items():
            assert sum(n for true, _, n in found.confusion if str(true) == name) == one.n


def test_of_equal_probabilities_the_lowest_label_is_the_guess():
    probabilities = np.zeros((1, 36), dtype=np.float32)
    probabilities[0, [3, 7]] = 0.5
    guess = Predictions(("s0",), "spacegroup", CUBIC, probabilities, {})
    found = score(guess, truth_of([202]), "spacegroup")
    assert found.confusion == ((202, 198, 1),)
    assert found.top[0] == pytest.approx(0.5)  # the accuracy takes either with equal chance


def test_the_ceiling_follows_the_labels_of_the_test_set():
    """195 and 221 are of one class, 198 is alone: at best (3 + 1) of 5 at first guess."""
    truth = truth_of([195, 221, 221, 221, 198])
    result = score(guesses([26, 26, 26, 26, 3]), truth, "spacegroup")
    assert result.ceiling[:2] == pytest.approx((0.8, 1.0))
    assert result.top[0] == pytest.approx(0.8)
    assert result.share[0] == pytest.approx(1.0)
    by_class = score(guesses([26, 26, 26, 26, 3]), truth, "extinction")
    assert by_class.top[0] == pytest.approx(1.0)
    found = {name: (one.n, one.top1) for name, one in by_class.by_label.items()}
    assert found == {"0": (4, 1.0), "3": (1, 1.0)}


def test_probabilities_of_a_class_are_summed():
    """No member leads, yet the class does."""
    probabilities = np.zeros((1, 36), dtype=np.float32)
    probabilities[0, [0, 5, 12]] = 0.2  # 195, 200 and 207: P - - -
    probabilities[0, 3] = 0.4  # 198
    guess = Predictions(("s0",), "spacegroup", CUBIC, probabilities, {})
    assert score(guess, truth_of([195]), "spacegroup").top[0] == 0
    assert score(guess, truth_of([195]), "extinction").top[0] == 1
    assert class_labels(CUBIC)[[0, 5, 12]].tolist() == [0, 0, 0]


def test_predictions_of_other_samples():
    with pytest.raises(SgbenchError, match="1 of 3 are missing"):
        score(guesses([0, 0]), truth_of([195] * 3), "spacegroup")
    swapped = guesses([0, 1])
    swapped = Predictions(swapped.sample_ids[::-1], "spacegroup", CUBIC, swapped.probabilities, {})
    with pytest.raises(SgbenchError, match="their order differs"):
        score(swapped, truth_of([195] * 2), "spacegroup")


def test_class_predictions_say_nothing_of_space_groups():
    guess = guesses([0, 1]).by_class()
    with pytest.raises(SgbenchError, match="cannot be scored as 'spacegroup'"):
        score(guess, truth_of([195] * 2), "spacegroup")
    assert score(guess, truth_of([195] * 2), "extinction").top[0] == 0.5


def test_an_unknown_scheme():
    with pytest.raises(SgbenchError):
        score(guesses([0]), truth_of([195]), "laue")


def test_predictions_of_another_family():
    groups = family_spacegroups("tetragonal")
    uniform = np.full((1, 68), 1 / 68, dtype=np.float32)
    guess = Predictions(("s0",), "spacegroup", groups, uniform, {})
    with pytest.raises(SgbenchError):
        score(guess, truth_of([195]), "spacegroup")


# Files.


def test_a_written_score_is_read(tmp_path):
    result = score(guesses([0, 5, 3]), truth_of([195, 195, 198]), "spacegroup")
    write_score(tmp_path / "score.json", result)
    assert read_score(tmp_path / "score.json") == result


@pytest.mark.parametrize("share", [0.0, 0.2, 0.9])
def test_a_truncated_score(tmp_path, share):
    path = tmp_path / "score.json"
    write_score(path, score(guesses([0]), truth_of([195]), "spacegroup"))
    text = path.read_text()
    path.write_text(text[: int(share * len(text))])
    with pytest.raises(SgbenchError, match="not a readable score"):
        read_score(path)


@pytest.mark.parametrize("entry", [[1, 2], "ab", [1, 2, None], 5])
def test_a_confusion_that_is_none(tmp_path, entry):
    path = tmp_path / "score.json"
    write_score(path, score(guesses([0]), truth_of([195]), "spacegroup"))
    path.write_text(json.dumps({**json.loads(path.read_text()), "confusion": [entry]}))
    with pytest.raises(SgbenchError, match="not a readable score"):
        read_score(path)


@pytest.mark.parametrize("content", ["{}", "[]", "1", "null", '"text"', '{"top": [1]}', "\x00\x01"])
def test_something_else_than_a_score(tmp_path, content):
    (tmp_path / "score.json").write_text(content)
    with pytest.raises(SgbenchError, match="not a readable score"):
        read_score(tmp_path / "score.json")


def test_bytes_that_are_no_text(tmp_path):
    (tmp_path / "score.json").write_bytes(b"\xff\xfe\x00\x80")
    with pytest.raises(SgbenchError, match="not a readable score"):
        read_score(tmp_path / "score.json")


def test_no_score(tmp_path):
    with pytest.raises(SgbenchError, match="is missing"):
        read_score(tmp_path / "none.json")


def test_a_score_is_plain_json(tmp_path):
    write_score(tmp_path / "score.json", score(guesses([0]), truth_of([195]), "spacegroup"))
    values = json.loads((tmp_path / "score.json").read_text())
    assert {"top", "top_low", "top_high", "raw", "ceiling", "gap", "share", "ece"} <= values.keys()
    assert {"test_set", "source", "test_sha256", "family"} <= values.keys()
