"""Ask an advisory database about every pin of requirements.lock. Called by `make audit`.

Ends with 0 when nothing is known against them, with 1 when something is, and with 3 when no
database could be asked. pip-audit itself passes over what a database does not answer, and so finds
"no known vulnerabilities" where it reached none.
"""

import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
DATABASES = ("pypi", "osv")


def report_of(database: str) -> Mapping[str, Any]:
    """Return what pip-audit found with a database; nothing, when it could not be reached."""
    done = subprocess.run(
        [sys.executable, "-m", "pip_audit", "--requirement", "requirements.lock", "--no-deps",
         "--disable-pip", "--format", "json", "--progress-spinner", "off",
         "--vulnerability-service", database],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    try:
        return dict(json.loads(done.stdout))
    except ValueError:
        return {"dependencies": []}


def verdict(report: Mapping[str, Any]) -> tuple[int, str]:
    """Return the exit status for a report, and what to say."""
    asked = [one for one in report["dependencies"] if "skip_reason" not in one]
    unknown = [one["name"] for one in report["dependencies"] if "skip_reason" in one]
    if not asked:
        return 3, "not audited: no advisory database could be reached from here"
    lines = [
        f"{one['name']} {one['version']}: {fault['id']}, mended in "
        f"{', '.join(fault['fix_versions']) or 'no version yet'}"
        for one in asked
        for fault in one["vulns"]
    ]
    faults = len(lines)
    lines.append(f"{faults} known vulnerabilities in {len(asked)} packages")
    if unknown:
        lines.append(f"the database does not know {', '.join(unknown)}")
    return (1 if faults else 0), "\n".join(lines)


def main() -> None:
    """Ask the first database that answers."""
    for database in DATABASES:
        status, said = verdict(report_of(database))
        if status != 3:
            break
    print(said)
    sys.exit(status)


if __name__ == "__main__":
    main()
