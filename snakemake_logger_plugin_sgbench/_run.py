"""What a run of the workflow has done and will still do, from what the engine says of its jobs."""

import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sgbench.progress import seconds_left

_ITEM = re.compile(r"/logs/(?P<item>.+)\.log\Z")
# Before this many seconds of work are done, the expected pace counts as much as the one found.
_PRIOR = 20.0
_LAST_BYTES = 4096


@dataclass(frozen=True)
class Job:
    """A job that is running.

    Attributes
    ----------
    rule, name : str
        The name is that of its log: ``train/ulbd-cubic/fcn-wang2024/seed0``.
    log : Path or None
    threads : int
    began : float
        By the clock of `time.monotonic`.
    """

    rule: str
    name: str
    log: Path | None
    threads: int
    began: float

    def label(self) -> str:
        """Return what it is called on a line with others."""
        return self.name.removesuffix("/seed0").replace("/", " ")


def job_of(record: Mapping[str, object], began: float) -> Job:
    """Return the job that an event of its start describes."""
    rule = str(record["rule_name"])
    logs = record["log"]
    log = str(logs[0]) if isinstance(logs, list | tuple) and logs else ""
    found = _ITEM.search(log)
    name = found["item"] if found and found["item"].startswith(f"{rule}/") else rule
    threads = record.get("threads")
    return Job(rule, name, Path(log) if log else None, int(str(threads or 1)), began)


@dataclass
class Run:
    """Where a run stands.

    Attributes
    ----------
    expected : mapping of str to float
        Seconds that a job adds to the run, by its name, where something is known of them.
    cores : int
    total, done : int
        Jobs.
    """

    expected: Mapping[str, float] = field(default_factory=dict)
    cores: int = 1
    total: int = 0
    done: int = 0
    began: float = field(default_factory=time.monotonic)
    running: dict[int, Job] = field(default_factory=dict)
    planned: float = 0.0
    finished: float = 0.0

    def plan(self, jobs_of_rules: Mapping[str, int]) -> None:
        """Take note of how many jobs of each rule are to be run."""
        self.began = time.monotonic()
        self.total = sum(jobs_of_rules.values())
        self.planned = sum(n * self._mean(rule) for rule, n in jobs_of_rules.items())

    def start(self, number: int, job: Job) -> None:
        """Take note of a job that starts."""
        self.running[number] = job

    def finish(self, number: int) -> None:
        """Take note of a job that is finished."""
        job = self.running.pop(number, None)
        if job:
            self.finished += self._of(job)

    def elapsed(self) -> float:
        """Return the seconds since the start."""
        return time.monotonic() - self.began

    def left(self) -> float | None:
        """Return the seconds that are expected to remain, if anything is known of them."""
        if not self.planned:
            return None
        now = time.monotonic()
        under_way = sum(
            min(0.9 * self._of(job), (now - job.began) * min(job.threads, self.cores) / self.cores)
            for job in self.running.values()
        )
        done = self.finished + under_way
        pace = (self.elapsed() + _PRIOR) / (done + _PRIOR)
        stated = [seconds_left(last_line(job.log)) for job in self.running.values()]
        return max(0.0, (self.planned - done) * pace, *stated)

    def _of(self, job: Job) -> float:
        return self.expected.get(job.name, self._mean(job.rule))

    def _mean(self, rule: str) -> float:
        known = [
            seconds
            for name, seconds in self.expected.items()
            if name == rule or name.startswith(f"{rule}/")
        ]
        return sum(known) / len(known) if known else 0.0


def last_line(log: Path | None) -> str:
    """Return what a job has said last, or nothing."""
    return (last_lines(log) or [""])[-1]


def last_lines(log: Path | None, most: int = 20) -> list[str]:
    """Return the last lines of a log that are not empty."""
    try:
        if log is None:
            return []
        with open(log, "rb") as handle:
            handle.seek(max(0, log.stat().st_size - _LAST_BYTES))
            text = handle.read().decode(errors="replace")
    except OSError:
        return []
    return [line for line in text.splitlines() if line.strip()][-most:]


def clock(seconds: float) -> str:
    """Return a time as a clock shows it."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"
