"""A decoder that needs no training: index the cell, fit all lines, weigh the extinction classes."""

from sgbench.decoder._decode import Decoded, decode, decode_each, spacegroup_probabilities
from sgbench.decoder._indexing import INDEXED

__all__ = ["INDEXED", "Decoded", "decode", "decode_each", "spacegroup_probabilities"]
