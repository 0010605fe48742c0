"""Measured patterns: read from the files that people have, checked at the door.

`read_pattern` takes any file of a powder pattern, whatever program wrote it. What a file is follows
from its content and never from its name. A wavelength is that of the file or the caller's, and is
said to be unknown where neither states one. `treat` brings a pattern onto a protocol's grid.
"""

from sgbench.measured._formats import FORMATS, UNREAD
from sgbench.measured._pattern import MeasuredPattern, measured_pattern
from sgbench.measured._reading import decode_patterns, read_pattern, read_patterns
from sgbench.measured._treatment import (
    TREATED,
    TREATMENTS,
    UNTREATED,
    TreatedPattern,
    Treatment,
    anode_of,
    doublet_of,
    treat,
)
from sgbench.measured._wavelengths import Wavelength
from sgbench.measured._writing import WRITTEN, write_pattern

__all__ = [
    "FORMATS",
    "TREATED",
    "TREATMENTS",
    "UNREAD",
    "UNTREATED",
    "WRITTEN",
    "MeasuredPattern",
    "TreatedPattern",
    "Treatment",
    "Wavelength",
    "anode_of",
    "decode_patterns",
    "doublet_of",
    "measured_pattern",
    "read_pattern",
    "read_patterns",
    "treat",
    "write_pattern",
]
