"""A decoder that needs no training: index the cell, fit all lines, weigh the extinction classes.

`decode_pattern` takes any measured pattern; `decode` and `decode_each` take ideal patterns of a
known protocol and family, and are fast. `rank_classes` weighs classes by intensities of another
program.
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
from sgbench.decoder._noise import standard_uncertainty
from sgbench.decoder._pattern_fit import WholePatternFit
from sgbench.decoder._rank_classes import rank_classes

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
    "rank_classes",
    "spacegroup_probabilities",
    "standard_uncertainty",
]
