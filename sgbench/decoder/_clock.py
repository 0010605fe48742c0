"""Time, without what it takes to compile kernels at their first use.

Numba keeps what it has compiled, so a limit of time that held it against a search would give the
first user of an installation another answer than the second.
"""

from time import monotonic

from numba.core import event


class _Compiling(event.Listener):  # type: ignore[misc]
    """Adds up how long Numba compiles; a kernel is compiled inside of the one that calls it."""

    def __init__(self) -> None:
        self.depth, self.since, self.seconds = 0, 0.0, 0.0

    def on_start(self, _: event.Event) -> None:
        if self.depth == 0:
            self.since = monotonic()
        self.depth += 1

    def on_end(self, _: event.Event) -> None:
        self.depth -= 1
        if self.depth == 0:
            self.seconds += monotonic() - self.since


_COMPILING = _Compiling()
event.register("numba:compile", _COMPILING)


def seconds() -> float:
    """Return a time in seconds that stands still while Numba compiles."""
    return monotonic() - _COMPILING.seconds
