"""The table of results, made from scores alone."""

from sgbench.leaderboard._table import (
    CLASS_COLUMNS,
    COLUMNS,
    EXACT_COLUMNS,
    above_ceiling,
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
    "build_class_table",
    "build_table",
    "read_ceilings",
    "read_csv",
    "sort_table",
    "to_markdown",
    "with_exact_ceilings",
    "write_csv",
]
