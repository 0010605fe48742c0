from time import monotonic, sleep

import numba

from sgbench.decoder._clock import seconds


def test_it_stands_still_while_numba_compiles():
    @numba.njit
    def total(n):
        found = 0.0
        for i in range(n):
            found += i**0.5
        return found

    started, wall = seconds(), monotonic()
    total(10)
    passed = monotonic() - wall
    assert passed > 0.02  # as compiling takes
    assert seconds() - started < 0.5 * passed


def test_otherwise_it_goes_as_time_does():
    started = seconds()
    sleep(0.02)
    assert 0.019 < seconds() - started < 5
