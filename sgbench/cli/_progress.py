"""Progress of a training: a bar on a terminal, a line now and then in a log."""

import time
from types import TracebackType
from typing import TYPE_CHECKING, TextIO

from tqdm import tqdm

if TYPE_CHECKING:
    from sgbench.models import TrainingPlan
    from sgbench.training import Progress

_LOG_SECONDS = 15.0


class TrainingDisplay:
    """Shows steps and validations on a stream; use as a context manager."""

    def __init__(self, plan: "TrainingPlan", stream: TextIO) -> None:
        self._plan = plan
        self._stream = stream
        self._interactive = stream.isatty()
        self._bar = tqdm(
            total=plan.steps * plan.batch_size,
            unit="pattern",
            unit_scale=True,
            file=stream,
            disable=not self._interactive,
        )
        self._spoken = time.monotonic()
        self._last = ""

    def __enter__(self) -> "TrainingDisplay":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._bar.close()

    def step(self, step: int, loss: float) -> None:
        """Take note of a finished step."""
        done = step * self._plan.batch_size
        if self._interactive:
            self._bar.set_postfix_str(f"loss {loss:.3f} {self._last}", refresh=False)
            self._bar.update(done - self._bar.n)
        elif time.monotonic() - self._spoken > _LOG_SECONDS:
            self._say(f"{done:,} of {self._bar_total():,} patterns, loss {loss:.3f}")

    def report(self, progress: "Progress") -> None:
        """Take note of a validation."""
        self._last = f"top-1 {progress.top1:.3f} class {progress.class_accuracy:.3f}"
        if not self._interactive:
            self._say(
                f"{progress.patterns:,} of {self._bar_total():,} patterns, "
                f"{progress.patterns_per_second:.0f}/s, validation loss "
                f"{progress.validation_loss:.3f}, {self._last}"
            )

    def _bar_total(self) -> int:
        return self._plan.steps * self._plan.batch_size

    def _say(self, text: str) -> None:
        self._spoken = time.monotonic()
        print(text, file=self._stream, flush=True)
