"""Scores: how often a model is right, how sure that number is, and how far physics lets it go."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cache
from itertools import chain, pairwise
from pathlib import Path
from typing import Annotated, Any, Literal, get_type_hints

import numpy as np
from annotated_types import Len
from numpy.typing import NDArray

from sgbench.checked import (
    Count,
    FileKind,
    Fraction,
    NotNegative,
    Number,
    Several,
    Text,
    record,
)
from sgbench.errors import SgbenchError
from sgbench.evaluation._answers import Answers, answers_path, read_answers, write_answers
from sgbench.evaluation._hits import interval, top_k_chances, top_k_hits
from sgbench.evaluation._names import current_names, current_set, earlier_source
from sgbench.evaluation._predictions import (
    SCHEME_NAMES,
    Predictions,
    label_names,
    labels_of,
)
from sgbench.evaluation._regret import bayes_top, regret
from sgbench.files import all_or_none, write_atomically
from sgbench.sets import TestSet
from sgbench.symmetry import (
    FAMILIES,
    TOP_K,
    family_spacegroups,
    top_k_ceiling,
)
from sgbench.version import __version__

_KIND = FileKind("a readable score", "the JSON that `sgbench evaluate` writes. Make it again.")
# What is computed with, and shown, of where a score comes from. There may be more.
_ORIGIN: dict[str, Any] = {
    **dict.fromkeys(("model", "train_set", "scale", "status"), Text),
    **dict.fromkeys(
        ("hardware", "dataset_sha256", "predictions_sha256", "scorer_version"), Text | None
    ),
    "model_version": Text | Count | None,
    "seed": Count | None,
    **dict.fromkeys(
        ("parameters", "train_patterns", "train_seconds", "patterns_per_second"), NotNegative | None
    ),
    **dict.fromkeys(("ranked", "plain_hits"), bool),
}
_BINS = 15
_SAME = 1e-5


# One for each of top-1 to top-5.
Fractions = Annotated[tuple[Fraction, ...], Len(TOP_K, TOP_K)]
Numbers = Annotated[tuple[Number, ...], Len(TOP_K, TOP_K)]


@dataclass(frozen=True)
class LabelScore:
    """Samples of one label: how many, in how many independent groups, and how many are right.

    Attributes
    ----------
    n, n_clusters : int
    top1, top1_low, top1_high : float
        Fraction of samples whose label is right, with its 95 % interval.
    """

    n: Several
    n_clusters: Several
    top1: Fraction
    top1_low: Fraction
    top1_high: Fraction


@dataclass(frozen=True)
class PartScore:
    """A part of the samples, such as those of substances that a model was trained on.

    Attributes
    ----------
    n, n_clusters : int
    top, top_low, top_high : tuple of float
        As those of `Score`, of this part alone.
    """

    n: Several
    n_clusters: Several
    top: Fractions
    top_low: Fractions
    top_high: Fractions


@dataclass(frozen=True)
class Score:
    """One model on one test set under one class scheme.

    Attributes
    ----------
    test_set, family, source, test_sha256, class_scheme : str
        What the model was tested on; scores of other data are no comparison.
    n_test, n_clusters : int
        Samples, and groups of them that are independent.
    top, top_low, top_high : tuple of float
        Top-1 to top-5 accuracy as fractions, with 95 % intervals: Wilson's for independent samples,
        a bootstrap over clusters otherwise. Over space groups of a designed set, a hit is replaced
        by its expectation over the coin that chose the label inside its class (`top_k_chances`).
    raw : tuple of float
        Plain share of hits at top-1 to top-5.
    ceiling, gap, share : tuple of float, or None
        Highest accuracy that extinction laws allow for the labels of this test set, ceiling -
        accuracy, and accuracy / ceiling. On structure-derived sets extinction laws do not bound the
        accuracy over space groups, since intensities carry more than absences; the share may pass 1
        there. None for measured patterns, which have no ceiling.
    balanced_accuracy : float
        Mean over labels of the top-1 accuracy within the label.
    ece : float
        Expected calibration error of the top-1 probability, 15 equal bins.
    by_label : dict
        `LabelScore` of each label that occurs, by space-group number or by the position of the
        class in `sgbench.symmetry.extinction_classes`.
    confusion : tuple of (int, int, int)
        True label, predicted label and number of samples, for each pair that occurs, ascending;
        labels as in `by_label`. The prediction is the label of the highest probability, and the
        lowest such label where several share it, whereas `top` averages over ties.
    provenance : dict
    calibration : tuple of (int, int, float, float)
        Bin, samples in it, mean top-1 probability and fraction right, of each of the 15 bins that
        holds any; empty in scores of earlier versions.
    regret : float or None
        Mean of -ln q minus that of the exact posterior, in nats (`regret`); None where that is not
        known, of ranked lists, and in scores of earlier versions.
        `regret_error` is its standard error from the integrals behind that posterior.
    bayes, bayes_error : tuple of float, or None
        Highest accuracy that anybody can expect on these patterns, and its error (`bayes_top`).
    parts : dict
        `PartScore` of the measured patterns of substances that the model was trained on (``seen``),
        of others (``unseen``), and of those whose substance is not known (``unknown``); empty for
        sets that were not measured.
    answers : Answers or None
        Sample by sample; in a file of their own, and None where that was not read or is not there.
    """

    test_set: Text
    family: Text
    source: Text
    test_sha256: Text
    class_scheme: Text
    n_test: Several
    n_clusters: Several
    top: Fractions
    top_low: Fractions
    top_high: Fractions
    raw: Fractions
    ceiling: Fractions | None
    gap: Numbers | None
    share: Numbers | None
    balanced_accuracy: Fraction
    ece: Fraction
    by_label: Mapping[str, LabelScore]
    confusion: tuple[tuple[Count, Count, Several], ...]
    provenance: Mapping[str, Any]
    calibration: tuple[tuple[Count, Several, Fraction, Fraction], ...] = ()
    regret: Number | None = None
    regret_error: NotNegative | None = None
    bayes: Fractions | None = None
    bayes_error: Fractions | None = None
    parts: Mapping[str, PartScore] = field(default_factory=dict)
    answers: Answers | None = field(default=None, repr=False, compare=False)


def score(
    predictions: Predictions, truth: TestSet, class_scheme: str, parts: Sequence[str] = ()
) -> Score:
    """Score predictions against a test set.

    Parameters
    ----------
    predictions : Predictions
    truth : TestSet
    class_scheme : {'spacegroup', 'extinction', 'system'}
        Predictions over space groups serve all; those over classes only their own.
    parts : sequence of str
        The part that each sample is in, to be scored apart (`Score.parts`).

    Raises
    ------
    SgbenchError
        If the samples differ from the test set's, or the scheme cannot be scored.
    """
    expected = family_spacegroups(truth.family)
    if predictions.spacegroups != expected:
        raise SgbenchError(
            f"the predictions are over {len(predictions.spacegroups)} space groups other than the "
            f"{len(expected)} of the {truth.family} family. Predict these."
        )
    labels, spacegroup = truth.samples.ids, truth.samples.spacegroup
    if predictions.sample_ids != labels:
        missing = len(set(labels) - set(predictions.sample_ids))
        raise SgbenchError(
            f"the predictions do not cover '{truth.name}' sample by sample: {missing} of "
            f"{len(truth)} are missing, or their order differs. Predict this test set again."
        )
    predictions_sha256 = predictions.sha256()
    probabilities = predictions.probabilities
    if predictions.class_scheme == "spacegroup":
        if class_scheme != "spacegroup":
            probabilities = predictions.summed(class_scheme)
    elif predictions.class_scheme != class_scheme:
        raise SgbenchError(
            f"predictions over {predictions.class_scheme} classes cannot be scored as "
            f"'{class_scheme}'; expected probabilities over space groups. Predict these."
        )
    column = spacegroup - predictions.spacegroups[0]
    label = labels_of(class_scheme, predictions.spacegroups)[column]

    raw = top_k_hits(probabilities, label, TOP_K)
    clusters = _cluster_index(truth)
    ceiling: Fractions | None
    if class_scheme == "spacegroup" and truth.alike is not None:
        hits, bounds = top_k_chances(probabilities, truth.alike, TOP_K)
        ceiling = _plain(bounds.mean(axis=0))
    else:
        hits, bounds = raw, np.ones_like(raw)
        counts = np.bincount(column, minlength=len(predictions.spacegroups))
        shares = dict(zip(predictions.spacegroups, counts.tolist(), strict=True))
        # Nothing bounds the accuracy on measured patterns but the labels' own faults.
        measured = truth.spec.origin == "measured"
        ceiling = None if measured else top_k_ceiling(shares, class_scheme)
    top = hits.mean(axis=0)
    low, high = interval(hits, bounds, clusters)
    first = predictions.spacegroups[0] if class_scheme == "spacegroup" else 0
    by_label = {
        str(int(name) + first): _label_score(
            hits[label == name, :1], bounds[label == name, :1], clusters[label == name]
        )
        for name in np.unique(label)
    }
    calibration = calibration_bins(probabilities, hits[:, 0])
    # A ranked list has no probabilities.
    ranked = predictions.provenance.get("ranked")
    lost = None if ranked else regret(probabilities, truth, class_scheme)
    best = bayes_top(truth, class_scheme)
    return Score(
        **truth.row(),
        class_scheme=class_scheme,
        n_test=len(truth),
        n_clusters=int(clusters.max()) + 1,
        top=_plain(top),
        top_low=_plain(low),
        top_high=_plain(high),
        raw=_plain(raw.mean(axis=0)),
        ceiling=ceiling,
        gap=None if ceiling is None else _plain(np.array(ceiling) - top),
        share=None if ceiling is None else _plain(top / np.array(ceiling)),
        balanced_accuracy=float(np.mean([one.top1 for one in by_label.values()])),
        ece=calibration_error(calibration),
        by_label=by_label,
        confusion=_confusion(label + first, probabilities.argmax(axis=1) + first),
        provenance={
            **predictions.provenance,
            "predictions_sha256": predictions_sha256,
            "patterns_per_second": predictions.patterns_per_second,
            "scorer_version": __version__,
        },
        calibration=calibration,
        regret=None if lost is None else lost[0],
        regret_error=None if lost is None else lost[1],
        bayes=None if best is None else _plain(best[0]),
        bayes_error=None if best is None else _plain(best[1]),
        parts={
            name: _part_score(hits, bounds, clusters, np.array(parts) == name)
            for name in sorted(set(parts))
        },
        answers=Answers(hits[:, 0].astype(np.float32), clusters.astype(np.int32)),
    )


def calibration_bins(
    probabilities: NDArray[np.float32], hit: NDArray[np.float64]
) -> tuple[tuple[int, int, float, float], ...]:
    """Sort samples by their top-1 probability into 15 equal bins; see `Score.calibration`."""
    # Rows sum to one within a tolerance, and single precision may end above it.
    confidence = np.minimum(probabilities.max(axis=1), 1.0)
    bins = np.minimum((confidence * _BINS).astype(int), _BINS - 1)
    n = np.bincount(bins, minlength=_BINS)
    stated = np.bincount(bins, confidence, minlength=_BINS)
    right = np.bincount(bins, hit, minlength=_BINS)
    return tuple(
        (int(i), int(n[i]), min(float(stated[i] / n[i]), 1.0), min(float(right[i] / n[i]), 1.0))
        for i in np.flatnonzero(n)
    )


def calibration_error(bins: Sequence[tuple[int, int, float, float]]) -> float:
    """Return the expected calibration error: the mean distance of confidence and accuracy."""
    total = sum(n for _, n, _, _ in bins)
    return sum(n * abs(confidence - right) for _, n, confidence, right in bins) / total


def write_score(path: Path, result: Score) -> None:
    """Write a score as JSON, and its answers beside it."""
    values = asdict(replace(result, answers=None))
    del values["answers"]
    with all_or_none():
        if result.answers is not None:
            write_answers(answers_path(path), result.answers)
        with write_atomically(path) as temporary:
            temporary.write_text(json.dumps(values, indent=1, sort_keys=True) + "\n")
    if result.answers is None:
        answers_path(path).unlink(missing_ok=True)


def read_score(path: Path, with_answers: bool = False) -> Score:
    """Read a score.

    Parameters
    ----------
    path : Path
    with_answers : bool
        Read what it was made from too, sample by sample, where that was kept.

    Raises
    ------
    SgbenchError
        If the file is missing, truncated or something else.
    """
    path = Path(path)
    values = _KIND.checked(path, _current(_KIND.read_json(path)), _file())
    found = Score(**values)
    if (why := _contradiction(found)) is not None:
        raise _KIND.damaged(path, why)
    kept = answers_path(path)
    if not with_answers or not kept.exists():
        return found
    answers = read_answers(kept, found.n_test)
    # Those of another model would make comparisons that were never made.
    right, clusters = float(answers.hit.mean()), int(answers.cluster.max()) + 1
    if abs(right - found.top[0]) > _SAME or clusters != found.n_clusters:
        raise SgbenchError(
            f"{kept} does not belong to {path}: {right:.6f} of its answers are right, in "
            f"{clusters} clusters; expected {found.top[0]:.6f} in {found.n_clusters}. Evaluate "
            "again, or delete the file."
        )
    return replace(found, answers=answers)


def _current(values: dict[str, Any]) -> dict[str, Any]:
    """Return a score with today's names; earlier versions kept its data in the provenance alone."""
    test_set, origin = values.get("test_set"), values.get("provenance")
    if not isinstance(test_set, str) or not isinstance(origin, dict):
        return values  # which is no score
    origin = current_names(origin)
    # Over space groups of designed sets these were shares of hits, and are expectations now.
    if "raw" not in values:
        origin["plain_hits"] = True
    earlier: dict[str, Any] = {
        "raw": values.get("top"),
        "source": earlier_source(test_set),
        "test_sha256": str(origin.get("test_sha256")),
        "calibration": [],
        "parts": {},
        **dict.fromkeys(("regret", "regret_error", "bayes", "bayes_error")),
    }
    return {**earlier, **values, "test_set": current_set(test_set), "provenance": origin}


@cache
def _file() -> Any:
    """Return the type of what a score's file holds."""
    hints = get_type_hints(Score, include_extras=True)
    del hints["answers"]
    origin = record("Origin", _ORIGIN, _ORIGIN.keys() - {"model", "train_set", "scale"}, True)
    names = {"family": Literal[tuple(FAMILIES)], "class_scheme": Literal[tuple(SCHEME_NAMES)]}
    return record("ScoreFile", hints | names | {"provenance": origin})


def _contradiction(found: Score) -> str | None:
    """Say what in a score cannot be true beside the rest of it; None if nothing is."""
    labels = label_names(found.family, found.class_scheme)
    pairs = [pair for *pair, _ in found.confusion]
    bins = [place for place, *_ in found.calibration]
    true = Counter[int]()
    for label, _, n in found.confusion:
        true[label] += n
    named = set(chain.from_iterable(pairs))
    checks = {
        "'n_clusters' is more than 'n_test'": found.n_clusters > found.n_test,
        "'by_label' names a label that is none": not found.by_label.keys() <= labels.keys(),
        "'confusion' names a label that is none": not named <= set(labels.values()),
        "'confusion' is not in ascending order": any(a >= b for a, b in pairwise(pairs)),
        "'by_label' and 'confusion' have other samples": true
        != {labels.get(name): one.n for name, one in found.by_label.items()},
        "'n_test' is not the number of samples": true.total() != found.n_test,
        "'calibration' is not in ascending order": any(a >= b for a, b in pairwise(bins)),
        "'calibration' has too many bins": any(place >= _BINS for place in bins),
        "'bayes' has no 'bayes_error'": (found.bayes is None) != (found.bayes_error is None),
        "'parts' have other samples": bool(found.parts)
        and sum(part.n for part in found.parts.values()) != found.n_test,
        "'bayes' falls": any(a > b for a, b in pairwise(found.bayes or ())),
        "'calibration' has other samples": bool(bins)
        and sum(n for _, n, *_ in found.calibration) != found.n_test,
    }
    return next((words for words, wrong in checks.items() if wrong), None)


def _cluster_index(truth: TestSet) -> NDArray[np.int64]:
    if truth.cluster is None:
        return np.arange(len(truth))
    return np.unique(np.array(truth.cluster), return_inverse=True)[1].ravel()


def _confusion(
    true: NDArray[np.int64], predicted: NDArray[np.int64]
) -> tuple[tuple[int, int, int], ...]:
    pairs, n = np.unique(np.stack([true, predicted], axis=1), axis=0, return_counts=True)
    return tuple((int(a), int(b), int(count)) for (a, b), count in zip(pairs, n, strict=True))


def _label_score(
    hits: NDArray[np.float64], bounds: NDArray[np.float64], clusters: NDArray[np.int64]
) -> LabelScore:
    own = np.unique(clusters, return_inverse=True)[1].ravel()
    low, high = interval(hits, bounds, own)
    return LabelScore(
        n=len(hits),
        n_clusters=int(own.max()) + 1,
        top1=float(hits.mean()),
        top1_low=float(low[0]),
        top1_high=float(high[0]),
    )


def _part_score(
    hits: NDArray[np.float64],
    bounds: NDArray[np.float64],
    clusters: NDArray[np.int64],
    chosen: NDArray[np.bool_],
) -> PartScore:
    own = np.unique(clusters[chosen], return_inverse=True)[1].ravel()
    low, high = interval(hits[chosen], bounds[chosen], own)
    return PartScore(
        n=int(chosen.sum()),
        n_clusters=int(own.max()) + 1,
        top=_plain(hits[chosen].mean(axis=0)),
        top_low=_plain(low),
        top_high=_plain(high),
    )


def _plain(values: NDArray[np.float64]) -> tuple[float, ...]:
    return tuple(float(value) for value in values)
