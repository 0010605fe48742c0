"""The table of results, made from scores alone."""

from sgbench.leaderboard._table import (
    CLASS_COLUMNS,
    COLUMNS,
    build_class_table,
    build_table,
    read_csv,
    sort_table,
    to_markdown,
    write_csv,
)

__all__ = [
    "CLASS_COLUMNS",
    "COLUMNS",
    "build_class_table",
    "build_table",
    "read_csv",
    "sort_table",
    "to_markdown",
    "write_csv",
]
