"""Progress of what takes a while: a bar on a terminal, a line now and then in a log.

Whoever waits opens `shown`; whatever works inside says how far it is through `task`. Outside of
`shown` nothing is said.
"""

import re
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TextIO

#: Seconds between two lines in a log.
LOG_SECONDS = 15.0

# What `in_words` says, behind which `Task.say` puts "left".
_LEFT = re.compile(r"(?P<number>\d+(\.\d+)?) (?P<unit>s|min|h) left")
_SECONDS = {"s": 1.0, "min": 60.0, "h": 3600.0}

_stream: ContextVar[TextIO | None] = ContextVar("stream", default=None)


class Task:
    """Something under way; `task` makes one.

    Parameters
    ----------
    name : str
        What is done, as the beginning of a line.
    total : int
    unit : str
        What is counted, in the plural.
    stream : file or None
        Where it is shown; None shows nothing.
    """

    def __init__(self, name: str, total: int, unit: str, stream: TextIO | None) -> None:
        self.done = self._first = 0
        self._name, self._total, self._unit, self._stream = name, total, unit, stream
        self._began = self._spoken = time.monotonic()
        self._words = ""
        self._bar: Any = None
        if stream is not None and stream.isatty():
            from tqdm import tqdm

            self._bar = tqdm(
                desc=name, total=total, unit=f" {unit}", unit_scale=True, file=stream,
                dynamic_ncols=True, leave=False,
                bar_format="{desc} {bar:12} {n_fmt} of {total_fmt}{unit}, {rate_noinv_fmt}, "
                "{remaining} left{postfix}",
            )  # fmt: skip

    def begin(self, done: int) -> None:
        """Take note of where it goes on, before anything is done."""
        self.done = self._first = done
        if self._bar is not None:
            self._bar.n = self._bar.initial = self._bar.last_print_n = done
            self._bar.refresh()

    def advance(self, n: int, words: str = "") -> None:
        """Take note that so many more are done, and of what else is to be shown.

        Of words alone `say` writes a line, so that none is written twice.
        """
        self.done += n
        self._words = words or self._words
        if self._bar is not None:
            if self._words:
                self._bar.set_postfix_str(self._words, refresh=False)
            self._bar.update(n)
        elif n and self._stream is not None and time.monotonic() - self._spoken > LOG_SECONDS:
            self.say()

    def say(self) -> None:
        """Write a line, where there is no bar."""
        if self._stream is None or self._bar is not None:
            return
        self._spoken = time.monotonic()
        seconds = self._spoken - self._began
        rate = (self.done - self._first) / max(seconds, 1e-9)
        parts = [f"{self.done:,} of {self._total:,} {self._unit}"]
        if rate > 0 and self.done < self._total:
            parts += [f"{rate:,.0f}/s" if rate >= 10 else f"{rate:.2g}/s"]
            parts += [f"{in_words((self._total - self.done) / rate)} left"]
        parts += [self._words] if self._words else []
        print(f"{self._name}: {', '.join(parts)}", file=self._stream, flush=True)

    def counted(self, batches: Iterable[Any]) -> Iterator[Any]:
        """Go through batches, and take note of each."""
        for batch in batches:
            yield batch
            self.advance(len(batch))

    def close(self) -> None:
        """End the bar."""
        if self._bar is not None:
            self._bar.close()

    def end(self) -> None:
        """Say what was done, if anything was shown."""
        if self._stream is not None and (self._bar is not None or self._spoken > self._began):
            took = in_words(time.monotonic() - self._began)
            print(f"{self._name}: {self.done:,} {self._unit} in {took}", file=self._stream)


@contextmanager
def shown(stream: TextIO) -> Iterator[None]:
    """Show on a stream the tasks that are under way inside.

    Parameters
    ----------
    stream : file
        On a terminal there is a bar, elsewhere a line every 15 seconds.
    """
    token = _stream.set(stream)
    try:
        yield
    finally:
        _stream.reset(token)


@contextmanager
def task(
    name: str, total: int, unit: str = "patterns", says_the_end: bool = True
) -> Iterator[Task]:
    """Give a task that is shown while it is under way, if somebody waits.

    Parameters
    ----------
    name, total, unit
        As of `Task`.
    says_the_end : bool, optional
        Whether what was shown ends with a line of its own.
    """
    found = Task(name, total, unit, _stream.get())
    try:
        yield found
        found.close()
        if says_the_end:
            found.end()
    finally:
        found.close()


def in_words(seconds: float) -> str:
    """Return a time as a person says it."""
    if seconds < 100:
        return f"{seconds:.0f} s"
    if seconds < 100 * 60:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:.1f} h"


def seconds_left(line: str) -> float:
    """Return how long a line of `Task.say` says that is left, or 0 where it says nothing of it."""
    found = _LEFT.search(line)
    return float(found["number"]) * _SECONDS[found["unit"]] if found else 0.0
