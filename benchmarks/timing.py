"""Seconds for ratios within one run."""

import time


def seconds(function, *arguments, repeats: int):
    """The shortest of several runs, and the result."""
    best = float("inf")
    for _ in range(repeats):
        started = time.perf_counter()
        result = function(*arguments)
        best = min(best, time.perf_counter() - started)
    return best, result
