import numpy as np
import pytest

from sgbench.diffraction import CANONICAL, LineList, Samples
from sgbench.errors import SgbenchError
from sgbench.models import CONTROLS, control_probabilities
from sgbench.sets import OFF_MESH, TestSet
from sgbench.symmetry import extinction_classes, family_spacegroups

CUBIC = family_spacegroups("cubic")
TRUE = np.array([195, 221, 198, 230, 221])
# Of the first sample nothing is known, of the others the space group.
POSTERIOR = np.vstack([np.full((1, 36), 1 / 36), np.eye(36)[TRUE[1:] - 195]])
_NO_LINES = LineList(np.zeros(6, dtype=np.int64), np.empty(0), np.empty(0, dtype=np.float32))
SAMPLES = Samples(tuple("abcde"), TRUE, CANONICAL, _NO_LINES)
TRUTH = TestSet(OFF_MESH, "cubic", "designed", SAMPLES, 1, posterior=POSTERIOR)


@pytest.mark.parametrize("name", CONTROLS)
@pytest.mark.parametrize(("scheme", "n_labels"), [("spacegroup", 36), ("extinction", 17)])
def test_rows_are_probabilities(name, scheme, n_labels):
    found = control_probabilities(name, TRUTH, scheme)
    assert found.shape == (5, n_labels)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found.sum(axis=1), 1, rtol=1e-6)


def test_uniform():
    found = control_probabilities("control-uniform", TRUTH, "spacegroup")
    np.testing.assert_allclose(found, 1 / 36, rtol=1e-6)


def test_prior():
    found = control_probabilities("control-prior", TRUTH, "spacegroup")
    expected = np.zeros(36)
    expected[[0, 3, 26, 35]] = 0.2, 0.2, 0.4, 0.2
    np.testing.assert_allclose(found, np.tile(expected, (5, 1)), rtol=1e-6)
    by_class = control_probabilities("control-prior", TRUTH, "extinction")
    assert by_class[0, 0] == pytest.approx(0.6)  # P - - - holds 195 and 221


def test_the_oracle_knows_the_class_and_no_more():
    found = control_probabilities("control-oracle", TRUTH, "spacegroup")
    classes = extinction_classes(CUBIC)
    for row, number in zip(found, TRUE, strict=True):
        members = next(c.spacegroups for c in classes if number in c.spacegroups)
        likely = [CUBIC[i] for i in np.flatnonzero(row)]
        assert tuple(likely) == members
        np.testing.assert_allclose(row[row > 0], 1 / len(members), rtol=1e-6)
    by_class = control_probabilities("control-oracle", TRUTH, "extinction")
    assert by_class.max(axis=1).tolist() == [1.0] * 5
    assert [198 in classes[i].spacegroups for i in by_class.argmax(axis=1)] == [0, 0, 1, 0, 0]


def test_the_posterior_is_summed_over_classes():
    found = control_probabilities("control-posterior", TRUTH, "spacegroup")
    np.testing.assert_allclose(found, POSTERIOR, rtol=1e-6)
    by_class = control_probabilities("control-posterior", TRUTH, "extinction")
    sizes = [len(cls.spacegroups) for cls in extinction_classes(CUBIC)]
    np.testing.assert_allclose(by_class[0], np.array(sizes) / 36, rtol=1e-6)
    assert by_class[1:].max(axis=1).tolist() == [1.0] * 4


def test_an_unknown_control():
    with pytest.raises(SgbenchError, match="unknown control 'oracle'; expected one of control-"):
        control_probabilities("oracle", TRUTH, "spacegroup")
