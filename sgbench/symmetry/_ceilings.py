"""The highest top-k accuracy that extinction laws allow.

Within an extinction class nothing tells the space groups apart, so the best guess ranks them by
their share of the data. The ceiling for a label distribution p is therefore the sum, over classes,
of the k largest p inside the class (the paper's Table I is the balanced case).
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from sgbench.errors import SgbenchError
from sgbench.symmetry._classes import extinction_classes
from sgbench.symmetry._groups import family_spacegroups

#: Accuracies are reported from top-1 to top-5, as in the paper.
TOP_K = 5


@dataclass(frozen=True)
class Ceiling:
    """Law ceiling of a family.

    Attributes
    ----------
    family : str
    n_spacegroups, n_classes : int
    top : tuple of float
        Highest possible top-1 to top-5 accuracy, as fractions.
    """

    family: str
    n_spacegroups: int
    n_classes: int
    top: tuple[float, ...]

    @classmethod
    def of_family(cls, family: str) -> "Ceiling":
        """Return the ceiling for balanced labels."""
        spacegroups = family_spacegroups(family)
        return cls(
            family=family,
            n_spacegroups=len(spacegroups),
            n_classes=len(extinction_classes(spacegroups)),
            top=top_k_ceiling(dict.fromkeys(spacegroups, 1.0)),
        )


def top_k_ceiling(
    label_weights: Mapping[int, float], class_scheme: str = "spacegroup", k_max: int = TOP_K
) -> tuple[float, ...]:
    """Return the highest top-1 to top-`k_max` accuracy for a distribution of labels.

    Parameters
    ----------
    label_weights : mapping of int to float
        Space-group numbers and how often each occurs; need not sum to one.
    class_scheme : {'spacegroup', 'extinction'}
        What is predicted. Extinction classes can all be told apart, so their ceiling is 1.
    k_max : int
        Largest k.

    Returns
    -------
    tuple of float
        Fractions, not percent.

    Raises
    ------
    SgbenchError
        If a weight is negative or not finite, all are zero, or the scheme is unknown.
    """
    total = float(sum(label_weights.values()))
    if not (0 < total < math.inf) or min(label_weights.values(), default=0) < 0:
        raise SgbenchError(
            "label weights must be finite, non-negative and not all zero. Pass counts or "
            "probabilities."
        )
    if class_scheme not in ("spacegroup", "extinction"):
        raise SgbenchError(
            f"unknown class scheme '{class_scheme}'; expected spacegroup or extinction."
        )
    if class_scheme == "extinction":
        return (1.0,) * k_max
    weights_by_class = [
        sorted((label_weights[number] for number in cls.spacegroups), reverse=True)
        for cls in extinction_classes(tuple(label_weights))
    ]
    return tuple(
        sum(sum(weights[:k]) for weights in weights_by_class) / total for k in range(1, k_max + 1)
    )
