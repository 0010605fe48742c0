"""Write docs/licences.md: under which licences the pinned packages come.

Called by `make lock`; a test compares the page with what is installed. A package whose licence is
not in ALLOWED ends this with a word: read its licence, then allow that or leave the package out.
"""

import re
import sys
from collections import defaultdict
from importlib.metadata import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "licences.md"
_BEGIN, _END = "<!-- licences -->", "<!-- /licences -->"

# Permissive, or such that an unchanged library may be used by a program of any licence.
ALLOWED = frozenset({
    "0BSD", "Apache-2.0", "Apache-2.0 WITH LLVM-exception", "BSD", "BSD-2-Clause", "BSD-3-Clause",
    "BSD-3-Clause-LBNL", "BSL-1.0", "CC0-1.0", "ISC", "LGPL-2.0-only",
    "LGPL-2.0-or-later WITH WxWindows-exception-3.1", "LGPL-2.1-only", "LGPL-2.1-or-later",
    "LGPL-3.0-only", "MIT", "MIT-0", "MIT-CMU", "MPL-2.0", "PSF-2.0", "Unlicense", "Zlib",
})  # fmt: skip
# PyTorch loads them on a GPU. Their terms allow use, and sgbench passes none of them on.
NVIDIA = "LicenseRef-NVIDIA-Proprietary"
OF_NVIDIA = re.compile(r"(nvidia|cuda)-.*")

# What metadata write in place of an identifier of SPDX. "BSD" leaves open which one.
SPELLINGS = {
    "3-Clause BSD License": "BSD-3-Clause",
    "Apache 2.0": "Apache-2.0",
    "Apache License 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD 2-Clause License": "BSD-2-Clause",
    "BSD 3-Clause License": "BSD-3-Clause",
    "BSD License": "BSD",
    "ISC License (ISCL)": "ISC",
    "LGPLv3 or BSD": "LGPL-3.0-only OR BSD",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "NVIDIA Proprietary Software": NVIDIA,
    "Python Software Foundation License": "PSF-2.0",
    "The Unlicense (Unlicense)": "Unlicense",
}
# Metadata say nothing, or not enough: read from the licence that the package carries, or from its
# repository where it carries none (mlcroissant).
READ = {
    "axe-playwright-python": "MIT",
    "conda-inject": "MIT",
    "cuda-toolkit": NVIDIA,
    # The GPL is that of an Emacs mode, which the package does not hold.
    "docutils": "BSD-2-Clause",
    "huey": "MIT",
    "mlcroissant": "Apache-2.0",
    "skops": "MIT",
    "snakemake-interface-common": "MIT",
    "snakemake-interface-logger-plugins": "MIT",
    "snakemake-interface-report-plugins": "MIT",
    "snakemake-interface-scheduler-plugins": "MIT",
    "snakemake-interface-storage-plugins": "MIT",
    "sqlparse": "BSD-3-Clause",
}


def pinned() -> list[str]:
    """Return the names in requirements.lock."""
    lines = (ROOT / "requirements.lock").read_text().splitlines()
    pins = [Requirement(line) for line in lines if line and not line.startswith("#")]
    return sorted(canonicalize_name(pin.name) for pin in pins)


def licence(name: str) -> str:
    """Return the licence of an installed package, as an expression of SPDX where it says so."""
    if name in READ:
        return READ[name]
    said = metadata(name)
    if expression := said.get("License-Expression"):
        return expression
    field = (said.get("License") or "").strip()
    if field in SPELLINGS or terms(field) <= ALLOWED | {NVIDIA}:
        return SPELLINGS.get(field, field)
    # A field may hold a whole text; its classifiers are short.
    classifiers = [one.split(" :: ")[-1] for one in said.get_all("Classifier") or []
                   if one.startswith("License :: ")]  # fmt: skip
    return " AND ".join(sorted(SPELLINGS.get(one, one) for one in classifiers))


def terms(expression: str) -> frozenset[str]:
    """Return the licences that an expression names, joined by AND or by OR."""
    return frozenset(re.split(r" AND | OR ", re.sub(r"[()]", "", expression)))


def refused(name: str, expression: str) -> frozenset[str]:
    """Return what of a package's licences is not allowed."""
    allowed = ALLOWED | {NVIDIA} if OF_NVIDIA.fullmatch(name) else ALLOWED
    return terms(expression) - allowed


def listing(licences: dict[str, str]) -> str:
    """Return a table of licences and of the packages under each, the most frequent first."""
    packages = defaultdict(list)
    for name, expression in licences.items():
        packages[expression].append(name)
    rows = sorted(packages.items(), key=lambda row: (-len(row[1]), row[0]))
    lines = [f"| {expression} | {', '.join(names)} |" for expression, names in rows]
    return "\n".join(["", "| licence | packages |", "|---|---|", *lines, ""])


def with_listing(text: str) -> str:
    """Return the page with the licences of today's pins."""
    pattern = re.compile(f"(?<={re.escape(_BEGIN)}\n).*?(?={re.escape(_END)})", re.DOTALL)
    found = {name: licence(name) for name in pinned()}
    return pattern.sub(lambda _: f"{listing(found)}\n", text)


def main() -> None:
    """Check and write."""
    bad = [
        f"{name}: {', '.join(sorted(what)) or 'no licence'}"
        for name in pinned()
        if (what := refused(name, licence(name)))
    ]
    if bad:
        sys.exit(f"error: licences that tools/licences.py does not allow: {'; '.join(bad)}")
    PAGE.write_text(with_listing(PAGE.read_text()))


if __name__ == "__main__":
    main()
