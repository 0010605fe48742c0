"""Regret: what a model loses to the exact posterior, where that is known."""

import numpy as np
from numpy.typing import NDArray

from sgbench.sets import TestSet
from sgbench.symmetry import TOP_K, class_labels, family_spacegroups

#: So much of the even distribution is mixed into what a model states, since some state zeros.
MIXED = 1e-6


def regret(
    probabilities: NDArray[np.float32], truth: TestSet, class_scheme: str
) -> tuple[float, float] | None:
    """Return the mean of ln p* - ln q over the samples, in nats, and its standard error.

    The error is that of the integrals behind p*, where noise makes it necessary to compute them.

    p* is the chance that the exact posterior gives to the true label, and q what the model gives to
    it, after `MIXED` of the even distribution has been mixed in. Whoever answers from patterns
    alone has a regret of 0 or more in expectation (Gibbs' inequality), and of 0 only by stating the
    posterior. Over space groups, -ln q is replaced by its mean over the groups that are alike, as a
    hit is in `top_k_chances`: the label inside the class is a coin, so the estimate keeps its mean
    and loses the luck of the toss.

    What answers without training land on, up to `MIXED`: a guess of n labels on ln n minus the mean
    of -ln p*; the posterior on 0; and who is told the true class on the mean of ln p* of the class,
    which is below 0 by what patterns do not tell of their class.

    Parameters
    ----------
    probabilities : ndarray of float32, shape (n, n_labels)
        Over the labels of the class scheme.
    truth : TestSet
    class_scheme : {'spacegroup', 'extinction'}

    Returns
    -------
    tuple of two float, or None
        None where the posterior is not known.
    """
    if truth.oracle is None or truth.alike is None:
        return None
    known = truth.oracle
    groups = family_spacegroups(truth.family)
    sample, true = np.arange(len(truth)), truth.samples.spacegroup - groups[0]
    stated = probabilities.astype(np.float64)
    stated /= stated.sum(axis=1, keepdims=True)  # files may be off by what rounding leaves
    surprise = -np.log((1 - MIXED) * stated + MIXED / probabilities.shape[1])
    if class_scheme == "extinction":
        classes = class_labels(groups)
        loss = surprise[sample, classes[true]]
        own = classes == classes[true][:, None]
        # All groups of a class have the same chance, and the same error.
        chance, error = ((of * own).sum(axis=1) for of in (known.probabilities, known.error))
    else:
        loss = (surprise * truth.alike).sum(axis=1) / truth.alike.sum(axis=1)
        chance, error = (of[sample, true] for of in (known.probabilities, known.error))
    chance = np.maximum(chance, np.finfo(np.float64).tiny)
    own_error = float(np.sqrt(np.square(error / chance).sum())) / len(truth)
    return float(np.mean(loss + np.log(chance))), own_error


def bayes_top(
    truth: TestSet, class_scheme: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Return the highest accuracy that anybody can expect on these patterns, top-1 to top-5.

    It is the mean over the patterns of the chance that the k most probable labels hold the true
    one, and comes with its standard error from the integrals' random numbers. More guesses than
    labels find no more than all of them. None where the chances are not known.
    """
    if truth.oracle is None:
        return None
    chance, error = truth.oracle.probabilities, truth.oracle.error
    if class_scheme == "extinction":
        classes = class_labels(family_spacegroups(truth.family))
        sums = np.eye(classes.max() + 1)[classes]
        chance, error = chance @ sums, error @ sums
    order = np.argsort(-chance, axis=1, kind="stable")[:, :TOP_K]
    top = np.take_along_axis(chance, order, axis=1).cumsum(axis=1)
    # Errors of chances that add up to 1 are no larger together than one after the other.
    sizes = np.take_along_axis(error, order, axis=1).cumsum(axis=1)
    best, own_error = top.mean(axis=0), np.sqrt(np.square(sizes).sum(axis=0)) / len(chance)
    lacking = (0, TOP_K - len(best))
    return np.pad(best, lacking, mode="edge"), np.pad(own_error, lacking, mode="edge")
