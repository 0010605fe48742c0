"""Progress of what takes a while."""

import io

import pytest

from sgbench import progress
from sgbench.progress import in_words, shown, task


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.fixture
def clock(monkeypatch):
    """A clock that a test sets, in seconds."""
    now = [0.0]
    monkeypatch.setattr(progress.time, "monotonic", lambda: now[0])
    return now


def test_nobody_waits(capsys):
    with task("counting", 10) as counting:
        assert list(counting.counted(["ab", "c"])) == ["ab", "c"]
    assert counting.done == 3
    assert capsys.readouterr() == ("", "")


def test_a_log_has_a_line_now_and_then(clock):
    log = io.StringIO()
    with shown(log), task("counting", 1000) as counting:
        for _ in range(10):
            clock[0] += 10
            counting.advance(100, "loss 0.5")
    lines = log.getvalue().splitlines()
    assert lines[0] == "counting: 200 of 1,000 patterns, 10/s, 80 s left, loss 0.5"
    assert len(lines) == 6
    assert lines[-1] == "counting: 1,000 patterns in 2 min"


def test_what_is_quick_leaves_no_line(clock):
    log = io.StringIO()
    with shown(log), task("counting", 10) as counting:
        counting.advance(10)
    assert log.getvalue() == ""


def test_rate_and_time_left_are_of_what_was_done_here(clock):
    log = io.StringIO()
    with shown(log), task("counting", 1000) as counting:
        counting.begin(600)
        clock[0] += 20
        counting.advance(200)
    assert "800 of 1,000 patterns, 10/s, 20 s left" in log.getvalue()


def test_a_terminal_has_a_bar_and_a_line_in_the_end():
    screen = Terminal()
    with shown(screen), task("counting", 1000) as counting:
        counting.advance(1000, "loss 0.5")
        counting._bar.refresh()
    drawn = screen.getvalue().split("\r")
    assert any("1.00k of 1.00k patterns" in part and "loss 0.5" in part for part in drawn)
    assert drawn[-1].startswith("counting: 1,000 patterns in")


def test_a_failure_has_no_line_in_the_end(clock):
    log = io.StringIO()

    def fail():
        with shown(log), task("counting", 10) as counting:
            clock[0] += 20
            counting.advance(1)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert "in 20 s" not in log.getvalue()


@pytest.mark.parametrize(
    ("seconds", "words"), [(0, "0 s"), (99, "99 s"), (130, "2 min"), (3 * 3600, "3.0 h")]
)
def test_times_in_words(seconds, words):
    assert in_words(seconds) == words
