import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from itertools import count, islice
from pathlib import Path

import psutil
import pytest

from sgbench.errors import SgbenchError
from sgbench.workers import CRASHED, TIMED_OUT, answers_in_order

PROJECT = Path(__file__).parents[1]

WORKER = """
import os
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


def test_what_kills_a_worker_costs_one_answer():
    answers = list(ask([{"n": 1}, {"raise": "a bad structure"}, {"exit": 7}, {"n": 4}]))
    assert answers[0]["n"] == 1
    assert answers[1] == {CRASHED: "RuntimeError: a bad structure"}
    assert answers[2] == {CRASHED: "exit status 7"}
    assert answers[3]["n"] == 4
    assert answers[3]["pid"] != answers[0]["pid"]


def test_a_worker_that_is_killed_is_started_again():
    with closing(ask({"n": n} for n in count())) as answers:
        first = next(answers)["pid"]
        os.kill(first, signal.SIGKILL)
        rest = list(islice(answers, 8))
    # At most the one request that was under way has no answer.
    assert sum(CRASHED in answer for answer in rest) <= 1
    assert [a["n"] for a in rest if CRASHED not in a][-1] == 8
    assert rest[-1]["pid"] != first


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
