"""A maintainer's word on a stranger's model: run again, on patterns that nobody has seen."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from sgbench.errors import SgbenchError
from sgbench.leaderboard import Verification
from sgbench.submission._description import read_description
from sgbench.submission._problems import RefusedError
from sgbench.submission._sandbox import Limits
from sgbench.submission._scoring import Compared, score_sealed
from sgbench.submission._seal import Round
from sgbench.version import __version__


def verify_submission(
    folder: Path, sealed: Round, by: str, limits: Limits | None = None
) -> tuple[Compared, list[Verification]]:
    """Run the model of a submission again, and say what may be called verified.

    The model runs without network, in a root file system of its own (`sgbench.submission.walls`).
    What is verified are its scores on the sealed patterns, and those on the public off-mesh
    patterns if they are no better than on the sealed ones, beyond chance. Predictions alone are
    never verified: who predicts public patterns can know their labels.

    Parameters
    ----------
    folder : Path
    sealed : Round
    by : str
        Who answers for it.
    limits : Limits, optional

    Returns
    -------
    compared : Compared
    verified : list of Verification
        Empty if the model is better on public patterns than on sealed ones, beyond chance.

    Raises
    ------
    RefusedError
        If anything is wrong with the submission.
    SgbenchError
        If it has no model, nobody answers for it, or there are no walls to be had.
    """
    if not by.strip() or not by.isprintable():
        raise SgbenchError("nobody answers for it; expected a name, in plain text. Name yourself.")
    folder = folder.absolute()
    submission, problems = read_description(folder)
    if submission is None:
        raise RefusedError(folder, problems)
    if submission.contract is None:
        raise SgbenchError(
            f"{folder.name} holds predictions, whose labels anybody can make again; expected "
            "model.onnx, to run it on sealed patterns. Ask its authors for it."
        )
    compared = score_sealed(folder, sealed, replace(limits or Limits(), walled=True))
    if compared.gaps:
        return compared, []
    gaps = {one.class_scheme: one.provenance["public_gap"] for one in compared.sealed}
    today = datetime.now(UTC).date().isoformat()
    return compared, [
        Verification(
            model=one.provenance["model"],
            model_version=one.provenance["model_version"],
            submission_sha256=one.provenance["submission_sha256"],
            test_set=one.test_set,
            class_scheme=one.class_scheme,
            test_sha256=one.test_sha256,
            predictions_sha256=one.provenance["predictions_sha256"],
            top1=round(one.top[0], 6),
            public_gap=round(gaps[one.class_scheme], 6),
            seal=sealed.commitment,
            verified_by=by.strip(),
            verified_on=today,
            sgbench_version=__version__,
        )
        for one in (*compared.sealed, *compared.public)
    ]
