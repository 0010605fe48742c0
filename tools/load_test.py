"""Score many submissions in one process, check a long table, and build its page with all scores.

    python tools/load_test.py            # 1,000 submissions, 10,000 rows
    python tools/load_test.py --submissions 50

Every tenth submission is damaged. Memory and open files are looked at after every tenth of the
submissions: neither may grow from then on.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import yaml

from sgbench.archives import read_archive
from sgbench.leaderboard import SCORES, read_csv, write_csv
from sgbench.submission import LEFT_OUT, PER_SPACEGROUP, Track, public_samples, score_all

ROOT = Path(__file__).parents[1]
TRACK = Track("ulbd-cubic", "smoke")
PARTS = 10
# What a long table and its page may cost, and how much memory may grow after the first part.
MOST_SECONDS, MOST_MIB, MOST_GROWTH_MIB = 3.0, 500, 100
MOST_SECONDS_OF_PAGE, MOST_MIB_OF_PAGE = 20.0, 600


def write_submissions(home: Path, numbers: range) -> int:
    """Write submissions of random predictions, of which every tenth is damaged; count these."""
    labels = TRACK.labels("spacegroup")
    ids = list(public_samples(TRACK).ids)
    damaged = 0
    for number in numbers:
        folder = home / f"load-{number:04d}"
        folder.mkdir(parents=True)
        values = np.random.default_rng(number).dirichlet(np.ones(len(labels)), len(ids))
        table = pd.DataFrame(values.astype(np.float32), columns=[f"p_{label}" for label in labels])
        table.insert(0, "sample_id", ids)
        path = folder / "predictions.parquet"
        table.to_parquet(path, index=False)
        if number % 10 == 0:
            path.write_bytes(path.read_bytes()[: number * 100 + 5])
            damaged += 1
        description = {
            "name": folder.name, "version": "1.0", "track": TRACK.name, "scale": TRACK.scale,
            "class_scheme": "spacegroup", "track_sha256": TRACK.checksum(),
            "authors": [{"name": "Load"}], "contact": "load@example.org", "licence": "MIT",
            "paper": None, "code": None, "training_data": {"name": TRACK.name, "patterns": 1},
            "parameters": 1, "hardware": "2 cores", "seeds": [number],
        }  # fmt: skip
        (folder / "submission.yaml").write_text(yaml.safe_dump(description))
    return damaged


def many_submissions(folder: Path, n: int) -> bool:
    """Score submissions part by part in this process; tell whether nothing grew."""
    me = psutil.Process()
    memory, files = [], []
    started = time.monotonic()
    for part in range(PARTS):
        home = folder / f"part-{part}"
        damaged = write_submissions(home, range(part * n // PARTS, (part + 1) * n // PARTS))
        left_out = score_all(folder / "scores", TRACK.scale, home)
        if len(left_out) != damaged or not (folder / "scores" / LEFT_OUT).exists():
            sys.exit(f"{len(left_out)} submissions were left out, not the {damaged} damaged ones")
        memory.append(me.memory_info().rss / 2**20)
        files.append(me.num_fds())
        print(f"{(part + 1) * n // PARTS:5d} submissions: {memory[-1]:.0f} MiB, {files[-1]} files")
    seconds = time.monotonic() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
    print(f"{n} submissions of {PER_SPACEGROUP[TRACK.scale]} samples a space group in "
          f"{seconds:.0f} s; peak {peak:.0f} MiB")  # fmt: skip
    return memory[-1] - memory[0] <= MOST_GROWTH_MIB and files[-1] <= files[0]


def long_table(folder: Path, n_rows: int) -> bool:
    """Check a long leaderboard, and build its page with a score behind each row.

    Each is a process of its own, whose processor time and memory are printed.
    """
    archive = ROOT / "results" / "published" / "laptop.tar.xz"
    files = {name: text for name, text in read_archive(archive).items() if name.endswith(".json")}
    table = read_csv(ROOT / "results" / "leaderboard.csv")
    copies = -(-n_rows // len(table))
    parts = [table.assign(model=table["model"] + f"-{copy}") for copy in range(copies)]
    write_csv(folder / "long.csv", pd.concat(parts, ignore_index=True).head(n_rows))
    for name, text in files.items():
        if name.partition("/")[0] in SCORES:
            score = json.loads(text)
            model = score["provenance"]["model"]
            for copy in range(copies):
                score["provenance"]["model"] = f"{model}-{copy}"
                path = folder / "long" / str(copy) / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(json.dumps(score))
    check = ["check", "long.csv"]
    site = ["site", "--table", "long.csv", "--scores", "long", "--output", "site"]
    return measured(folder, check, MOST_SECONDS, MOST_MIB, (0, 1)) and measured(
        folder, site, MOST_SECONDS_OF_PAGE, MOST_MIB_OF_PAGE
    )


def measured(
    folder: Path, arguments: list[str], seconds: float, mib: float, status: tuple[int, ...] = (0,)
) -> bool:
    """Run a command; tell whether it ended well in so much processor time and memory."""
    command = [sys.executable, "-m", "sgbench", *arguments]
    child = subprocess.Popen(command, cwd=folder, stderr=subprocess.DEVNULL)
    _, ended, used = os.wait4(child.pid, 0)
    took, peak = used.ru_utime + used.ru_stime, used.ru_maxrss / 2**10
    code = child.returncode = os.waitstatus_to_exitcode(ended)
    print(f"sgbench {arguments[0]} of a long table: status {code}, {took:.1f} s, {peak:.0f} MiB")
    return code in status and took <= seconds and peak <= mib


def main() -> None:
    """Run both; exit status 1 if anything grew, or was slow."""
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("--submissions", type=int, default=1000)
    options.add_argument("--rows", type=int, default=10_000)
    asked = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        # First, while no child of this process has been large.
        quick = long_table(Path(folder), asked.rows)
        level = many_submissions(Path(folder), asked.submissions)
    sys.exit(not (quick and level))


if __name__ == "__main__":
    main()
