"""The k nearest neighbours among the training patterns.

Cover & Hart, "Nearest neighbor pattern classification", IEEE Transactions on Information Theory 13,
21-27 (1967). What search-match does with a database: the pattern that looks most alike names the
answer. Ten neighbours vote with the inverse of their distance.
"""

from typing import TYPE_CHECKING

from sgbench.models._features import pooled_roots
from sgbench.models._registry import register_estimator

if TYPE_CHECKING:
    from sklearn.neighbors import KNeighborsClassifier


@register_estimator(
    "nearest-neighbours",
    paper="Cover & Hart, IEEE Trans. Inf. Theory 13, 21 (1967)",
    features=pooled_roots,
    defaults={"patterns": 60_000},
)
def nearest_neighbours(seed: int) -> "KNeighborsClassifier":
    """Build the classifier; nothing in it is random, so the seed only chooses its patterns."""
    from sklearn.neighbors import KNeighborsClassifier

    return KNeighborsClassifier(n_neighbors=10, weights="distance", algorithm="brute")
