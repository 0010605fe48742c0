import numpy as np
import pytest
from scipy import stats

from sgbench.conditions import Amount
from sgbench.conditions._amount import words

NAMES = [f"sample-{i}" for i in range(4000)]


def test_an_amount_is_that_of_the_name_in_any_batch():
    amount = Amount(1, 5, share=0.5, stream="a")
    together = amount.of(NAMES)
    assert [amount.of([name])[0] for name in NAMES[:20]] == together[:20].tolist()
    assert amount.of(NAMES[::-1]).tolist() == together[::-1].tolist()


@pytest.mark.parametrize("law", ["uniform", "log-uniform"])
def test_amounts_are_distributed_as_is_said(law):
    found = Amount(2.0, 50.0, law, stream="b").of(NAMES)
    shape = stats.loguniform(2, 50) if law == "log-uniform" else stats.uniform(2, 48)
    assert stats.kstest(found, shape.cdf).pvalue > 1e-3
    some = Amount(2.0, 50.0, law, share=0.3, stream="b").of(NAMES)
    assert stats.binomtest(int((some > 0).sum()), len(NAMES), 0.3).pvalue > 1e-3
    assert stats.kstest(some[some > 0], shape.cdf).pvalue > 1e-3


def test_streams_are_independent():
    one, other = (Amount(0, 1, stream=stream).of(NAMES) for stream in "cd")
    assert abs(np.corrcoef(one, other)[0, 1]) < 4 / np.sqrt(len(NAMES))


def test_a_fixed_amount():
    assert set(Amount.fixed(0.25).of(NAMES)) == {0.25}
    assert str(Amount.fixed(0.25)) == "0.25"


def test_words_do_not_depend_on_how_many_are_asked_for():
    few, many = words(NAMES[:5], "e", 3), words(NAMES[:5], "e", 11)
    assert (few == many[:, :3]).all()
    assert len(np.unique(many)) == many.size


def test_no_names_have_no_words():
    assert words([], "e", 3).shape == (0, 3)
    assert Amount(0, 1, share=0.5).of([]).shape == (0,)
