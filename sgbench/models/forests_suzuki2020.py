"""Tree ensembles on peak positions, after Suzuki et al. 2020.

Suzuki, Hino, Hawai, Saito, Kotsugi & Ono, "Symmetry prediction and knowledge discovery from X-ray
diffraction patterns using an interpretable machine learning approach", Scientific Reports 10, 21790
(2020). Features: positions of the ten peaks of lowest angle and the number of peaks.

The authors' notebooks fit space groups with extremely randomised trees (Geurts et al. 2006) of at
most 25 levels that look at all features in each split: 200 trees in the article, 50 in the
notebook, which costs 0.3 points of accuracy there. We take the 50: where nearly every pattern gets
its own leaf, as in two-parameter families, they need some 45 kB of memory a training pattern, and
three times that while a file is read. The notebooks do not fit a random forest (Breiman 2001): ours
has as many trees of the same depth and its usual choice of features, the square root of their
number.
"""

from typing import TYPE_CHECKING

from sgbench.models._features import suzuki_features
from sgbench.models._registry import register_estimator

if TYPE_CHECKING:
    from sklearn.ensemble import ExtraTreesClassifier, RandomForestClassifier

_PAPER = "Suzuki et al., Scientific Reports 10, 21790 (2020)"
_TREES = 50
_DEPTH = 25
_DEFAULTS = {"patterns": 20_000}


@register_estimator(
    "extra-trees-suzuki2020", paper=_PAPER, features=suzuki_features, defaults=_DEFAULTS
)
def extra_trees(seed: int) -> "ExtraTreesClassifier":
    """Build the authors' classifier of space groups."""
    from sklearn.ensemble import ExtraTreesClassifier

    return ExtraTreesClassifier(
        n_estimators=_TREES, max_depth=_DEPTH, max_features=None, random_state=seed
    )


@register_estimator(
    "random-forest-suzuki2020", paper=_PAPER, features=suzuki_features, defaults=_DEFAULTS
)
def random_forest(seed: int) -> "RandomForestClassifier":
    """Build a random forest of the same size."""
    from sklearn.ensemble import RandomForestClassifier

    return RandomForestClassifier(
        n_estimators=_TREES, max_depth=_DEPTH, max_features="sqrt", random_state=seed
    )
