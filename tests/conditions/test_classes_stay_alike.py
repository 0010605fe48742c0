"""No condition may tell apart the space groups of one extinction class.

They allow the same lines, so a pattern of designed lines says nothing about which of them it is
of. A condition that looked at the group, or at the orbits of its Laue class, would.
"""

from dataclasses import replace

import numpy as np
import pytest

from sgbench.conditions import CONDITIONS, Condition
from sgbench.designed import Recipes
from sgbench.diffraction import Samples
from sgbench.sets import ULBD
from sgbench.symmetry import extinction_classes, family_spacegroups

FAMILIES = ("tetragonal", "trigonal-hexagonal", "cubic")


def samples_of(family, groups):
    """Return a sample of each group, of cells that do not depend on the groups."""
    dataset = ULBD[f"ulbd-{family}"]
    cell = 37 * np.arange(len(groups)) % len(dataset.mesh)
    groups = np.array(groups)
    return dataset.samples(Recipes(groups, cell, dataset.mesh[cell], np.zeros_like(groups)))


@pytest.fixture(scope="module")
def alike():
    """Return samples of the first group of each class, and the same of its last group.

    Cells and what is drawn are the same: the intensities, and the names, by which all else is.
    """
    first, last = [], []
    for family in FAMILIES:
        classes = extinction_classes(family_spacegroups(family))
        groups = [cls.spacegroups for cls in classes if len(cls.spacegroups) > 1]
        one = samples_of(family, [members[0] for members in groups])
        other = samples_of(family, [members[-1] for members in groups])
        np.testing.assert_array_equal(one.lines.two_theta, other.lines.two_theta)
        lines = replace(other.lines, intensity=one.lines.intensity)
        first.append(one)
        last.append(replace(other, ids=one.ids, lines=lines))
    return Samples.concatenate(first), Samples.concatenate(last)


@pytest.mark.parametrize("name", CONDITIONS)
def test_groups_of_a_class_are_changed_in_the_same_way(name, alike):
    one, other = alike
    assert (one.spacegroup != other.spacegroup).all()
    kind = CONDITIONS[name]
    condition = Condition(name, kind.severities[2] if kind.severities else None)
    found, same = condition.apply(one), condition.apply(other)
    np.testing.assert_array_equal(found.patterns(), same.patterns())
    assert replace(same, spacegroup=one.spacegroup).sha256() == found.sha256()
