"""The table of results, made from scores alone."""

from sgbench.leaderboard._again import command_again
from sgbench.leaderboard._bounds import why_no_bound
from sgbench.leaderboard._guard import (
    above_ceiling,
    below_reference,
    on_other_data,
    read_reference,
    write_reference,
)
from sgbench.leaderboard._identity import IDENTITY, TESTED_ON, identity, tested_on
from sgbench.leaderboard._pairs import (
    PAIR_COLUMNS,
    build_pairs,
    pair_p,
    paired_p,
    pairs_of,
    pairs_path,
    row_key,
    write_pairs,
)
from sgbench.leaderboard._ranks import (
    RANK_COLUMNS,
    Accuracy,
    Place,
    difference_p,
    places,
    with_ranks,
)
from sgbench.leaderboard._reading import read_ceilings, read_csv, read_pairs
from sgbench.leaderboard._runs import SCORES, TABLE, open_scores, open_table, score_files
from sgbench.leaderboard._table import (
    CLASS_COLUMNS,
    COLUMNS,
    EXACT_COLUMNS,
    LARGEST_FIRST,
    build_class_table,
    build_table,
    sort_table,
    to_markdown,
    with_exact_ceilings,
    write_csv,
)
from sgbench.leaderboard._verified import (
    Verification,
    read_verified,
    record_verified,
    unfounded,
)

__all__ = [
    "CLASS_COLUMNS",
    "COLUMNS",
    "EXACT_COLUMNS",
    "IDENTITY",
    "LARGEST_FIRST",
    "PAIR_COLUMNS",
    "RANK_COLUMNS",
    "SCORES",
    "TABLE",
    "TESTED_ON",
    "Accuracy",
    "Place",
    "Verification",
    "above_ceiling",
    "below_reference",
    "build_class_table",
    "build_pairs",
    "build_table",
    "command_again",
    "difference_p",
    "identity",
    "on_other_data",
    "open_scores",
    "open_table",
    "pair_p",
    "paired_p",
    "pairs_of",
    "pairs_path",
    "places",
    "read_ceilings",
    "read_csv",
    "read_pairs",
    "read_reference",
    "read_verified",
    "record_verified",
    "row_key",
    "score_files",
    "sort_table",
    "tested_on",
    "to_markdown",
    "unfounded",
    "why_no_bound",
    "with_exact_ceilings",
    "with_ranks",
    "write_csv",
    "write_pairs",
    "write_reference",
]
