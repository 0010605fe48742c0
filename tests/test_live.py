"""One run of the workflow in a folder: a second one is refused, a killed one's jobs are ended."""

import os
import subprocess
import sys

import psutil
import pytest

from sgbench.errors import SgbenchError
from sgbench.live import hold_folder

# Holds the folder, starts a job that goes on by itself, and waits to be killed.
RUN = """
import subprocess, sys
from pathlib import Path
from sgbench.live import hold_folder
print(*hold_folder(Path(sys.argv[1])), flush=True)
job = subprocess.Popen(["sleep", "600"])
print(job.pid, flush=True)
job.wait()
"""


def at_work(process):
    """Whether a process has not ended; a zombie has, though nobody has asked how."""
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


@pytest.fixture
def start(tmp_path):
    """Start runs in the test's folder; answer with the process, what it ended, and its job."""
    runs, jobs = [], []

    def start_run():
        run = subprocess.Popen([sys.executable, "-c", RUN, tmp_path], stdout=subprocess.PIPE)
        runs.append(run)
        ended = tuple(map(int, run.stdout.readline().split()))
        jobs.append(psutil.Process(int(run.stdout.readline())))
        return run, ended, jobs[-1]

    yield start_run
    for process in (*runs, *filter(at_work, jobs)):
        process.kill()
    for run in runs:
        run.communicate()


def test_a_second_run_is_refused_and_the_first_goes_on(start, tmp_path):
    run, _, job = start()
    with pytest.raises(SgbenchError, match=rf"is live in .* \(process {run.pid}\)"):
        hold_folder(tmp_path)
    assert run.poll() is None
    assert at_work(job)


def test_the_run_after_a_killed_one_ends_its_jobs_and_deletes_unfinished_files(start, tmp_path):
    (tmp_path / "results" / "deep").mkdir(parents=True)
    unfinished = tmp_path / "results" / "deep" / ".table.csv.1234.part"
    whole = tmp_path / "results" / "deep" / "table.csv"
    stranger = subprocess.Popen(["sleep", "600"])
    try:
        killed, _, orphan = start()
        for path in (unfinished, whole):
            path.touch()
        killed.kill()
        killed.wait()
        assert at_work(orphan)

        _, ended, job = start()
        assert ended == (1, 1)
        assert not at_work(orphan)
        assert at_work(job)
        assert stranger.poll() is None
        assert (whole.exists(), unfinished.exists()) == (True, False)
    finally:
        stranger.kill()
        stranger.wait()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux ends it")
@pytest.mark.parametrize("of_a_run", [True, False])
def test_a_command_of_a_run_dies_with_the_shell_of_its_job(of_a_run, tmp_path):
    command = "from sgbench.live import end_with_shell; end_with_shell(); print(flush=True)"
    marked = {**os.environ, "SGBENCH_RUN": f"1 {tmp_path}"}
    shell = subprocess.Popen(
        ["bash", "-c", f"'{sys.executable}' -c '{command}; import time; time.sleep(60)'; true"],
        env=marked if of_a_run else None, stdout=subprocess.PIPE,
    )  # fmt: skip
    try:
        shell.stdout.readline()
        (job,) = psutil.Process(shell.pid).children()
        shell.kill()
        shell.wait()
        # Its output ends when it does: at once, or when it is killed by hand.
        if not of_a_run:
            assert at_work(job)
            job.kill()
        assert shell.stdout.read() == b""
        psutil.wait_procs([job], timeout=10)
        assert not at_work(job)
    finally:
        shell.stdout.close()


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux ends it")
def test_a_command_whose_shell_died_before_it_began(tmp_path):
    """Python takes a second to begin, in which a shell can be killed."""
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    command = (
        f'open("{gate}").read(); from sgbench.live import end_with_shell; end_with_shell(); '
        'print("went on")'
    )
    shell = subprocess.Popen(
        ["bash", "-c", f"'{sys.executable}' -c '{command}'; true"],
        env={**os.environ, "SGBENCH_RUN": f"{os.getpid()} {tmp_path}"}, stdout=subprocess.PIPE,
    )  # fmt: skip
    with shell.stdout:
        with open(gate, "w"):  # when the command opens it, too
            shell.kill()
            shell.wait()
        assert shell.stdout.read() == b""  # which ends when the command does
