"""Scores of a submission become rows of the leaderboard, and no row is lost without a word."""

from collections.abc import Sequence
from io import StringIO
from pathlib import Path

import pandas as pd
from filelock import FileLock

from sgbench.errors import SgbenchError
from sgbench.evaluation import Score, read_score, write_score
from sgbench.files import write_atomically
from sgbench.leaderboard import EXACT_COLUMNS, build_table, read_csv, sort_table, to_markdown
from sgbench.submission._folder import SCORES

# A model that was trained anew on other data takes the place of its older self.
_SAME_ROW = ["model", "test_set", "family", "class_scheme", "scale"]
_PLACE = "place"


def write_scores(folder: Path, scores: Sequence[Score]) -> list[Path]:
    """Write each score to a file, ``TEST_SET.SCHEME.json``."""
    paths = []
    for result in scores:
        path = folder / f"{result.test_set}.{result.class_scheme}.json"
        write_score(path, result)
        paths.append(path)
    return paths


def add_rows(
    folder: Path, scores: Sequence[Score], leaderboard: Path, replace: bool = False
) -> pd.DataFrame:
    """Put scores beside a submission and their rows into the leaderboard (CSV and Markdown).

    Rows of others keep every digit. The files change one after the other, each as a whole.

    Parameters
    ----------
    folder : Path
    scores : sequence of Score
    leaderboard : Path
        CSV, made if it is not there; Markdown lies beside it.
    replace : bool
        Let other results of the same model go.

    Returns
    -------
    DataFrame
        The new rows.

    Raises
    ------
    SgbenchError
        If results of the same name are there that are not the same, and may not go.
    """
    fresh = build_table(scores)
    leaderboard.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(leaderboard.with_name(f".{leaderboard.name}.lock")):
        kept = _text_rows(leaderboard) if leaderboard.exists() else None
        if kept is not None:
            mine = pd.MultiIndex.from_frame(kept[_SAME_ROW]).isin(
                pd.MultiIndex.from_frame(fresh[_SAME_ROW])
            )
            others = set(kept[mine]["predictions_sha256"]) - set(fresh["predictions_sha256"])
            if others and not replace:
                raise _conflict(folder, scores[0], leaderboard)
        table = _text_of(fresh)
        if kept is not None:
            table = pd.concat([kept[~mine], _with_known_ceilings(table, kept)])
        write_scores(folder / SCORES, scores)
        text = table.to_csv(index=False)
        numbers = pd.read_csv(StringIO(text))
        numbers[_PLACE] = range(len(numbers))
        ordered = sort_table(numbers)
        with write_atomically(leaderboard) as temporary:
            table.iloc[ordered[_PLACE].to_numpy()].to_csv(temporary, index=False)
        with write_atomically(leaderboard.with_suffix(".md")) as temporary:
            temporary.write_text(to_markdown(ordered))
    return fresh


def _text_rows(path: Path) -> pd.DataFrame:
    """Read a leaderboard as text, so that what is not touched stays as it is."""
    columns = read_csv(path).columns  # which also says what is wrong with the file
    text = pd.read_csv(path, dtype=str, keep_default_na=False)
    return text.reindex(columns=list(columns), fill_value="")


def _with_known_ceilings(rows: pd.DataFrame, others: pd.DataFrame) -> pd.DataFrame:
    """Take over the exact ceilings of other rows of the same test set, as text."""
    same = ["test_sha256", "class_scheme"]
    exact = list(EXACT_COLUMNS)
    known = others[(others[exact] != "").any(axis=1)].drop_duplicates(same)
    found = rows[same].merge(known[[*same, *exact]], on=same, how="left")[exact].fillna("")
    return rows.assign(**{name: found[name].to_numpy() for name in exact})


def _text_of(table: pd.DataFrame) -> pd.DataFrame:
    return pd.read_csv(
        StringIO(table.to_csv(index=False, float_format="%.6g")), dtype=str, keep_default_na=False
    )


def _conflict(folder: Path, fresh: Score, leaderboard: Path) -> SgbenchError:
    known_scores = [read_score(path) for path in sorted((folder / SCORES).glob("*.json"))]
    versions = {
        str(one.provenance.get("model_version"))
        for one in known_scores
        if one.test_set == fresh.test_set
    }
    known = f"version {', '.join(sorted(versions))}" if versions else "another submission"
    return SgbenchError(
        f"{leaderboard} holds other results of '{fresh.provenance['model']}', of {known}; expected "
        f"none but those of version {fresh.provenance['model_version']}. Choose another name, or "
        "let them go with --replace."
    )
