from itertools import pairwise, permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sgbench.errors import SgbenchError
from sgbench.symmetry import Ceiling, extinction_classes, family_spacegroups, top_k_ceiling

# The paper's Table I, and further balanced ceilings (percent), as printed.
PRINTED = {
    "cubic": (47.2, 72.2, 80.6, 88.9, 97.2),  # the paper prints 80.5 for 29/36
    "tetragonal": (45.6, 70.6, 83.8, 88.2, 91.2),
    "trigonal-hexagonal": (17.3, 34.6, 48.1, 59.6, 69.2),
    "orthorhombic": (55.9, 86.4, 96.6, 100.0, 100.0),
    "monoclinic": (46.2, 84.6, 100.0, 100.0, 100.0),
    "all": (42.2, 67.8, 79.6, 85.7, 90.0),
}


@pytest.mark.parametrize(("family", "printed"), PRINTED.items())
def test_balanced_ceilings(family, printed):
    ceiling = Ceiling.of_family(family)
    assert tuple(round(100 * value, 1) for value in ceiling.top) == printed
    # Each class gets exactly one group right at k = 1.
    assert ceiling.top[0] == pytest.approx(ceiling.n_classes / ceiling.n_spacegroups)


def groups_of(family):
    return st.dictionaries(
        st.sampled_from(family_spacegroups(family)),
        st.one_of(st.just(0.0), st.floats(1e-3, 1e3), st.integers(1, 500)),
        min_size=1,
        max_size=6,
    ).filter(lambda weights: sum(weights.values()) > 0)


weights = st.one_of(*(groups_of(f) for f in ("cubic", "trigonal-hexagonal", "orthorhombic", "all")))


@given(weights)
def test_no_constant_ranking_inside_a_class_does_better(label_weights):
    """All that can be done inside a class is to guess in some order, always the same."""
    total = sum(label_weights.values())
    best = [0.0] * 5
    for cls in extinction_classes(tuple(label_weights)):
        rankings = list(permutations(cls.spacegroups))
        for k in range(1, 6):
            best[k - 1] += max(
                sum(label_weights[number] for number in ranking[:k]) for ranking in rankings
            )
    assert top_k_ceiling(label_weights) == pytest.approx([value / total for value in best])


@given(weights, st.floats(1e-3, 1e3))
def test_ceilings_rise_with_k_and_do_not_depend_on_the_unit(label_weights, factor):
    top = top_k_ceiling(label_weights)
    assert all(0 < a <= b + 1e-12 for a, b in pairwise(top))
    assert top[-1] <= 1 + 1e-12
    scaled = {number: factor * value for number, value in label_weights.items()}
    assert top_k_ceiling(scaled) == pytest.approx(top)


@given(weights)
def test_classes_themselves_can_all_be_told_apart(label_weights):
    assert top_k_ceiling(label_weights, "extinction", k_max=3) == (1.0, 1.0, 1.0)


def test_a_dominant_group_lifts_the_ceiling():
    """225 and 196 are of one class; guessing 225 is right nine times in ten."""
    assert top_k_ceiling({225: 9, 196: 1})[:2] == pytest.approx((0.9, 1.0))


@pytest.mark.parametrize("label_weights", [{}, {225: 0}, {225: 2.0, 196: -1.0}])
def test_weights_that_are_none(label_weights):
    with pytest.raises(SgbenchError, match="non-negative"):
        top_k_ceiling(label_weights)


@pytest.mark.parametrize("weight", [float("nan"), float("inf")])
def test_weights_must_be_numbers(weight):
    with pytest.raises(SgbenchError):
        top_k_ceiling({225: weight, 196: 1.0})


def test_an_unknown_scheme():
    with pytest.raises(SgbenchError):
        top_k_ceiling({225: 1.0}, "laue")
