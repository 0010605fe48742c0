import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from itertools import islice
from pathlib import Path
from random import Random

import psutil
import pytest

from sgbench.errors import SgbenchError
from sgbench.workers import CRASHED, KILLED, TIMED_OUT, answers_in_order

PROJECT = Path(__file__).parents[1]

WORKER = """
import os
import pathlib
import sys
import time

from sgbench.workers import serve


def answer(request):
    if "wait" in request:
        time.sleep(request["wait"])
    if "raise" in request:
        raise RuntimeError(request["raise"])
    if "exit" in request:
        os._exit(request["exit"])
    if "memory" in request:
        raise MemoryError(request["memory"])
    if "signal" in request:
        marks = pathlib.Path(__file__).with_name(f"mark-{request['n']}")
        deaths = len(marks.read_text()) if marks.exists() else 0
        if deaths < len(request["signal"]):
            marks.write_text("x" * (deaths + 1))
            os.kill(os.getpid(), request["signal"][deaths])
            time.sleep(60)
    if "print" in request:
        print(request["print"])
    if "complain" in request:
        sys.stderr.write("x" * request["complain"])
    return {"pid": os.getpid(), "threads": os.environ["OMP_NUM_THREADS"], **request}


serve(answer)
"""


@pytest.fixture(autouse=True)
def module(tmp_path, monkeypatch):
    """A module that does as its requests say, beside those of the project."""
    (tmp_path / "obedient_worker.py").write_text(WORKER)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(tmp_path), str(PROJECT)]))


@pytest.fixture(autouse=True)
def no_process_is_left():
    before = set(psutil.Process().children(recursive=True))
    yield
    assert set(psutil.Process().children(recursive=True)) <= before


def ask(requests, workers=1, time_limit=None):
    return answers_in_order("obedient_worker", requests, workers, time_limit)


@pytest.mark.parametrize("workers", [1, 3])
def test_answers_come_in_the_order_of_the_requests(workers):
    requests = [{"n": n, "wait": 0.05 * (n % 3 == 0)} for n in range(12)]
    answers = list(ask(requests, workers))
    assert [answer["n"] for answer in answers] == list(range(12))
    # Which worker is free first is not sure; that there are no more than asked for is.
    assert 1 <= len({answer["pid"] for answer in answers}) <= workers


def test_several_workers_answer_at_once():
    answers = ask([{"wait": 0.5}] * 3, workers=3)
    assert len({answer["pid"] for answer in answers}) == 3


def test_no_requests_no_answers():
    assert list(ask([])) == []


def test_a_worker_leaves_the_parallelism_to_the_pool():
    assert [answer["threads"] for answer in ask([{}])] == ["1"]


def test_what_a_worker_prints_is_no_answer():
    answers = list(ask([{"print": '{"n": 0}', "n": 1}, {"complain": 200_000, "n": 2}, {"n": 3}]))
    assert [answer["n"] for answer in answers] == [1, 2, 3]


def test_what_goes_wrong_costs_one_answer():
    requests = [{"n": 1}, {"raise": "bad"}, {"exit": 7}, {"memory": "none left"}, {"n": 4}]
    answers = list(ask(requests))
    assert answers[0]["n"] == 1
    assert answers[1] == {CRASHED: "RuntimeError: bad"}
    assert answers[2] == {KILLED: "exit status 7"}
    assert answers[3] == {KILLED: "MemoryError: none left"}
    assert answers[4]["n"] == 4
    assert answers[4]["pid"] != answers[0]["pid"]


@pytest.mark.parametrize(
    ("signals", "answer"),
    [
        ([signal.SIGKILL], None),
        ([signal.SIGTERM], None),
        ([signal.SIGINT], None),
        ([signal.SIGSEGV], None),
        ([signal.SIGKILL, signal.SIGABRT], None),  # neither was there twice
        ([signal.SIGKILL, signal.SIGKILL], {KILLED: "Killed"}),
        ([signal.SIGTERM, signal.SIGKILL], {KILLED: "Killed"}),
        ([signal.SIGSEGV, signal.SIGSEGV], {CRASHED: "SIGSEGV"}),
        ([signal.SIGABRT, signal.SIGTERM, signal.SIGABRT], {CRASHED: "SIGABRT"}),
        ([signal.SIGRTMAX, signal.SIGRTMAX], {KILLED: signal.strsignal(signal.SIGRTMAX)}),
    ],
)
def test_a_death_counts_when_it_comes_twice(signals, answer):
    before, given, after = ask([{"n": 1}, {"n": 2, "signal": [*signals]}, {"n": 3}])
    assert (before["n"], after["n"]) == (1, 3)
    assert given == answer if answer else given["n"] == 2


def test_killing_workers_at_any_moment_changes_no_answer():
    random = Random(0)
    deaths = 0
    with closing(ask(({"n": n, "wait": 0.01} for n in range(120)), workers=2)) as answers:
        for n, answer in enumerate(answers):
            assert answer["n"] == n
            # More answers apart than wait for one, so that none is hit twice.
            if n % 10 == 0:
                time.sleep(random.uniform(0, 0.03))
                random.choice(psutil.Process().children()).send_signal(
                    random.choice([signal.SIGKILL, signal.SIGTERM, signal.SIGSEGV])
                )
                deaths += 1
    assert n == 119
    assert deaths == 12


def test_a_worker_that_died_idle_costs_no_try():
    def requests():
        yield {"n": 1}
        time.sleep(0.3)
        for worker in psutil.Process().children():
            worker.kill()
            while worker.status() != psutil.STATUS_ZOMBIE:  # a dying one takes a request yet
                time.sleep(0.01)
        yield {"n": 2, "signal": [signal.SIGKILL]}

    assert [answer["n"] for answer in ask(requests())] == [1, 2]


def test_what_takes_too_long_once_is_answered():
    (answer,) = ask([{"n": 1, "signal": [signal.SIGSTOP]}], time_limit=0.5)
    assert answer["n"] == 1


def test_what_takes_too_long_costs_one_answer():
    start = time.monotonic()
    requests = [{"n": 1}, {"wait": 60}, {"n": 3}]
    answers = list(ask(requests, time_limit=0.5))
    assert time.monotonic() - start < 10
    assert answers[1] == {TIMED_OUT: 0.5}
    assert [answers[0]["n"], answers[2]["n"]] == [1, 3]


def test_the_time_limit_is_of_one_request():
    requests = [{"n": n, "wait": 0.3} for n in range(4)]
    assert [answer.get("n") for answer in ask(requests, time_limit=1.0)] == [0, 1, 2, 3]


def test_requests_are_taken_no_earlier_than_needed():
    taken = []
    requests = (taken.append(n) or {"n": n} for n in range(1000))
    with closing(ask(requests, workers=2)) as answers:
        for n, _ in enumerate(islice(answers, 5)):
            assert len(taken) <= n + 12


def test_ending_early_does_not_wait_for_what_is_under_way():
    requests = [{"n": 0}, *({"wait": 60} for _ in range(7))]
    answers = ask(requests, workers=2)
    assert next(answers)["n"] == 0
    start = time.monotonic()
    answers.close()
    assert time.monotonic() - start < 5


def test_an_error_in_the_requests_comes_through():
    def requests():
        yield {"n": 1}
        raise KeyError("no second request")

    with pytest.raises(KeyError, match="no second request"):
        list(ask(requests()))


def test_a_request_that_is_no_json_comes_through():
    with pytest.raises(TypeError, match="not JSON serializable"):
        list(ask([{"n": {1, 2}}]))


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("import no_such_package", "No module named 'no_such_package'"),
        ("raise SystemExit(3)", "exit status 3"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "Killed"),
    ],
)
def test_a_module_that_does_not_start_is_an_error(tmp_path, text, complaint):
    (tmp_path / "broken_worker.py").write_text(text)
    with pytest.raises(SgbenchError, match=rf"did not start .*{complaint}.*packages are installed"):
        list(answers_in_order("broken_worker", [{}, {}], workers=2))


def test_a_process_that_cannot_be_started_is_an_error(monkeypatch):
    def no_room(*_, **__):
        raise OSError(12, "Cannot allocate memory")

    monkeypatch.setattr(subprocess, "Popen", no_room)
    with pytest.raises(SgbenchError, match=r"Cannot allocate memory.*fewer workers"):
        list(ask([{}]))


@pytest.mark.parametrize("workers", [0, -1])
def test_without_workers_there_is_no_answer(workers):
    with pytest.raises(SgbenchError, match="at least one"):
        list(ask([{}], workers))


CALLER = """
import sys

from sgbench.workers import answers_in_order

for answer in answers_in_order("obedient_worker", ({"wait": 0.3} for _ in range(100)), 2):
    print(answer, flush=True)
"""


@pytest.mark.parametrize("sign", [signal.SIGKILL, signal.SIGINT, signal.SIGTERM])
def test_workers_end_with_their_caller(sign):
    caller = subprocess.Popen(
        [sys.executable, "-c", CALLER],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert "pid" in caller.stdout.readline()
    workers = psutil.Process(caller.pid).children(recursive=True)
    assert len(workers) == 2
    os.killpg(caller.pid, sign)  # as a terminal or a scheduler does
    said, complaints = caller.communicate(timeout=20)
    assert psutil.wait_procs(workers, timeout=20)[1] == []
    assert CRASHED not in said
    if sign == signal.SIGINT:
        assert complaints.strip().endswith("KeyboardInterrupt")
