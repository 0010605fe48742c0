"""Run the smoke scale on a Slurm cluster of one node, and compare its table with a local run's.

The cluster is made here from the distribution's packages, in a folder of its own: munge, MariaDB,
slurmdbd, slurmctld and slurmd, each a child of this process, stopped at the end. The workflow runs
with `profiles/slurm`. One training and one prediction lose their process to SIGKILL; both have to
come back. Called by `make slurm-test`.
"""

import csv
import getpass
import json
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[1]
PACKAGES = (
    "munge", "slurmctld", "slurmd", "slurm-client", "slurmdbd", "slurm-wlm-mysql-plugin",
    "mariadb-server-core", "mariadb-client-core",
)  # fmt: skip
PROGRAMS = (
    "munged", "slurmctld", "slurmd", "sbatch", "slurmdbd", "mariadbd", "mariadb-install-db",
    "mariadb",
)  # fmt: skip
# Daemons lie where a person's PATH does not look.
os.environ["PATH"] += ":/usr/sbin:/sbin"

CPUS = 2
# What the profile calls them.
ACCOUNT, PARTITIONS = "my-account", ("cpu", "gpu")
SNAKEMAKE = (sys.executable, "-m", "snakemake")
TABLE = Path("results/smoke/leaderboard.csv")
# Two runs differ in these; `train` was even killed in one of them.
TIMING = {"train_seconds", "patterns_per_second"}
MINUTES_OF_A_RUN = 90


@dataclass(frozen=True)
class Job:
    """A job as the accounting database knows it."""

    id: int
    state: str
    comment: str
    partition: str
    minutes: int
    requested: Mapping[str, str]

    @property
    def rule(self) -> str:
        """The rule of the workflow, from the comment that the plugin gives a job."""
        return self.comment.removeprefix("rule_").partition("_wildcards_")[0]


def install() -> None:
    """Install what is missing, with the distribution's package manager."""
    if not (missing := [name for name in PROGRAMS if not shutil.which(name)]):
        return
    if not shutil.which("apt-get") or os.geteuid() != 0:
        print(
            f"error: {', '.join(missing)} not found; Slurm, munge and MariaDB are needed; "
            f"install the packages {', '.join(PACKAGES)}, or run this as root on Debian",
            file=sys.stderr,
        )
        sys.exit(2)
    environment = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update"], ["install", "--yes", "--no-install-recommends", *PACKAGES]):
        subprocess.run(["apt-get", "--quiet=2", *command], check=True, env=environment)


def free_ports(count: int) -> list[int]:
    """Return ports of this host that nothing listens on."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def write(path: Path, *lines: str) -> Path:
    """Write a file of settings that nobody else may read, as the daemons demand."""
    path.touch(mode=0o600)
    path.write_text("".join(f"{line}\n" for line in lines))
    return path


def wait_until(
    holds: Callable[[], bool], what: str, daemon: subprocess.Popen[bytes] | None = None
) -> None:
    """Wait a minute for something; its failure names what was waited for."""
    for _ in range(240):
        if holds():
            return
        if daemon and daemon.poll() is not None:
            break
        time.sleep(0.25)
    sys.exit(f"error: {what} did not happen within a minute; the daemons' logs say why")


def succeeds(*command: str) -> bool:
    """Whether a command ends well; what it prints is of no interest."""
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def output_of(*command: str) -> str:
    """Return what a command prints; its failure is the end."""
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


@contextmanager
def child(
    log: Path, *command: str, folder: Path | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a program beside this one, until the block ends."""
    with log.open("wb") as stream:
        running = subprocess.Popen(command, cwd=folder, stdout=stream, stderr=subprocess.STDOUT)
        try:
            yield running
        finally:
            running.terminate()
            try:
                running.wait(30)
            except subprocess.TimeoutExpired:
                running.kill()
                running.wait()


@contextmanager
def cluster(folder: Path) -> Iterator[None]:
    """Keep a cluster of one node alive; `SLURM_CONF` tells the clients where it is."""
    folder.mkdir(parents=True)
    (folder / "state").mkdir()
    (folder / "spool").mkdir()
    user, host = getpass.getuser(), socket.gethostname().partition(".")[0]
    database, dbd, ctld, node = free_ports(4)
    password = secrets.token_urlsafe(24)
    munge = f"{folder}/munge.socket"
    key = folder / "munge.key"
    key.touch(mode=0o600)
    key.write_bytes(secrets.token_bytes(128))
    megabytes = psutil.virtual_memory().total // 2**20
    write(
        folder / "slurmdbd.conf",
        "AuthType=auth/munge", f"AuthInfo=socket={munge}",
        "DbdHost=localhost", "DbdAddr=127.0.0.1", f"DbdPort={dbd}",
        f"SlurmUser={user}", f"PidFile={folder}/slurmdbd.pid",
        "StorageType=accounting_storage/mysql",
        "StorageHost=127.0.0.1", f"StoragePort={database}",
        "StorageUser=slurm", f"StoragePass={password}", "StorageLoc=slurm",
    )  # fmt: skip
    # Neither systemd nor control groups: processes are followed by their parents.
    settings = write(
        folder / "slurm.conf",
        "ClusterName=sgbench", f"SlurmctldHost={host}(127.0.0.1)",
        "AuthType=auth/munge", f"AuthInfo=socket={munge}",
        f"SlurmUser={user}", f"SlurmdUser={user}",
        f"SlurmctldPort={ctld}", f"SlurmdPort={node}",
        f"SlurmctldPidFile={folder}/slurmctld.pid", f"SlurmdPidFile={folder}/slurmd.pid",
        f"StateSaveLocation={folder}/state", f"SlurmdSpoolDir={folder}/spool",
        "ProctrackType=proctrack/linuxproc", "TaskPlugin=task/none",
        "JobAcctGatherType=jobacct_gather/linux",
        "SelectType=select/cons_tres", "SelectTypeParameters=CR_CPU_Memory",
        "AccountingStorageType=accounting_storage/slurmdbd",
        "AccountingStorageHost=127.0.0.1", f"AccountingStoragePort={dbd}",
        f"AccountingStoragePass={munge}",
        "AccountingStorageEnforce=associations", "AccountingStorageTRES=gres/gpu",
        "AccountingStoreFlags=job_comment",
        "GresTypes=gpu", "ReturnToService=2",
        f"NodeName={host} NodeAddr=127.0.0.1 CPUs={CPUS} RealMemory={megabytes} Gres=gpu:{CPUS}",
        *(f"PartitionName={name} Nodes={host} State=UP" for name in PARTITIONS),
    )  # fmt: skip
    # Something to ask for; no GPU stands behind it.
    write(folder / "gres.conf", "Name=gpu File=/dev/null", "Name=gpu File=/dev/zero")
    os.environ["SLURM_CONF"] = str(settings)
    # Inside a job the plugin drops that variable, as a cluster's own nodes have a file in /etc.
    (folder / "bin").mkdir()
    srun = folder / "bin" / "srun"
    srun.write_text(f'#!/bin/sh\nSLURM_CONF={settings} exec {shutil.which("srun")} "$@"\n')
    srun.chmod(0o755)
    os.environ["PATH"] = f"{srun.parent}:{os.environ['PATH']}"

    with ExitStack() as stack:

        def start(name: str, *command: str) -> subprocess.Popen[bytes]:
            return stack.enter_context(child(folder / f"{name}.log", *command))

        running = start(
            "munged", "munged", "--foreground", "--force", f"--socket={munge}",
            f"--key-file={key}", f"--pid-file={folder}/munged.pid",
            f"--log-file={folder}/munge.log", f"--seed-file={folder}/munge.seed",
        )  # fmt: skip
        wait_until(Path(munge).exists, "munged listening", running)

        data, control = f"--datadir={folder}/database", f"{folder}/mariadb.socket"
        common = ("--no-defaults", data, f"--user={user}")
        output_of("mariadb-install-db", *common, "--skip-test-db")
        running = start(
            "mariadbd", "mariadbd", *common, f"--socket={control}", f"--port={database}",
            "--bind-address=127.0.0.1", f"--pid-file={folder}/mariadb.pid",
        )  # fmt: skip
        sql = ("mariadb", "--no-defaults", f"--socket={control}", f"--user={user}", "--execute")
        wait_until(lambda: succeeds(*sql, "SELECT 1"), "MariaDB answering", running)
        output_of(
            *sql,
            "CREATE DATABASE slurm; "
            f"CREATE USER slurm@'127.0.0.1' IDENTIFIED BY '{password}'; "
            f"CREATE USER slurm@localhost IDENTIFIED BY '{password}'; "
            "GRANT ALL ON slurm.* TO slurm@'127.0.0.1'; GRANT ALL ON slurm.* TO slurm@localhost",
        )

        running = start("slurmdbd", "slurmdbd", "-D")
        asked = ("sacctmgr", "--immediate", "--quiet")
        wait_until(lambda: succeeds(*asked, "list", "cluster"), "slurmdbd answering", running)
        output_of(*asked, "add", "cluster", "sgbench")
        output_of(*asked, "add", "account", ACCOUNT, "Cluster=sgbench")
        output_of(*asked, "add", "user", user, f"Account={ACCOUNT}")

        running = start("slurmctld", "slurmctld", "-D")
        wait_until(lambda: succeeds("scontrol", "ping"), "slurmctld answering", running)
        running = start("slurmd", "slurmd", "-D", "-N", host)
        wait_until(
            lambda: "idle" in output_of("sinfo", "--noheader", "--format=%T"),
            "the node being idle", running,
        )  # fmt: skip
        try:
            yield
        finally:
            subprocess.run(["scancel", "--user", user], check=False)
            wait_until(lambda: not output_of("squeue", "--noheader"), "an empty queue")


def jobs() -> list[Job]:
    """Return every job that the cluster has accounted for, in the order of submission."""
    fields = "JobIDRaw,State,Comment,Partition,TimelimitRaw,ReqTRES"
    listed = output_of(
        "sacct", "--allocations", "--parsable2", "--noheader", "--allusers",
        "--starttime=now-1day", f"--format={fields}",
    )  # fmt: skip
    found = []
    for line in listed.splitlines():
        number, state, comment, partition, minutes, requested = line.split("|")
        wanted = dict(one.split("=", 1) for one in requested.split(",") if one)
        # "CANCELLED by 0" names the user.
        found.append(Job(int(number), state.split()[0], comment, partition, int(minutes), wanted))
    return sorted(found, key=lambda job: job.id)


def kill_process(job: int) -> bool:
    """Kill the `sgbench` process of a job, as a node does that runs out of memory."""
    for process in psutil.process_iter():
        try:
            name = Path(process.cmdline()[1]).name if len(process.cmdline()) > 1 else ""
            if name == "sgbench" and process.environ().get("SLURM_JOB_ID") == str(job):
                process.kill()
                return True
        except psutil.Error:
            continue
    return False


# Of each rule, the first job that runs. (What scancel ends, the plugin waits for without end.)
KILLED_RULES = ("train", "predict")


def run_on_the_cluster(clone: Path, log: Path) -> dict[str, int]:
    """Run the workflow through Slurm; return the job that was killed of each rule."""
    killed: dict[str, int] = {}
    command = (
        *SNAKEMAKE, "--profile", "profiles/slurm", "--config", "scale=smoke",
        "--set-threads", f"random_structures={CPUS}", f"crystals={CPUS}",
        "--slurm-init-seconds-before-status-checks", "5",
    )  # fmt: skip
    end = time.monotonic() + 60 * MINUTES_OF_A_RUN
    with child(log, *command, folder=clone) as running:
        while running.poll() is None and time.monotonic() < end:
            states = output_of("squeue", "--noheader", "--states=RUNNING", "--format=%i|%k")
            for line in states.splitlines():
                number, _, comment = line.partition("|")
                for rule in KILLED_RULES:
                    of_rule = comment.startswith(f"rule_{rule}_wildcards_")
                    if rule not in killed and of_rule and kill_process(int(number)):
                        killed[rule] = int(number)
            time.sleep(0.5)
        if running.poll() != 0:
            sys.exit(f"error: the workflow did not end well on Slurm; {log} says why")
    return killed


def read_table(path: Path) -> list[dict[str, str]]:
    """Return the rows of a table."""
    with path.open(newline="") as stream:
        return list(csv.DictReader(stream))


def differing(one: Sequence[Mapping[str, str]], other: Sequence[Mapping[str, str]]) -> set[str]:
    """Return the columns in which tables of equally many rows differ."""
    return {
        name
        for first, second in zip(one, other, strict=True)
        for name in first.keys() | second.keys()
        if first.get(name) != second.get(name)
    }


def faults(all_jobs: Sequence[Job], killed: Mapping[str, int]) -> Iterator[str]:
    """Say what did not go as the profile asks."""
    lost = {job.id: job for job in all_jobs if job.state != "COMPLETED"}
    if set(killed) != set(KILLED_RULES):
        yield f"of {', '.join(KILLED_RULES)}, only {', '.join(killed) or 'none'} was killed"
    if set(lost) != set(killed.values()):
        yield f"killed were {sorted(killed.values())}, but lost {sorted(lost)}"
    for job in lost.values():
        again = [one for one in all_jobs if one.comment == job.comment and one.id > job.id]
        if [one.state for one in again] != ["COMPLETED"]:
            yield f"job {job.id} ({job.comment}) was not run again once and to its end"
    for job in all_jobs:
        wanted = (
            {"partition": "gpu", "mem": "8000M", "gpu": "1"}
            if job.rule == "train"
            else {"partition": "cpu", "mem": f"{4000 * int(job.requested['cpu'])}M", "gpu": None}
        )
        found = {
            "partition": job.partition,
            "mem": job.requested.get("mem"),
            "gpu": job.requested.get("gres/gpu"),
        }
        if found != wanted:
            yield f"job {job.id} ({job.comment}) asked for {found}, and the profile for {wanted}"
        # Of a training, what the workflow reckons; of all others, the profile's hour.
        if (job.minutes == 60) == (job.rule == "train"):
            yield f"job {job.id} ({job.comment}) asked for {job.minutes} minutes"


def main(folder: Path) -> None:
    """Make the cluster, run both workflows, and print what was found."""
    install()
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("error: stopped by SIGTERM"))
    clones = {name: folder / name for name in ("local", "slurm")}
    for clone in clones.values():
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
    started = time.monotonic()
    with (folder / "local.log").open("wb") as log:
        done = subprocess.run(
            [*SNAKEMAKE, "--cores", str(CPUS), "--config", "scale=smoke", "--", str(TABLE)],
            cwd=clones["local"], stdout=log, stderr=log, timeout=60 * MINUTES_OF_A_RUN,
            check=False,
        )  # fmt: skip
    if done.returncode:
        sys.exit(f"error: the local run did not end well; {folder}/local.log says why")
    seconds = {"local": round(time.monotonic() - started)}

    started = time.monotonic()
    with cluster(folder / "cluster"):
        killed = run_on_the_cluster(clones["slurm"], folder / "slurm.log")
        accounted = jobs()
    seconds["slurm"] = round(time.monotonic() - started)

    tables = [read_table(clone / TABLE) for clone in clones.values()]
    problems = list(faults(accounted, killed))
    if len(tables[0]) != len(tables[1]):
        problems.append(f"the tables have {len(tables[0])} and {len(tables[1])} rows")
        columns: set[str] = set()
    else:
        columns = differing(*tables)
    if columns - TIMING:
        problems.append(f"the tables differ in {', '.join(sorted(columns - TIMING))}")
    found = {
        "slurm": output_of("slurmctld", "-V").strip(),
        "seconds": seconds,
        "jobs": len(accounted),
        "jobs_by_rule": dict(Counter(job.rule for job in accounted)),
        "states": dict(Counter(job.state for job in accounted)),
        "killed": killed,
        "rows": len(tables[1]),
        "differing_columns": sorted(columns),
        "problems": problems,
    }
    text = json.dumps(found, indent=2)
    (folder / "found.json").write_text(f"{text}\n")
    print(text)
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main(ROOT / "build" / "slurm")
