"""Damage files of every kind and read them: `python tests/fuzz/fuzz.py`, or `make fuzz`.

Every kind of file has a process of its own. What raises anything but `SgbenchError`
is kept in `found/`, where `test_found.py` reads it ever after. Exit status 1 where something did,
where less than half of the cases came past the first check, or where memory passed 2 GiB.
"""

import argparse
import hashlib
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
for folder in (
    HERE, HERE.parent, HERE.parent / "submission", HERE.parent / "structures/sources",
    HERE.parent / "measured",
):  # fmt: skip
    sys.path.insert(0, str(folder))

from readers import READERS, SANDBOXED, Reader  # noqa: E402

from sgbench.errors import SgbenchError  # noqa: E402

FOUND = HERE / "found"
_MOST_MEMORY = 2.0
_KEPT_EACH = 3


def outcome(reader: Reader, path: Path) -> str:
    """Read a file; return ``past`` or ``first`` (where it was stopped at the first check)."""
    try:
        return "past" if reader.read(path) else "first"
    except SgbenchError as error:
        # What cannot be decoded has the library's error behind it; a check has none.
        return "first" if error.__cause__ is not None else "past"


def fuzz(name: str, cases: int, seed: int, seconds: float) -> dict[str, Any]:
    """Return what became of damaged files of a kind; those that crash its reader are kept."""
    warnings.simplefilter("ignore")
    reader = {**READERS, **SANDBOXED}[name]()
    rng = random.Random(f"{name} {seed}")
    counts: Counter[str] = Counter()
    kinds: Counter[str] = Counter()
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"case{reader.ending}"
        for _ in range(cases):
            if time.monotonic() - started > seconds:
                break
            content = reader.make(rng)
            path.write_bytes(content)
            try:
                counts[outcome(reader, path)] += 1
            except Exception as error:
                counts["crash"] += 1
                last = traceback.extract_tb(error.__traceback__)[-1]
                kind = f"{type(error).__name__} at {Path(last.filename).name}:{last.lineno}"
                kinds[kind] += 1
                if kinds[kind] <= _KEPT_EACH:
                    keep(name, reader, content)
                    print(f"{name}: {kind}: {str(error)[:200]}", file=sys.stderr)
    who = resource.RUSAGE_CHILDREN if name in SANDBOXED else resource.RUSAGE_SELF
    return {
        "reader": name,
        "cases": counts.total(),
        "past": counts["past"] / max(counts.total(), 1),
        "crashes": counts["crash"],
        "memory": resource.getrusage(who).ru_maxrss / 2**20,
        "seconds": time.monotonic() - started,
        "kinds": dict(kinds),
    }


def keep(name: str, reader: Reader, content: bytes) -> None:
    """Write a case to where it becomes a test."""
    FOUND.mkdir(exist_ok=True)
    digest = hashlib.sha256(content).hexdigest()[:8]
    (FOUND / f"{name}--{digest}{reader.ending}").write_bytes(content)


def _in_own_process(name: str, cases: int, seed: int, seconds: float) -> dict[str, Any]:
    command = [
        sys.executable, __file__, "--one", name, "--cases", str(cases), "--seed", str(seed),
        "--seconds", str(seconds),
    ]  # fmt: skip
    # Files that live a thousandth of a second need no disk.
    memory = Path("/dev/shm")
    place = memory if os.access(memory, os.W_OK) else None
    with tempfile.TemporaryDirectory(dir=place) as folder:
        done = subprocess.run(
            command, stdout=subprocess.PIPE, env=os.environ | {"TMPDIR": folder}, check=False
        )
        if done.returncode == 0:
            found: dict[str, Any] = json.loads(done.stdout)
            return found
        # It was ended by a signal, over the file that is left.
        for path in Path(folder).rglob("case*"):
            digest = hashlib.sha256(path.read_bytes()).hexdigest()[:8]
            FOUND.mkdir(exist_ok=True)
            (FOUND / f"{name}--{digest}{path.suffix}").write_bytes(path.read_bytes())
    kind = f"the process ended with {done.returncode}"
    return {"reader": name, "cases": 0, "past": 0.0, "crashes": 1, "memory": 0.0, "seconds": 0.0,
            "kinds": {kind: 1}}  # fmt: skip


def main() -> int:
    """Fuzz all kinds, or some."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=10_000, help="of each kind in this process")
    parser.add_argument("--sandboxed", type=int, default=500, help="of each kind behind walls")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--seconds", type=float, default=1e9, help="of a kind, at most")
    parser.add_argument("--jobs", type=int, default=2, help="kinds at a time")
    parser.add_argument("--only", nargs="*", help="kinds")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.one:
        print(json.dumps(fuzz(asked.one, asked.cases, asked.seed, asked.seconds)))
        return 0
    names = asked.only or [*READERS, *SANDBOXED]
    with ThreadPoolExecutor(asked.jobs) as pool:
        rows = list(
            pool.map(
                lambda name: _in_own_process(
                    name,
                    asked.sandboxed if name in SANDBOXED else asked.cases,
                    asked.seed,
                    asked.seconds,
                ),
                names,
            )
        )
    print("| reader | cases | past the first check | crashes | peak memory | seconds |")
    print("| --- | ---: | ---: | ---: | ---: | ---: |")
    for row in rows:
        print(
            f"| {row['reader']} | {row['cases']} | {100 * row['past']:.0f} % | {row['crashes']} | "
            f"{row['memory']:.2f} GiB | {row['seconds']:.0f} |"
        )
    for row in rows:
        for kind, n in row["kinds"].items():
            print(f"{row['reader']}: {n} times {kind}")
    return int(
        any(row["crashes"] or row["past"] < 0.5 or row["memory"] > _MOST_MEMORY for row in rows)
    )


if __name__ == "__main__":
    sys.exit(main())
