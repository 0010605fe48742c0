"""The page about clusters: its profiles reach the jobs."""

import re
import shutil
import subprocess
import sys
from http.server import BaseHTTPRequestHandler

import pytest
from local_server import listening
from page_commands import PROJECT, run_page

TARGET = "results/full/models/ulbd-cubic/cnn-park2017/seed0/model.pt"
STORED = ".snakemake/storage/s3/my-bucket/sgbench/"
# Of the repository, which every pod has: tables of other scales.
COMMITTED = re.compile(
    r"results/(published/)?(smoke|laptop|overnight|full)((/leaderboard)?\.csv|\.tar\.xz)"
)


@pytest.fixture
def project(tmp_path):
    for name in ("config", "profiles", "workflow", "submissions", "results/published"):
        shutil.copytree(PROJECT / name, tmp_path / name)
    shutil.copy(PROJECT / "Snakefile", tmp_path)
    (tmp_path / "docs").mkdir()
    shutil.copy(PROJECT / "docs" / "glossary.md", tmp_path / "docs")
    return tmp_path


def planned(project, *arguments):
    """Return a dry run, word for word; the plugins of executors are no dependency."""
    done = subprocess.run(
        [sys.executable, "-m", "snakemake", "--executor", "local", "--cores", "8", "--dry-run",
         "--printshellcmds", *arguments],
        cwd=project, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout + done.stderr


def test_the_profile_for_slurm_reaches_the_jobs(project):
    run_page(PROJECT / "docs" / "cluster.md", project)
    said = planned(project, "--profile", "profiles/slurm", "--", TARGET)
    (line,) = [line for line in said.splitlines() if "slurm_partition=gpu" in line]
    assert "gres=gpu:1" in line
    minutes = int(re.search(r"runtime=(\d+)", line)[1])
    assert minutes > 10
    assert "threads: 8" in said


class EmptyBucket(BaseHTTPRequestHandler):
    """Answers as a server of S3 does that holds nothing."""

    def do_HEAD(self):
        self.send_response(404)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_GET = do_HEAD

    def log_message(self, *_):
        """Say nothing."""


def test_the_profile_for_kubernetes_reaches_the_jobs_and_all_files_the_bucket(project, monkeypatch):
    with listening(EmptyBucket) as address:
        monkeypatch.setenv("SNAKEMAKE_STORAGE_S3_ENDPOINT_URL", address)
        monkeypatch.setenv("SNAKEMAKE_STORAGE_S3_ACCESS_KEY", "nobody")
        monkeypatch.setenv("SNAKEMAKE_STORAGE_S3_SECRET_KEY", "nothing")
        said = planned(
            project, "--profile", "profiles/kubernetes", "--config", "scale=smoke",
            "job_threads=1",
        )  # fmt: skip
    trainings = [line for line in said.splitlines() if "gpu_manufacturer=nvidia" in line]
    assert len(trainings) == 7
    assert all("gpu=1" in line and "mem_mb=16000" in line for line in trainings)
    commands = re.findall(r"^Shell command: (sgbench .*)$", said, re.MULTILINE)
    assert len(commands) > 50
    paths = [word for line in commands for word in line.split() if "results/" in word]
    assert sum(path.startswith(STORED) for path in paths) > 200
    elsewhere = {
        path
        for path in paths
        if not path.startswith(STORED)
        and not path.startswith("results/smoke/checkpoints/")
        and not COMMITTED.fullmatch(path)
    }
    assert elsewhere == set()
