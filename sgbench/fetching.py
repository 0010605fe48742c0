"""Asking public services: one request at a time, with patience, and by name."""

import hashlib
import time
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from sgbench.errors import SgbenchError
from sgbench.files import write_atomically
from sgbench.version import __version__

if TYPE_CHECKING:
    import requests

#: Seconds without an answer after which a request has failed.
TIMEOUT = 60

# A request that fails is sent again this often, after pauses (seconds) that double each time or
# that the service asks for (Retry-After).
_REPEATS = 5
_PAUSE = 1.0
_PASSING = (429, 500, 502, 503, 504)
_CHUNK = 2**20
#: No file of a service is larger, in bytes.
LARGEST = 2**34


def user_agent(package: str) -> str:
    """Return how requests through a package introduce themselves."""
    return f"sgbench/{__version__} {package}/{version(package)}"


def be_patient(session: "requests.Session") -> None:
    """Make a session repeat what fails for now: too many requests, a server in trouble."""
    from requests.adapters import HTTPAdapter
    from urllib3.util.retry import Retry

    retry = Retry(total=_REPEATS, backoff_factor=_PAUSE, status_forcelist=_PASSING)
    for scheme in ("http://", "https://"):
        session.mount(scheme, HTTPAdapter(max_retries=retry))


def fetch(address: str, path: Path, checksum: str = "", pause: float = 0.0) -> Path:
    """Fetch a file once, and go on where an earlier attempt broke off.

    What has come of an unfinished file lies beside it, as ``NAME.part``.

    Parameters
    ----------
    address : str
    path : Path
        Where to; nothing is asked for if it is there.
    checksum : str
        What the file must have, as ``md5:…`` or ``sha256:…``; empty where none is published.
    pause : float
        Seconds to wait before asking, where a service is asked for many files.

    Raises
    ------
    SgbenchError
        If the service does not give the file, or gives another one.
    """
    if path.exists():
        return path
    import requests

    part = path.with_name(f"{path.name}.part")
    part.parent.mkdir(parents=True, exist_ok=True)
    time.sleep(pause)
    with requests.Session() as session:
        session.headers["User-Agent"] = user_agent("requests")
        be_patient(session)
        for _ in range(_REPEATS):
            try:
                _ask(session, address, part)
                break
            except requests.RequestException as error:
                failure = error
                time.sleep(_PAUSE)
        else:
            raise _failed(address, f"{type(failure).__name__}") from failure
    if checksum:
        kind, _, wanted = checksum.partition(":")
        with open(part, "rb") as file:
            found = hashlib.file_digest(file, kind).hexdigest()
        if found != wanted:
            part.unlink()
            raise _failed(address, f"its {kind} is {found[:12]}…, not {wanted[:12]}…")
    with write_atomically(path) as temporary:
        part.replace(temporary)
    return path


def _ask(session: "requests.Session", address: str, part: Path) -> None:
    """Ask for what is missing of a file; an answer that breaks off raises what requests raises."""
    have = part.stat().st_size if part.exists() else 0
    asked = {"Range": f"bytes={have}-"} if have else {}
    with session.get(address, headers=asked, stream=True, timeout=TIMEOUT) as answer:
        if answer.status_code == 416 and have:  # nothing is missing
            return
        if answer.status_code not in (200, 206):
            raise _failed(address, f"status {answer.status_code}")
        goes_on = answer.status_code == 206
        have = have if goes_on else 0
        with open(part, "ab" if goes_on else "wb") as file:
            for chunk in answer.iter_content(_CHUNK):
                file.write(chunk)
                have += len(chunk)
                if have > LARGEST:
                    raise _failed(address, "it does not end")


def _failed(address: str, why: str) -> SgbenchError:
    return SgbenchError(
        f"{address} could not be fetched ({why}); expected the file. Try again later, which goes "
        "on where this stopped, or name a copy of yours with --from."
    )
