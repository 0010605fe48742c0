"""Where the workflow records; no job runs."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_a_server_that_is_down_ends_the_workflow_at_its_start(tmp_path):
    """The user's variable goes before the settings, which name a file."""
    (tmp_path / "config").symlink_to(ROOT / "config")
    (tmp_path / "workflow").symlink_to(ROOT / "workflow")
    done = subprocess.run(
        [
            sys.executable, "-m", "snakemake", "--cores", "1", "--snakefile", ROOT / "Snakefile",
            "--config", "scale=smoke", "--", "results/ceilings.csv",
        ],
        cwd=tmp_path, env={**os.environ, "MLFLOW_TRACKING_URI": "http://127.0.0.1:1"},
        capture_output=True, text=True,
    )  # fmt: skip
    said = done.stdout + done.stderr
    assert done.returncode != 0, said
    assert "the MLflow store 'http://127.0.0.1:1' cannot be used" in said
    assert "Traceback" not in said
    assert not (tmp_path / "results").exists()
