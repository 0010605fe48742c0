"""Decoders that need no training: index the cell, fit all lines, weigh the extinction classes.

`decode` is for the benchmark's ideal patterns of a family that is told, `decode_pattern` for
measured ones.
"""

from sgbench.decoder._classes import RankedClass
from sgbench.decoder._decode import Decoded, decode, decode_each, spacegroup_probabilities
from sgbench.decoder._decode_pattern import (
    DecodedPattern,
    FoundCell,
    NoCellFound,
    decode_pattern,
)
from sgbench.decoder._found_lines import FoundLines
from sgbench.decoder._indexing import INDEXED
from sgbench.decoder._lattices import CandidateLattice
from sgbench.decoder._whole_pattern import WholePatternFit

__all__ = [
    "INDEXED",
    "CandidateLattice",
    "Decoded",
    "DecodedPattern",
    "FoundCell",
    "FoundLines",
    "NoCellFound",
    "RankedClass",
    "WholePatternFit",
    "decode",
    "decode_each",
    "decode_pattern",
    "spacegroup_probabilities",
]
