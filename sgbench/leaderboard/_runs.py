"""Where a run keeps its table and its scores: in a folder, or in the archive that was published."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from sgbench.archives import is_archive, open_run, opened
from sgbench.evaluation import SPEED_ENDING

#: The table of a run, in its folder.
TABLE = "leaderboard.csv"
#: Folders of a run that hold its scores: those of the workflow, and those of submissions.
SCORES = ("scores", "submissions")


@contextmanager
def open_table(path: Path) -> Iterator[Path]:
    """Give the table that a path stands for: itself, or that of an archive.

    Raises
    ------
    SgbenchError
        If an archive is damaged.
    """
    if not is_archive(path):
        yield path
        return
    with open_run(path) as folder:
        yield folder / TABLE


@contextmanager
def open_tables(paths: Iterable[Path]) -> Iterator[list[Path]]:
    """Give the tables of the runs that paths stand for: folders, archives or folders of archives.

    Raises
    ------
    SgbenchError
        If an archive is damaged.
    """
    with _opened(paths) as folders:
        yield [one for folder in folders if (one := folder / TABLE).is_file()]


@contextmanager
def open_scores(paths: Iterable[Path]) -> Iterator[list[Path]]:
    """Give the score files that paths stand for, as long as they are open.

    Parameters
    ----------
    paths : iterable of Path
        Score files, folders of them, folders of runs, archives of runs, or folders of archives.

    Raises
    ------
    SgbenchError
        If an archive is damaged.
    """
    with _opened(paths) as folders:
        yield [file for folder in folders for file in score_files(folder)]


@contextmanager
def _opened(paths: Iterable[Path]) -> Iterator[list[Path]]:
    with ExitStack() as stack:
        yield [one for path in paths for one in stack.enter_context(opened(path))]


def score_files(path: Path) -> list[Path]:
    """Return the score files in a folder, or in that of a run; of a file the file itself."""
    if not path.is_dir():
        return [path]
    parts = [one for part in SCORES if (one := path / part).is_dir() and (path / TABLE).exists()]
    return sorted(
        file
        for part in parts or [path]
        for file in part.rglob("*.json")
        # Predictions may lie in the same folder, and their speeds are JSON, too.
        if not file.name.endswith(SPEED_ENDING)
    )
