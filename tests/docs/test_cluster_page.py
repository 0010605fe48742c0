"""The page about clusters: its profile reaches the jobs."""

import re
import shutil
import subprocess
import sys

from page_commands import PROJECT, run_page

TARGET = "results/full/models/ulbd-cubic/cnn-park2017/seed0/model.pt"


def test_the_profile_is_one_that_snakemake_takes(tmp_path):
    for name in ("config", "workflow", "submissions", "results/published"):
        shutil.copytree(PROJECT / name, tmp_path / name)
    shutil.copy(PROJECT / "Snakefile", tmp_path)
    run_page(PROJECT / "docs" / "cluster.md", tmp_path)
    # The plugin for Slurm is no dependency; what it is told besides its name stays in the profile.
    planned = subprocess.run(
        [sys.executable, "-m", "snakemake", "--profile", "profiles/slurm", "--executor", "local",
         "--cores", "8", "--dry-run", "--", TARGET],
        cwd=tmp_path, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert planned.returncode == 0, planned.stderr[-3000:]
    said = planned.stdout + planned.stderr
    (line,) = [line for line in said.splitlines() if "slurm_partition=gpu" in line]
    assert "gres=gpu:1" in line
    minutes = int(re.search(r"runtime=(\d+)", line)[1])
    assert minutes > 10
    assert "threads: 8" in said
