"""Asking public services: one request at a time, with patience, and by name."""

from importlib.metadata import version
from typing import TYPE_CHECKING

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
