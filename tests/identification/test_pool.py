import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sgbench.decoder import RankedClass
from sgbench.identification._pool import (
    Pool,
    combined,
    every_class,
    known_minerals,
    of_classes,
    pool_for,
    pooled,
)
from sgbench.symmetry import extinction_classes, family_spacegroups

CLASSES = every_class()
N = len(CLASSES)
GROUPS = np.array([len(one.spacegroups) for one in CLASSES]) / 230
CUBIC = np.array([one.family == "cubic" for one in CLASSES])
NO_CELL = np.full(N, np.nan)
KNOWN = known_minerals()
#: Experts that are taken at their word, and no literature.
PLAIN = Pool(decoder=1.0, network=1.0, literature=0.0, doubt=0.0, slope=1.0)


def of_cubic_cell(*shares):
    """What a decoder says that found a cubic cell."""
    q = np.where(CUBIC, 0.0, np.nan)
    q[np.flatnonzero(CUBIC)[: len(shares)]] = shares
    return q


def even_but_for(place, chance):
    n = (1 - chance) * GROUPS / (1 - GROUPS[place])
    n[place] = chance
    return n


def test_every_group_is_in_one_class():
    groups = sorted(group for one in CLASSES for group in one.spacegroups)
    assert groups == list(range(1, 231))
    np.testing.assert_allclose(of_classes(np.full(230, 1 / 230)), GROUPS)


@given(
    arrays(float, N, elements=st.floats(0, 1)),
    arrays(float, N, elements=st.floats(0, 1)),
    st.floats(0, 1),
    st.booleans(),
    st.booleans(),
    st.booleans(),
)
def test_pooled_probabilities_are_some(q, n, doubt, found, asked, whole):
    pool = pool_for(asked, whole)
    p = combined(np.where(CUBIC & found, q, np.nan), n if asked else None, doubt, KNOWN, pool)
    assert np.isfinite(p).all()
    assert (p >= 0).all()
    assert p.sum() == pytest.approx(1)


def test_without_a_cell_the_network_answers_and_without_both_the_literature():
    n = even_but_for(5, 0.6)
    np.testing.assert_allclose(combined(NO_CELL, n, 1.0, KNOWN, PLAIN), n, rtol=1e-6)
    np.testing.assert_allclose(combined(NO_CELL, None, 1.0, KNOWN, PLAIN), GROUPS, rtol=1e-6)
    whole = Pool(1.0, 1.0, literature=1.0, doubt=0.0, slope=1.0)
    expected = (KNOWN + 0.5) / (KNOWN + 0.5).sum()
    np.testing.assert_allclose(combined(NO_CELL, None, 1.0, KNOWN, whole), expected, rtol=1e-6)
    assert 62 in CLASSES[int(np.argmax(expected))].spacegroups


def test_a_decoder_that_is_alone_counts_for_more():
    """What speaks for the class beside it is missing, and a sure answer stays one."""
    q = of_cubic_cell(0.001, 0.999)
    sure = combined(q, None, 2e-3, KNOWN, pool_for(asked=False, whole=False))
    weaker = combined(q, None, 2e-3, KNOWN, pool_for(asked=True, whole=False))
    assert sure.max() > 0.9
    assert weaker.max() < sure.max()


def test_experts_are_multiplied_as_by_bayes():
    q = of_cubic_cell(0.5, 0.4, 0.1)
    places = np.flatnonzero(CUBIC)[:3]
    n = GROUPS.copy()
    n[places] = (0.01, 0.04, 0.01)
    p = combined(q, n, 1e-9, KNOWN, PLAIN)
    expected = q[places] * n[places] / GROUPS[places]
    np.testing.assert_allclose(p[places], expected / expected.sum(), rtol=1e-4)


def test_a_network_that_says_nothing_leaves_the_decoder_as_it_is():
    q = of_cubic_cell(0.7, 0.3)
    for n in (None, GROUPS):
        p = combined(q, n, 0.2, KNOWN, PLAIN)
        np.testing.assert_allclose(p[CUBIC], 0.8 * q[CUBIC] + 0.2 * GROUPS[CUBIC], rtol=1e-6)
        np.testing.assert_allclose(p[~CUBIC], 0.2 * GROUPS[~CUBIC], rtol=1e-6)


def test_a_network_that_is_sure_of_another_family_contradicts_the_cell():
    other = int(np.flatnonzero(~CUBIC)[0])
    p = combined(of_cubic_cell(1.0), even_but_for(other, 1 - 1e-7), 0.002, KNOWN, PLAIN)
    assert p[other] > 0.9


def test_doubt_hands_over_to_the_network():
    q, n = of_cubic_cell(1.0), even_but_for(9, 0.5)
    p = [combined(q, n, doubt, KNOWN, PLAIN)[9] for doubt in (0.001, 0.5, 0.99)]
    assert p[0] < p[1] < p[2]


def test_classes_keep_their_cells_and_what_each_says():
    known = extinction_classes(family_spacegroups("cubic"))
    even = 1 / len(known)
    decoded = [
        RankedClass("cubic", i, one.symbol, one.spacegroups, 0.9 * even, i % 2, even)
        for i, one in enumerate(known)
    ]
    chances = np.full(230, 1 / 230)
    chances[224] += 0.5
    ranked = pooled(decoded, 0.1, chances / chances.sum(), PLAIN)
    assert len(ranked) == N
    assert 225 in ranked[0].spacegroups
    assert ranked[0].decoder == pytest.approx(0.9 * even)
    assert {one.cell for one in ranked if one.family == "cubic"} == {0, 1}
    assert {one.cell for one in ranked if one.family != "cubic"} == {None}
    assert sum(one.network for one in ranked) == pytest.approx(1)
    assert sum(one.probability for one in ranked) == pytest.approx(1)
    assert {one.network for one in pooled(decoded, 0.1, None, PLAIN)} == {None}
