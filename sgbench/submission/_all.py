"""All submissions of a project, scored again from what lies in their folders."""

import csv
import re
import shutil
from collections.abc import Mapping, Sequence
from io import StringIO
from pathlib import Path

from sgbench.errors import SgbenchError
from sgbench.evaluation import Score
from sgbench.files import write_atomically
from sgbench.submission._description import read_description, schema
from sgbench.submission._folder import SEALED_PREDICTIONS
from sgbench.submission._problems import RefusedError, shown
from sgbench.submission._rows import write_scores
from sgbench.submission._sandbox import Limits
from sgbench.submission._scoring import score_submission
from sgbench.submission._seal import read_round
from sgbench.text import csv_text

#: Where submissions lie, from the project's root.
HOME = Path("submissions")
#: Says, beside the scores, what has none and why.
LEFT_OUT = "left-out.csv"


def submission_folders(home: Path = HOME) -> list[Path]:
    """Return the folders of submissions whose names are names of submissions, sorted."""
    named = re.compile(schema()["properties"]["name"]["pattern"])
    return [folder for folder in _folders(home) if named.search(folder.name)]


def score_all(
    output: Path,
    scale: str,
    home: Path = HOME,
    crystals: Sequence[Path] = (),
    rounds: Sequence[Path] = (),
    limits: Limits | None = None,
) -> dict[str, str]:
    """Score all submissions of a scale; what cannot be scored is left out, and said to be.

    Parameters
    ----------
    output : Path
        Folder, emptied first; gets a folder of scores a submission, and `LEFT_OUT`.
    scale : str
    home : Path
        Holds a folder a submission. Those of other scales are passed over.
    crystals : sequence of Path, optional
        Files of line lists of structures, on which models are scored as well. Predictions are of
        the designed patterns.
    rounds : sequence of Path, optional
        Files of sealed rounds. Those whose secret is not known count as left out.
    limits : Limits, optional
        For each model.

    Returns
    -------
    dict of str to str
        What was left out, and why.
    """
    shutil.rmtree(output, ignore_errors=True)
    output.mkdir(parents=True)
    named = submission_folders(home)
    left_out = {
        shown(folder.name): "its name is none of a submission"
        for folder in _folders(home)
        if folder not in named
    }
    for folder in named:
        submission, _ = read_description(folder)
        if submission is not None and submission.track.scale != scale:
            continue
        target = output / folder.name
        predicts = submission is not None and submission.contract is not None
        try:
            scores = _public_scores(folder, crystals if predicts else (), limits, left_out)
            write_scores(target, scores)
        except (SgbenchError, OSError) as error:
            left_out[folder.name] = str(error)
            continue
        for path in rounds if predicts or (folder / SEALED_PREDICTIONS).exists() else ():
            try:
                scores = score_submission(folder, (), limits, read_round(path))
            except (SgbenchError, OSError) as error:
                left_out[f"{folder.name}, {path.stem}"] = str(error)
            else:
                write_scores(target / path.stem, scores)
    with write_atomically(output / LEFT_OUT) as temporary:
        temporary.write_text(_as_csv(left_out), encoding="utf-8")
    return left_out


def _public_scores(
    folder: Path, crystals: Sequence[Path], limits: Limits | None, left_out: dict[str, str]
) -> list[Score]:
    if crystals:
        try:
            return score_submission(folder, crystals, limits)
        except RefusedError:
            raise
        except SgbenchError as error:  # there may be no structures of its family
            left_out[f"{folder.name}, structures"] = str(error)
    return score_submission(folder, (), limits)


def _folders(home: Path) -> list[Path]:
    if not home.is_dir():
        return []
    return sorted(path for path in home.iterdir() if path.is_dir())


def _as_csv(left_out: Mapping[str, str]) -> str:
    buffer = StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(("submission", "reason"))
    writer.writerows((csv_text(name), csv_text(reason)) for name, reason in left_out.items())
    return buffer.getvalue()
