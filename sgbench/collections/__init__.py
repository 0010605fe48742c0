"""Collections of measured patterns with labels: sources, audit, and files of both.

A collection is the measured kind of dataset: `sgbench.collections.sources` says where patterns come
from, `audit` which of them can be tests, and `write_patterns` keeps them as they were measured.
`sgbench.sets` opens them as test sets, treated by `sgbench.measured.treat`.
"""

from sgbench.collections._audit import AUDIT_VERSION, REASONS, audit
from sgbench.collections._entry import LabelledPattern
from sgbench.collections._minerals import (
    LEAST_LIKENESS,
    SEEN,
    UNKNOWN,
    UNSEEN,
    likenesses,
    named_by_minerals,
    seen,
)
from sgbench.collections._store import (
    PatternSet,
    build_patterns,
    find_patterns,
    is_patterns_file,
    read_patterns_file,
    write_excluded,
    write_patterns,
)

__all__ = [
    "AUDIT_VERSION",
    "LEAST_LIKENESS",
    "REASONS",
    "SEEN",
    "UNKNOWN",
    "UNSEEN",
    "LabelledPattern",
    "PatternSet",
    "audit",
    "build_patterns",
    "find_patterns",
    "is_patterns_file",
    "likenesses",
    "named_by_minerals",
    "read_patterns_file",
    "seen",
    "write_excluded",
    "write_patterns",
]
