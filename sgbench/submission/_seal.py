"""Sealed rounds: test sets of a secret that is committed to first and revealed at the end."""

import hashlib
import hmac
import json
import os
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from sgbench.errors import SgbenchError
from sgbench.files import unreadable, write_atomically
from sgbench.submission._folder import read_bytes
from sgbench.version import __version__

#: Environment variable that holds the secret.
VARIABLE = "SGBENCH_SEAL"

_FORMAT = "sgbench-seal-1"
_SHORTEST, _LONGEST = 32, 200
_MOST_BYTES = 4096


@dataclass(frozen=True)
class Round:
    """A sealed round, as it is published.

    Attributes
    ----------
    commitment : str
        SHA-256 of the secret, published before anything is scored.
    sgbench_version : str
        That the round was begun with.
    revealed : str
        The secret, once the round has ended; empty before.
    """

    commitment: str
    sgbench_version: str
    revealed: str = ""

    def secret(self) -> str:
        """Return the secret: the revealed one, or that of the environment.

        Raises
        ------
        SgbenchError
            If there is none, or it is not the one that was committed to.
        """
        secret = self.revealed or _secret_of_environment()
        if not hmac.compare_digest(_commitment(secret), self.commitment):
            raise SgbenchError(
                "the secret is not the one that was committed to; expected one whose SHA-256 is "
                f"{self.commitment}. Set {VARIABLE} to the secret of this round."
            )
        return secret


def seal_round(path: Path) -> Round:
    """Begin a round: write the commitment to the secret of the environment.

    Raises
    ------
    SgbenchError
        If there is no secret, it is too short to be kept, or the file is there already.
    """
    if path.exists():
        raise SgbenchError(
            f"{path} is there already; expected a name of its own for each round. Name another."
        )
    begun = Round(_commitment(_secret_of_environment()), __version__)
    _write(path, begun)
    return begun


def reveal_round(path: Path) -> Round:
    """End a round: write the secret beside its commitment.

    Raises
    ------
    SgbenchError
        If the secret of the environment is another one.
    """
    begun = read_round(path)
    ended = replace(begun, revealed=begun.secret())
    _write(path, ended)
    return ended


def read_round(path: Path) -> Round:
    """Read a round; the secret of one that has ended is checked against its commitment.

    Raises
    ------
    SgbenchError
        If it is none, or the secret is not the one that was committed to.
    """
    expected = "the file that `sgbench submission seal` writes. Get it again."
    try:
        values = json.loads(read_bytes(path, _MOST_BYTES))
        if values.pop("format") != _FORMAT or not all(isinstance(v, str) for v in values.values()):
            raise ValueError("it is of another format")
        found = Round(**values)
    except (OSError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise unreadable(path, error, expected) from error
        raise SgbenchError(
            f"{path} is not a readable round ({type(error).__name__}); expected {expected}"
        ) from error
    if found.revealed:
        found.secret()
    return found


def _write(path: Path, one: Round) -> None:
    with write_atomically(path) as temporary:
        temporary.write_text(json.dumps({"format": _FORMAT, **asdict(one)}, indent=1) + "\n")


def _commitment(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _secret_of_environment() -> str:
    secret = os.environ.get(VARIABLE, "")
    if not _SHORTEST <= len(secret) <= _LONGEST:
        raise SgbenchError(
            f"{VARIABLE} holds {len(secret)} characters; expected a secret of {_SHORTEST} to "
            f"{_LONGEST}, so that nobody guesses it. Make one with `openssl rand -hex 32`."
        )
    return secret
