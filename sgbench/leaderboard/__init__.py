"""The table of results, made from scores alone."""

from sgbench.leaderboard._guard import (
    above_ceiling,
    below_reference,
    read_reference,
    write_reference,
)
from sgbench.leaderboard._table import (
    CLASS_COLUMNS,
    COLUMNS,
    EXACT_COLUMNS,
    build_class_table,
    build_table,
    read_ceilings,
    read_csv,
    sort_table,
    to_markdown,
    with_exact_ceilings,
    write_csv,
)

__all__ = [
    "CLASS_COLUMNS",
    "COLUMNS",
    "EXACT_COLUMNS",
    "above_ceiling",
    "below_reference",
    "build_class_table",
    "build_table",
    "read_ceilings",
    "read_csv",
    "read_reference",
    "sort_table",
    "to_markdown",
    "with_exact_ceilings",
    "write_csv",
    "write_reference",
]
