"""Controls: predictions that need no training and say what a score means."""

from functools import partial

import numpy as np
from numpy.typing import NDArray

from sgbench.diffraction import Samples
from sgbench.errors import SgbenchError
from sgbench.models._registry import Answer, UntrainedSpec, register_untrained
from sgbench.symmetry import FAMILIES, class_labels, family_spacegroups

#: Name and meaning of each control.
CONTROLS = {
    "control-uniform": "every class alike: what guessing scores",
    "control-prior": "how often each label occurs in the test set, whatever the pattern",
    "control-oracle": "the true extinction class, and nothing inside it: lands on the ceiling",
}


def control_probabilities(
    name: str, spacegroup: NDArray[np.int64], spacegroups: tuple[int, ...], class_scheme: str
) -> NDArray[np.float32]:
    """Return the probabilities that a control gives to each sample.

    Parameters
    ----------
    name : str
        One of `CONTROLS`.
    spacegroup : ndarray of int, shape (n,)
        True space groups.
    spacegroups : tuple of int
        Space groups of the family.
    class_scheme : {'spacegroup', 'extinction'}

    Returns
    -------
    ndarray of float32, shape (n, n_labels)
        Over space groups or over extinction classes.
    """
    if name not in CONTROLS:
        raise SgbenchError(f"unknown control '{name}'; expected one of {', '.join(CONTROLS)}.")
    labels_of_groups = class_labels(spacegroups)
    true_class = labels_of_groups[spacegroup - spacegroups[0]]
    if class_scheme == "extinction":
        label, n_labels = true_class, int(labels_of_groups.max()) + 1
    else:
        label, n_labels = spacegroup - spacegroups[0], len(spacegroups)
    shape = (len(spacegroup), n_labels)
    if name == "control-uniform":
        probabilities = np.ones(shape)
    elif name == "control-prior":
        probabilities = np.broadcast_to(np.bincount(label, minlength=n_labels), shape)
    elif class_scheme == "extinction":
        probabilities = np.eye(n_labels)[true_class]
    else:
        probabilities = labels_of_groups[None, :] == true_class[:, None]
    total = probabilities.sum(axis=1, keepdims=True)
    return np.asarray(probabilities / total, dtype=np.float32)


def _answer(name: str, samples: Samples, family: str, class_scheme: str) -> Answer:
    groups = family_spacegroups(family)
    return Answer(control_probabilities(name, samples.spacegroup, groups, class_scheme))


for _name, _meaning in CONTROLS.items():
    register_untrained(
        UntrainedSpec(
            _name,
            partial(_answer, _name),
            f"none: {_meaning}",
            status="control",
            families=tuple(FAMILIES),
            class_schemes=("spacegroup", "extinction"),
            batch=None,
        )
    )
