"""The reference network and the decoder as classifiers of scikit-learn: `fit`, `predict_proba`.

A row of X is a pattern over the window of the canonical protocol, evenly spaced from 5 to 90
degrees in 2θ; labels may be numbers of space groups or anything else.
"""

from sgbench.estimators._decoder import DecoderClassifier
from sgbench.estimators._network import NetworkClassifier

__all__ = ["DecoderClassifier", "NetworkClassifier"]
