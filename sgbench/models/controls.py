"""Controls: predictions that need no training and say what a score means."""

from functools import partial

import numpy as np
from numpy.typing import NDArray

from sgbench.conditions.noise import EXPOSURE, READOUT
from sgbench.errors import SgbenchError
from sgbench.models._registry import register_untrained
from sgbench.models._specs import Answer, UntrainedSpec
from sgbench.sets import TestSet
from sgbench.symmetry import FAMILIES, PAPER_FAMILIES, class_labels, family_spacegroups

#: The control that is told the extinction class.
ORACLE = "control-oracle"
_POSTERIOR = "control-posterior"
#: Name and meaning of each control.
CONTROLS = {
    "control-uniform": "every class alike: what guessing scores",
    "control-prior": "how often each label occurs in the test set, whatever the pattern",
    ORACLE: "the true extinction class, and nothing inside it: lands on the ceiling",
    _POSTERIOR: "what a designed pattern tells by Bayes' rule, and nothing else: has no regret",
}


def control_probabilities(name: str, truth: TestSet, class_scheme: str) -> NDArray[np.float32]:
    """Return the probabilities that a control gives to each sample.

    Parameters
    ----------
    name : str
        One of `CONTROLS`.
    truth : TestSet
    class_scheme : {'spacegroup', 'extinction'}

    Returns
    -------
    ndarray of float32, shape (n, n_labels)
        Over space groups or over extinction classes.

    Raises
    ------
    SgbenchError
        If there is no such control, or it has no answer, since the exact posterior is not known.
    """
    if name not in CONTROLS:
        raise SgbenchError(f"unknown control '{name}'; expected one of {', '.join(CONTROLS)}.")
    spacegroups = family_spacegroups(truth.family)
    classes = class_labels(spacegroups)
    label_of = classes if class_scheme == "extinction" else np.arange(len(spacegroups))
    true, n_labels = truth.samples.spacegroup - spacegroups[0], int(label_of.max()) + 1
    chances: NDArray[np.float64]
    if name == "control-uniform":
        chances = np.ones((len(truth), n_labels))
    elif name == "control-prior":
        occurs = np.bincount(label_of[true], minlength=n_labels).astype(np.float64)
        chances = np.broadcast_to(occurs, (len(truth), n_labels))
    else:
        by_group = (
            _posterior(truth) if name == _POSTERIOR else classes == classes[true][:, None]
        )  # fmt: skip
        chances = by_group @ np.eye(n_labels)[label_of]
    return np.asarray(chances / chances.sum(axis=1, keepdims=True), dtype=np.float32)


def _posterior(truth: TestSet) -> NDArray[np.float64]:
    if truth.oracle is None:
        raise SgbenchError(
            f"the exact chances of space groups, given a pattern of '{truth.name}', are not known; "
            f"expected a designed set with the same cells and the same law of intensities for all "
            f"of them, and no condition or, of uniform intensities in the families "
            f"{', '.join(PAPER_FAMILIES)}, {READOUT.name} or {EXPOSURE.name} (here the family is "
            f"'{truth.family}'). Ask {_POSTERIOR} about one such as ulbd-off-mesh."
        )
    return truth.oracle.probabilities


def _answer(name: str, asked: TestSet, class_scheme: str) -> Answer:
    return Answer(control_probabilities(name, asked, class_scheme))


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
            needs_posterior=_name == _POSTERIOR,
        )
    )
