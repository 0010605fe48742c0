"""The answer for one measured pattern: cell, extinction class, space groups, and the evidence."""

from sgbench.identification._answer import (
    LEAST,
    Against,
    Cell,
    ClassAnswer,
    Evidence,
    Fit,
    Identification,
    Line,
    Peak,
    Spacegroup,
)
from sgbench.identification._identify import QUICK, identify, identify_pattern
from sgbench.identification._page import render_answers
from sgbench.identification._text import answer_text, summary_rows

__all__ = [
    "LEAST",
    "QUICK",
    "Against",
    "Cell",
    "ClassAnswer",
    "Evidence",
    "Fit",
    "Identification",
    "Line",
    "Peak",
    "Spacegroup",
    "answer_text",
    "identify",
    "identify_pattern",
    "render_answers",
    "summary_rows",
]
