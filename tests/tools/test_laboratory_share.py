"""What counting alone allows, against what is known without noise."""

import numpy as np
import pytest
from maintainers_tools import tool

from sgbench.conditions._amount import Amount
from sgbench.designed import exact_posterior
from sgbench.sets import SetSpec, family_set, open_test_set

SHARE = tool("laboratory_share")


@pytest.fixture(scope="module")
def truth():
    return open_test_set(SetSpec.parse("ulbd-off-mesh"), family_set("cubic"), 3)


def test_with_many_counts_it_is_the_posterior_of_ideal_patterns(truth, monkeypatch):
    monkeypatch.setattr(SHARE, "_COUNTS", Amount.fixed(1e7))
    found = SHARE.counted(family_set("cubic"), truth).probabilities
    wanted = exact_posterior(family_set("cubic"), "off-mesh", 3)
    assert np.abs(found - wanted).max() < 0.02


def test_fewer_counts_allow_less(truth, monkeypatch):
    """And the mixture's own draws lie between their ends."""
    allowed = []
    own = SHARE._COUNTS
    for counts in (Amount.fixed(own.low), own, Amount.fixed(own.high)):
        monkeypatch.setattr(SHARE, "_COUNTS", counts)
        allowed.append(SHARE.possible(family_set("cubic"), truth))
    assert 0.5 < allowed[0] < allowed[1] < allowed[2] < 1
