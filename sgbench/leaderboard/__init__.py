"""The table of results, made from scores alone."""

from sgbench.leaderboard._table import (
    COLUMNS,
    build_table,
    read_csv,
    sort_table,
    to_markdown,
    write_csv,
)

__all__ = ["COLUMNS", "build_table", "read_csv", "sort_table", "to_markdown", "write_csv"]
