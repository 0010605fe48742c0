"""How Snakemake shows a run of the workflow: a bar on a terminal, a line now and then elsewhere.

Snakemake finds the package by its name, and `profiles/default` chooses it. With ``--verbose``, and
in dry runs, Snakemake's own output is shown instead; its log in ``.snakemake/log`` always has it.
"""

import logging
import sys
import threading
import time
from typing import Any

from snakemake_interface_logger_plugins.base import LogHandlerBase
from snakemake_interface_logger_plugins.common import LogEvent

from sgbench.progress import in_words
from snakemake_logger_plugin_sgbench._run import Run, clock, job_of, last_line, last_lines

# Of all that the engine says in passing during a run, what somebody waits for.
_SHOWN = (
    "Nothing to be done", "Complete log", "Terminating", "Will exit", "Shutting down",
    "Trying to restart",
)  # fmt: skip
# What it says before; everything else is an answer, such as a report.
_HIDDEN = ("Config file", "Assuming unrestricted", "Building DAG")
# A run has about so many lines where there is no terminal, however long it takes.
_LINES, _FEWEST_SECONDS = 30, 10.0
_TICK = 1.0
_LONGEST = 160


class LogHandler(LogHandlerBase):
    """Shows what runs, how much of it, how long it took and will take; and errors in full."""

    writes_to_stream = True
    writes_to_file = False
    has_filter = False
    has_formatter = True
    needs_rulegraph = False

    def __post_init__(self) -> None:
        from snakemake.logging import ColorizingTextHandler, DefaultFormatter

        settings = self.common_settings
        stream = sys.stdout if settings.stdout else sys.stderr
        self._engine = ColorizingTextHandler(nocolor=settings.nocolor, stream=stream)
        self._engine.setFormatter(DefaultFormatter(settings.quiet, settings.show_failed_logs))
        self._shows_all = settings.verbose or settings.dryrun or settings.printshellcmds
        self._begun = False
        self._run = Run()
        self._told: set[int] = set()
        self._spoken = 0.0
        self._bar: Any = None
        self._over = threading.Event()

    def emit(self, record: logging.LogRecord) -> None:
        """Show what a record means to somebody who waits."""
        event = getattr(record, "event", None)
        if expected := getattr(record, "expected_seconds", None):
            self._run.expected, self._run.cores = expected, record.__dict__["cores"]
            return
        if self._shows_all:
            if record.levelno > logging.DEBUG or event == LogEvent.DEBUG_DAG:
                self._engine.emit(record)
        elif event == LogEvent.WORKFLOW_STARTED:
            self._begun = True
        elif event == LogEvent.RUN_INFO:
            self._start(record.__dict__["stats"])
        elif event == LogEvent.JOB_INFO:
            self._run.start(record.__dict__["jobid"], job_of(record.__dict__, time.monotonic()))
            self._told.discard(record.__dict__["jobid"])
        elif event == LogEvent.JOB_FINISHED:
            self._run.finish(record.__dict__["job_id"])
        elif event == LogEvent.PROGRESS:
            self._run.done, self._run.total = record.__dict__["done"], record.__dict__["total"]
            self._show()
        elif event == LogEvent.JOB_ERROR:
            self._fail(record.__dict__)
        elif hasattr(record, "shown"):
            words = record.getMessage()
            self._say(lambda: print(words, file=self._engine.stream, flush=True))
        elif self._is_shown(record, event):
            self._say(lambda: self._engine.emit(record))

    def close(self) -> None:
        """End the bar."""
        self._over.set()
        if self._bar is not None:
            self._bar.close()
        super().close()

    def _is_shown(self, record: logging.LogRecord, event: object) -> bool:
        if record.levelno >= logging.WARNING:
            return True
        words = str(record.msg or "")
        if self._begun:
            return event is None and words.startswith(_SHOWN)
        return bool(words) and not words.startswith(_HIDDEN) and record.levelno > logging.DEBUG

    def _start(self, stats: dict[str, int]) -> None:
        self._run.plan({rule: n for rule, n in stats.items() if rule != "total"})
        left = self._run.left()
        expected = "" if left is None else f", expected to take {in_words(left)}"
        jobs = f"{self._run.total} job{'s' if self._run.total != 1 else ''}"
        print(f"{jobs} on {self._run.cores} cores{expected}", file=self._engine.stream, flush=True)
        self._spoken = time.monotonic()
        if self._engine.stream.isatty():
            from tqdm import tqdm

            self._bar = tqdm(
                total=self._run.total, file=self._engine.stream, dynamic_ncols=True, leave=False,
                bar_format="{bar:12} {desc}",
            )  # fmt: skip
        threading.Thread(target=self._tick, daemon=True).start()

    def _tick(self) -> None:
        while not self._over.wait(_TICK):
            with self.lock:  # type: ignore[union-attr]
                if not self._over.is_set():
                    self._show()

    def _show(self) -> None:
        """Show where the run stands, on a terminal always, elsewhere if enough time has passed."""
        run = self._run
        if run.done == run.total:
            self._end()
        elif self._bar is not None:
            self._bar.n = run.done
            self._bar.set_description_str(self._line(), refresh=True)
        elif time.monotonic() - self._spoken > self._pause():
            self._spoken = time.monotonic()
            print(self._line()[:_LONGEST], file=self._engine.stream, flush=True)

    def _pause(self) -> float:
        """Return the seconds between two lines, more of them in a longer run."""
        whole = max(self._run.planned, self._run.elapsed() + (self._run.left() or 0.0))
        return max(_FEWEST_SECONDS, whole / _LINES)

    def _line(self) -> str:
        run = self._run
        left = run.left()
        time_left = "" if left is None else f", {in_words(left) if left > 1 else 'little'} left"
        said = [f"{run.done} of {run.total} jobs, {clock(run.elapsed())}{time_left}"]
        jobs = sorted(run.running.values(), key=lambda job: job.began)
        # What has run longest is told in full, since that is what one waits for.
        words = [last_line(job.log) if job.rule == "train" else "" for job in jobs]
        said += [
            f"{job.label()}: {word}" if word else job.label()
            for job, word in zip(jobs, words, strict=True)
        ]
        return " | ".join(said)

    def _end(self) -> None:
        self._over.set()
        if self._bar is not None:
            self._bar.close()
            self._bar = None
        took = clock(self._run.elapsed())
        print(f"{self._run.done} of {self._run.total} jobs are done in {took}",
              file=self._engine.stream, flush=True)  # fmt: skip

    def _fail(self, told: dict[str, Any]) -> None:
        """Say which job failed, the end of its log, and where the whole of it is."""
        number = told["jobid"]
        job = self._run.running.pop(number, None) or job_of(told, time.monotonic())
        if number in self._told:  # the engine repeats it at the end
            return
        self._told.add(number)
        lines = [f"{job.label()} failed"]
        lines += [f"    {line}" for line in last_lines(job.log)]
        if told["rule_msg"]:
            lines.append(f"    {told['rule_msg']}")
        lines += [f"    {name}: {value}" for name, value in told["aux"].items()]
        lines.append(f"    command: {' '.join(str(told['shellcmd']).split())}")
        lines.append(f"    whole log: {job.log}" if job.log else "    it has no log")
        self._say(lambda: print(*lines, sep="\n", file=self._engine.stream, flush=True))

    def _say(self, say: Any) -> None:
        """Print beside the bar."""
        if self._bar is None:
            say()
            return
        self._bar.clear()
        say()
        self._bar.refresh()


__all__ = ["LogHandler"]
