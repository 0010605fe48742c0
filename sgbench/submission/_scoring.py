"""From a folder to scores: everything is checked first, and nothing of it is trusted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sgbench.evaluation import CLASS_SCHEMES, Predictions, Score, wilson_interval
from sgbench.evaluation import score as score_predictions
from sgbench.files import file_sha256
from sgbench.progress import task
from sgbench.provenance import made_with
from sgbench.sets import OFF_MESH
from sgbench.submission._adapters import are_probabilities, softmax
from sgbench.submission._description import Contract, Submission, read_description
from sgbench.submission._folder import (
    DESCRIPTION,
    MODEL,
    PREDICTIONS,
    SEALED_PREDICTIONS,
    folder_problems,
)
from sgbench.submission._onnx import run_model
from sgbench.submission._prediction_file import probability_problems, read_prediction_file
from sgbench.submission._problems import Problem, RefusedError
from sgbench.submission._sandbox import Limits
from sgbench.submission._seal import Round
from sgbench.submission._track import (
    Shuffled,
    Track,
    public_samples,
    sealed_samples,
)
from sgbench.text import percent

_TRIED = 32
_SAME = 1e-3


@dataclass(frozen=True)
class Checked:
    """What a check found.

    Attributes
    ----------
    submission : Submission or None
        None if its description is wrong.
    samples : Shuffled or None
        What it is scored on.
    problems : tuple of Problem
        Empty if it can be scored.
    probabilities : ndarray of float32, shape (n, n_labels), or None
        Of a file of predictions; None for a model, which is only tried on a few patterns.
    ranked : bool
        Whether they stand for ranked lists, so that there is no calibration to speak of.
    """

    submission: Submission | None
    samples: Shuffled | None
    problems: tuple[Problem, ...]
    probabilities: NDArray[np.float32] | None = None
    ranked: bool = False


def check_submission(
    folder: Path,
    crystals: Sequence[Path] = (),
    limits: Limits | None = None,
    sealed: Round | None = None,
) -> Checked:
    """Find everything that is wrong with a submission.

    Parameters
    ----------
    folder : Path
    crystals : sequence of Path, optional
        Files of line lists of structures, which add test sets.
    limits : Limits, optional
        For a model, which is tried on a few patterns.
    sealed : Round, optional
        Check for this sealed round and not for the public test sets.
    """
    folder = folder.absolute()
    problems = folder_problems(folder)
    fatal = (str(folder), folder.name, f"{folder.name}/{DESCRIPTION}")
    if any(problem.where in fatal for problem in problems):
        return Checked(None, None, tuple(problems))
    submission, more = read_description(folder)
    problems += more
    if submission is None:
        return Checked(None, None, tuple(problems))
    samples = samples_of(submission, crystals, sealed)
    name = PREDICTIONS if sealed is None else SEALED_PREDICTIONS
    name = name if submission.contract is None else MODEL
    probabilities, ranked = None, False
    if any(problem.where == f"{folder.name}/{name}" for problem in problems):
        pass  # it is no file that could be read
    elif submission.contract is not None:
        problems += _try_model(submission, submission.contract, samples, limits or Limits())
    elif (folder / name).exists():
        labels = submission.track.labels(submission.class_scheme)
        probabilities, ranked, more = read_prediction_file(folder / name, samples.ids, labels)
        problems += more
    elif sealed is not None:
        found, mend = f"there is no {name}", "Predict what `sgbench submission patterns` writes."
        problems.append(Problem(folder.name, found, "predictions of the sealed round", mend))
    return Checked(submission, samples, tuple(problems), probabilities, ranked)


def score_submission(
    folder: Path,
    crystals: Sequence[Path] = (),
    limits: Limits | None = None,
    sealed: Round | None = None,
) -> list[Score]:
    """Score a submission on each of its test sets, by space group and by extinction class.

    Parameters
    ----------
    folder, crystals, limits, sealed
        As of `check_submission`.

    Raises
    ------
    RefusedError
        If anything is wrong with it.
    """
    folder, limits = folder.absolute(), limits or Limits()
    checked = check_submission(folder, crystals, limits, sealed)
    submission, samples = checked.submission, checked.samples
    if checked.problems or submission is None or samples is None:
        raise RefusedError(folder, checked.problems)
    probabilities, speed = checked.probabilities, None
    if submission.contract is not None:
        batches = samples.patterns(submission.contract.batch_size)
        with task(f"running {MODEL}", len(samples)) as shown:
            outputs, problems = run_model(
                folder, submission.contract, shown.counted(batches), limits
            )
        if outputs is not None:
            speed = outputs.patterns_per_second
            probabilities, problems = _as_probabilities(
                submission, submission.contract, outputs.values
            )
        if problems:
            raise RefusedError(folder, problems)
    assert probabilities is not None
    values = submission.values
    provenance = {
        "model": values["name"],
        "model_version": values["version"],
        "train_set": submission.train_set,
        "train_patterns": values["training_data"]["patterns"],
        "parameters": values["parameters"],
        "hardware": values["hardware"],
        "training_seeds": values["seeds"],
        "status": "self-reported",
        "seal": None if sealed is None else sealed.commitment,
        "ranked": checked.ranked,
        "submission_sha256": file_sha256(
            folder / (PREDICTIONS if submission.contract is None else MODEL)
        ),
    }
    return score_samples(
        submission.track, samples, submission.class_scheme, probabilities, provenance, speed
    )


def score_samples(
    track: Track,
    samples: Shuffled,
    class_scheme: str,
    probabilities: NDArray[np.float32],
    provenance: Mapping[str, Any],
    patterns_per_second: float | None = None,
) -> list[Score]:
    """Score probabilities in the order of samples, each test set by every scheme that they allow.

    Parameters
    ----------
    track : Track
    samples : Shuffled
    class_scheme : {'spacegroup', 'extinction'}
        Of the probabilities; those over space groups are summed to extinction classes, too.
    probabilities : ndarray of float32, shape (n, n_labels)
    provenance : mapping
        What the scores are to say of the model.
    patterns_per_second : float, optional
        How fast the probabilities were made.
    """
    schemes = CLASS_SCHEMES if class_scheme == "spacegroup" else (class_scheme,)
    scores = []
    for truth, values in samples.apart(probabilities):
        predictions = Predictions(
            truth.samples.ids,
            class_scheme,
            track.dataset.spacegroups,
            values,
            {
                **provenance,
                "scale": track.scale,
                "test_set": truth.name,
                "family": truth.family,
                "protocol": truth.protocol.name,
                "source": truth.source,
                "per_spacegroup": truth.per_spacegroup,
                **made_with(),
            },
            patterns_per_second,
        )
        scores += [score_predictions(predictions, truth, scheme) for scheme in schemes]
    return scores


@dataclass(frozen=True)
class Compared:
    """What a submission reaches on sealed patterns, beside the same in public.

    Attributes
    ----------
    sealed, public : tuple of Score
        On ``ulbd-sealed`` and on ``ulbd-off-mesh``; the provenance of the sealed ones holds the gap
        between them as `public_gap`.
    gaps : tuple of str
        In words, where the intervals of the shares of hits do not meet and public is better.
    """

    sealed: tuple[Score, ...]
    public: tuple[Score, ...]
    gaps: tuple[str, ...]


def score_sealed(folder: Path, sealed: Round, limits: Limits | None = None) -> Compared:
    """Score a submission on a sealed round, and compare with what it reaches in public.

    The sealed and the public off-mesh set differ in nothing but their random keys, so that only
    knowledge of the public patterns can make a difference.

    Parameters
    ----------
    folder : Path
    sealed : Round
    limits : Limits, optional
        For each of the two.

    Raises
    ------
    RefusedError
        If anything is wrong with it.
    """
    public = [one for one in score_submission(folder, (), limits) if one.test_set == OFF_MESH.name]
    by_scheme = {one.class_scheme: one for one in public}
    scores, gaps = [], []
    for one in score_submission(folder, (), limits, sealed):
        other = by_scheme[one.class_scheme]
        # Plain hits, since who learned the labels by heart knows those inside a class, too.
        hits = np.array([other.raw[0], one.raw[0]])
        gap = float(hits[0] - hits[1])
        scores.append(replace(one, provenance={**one.provenance, "public_gap": gap}))
        low, high = wilson_interval(hits, np.array([other.n_test, one.n_test], dtype=float))
        if low[0] > high[1]:
            gaps.append(
                f"by {one.class_scheme}: {percent(hits[0])} % on public and "
                f"{percent(hits[1])} % on sealed patterns, beyond their 95 % intervals"
            )
    return Compared(tuple(scores), tuple(public), tuple(gaps))


def samples_of(submission: Submission, crystals: Sequence[Path], sealed: Round | None) -> Shuffled:
    """Return what a submission is scored on."""
    if sealed is not None:
        return sealed_samples(submission.track, sealed.secret())
    return public_samples(submission.track, crystals, submission.train_set)


def _try_model(
    submission: Submission, contract: Contract, samples: Shuffled, limits: Limits
) -> list[Problem]:
    """Run a few patterns, and the same in another order: nothing may depend on the neighbours."""
    size = min(_TRIED, contract.batch_size)
    (patterns,) = samples.patterns(size, size)
    outputs, problems = run_model(
        submission.folder, contract, [patterns, np.roll(patterns[::-1], 1, axis=0)], limits
    )
    if outputs is None:
        return problems
    probabilities, problems = _as_probabilities(submission, contract, outputs.values)
    if probabilities is None:
        return problems
    once, again = probabilities[:size], np.roll(probabilities[size:], -1, axis=0)[::-1]
    if np.abs(once - again).max() > _SAME:
        return [
            Problem(
                f"{submission.folder.name}/{MODEL}",
                "what it says of a pattern depends on the others in the batch",
                "each pattern by itself", "Export in evaluation mode, without batch statistics.",
            )
        ]  # fmt: skip
    return []


def _as_probabilities(
    submission: Submission, contract: Contract, outputs: NDArray[np.float32]
) -> tuple[NDArray[np.float32] | None, list[Problem]]:
    """Make a model's outputs probabilities over all labels of the track."""
    where = f"{submission.folder.name}/{MODEL}, output {contract.output}"
    names = [f"label {label}" for label in contract.labels]
    values = outputs.astype(np.float64)
    if contract.gives == "logits":
        if not np.isfinite(values).all():
            found = "some logits are not finite"
            return None, [Problem(where, found, "finite numbers", "Look for an overflow.")]
        if are_probabilities(values):
            found = "its outputs are probabilities already, which add up to 1"
            mend = "Set `onnx.gives: probabilities` in submission.yaml."
            return None, [Problem(where, found, "logits, as `onnx.gives` says", mend)]
        values = softmax(values)
    problems = probability_problems(where, values, names)
    if problems:
        return None, problems
    labels = submission.track.labels(submission.class_scheme)
    spread = np.zeros((len(values), len(labels)), dtype=np.float32)
    spread[:, np.searchsorted(labels, contract.labels)] = values
    return spread, []
