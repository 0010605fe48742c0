"""Gradient-boosted trees on the ratios of peak positions.

Friedman, "Greedy function approximation: a gradient boosting machine", Annals of Statistics 29,
1189-1232 (2001), on histograms as in LightGBM (Ke et al., NeurIPS 2017). The features are ours:
ratios of 1/d² take the size of the cell out of the question, which no split on a single position
can do.
"""

from typing import TYPE_CHECKING

from sgbench.models._features import ratio_features
from sgbench.models._registry import register_estimator

if TYPE_CHECKING:
    from sklearn.ensemble import HistGradientBoostingClassifier


@register_estimator(
    "gradient-boosting",
    paper="Friedman, Ann. Statist. 29, 1189 (2001); Ke et al., NeurIPS (2017)",
    features=ratio_features,
    defaults={"patterns": 60_000},
)
def gradient_boosting(seed: int) -> "HistGradientBoostingClassifier":
    """Build the classifier.

    Groups of an extinction class are told apart by chance alone; without a penalty on leaves, or at
    twice the rate, boosting runs after that noise and diverges.
    """
    from sklearn.ensemble import HistGradientBoostingClassifier

    return HistGradientBoostingClassifier(
        learning_rate=0.1,
        max_iter=100,
        max_leaf_nodes=31,
        l2_regularization=1.0,
        early_stopping=False,
        random_state=seed,
    )
