"""What the pages read of a run, as one archive that is committed."""

from pathlib import Path

from sgbench.archives import write_archive
from sgbench.leaderboard import SCORES, TABLE, is_point, pairs_path, read_csv, score_files
from sgbench.report._results import history_files, picture_files, scores_of
from sgbench.report._structures import FILE, as_json, read_structures


def publish(folder: Path, path: Path) -> int:
    """Write what the pages read of a run into one archive; the same bytes for the same run.

    It holds the table, the scores that it was made from, the histories of trainings, the figures,
    and of structures the numbers that claims need, but no structure and no prediction. Scores
    behind points of curves are left out, since pages show of these what the table has.

    Parameters
    ----------
    folder : Path
        E.g. ``results/laptop``.
    path : Path
        E.g. ``results/published/laptop.tar.xz``.

    Returns
    -------
    int
        Number of files in it.

    Raises
    ------
    SgbenchError
        If the run has no table, or a file is damaged.
    """
    table = read_csv(folder / TABLE)
    there = [file for part in SCORES for file in score_files(folder / part) if file.is_file()]
    there = [file for file in there if not is_point(file)]
    scores = [file for file, _ in scores_of(there, table)]
    pairs = pairs_path(folder / TABLE)
    found = [folder / TABLE, *scores, *history_files(folder), *picture_files(folder)]
    found += [pairs] if pairs.exists() else []
    files = {one.relative_to(folder).as_posix(): one.read_bytes() for one in found}
    files[FILE] = as_json(read_structures(folder))
    write_archive(path, files)
    return len(files)
