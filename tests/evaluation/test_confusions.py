from dataclasses import replace
from functools import cache
from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sgbench.diffraction import CANONICAL, LineList, Samples
from sgbench.evaluation import Predictions, condition_differences, confusions, score
from sgbench.sets import DESIGNED, IN_MESH, TestSet
from sgbench.symmetry import (
    PAPER_FAMILIES,
    absences,
    condition_words,
    extinction_classes,
    family_spacegroups,
    relabellings,
)

HKL = np.array(list(product(range(-12, 13), repeat=3)))


def classes_of(family):
    return extinction_classes(family_spacegroups(family))


def class_of(family, symbol):
    (found,) = (cls for cls in classes_of(family) if cls.symbol == symbol)
    return found


def differences(family, true, predicted):
    return condition_differences(
        class_of(family, true).spacegroups[0], class_of(family, predicted).spacegroups[0]
    )


@pytest.mark.parametrize(
    ("family", "true", "predicted", "missed", "invented"),
    [
        ("cubic", "P 21 - -", "P - - -", ["00l: l = 2n"], []),
        ("cubic", "P 41 - -", "P 21 - -", ["00l: l = 4n (only l = 2n seen)"], []),
        ("cubic", "I - - -", "P - - -", ["hkl: h+k+l = 2n"], []),
        # ITA: Pn-3 0kl: k+l = 2n; Pa-3 0kl: k = 2n
        ("cubic", "P n - -", "P a - -", ["0kl: k+l = 2n"], ["0kl: k = 2n"]),
        ("cubic", "P - - n", "P n - -", ["hhl: l = 2n"], ["0kl: k+l = 2n"]),
        ("cubic", "F d - -", "F - - -", ["0kl: k+l = 4n; k, l = 2n (only k, l = 2n seen)"], []),
        ("cubic", "F - - -", "I - - -", ["hkl: h+k, h+l, k+l = 2n"], ["hkl: h+k+l = 2n"]),
        # 00l: l = 2n follows from the I lattice, so nothing of P 21 3 is missed
        ("cubic", "P 21 - -", "I - - -", [], ["hkl: h+k+l = 2n"]),
        ("cubic", "I 41 - -", "P 41 - -", ["hkl: h+k+l = 2n"], []),
        ("tetragonal", "P 42/n - -", "P n - -", ["00l: l = 2n"], []),
        ("tetragonal", "P 41 - -", "P 42 - -", ["00l: l = 4n (only l = 2n seen)"], []),
        ("tetragonal", "P - 21 -", "P - b -", [], ["0kl: k = 2n"]),
        (
            "tetragonal", "P 41 21 -", "P 42 - -",
            ["00l: l = 4n (only l = 2n seen)", "0k0: k = 2n"], [],
        ),
        (
            "tetragonal", "I 41/a - -", "I - - -",
            ["hk0: h, k = 2n (only h+k = 2n seen)", "00l: l = 4n (only l = 2n seen)"], [],
        ),
        ("trigonal-hexagonal", "P 61 - -", "P 63 - -", ["000l: l = 6n (only l = 2n seen)"], []),
        ("trigonal-hexagonal", "P 61 - -", "P 31 - -", ["000l: l = 6n (only l = 3n seen)"], []),
        ("trigonal-hexagonal", "P 63 - -", "P 31 - -", ["000l: l = 2n"], ["000l: l = 3n"]),
        # ITA: R-3c h-h0l: h+l = 3n, l = 2n, and nothing on hh-2hl but the lattice's l = 3n
        (
            "trigonal-hexagonal", "R - c", "P - - c",
            ["hkil: -h+k+l = 3n", "h-h0l: h+l = 3n; l = 2n"], ["hh-2hl: l = 2n"],
        ),
    ],
)  # fmt: skip
def test_known_pairs(family, true, predicted, missed, invented):
    assert differences(family, true, predicted) == (tuple(missed), tuple(invented))


@pytest.mark.parametrize("family", PAPER_FAMILIES)
def test_differences_are_those_of_the_absences(family):
    """A condition is missed exactly if a reflection is absent and the guess allows it."""
    groups = [cls.spacegroups[0] for cls in classes_of(family)]
    absent = {number: absences(number, HKL) for number in groups}
    for true, predicted in combinations(groups, 2):
        missed, invented = condition_differences(true, predicted)
        assert bool(missed) == (absent[true] & ~absent[predicted]).any(), (true, predicted)
        assert bool(invented) == (absent[predicted] & ~absent[true]).any(), (true, predicted)
        assert missed or invented
        assert condition_differences(predicted, true) == (invented, missed)


@pytest.mark.parametrize("family", PAPER_FAMILIES)
def test_what_is_missed_is_a_condition_of_the_class(family):
    for true, predicted in combinations(classes_of(family), 2):
        missed, invented = condition_differences(true.spacegroups[0], predicted.spacegroups[0])
        assert {text.split(" (only")[0] for text in missed} <= set(map(str, true.conditions))
        assert {text.split(" (only")[0] for text in invented} <= set(map(str, predicted.conditions))


@pytest.mark.parametrize("family", PAPER_FAMILIES)
def test_members_of_a_class_differ_in_nothing(family):
    for cls in classes_of(family):
        for number in cls.spacegroups[1:]:
            assert condition_differences(cls.spacegroups[0], number) == ((), ())


@cache
def relabelled(number, family):
    return [absences(number, HKL @ matrix) for matrix in relabellings(family)]


@given(st.sampled_from(["orthorhombic", "monoclinic"]).flatmap(
    lambda family: st.tuples(st.just(family), *[st.sampled_from(family_spacegroups(family))] * 2)
))  # fmt: skip
def test_axes_carry_no_labels(case):
    """Whichever way the axes of either are named, what is said is what they differ in at best."""
    family, true, predicted = case
    missed, invented = condition_differences(true, predicted)
    assert condition_differences(predicted, true) == (invented, missed)
    ours = absences(true, HKL)
    choices = relabelled(predicted, family)
    best = min(choices, key=lambda theirs: (theirs != ours).sum())
    alike = any((theirs == ours).all() for theirs in choices)
    assert (not missed and not invented) == alike
    assert bool(missed or invented) == bool((best != ours).any())


def test_an_axis_has_no_name():
    assert condition_differences(16, 17) == ((), ("00l: l = 2n",))  # P 2 2 2 and P 2 2 21
    # P 21 21 2 has screw axes along a and b, P 2 2 21 along c: one more, whatever its name
    missed, invented = condition_differences(17, 18)
    assert missed == ()
    assert len(invented) == 1


# Counting.

CUBIC = family_spacegroups("cubic")


def made_up(true, predicted, scheme="extinction", source=DESIGNED, **changes):
    """A score of predictions that are sure of one space group each."""
    n = len(true)
    lines = LineList(np.zeros(n + 1, dtype=np.int64), np.empty(0), np.empty(0, dtype=np.float32))
    ids = tuple(f"s{i}" for i in range(n))
    truth = TestSet(IN_MESH, "cubic", source, Samples(ids, np.array(true), CANONICAL, lines), 0)
    probabilities = np.eye(36, dtype=np.float32)[np.array(predicted) - 195]
    origin = {"model": "made-up", "train_set": "ulbd-cubic", "scale": "smoke", "seed": 0, **changes}
    return score(Predictions(ids, "spacegroup", CUBIC, probabilities, origin), truth, scheme)


def test_a_sentence_says_what_was_missed():
    # 205 (P a - -) twice for 200 (P - - -), once for 201 (P n - -); the rest is right
    found = confusions([made_up([205] * 5 + [195], [200, 195, 201, 205, 205, 221])])
    first, second = found
    assert (first.true_class, first.predicted_class) == ("P a - -", "P - - -")
    assert (first.n, first.n_true, first.share) == (2, 5, 0.4)
    assert (first.missed, first.invented) == (("0kl: k = 2n",), ())
    assert first.sentence == "P a - - taken for P - - -: missed 0kl: k = 2n"
    assert second.sentence == (
        "P a - - taken for P n - -: missed 0kl: k = 2n, invented 0kl: k+l = 2n"
    )
    assert (first.model, first.train_set, first.test_set, first.family, first.scale) == (
        "made-up", "ulbd-cubic", "ulbd-in-mesh", "cubic", "smoke",
    )  # fmt: skip
    assert first.source == DESIGNED


def test_confusions_within_a_class_are_none():
    assert confusions([made_up([195, 200, 207], [221, 215, 195])]) == []


def test_seeds_are_summed_and_runs_are_not():
    one, two = made_up([198, 198], [195, 198]), made_up([198, 198], [195, 195], seed=1)
    (found,) = confusions([one, two])
    assert (found.n, found.n_true, found.share) == (3, 4, 0.75)
    apart = confusions([one, made_up([198, 198], [195, 195], train_set="cddd-cubic")])
    assert [(c.train_set, c.n, c.n_true) for c in apart] == [
        ("cddd-cubic", 2, 2), ("ulbd-cubic", 1, 2),
    ]  # fmt: skip
    other = confusions([one, made_up([198, 198], [195, 195], source="amcsd")])
    assert [(c.source, c.n, c.n_true) for c in other] == [("amcsd", 2, 2), (DESIGNED, 1, 2)]


def test_only_scores_over_classes_of_models_are_used():
    by_group = made_up([198], [195], scheme="spacegroup")
    control = made_up([198], [195], status="control")
    assert confusions([by_group, control, replace(by_group, test_set="cddd")]) == []
    assert len(confusions([by_group, control, made_up([198], [195])])) == 1


@settings(max_examples=30)
@given(st.lists(st.tuples(*[st.sampled_from(CUBIC)] * 2), min_size=1, max_size=30))
def test_nothing_is_lost_and_the_order_is_by_frequency(pairs):
    result = made_up(*map(list, zip(*pairs, strict=True)))
    found = confusions([result])
    assert sum(one.n for one in found) == round(len(pairs) * (1 - result.top[0]))
    assert [one.n for one in found] == sorted((one.n for one in found), reverse=True)
    assert all(one.missed or one.invented for one in found)


def test_groups_of_different_families_have_no_conditions_in_common():
    assert condition_differences(225, 62) == ((), ())


def test_demands_that_no_table_words_are_said_one_by_one():
    """C centring and an even l, which a relabelled group can ask for."""
    forms = frozenset([(0, 0, 0), (0, 0, 12), (12, 12, 0), (12, 12, 12)])
    assert condition_words(forms, ("h", "k", "l")) == "l = 2n; h+k = 2n"


def test_every_pair_of_orthorhombic_classes_can_be_put_into_words():
    groups = [cls.spacegroups[0] for cls in extinction_classes(family_spacegroups("orthorhombic"))]
    for true in groups[::4]:
        for predicted in groups:
            missed, invented = condition_differences(true, predicted)
            assert bool(missed or invented) == (true != predicted)
