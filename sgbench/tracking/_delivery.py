"""Records on their way: a journal beside the results, until a store has what is in it."""

from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from pathlib import Path

from sgbench.errors import SgbenchError
from sgbench.tracking._record import Record, read_journal, write_journal
from sgbench.tracking._store import say, send

_ENDING = ".unsent"


def sync(store: str, folders: Iterable[Path]) -> Iterator[tuple[Path, SgbenchError | None]]:
    """Send what waits in folders to a store, oldest first.

    Parameters
    ----------
    store : str
        MLflow tracking address.
    folders : iterable of Path

    Yields
    ------
    path : Path
        A journal; it is gone if the store has all of it and no more is to come.
    error : SgbenchError or None
        Why it was not sent.
    """
    found = {path for folder in folders for path in folder.rglob(f"*{_ENDING}")}
    # A run that others add to was begun before them.
    for path in sorted(found, key=lambda path: (path.stat().st_mtime_ns, path)):
        try:
            _deliver(store, path)
        except SgbenchError as error:
            yield path, error
        else:
            yield path, None


def keep_and_send(store: str, journal: Path, records: Sequence[Record]) -> None:
    try:
        write_journal(journal, records)
        _deliver(store, journal)
    except SgbenchError as error:
        warn(error, journal)


def _deliver(store: str, journal: Path) -> None:
    """Send the records of a journal, and keep those of which more is to come or that failed."""
    records = read_journal(journal)
    kept = list(records)
    try:
        for record in records:
            send(store, record, journal.parent)
            if record.status == "FINISHED":
                kept.remove(record)
    finally:
        if not kept:
            journal.unlink(missing_ok=True)
        elif len(kept) < len(records):
            write_journal(journal, kept)


def warn(error: SgbenchError, journal: Path) -> None:
    say(
        f"{error} The work goes on; what was to be recorded waits in {journal}, and `sgbench track "
        f"sync {journal.parent}` sends it later."
    )


def journal_of(output: Path, key: str) -> Path:
    """Return the place of a journal: beside the results, and of nothing else that wrote there."""
    return output.with_name(f"{output.name}.{sha256(key.encode()).hexdigest()[:12]}{_ENDING}")
