"""Scores of a submission become rows of the leaderboard, and no row is lost without a word."""

from collections.abc import Collection, Sequence
from io import StringIO
from pathlib import Path

import pandas as pd
from filelock import FileLock

from sgbench.designed import Split, exact_ceilings
from sgbench.errors import SgbenchError
from sgbench.evaluation import Score, write_score
from sgbench.files import all_or_none, write_atomically
from sgbench.leaderboard import (
    IDENTITY,
    TESTED_ON,
    Verification,
    build_table,
    pairs_path,
    read_csv,
    read_pairs,
    sort_table,
    to_markdown,
    with_exact_ceilings,
)
from sgbench.sets import IN_MESH, OFF_MESH, SEALED, designed_test_set, family_set
from sgbench.symmetry import TOP_K
from sgbench.text import csv_frame

# A model that was trained anew on other data takes the place of its older self.
# Rows of earlier versions do not say their source, and the checksum tells the same data.
_SAME_ROW = ["model", *(name for name in TESTED_ON if name != "source")]
_PLACE = "place"
_SPLITS: dict[str, Split] = {
    IN_MESH.name: "in-mesh",
    OFF_MESH.name: "off-mesh",
    SEALED.name: "off-mesh",
}


def write_scores(folder: Path, scores: Sequence[Score]) -> list[Path]:
    """Write each score to a file, ``TEST_SET.SCHEME.json``."""
    paths = []
    for result in scores:
        path = folder / f"{result.test_set}.{result.class_scheme}.json"
        write_score(path, result)
        paths.append(path)
    return paths


def add_rows(
    scores: Sequence[Score],
    leaderboard: Path,
    replace: bool = False,
    verified: Collection[Verification] = (),
) -> pd.DataFrame:
    """Put the rows of a submission into the leaderboard (CSV and Markdown).

    Rows of others keep every digit. Both files change, or none.

    Parameters
    ----------
    scores : sequence of Score
    leaderboard : Path
        CSV, made if it is not there; Markdown lies beside it.
    replace : bool
        Let other results of the same model go.
    verified : collection of Verification, optional
        The maintainers' word, which alone makes a row a verified one.

    Returns
    -------
    DataFrame
        The new rows.

    Raises
    ------
    SgbenchError
        If results of the same name are there that are not the same, and may not go.
    """
    table = build_table(scores, verified)
    fresh = with_exact_ceilings(table, _designed_ceilings(scores))
    leaderboard.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(leaderboard.with_name(f".{leaderboard.name}.lock")):
        kept = _text_rows(leaderboard) if leaderboard.exists() else None
        if kept is not None:
            mine = pd.MultiIndex.from_frame(kept[_SAME_ROW]).isin(
                pd.MultiIndex.from_frame(fresh[_SAME_ROW])
            )
            others = set(kept[mine]["predictions_sha256"]) - set(fresh["predictions_sha256"])
            if others and not replace:
                model = scores[0].provenance["model"]
                raise SgbenchError(
                    f"{leaderboard} holds other results of '{model}'; expected none but those of "
                    "these very answers. Choose another name, or let them go with --replace."
                )
        table = _text_of(fresh)
        if kept is not None:
            table = csv_frame(pd.concat([kept[~mine], table]))
        with all_or_none():
            with write_atomically(leaderboard) as temporary:
                table.to_csv(temporary, index=False)
                ordered = sort_table(read_csv(temporary).reset_index(names=_PLACE))
                table.iloc[ordered[_PLACE].to_numpy()].to_csv(temporary, index=False)
            with write_atomically(leaderboard.with_suffix(".md")) as temporary:
                temporary.write_text(to_markdown(ordered, read_pairs(pairs_path(leaderboard))))
    return fresh


def _text_rows(path: Path) -> pd.DataFrame:
    """Read a leaderboard as text, so that what is not touched stays as it is."""
    known = read_csv(path)  # which also says what is wrong with the file
    text = pd.read_csv(path, dtype=str, keep_default_na=False)
    text = text.reindex(columns=list(known.columns), fill_value="")
    return text.assign(**{name: known[name].astype(str) for name in IDENTITY})


def _designed_ceilings(scores: Sequence[Score]) -> pd.DataFrame:
    """List the exact ceilings of the designed test sets, as ``sgbench ceilings --exact`` does."""
    wanted = {(one.family, _SPLITS[one.test_set]) for one in scores if one.test_set in _SPLITS}
    found = [
        {"test_set": designed_test_set(split).name, "level": one.level}
        | {"class_scheme": one.class_scheme, "family": family}
        | {f"top{k}": round(100 * value, 2) for k, value in enumerate(one.top, start=1)}
        for family, split in sorted(wanted)
        for one in exact_ceilings(family_set(family), split)
    ]
    tops = [f"top{k}" for k in range(1, TOP_K + 1)]
    return pd.DataFrame(found, columns=["family", "test_set", "class_scheme", "level", *tops])


def _text_of(table: pd.DataFrame) -> pd.DataFrame:
    written = csv_frame(table).to_csv(index=False, float_format="%.6g")
    return pd.read_csv(StringIO(written), dtype=str, keep_default_na=False)
