"""Kill runs of the workflow at random moments, and see that they end like undisturbed runs.

Each run starts at the scale `smoke` in a copy of the project, or with --overnight as four trainings
of that scale, cut short. It is killed by SIGKILL, started
again with the documented command, killed again, and so on until all its results are there. Some
kills wait for a rule that was not hit yet, the others for a number of finished jobs; both then wait
a moment longer. The results are compared with those of an undisturbed run, but for the fields that
equal_results.py states. With --short, the jobs that were hit are made a second time, undisturbed,
and compared with that.

    python tools/kill_test.py              # 30 kills in five runs or more, every rule at least once
    python tools/kill_test.py --short      # 3 kills in one run
    python tools/kill_test.py --overnight  # 3 kills in one run of trainings
"""

import argparse
import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
from equal_results import unequal

ROOT = Path(__file__).parents[1]
WORK = ROOT / "build" / "kill-test"
PROJECT = (
    "Snakefile", "workflow", "profiles", "config", "submissions", "results/published",
    "environment.yml", "docs/glossary.md",
)  # fmt: skip
SNAKEMAKE = (sys.executable, "-m", "snakemake", "--cores", "all", "--verbose", "--config")
SMOKE = ("scale=smoke",)
# Trainings of scale overnight with its batches, rates and threads, a hundredth as long or less.
TRAINED = {
    "ulbd-cubic": "fcn-wang2024.sqrt-no-dropout",
    "ulbd-tetragonal": "fcn-wang2024.soft",
    "ulbd-trigonal-hexagonal": "fcn-wang2024.soft@10016",
    "ulbd-all": "fcn-wang2024.soft",
}
OVERNIGHT = (
    "scale=overnight",
    "training="
    + json.dumps(
        {
            name: {
                model: {"validation_per_spacegroup": 5}
                | ({} if "@" in model else {"patterns": 12_000})
            }
            for name, model in TRAINED.items()
        }
    ),
    "--",
    *(f"results/overnight/models/{name}/{model}/seed0/model.pt" for name, model in TRAINED.items()),
)
KINDS = ("process group", "snakemake alone", "one process")
# At most so many runs, and starts of one.
MOST_RUNS, MOST_STARTS = 12, 100
# Seconds between two looks at a run, and that a kill waits where nothing better is known.
GLANCE, MOMENT = 0.1, 5.0

STARTED = re.compile(r"^(?:local)?rule (\w+):\n((?:    .*\n)+)", re.MULTILINE)
FAILED = re.compile(r"^Error in rule \w+:\n(?:    .*\n)*?    jobid: (\d+)$", re.MULTILINE)
FINISHED = re.compile(r"^Finished jobid: (\d+) ", re.MULTILINE)
N_JOBS = re.compile(r"^total +(\d+)$", re.MULTILINE)


@dataclass(frozen=True)
class Job:
    """A job of the workflow; its log file tells it from all others, in every start of a run."""

    rule: str
    log: str
    benchmark: str
    output: str


@dataclass
class Kill:
    """A kill, and what is still to be finished until all that it hit is made good."""

    run: int
    second: float
    victim: str
    hit: frozenset[Job]
    to_finish: set[Job]
    recovered: float | None = None


class Start:
    """One process of Snakemake, and what its output says of its jobs."""

    def __init__(self, project: Path, number: int, asked: tuple[str, ...]) -> None:
        self.project = project
        self.output = project / f"start-{number}.log"
        self.began = time.monotonic()
        with open(self.output, "w") as output:
            self.process = subprocess.Popen(
                [*SNAKEMAKE, *asked],
                cwd=project,
                env={
                    **os.environ,
                    "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
                    "PYTHONPATH": f"{ROOT}{os.pathsep}{os.environ.get('PYTHONPATH', '')}",
                },
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def jobs(self) -> tuple[set[Job], set[Job]]:
        """Return the jobs that are running, and those that are finished."""
        text = self.output.read_text()
        started = {}
        for rule, lines in STARTED.findall(text):
            fields = dict(line.strip().partition(": ")[::2] for line in lines.splitlines())
            if "log" in fields:
                output = fields["output"].split(", ")[0]
                started[fields["jobid"]] = Job(rule, fields["log"], fields["benchmark"], output)
        finished = {started[number] for number in FINISHED.findall(text) if number in started}
        failed = {started[number] for number in FAILED.findall(text) if number in started}
        return set(started.values()) - finished - failed, finished

    def n_jobs(self) -> int:
        """Return how many jobs this start is to run, or 0 if it has not said so yet."""
        found = N_JOBS.search(self.output.read_text())
        return int(found[1]) - 1 if found else 0  # the last is the target, which does nothing

    def kill(self, kind: str, job: Job | None, rng: random.Random) -> str | None:
        """Kill in one of the KINDS; return in words what died, or None if there was nothing."""
        if kind == "process group":
            os.killpg(self.process.pid, signal.SIGKILL)
        elif kind == "snakemake alone":
            self.process.kill()
        else:
            processes = self._processes(job)
            if not processes:
                return None
            victim = rng.choice(processes)
            with suppress(psutil.NoSuchProcess):
                kind = _words(victim.cmdline())
                victim.kill()
        return kind

    def _processes(self, job: Job | None) -> list[psutil.Process]:
        with suppress(psutil.NoSuchProcess):
            for shell in psutil.Process(self.process.pid).children():
                if job and job.log in " ".join(shell.cmdline()):
                    return [shell, *shell.children(recursive=True)]
        return []


def _words(command: list[str]) -> str:
    module = command.index("-m") + 1 if "-m" in command else 0
    if module:
        return command[module]
    names = [Path(part).name for part in command]
    return " ".join(names[1:3]) if "sgbench" in names[1:2] else (names or ["a process"])[0]


def copy_project(name: str) -> Path:
    """Return a fresh copy of the project without results of its own."""
    folder = WORK / name
    for part in PROJECT:
        (folder / part).parent.mkdir(parents=True, exist_ok=True)
        source = ROOT / part
        (shutil.copytree if source.is_dir() else shutil.copy)(source, folder / part)
    return folder


def undisturbed(project: Path, *asked: str) -> set[Job]:
    """Run the workflow to its end; return its jobs."""
    start = Start(project, 0, asked)
    if start.process.wait():
        fail(start)
    return start.jobs()[1]


def fail(start: Start) -> None:
    """End the test with what Snakemake said last."""
    said = start.output.read_text().splitlines()[-40:]
    sys.exit("\n".join([*said, f"failed though nothing was killed: {start.output}"]))


class Aims:
    """What is still to be hit in a run: rules, and shares of its jobs that have begun."""

    def __init__(
        self, rules: set[str], n_anywhere: int, seconds: dict[str, float], rng: random.Random
    ) -> None:
        self.rules = rules
        self.shares = sorted(rng.random() for _ in range(n_anywhere))
        self._seconds = seconds
        self._rng = rng

    def choose(self, running: set[Job], share: float) -> tuple[float, Job | None] | None:
        """Return when to kill, and which job has to run then, if it is time to aim."""
        if running and self.shares and share >= self.shares[0]:
            longest = max(self._seconds.get(job.rule, MOMENT) for job in running)
            return time.monotonic() + self._rng.uniform(0, max(longest, MOMENT)), None
        for job in in_order(running):
            if job.rule in self.rules:
                longest = self._seconds.get(job.rule, MOMENT)
                return time.monotonic() + self._rng.uniform(0, longest), job
        return None

    def hit(self, jobs: frozenset[Job], aimed_at: Job | None) -> None:
        """Take what a kill hit from what is to be hit."""
        self.rules -= {job.rule for job in jobs}
        if aimed_at is None:
            del self.shares[0]


def disturbed(
    project: Path, run: int, asked: tuple[str, ...], aims: Aims, rng: random.Random
) -> list[Kill]:
    """Start the workflow again and again until it is whole, under kills; return these."""
    began, n_jobs = time.monotonic(), 0
    kills: list[Kill] = []
    ever_finished: set[Job] = set()
    for number in range(1, MOST_STARTS):
        start, aim, n_before, seen = Start(project, number, asked), None, len(kills), set()
        while (status := start.process.poll()) is None:
            time.sleep(GLANCE)
            running, finished = start.jobs()
            n_jobs = n_jobs or start.n_jobs()
            make_good(kills, finished - seen, time.monotonic() - began)
            seen, ever_finished = finished, ever_finished | finished
            if aim and aim[1] and aim[1] not in running:
                aim = None  # the job was quicker
            if aim is None and n_jobs:
                aim = aims.choose(running, len(ever_finished | running) / n_jobs)
            if aim is None or time.monotonic() < aim[0]:
                continue
            kind = KINDS[(run + len(kills)) % len(KINDS)]
            job = aim[1] or (rng.choice(in_order(running)) if running else None)
            victim = start.kill(kind, job, rng)
            if victim is None:
                continue
            hit = frozenset([job] if job and kind == "one process" else running)
            aims.hit(hit, aim[1])
            kills.append(Kill(run, time.monotonic() - began, victim, hit, set(hit)))
            aim = None
            if kind != "one process":
                start.process.wait()
        make_good(kills, start.jobs()[1] - seen, time.monotonic() - began)
        if status == 0:
            return kills
        if len(kills) == n_before:
            fail(start)
    raise AssertionError(f"run {run} is not whole after {MOST_STARTS} starts")


def in_order(jobs: set[Job]) -> list[Job]:
    """Return jobs in an order that a seed leads to the same choice from."""
    return sorted(jobs, key=lambda job: job.log)


def make_good(kills: list[Kill], finished: set[Job], second: float) -> None:
    """Note which kills are recovered from, now that these jobs are finished."""
    for kill in kills:
        kill.to_finish -= finished
        if not kill.to_finish and kill.recovered is None:
            kill.recovered = second - kill.second


def measured(project: Path, jobs: set[Job]) -> dict[str, float]:
    """Return what the shortest job of each rule took, in seconds."""
    found: dict[str, float] = {}
    for job in jobs:
        took = float((project / job.benchmark).read_text().splitlines()[1].split("\t")[0])
        found[job.rule] = min(took, found.get(job.rule, took))
    return found


def show(kills: list[Kill], compared: str) -> None:
    """Print a run's kills as rows of the table."""
    for kill in kills:
        rules = ", ".join(sorted(job.rule for job in kill.hit)) or "none"
        recovered = "" if not kill.hit or kill.recovered is None else f"{kill.recovered:.0f} s"
        row = (str(kill.run), f"{kill.second:.0f} s", rules, kill.victim, recovered, compared)
        print(f"| {' | '.join(row)} |", flush=True)


def main() -> None:
    """Run the test; exit status 1 if anything differs."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--short", action="store_true", help="3 kills in one run")
    options.add_argument("--overnight", action="store_true", help="3 kills in a run of trainings")
    options.add_argument("--seed", type=int, default=0, help="of the moments and victims")
    asked = options.parse_args()
    rng = random.Random(asked.seed)
    n_runs, n_kills = (1, 3) if asked.short or asked.overnight else (5, 30)
    workload = OVERNIGHT if asked.overnight else SMOKE
    shutil.rmtree(WORK, ignore_errors=True)

    missing: set[str] = set()
    seconds: dict[str, float] = {}
    if not asked.short:
        reference = copy_project("undisturbed")
        jobs = undisturbed(reference, *workload)
        seconds = measured(reference, jobs)
        missing = set() if asked.overnight else set(seconds)
    print("| run | at | jobs that were hit | killed | made good in | files that differ |")
    print("|---|---|---|---|---|---|", flush=True)
    kills: list[Kill] = []
    n_differing = 0
    for run in range(1, MOST_RUNS + 1):
        left = max(1, n_runs - run + 1)
        wanted = set(rng.sample(sorted(missing), -(-len(missing) // left)))
        n_anywhere = max(0, -(-(n_kills - len(kills)) // left) - len(wanted))
        project = copy_project(f"run-{run}")
        aims = Aims(wanted, n_anywhere, seconds, rng)
        of_run = disturbed(project, run, workload, aims, rng)
        if asked.short:
            before = project / "before"
            shutil.copytree(project / "results", before)
            hit = {job.output for kill in of_run for job in kill.hit}
            # From nothing: a training would go on from where another of its beginning was.
            for checkpoints in (project / "results").glob("*/checkpoints"):
                shutil.rmtree(checkpoints)
            undisturbed(project, *SMOKE, "--force", "--", *sorted(hit))
            n_files, differing = unequal(before, project / "results")
        else:
            n_files, differing = unequal(reference / "results", project / "results")
        show(of_run, f"{len(differing)} of {n_files}")
        print(*(f"differs: {name}" for name in differing), sep="\n", end="")
        n_differing += len(differing)
        kills += of_run
        missing -= {job.rule for kill in of_run for job in kill.hit}
        if run >= n_runs and len(kills) >= n_kills and not missing:
            break
    print(f"{len(kills)} kills in {run} runs, {n_differing} files differ (seed {asked.seed})")
    if missing:
        print(f"rules that no kill hit: {', '.join(sorted(missing))}")
    sys.exit(bool(n_differing or missing or len(kills) < n_kills))


if __name__ == "__main__":
    main()
