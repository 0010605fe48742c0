"""The page that holds the results beside the article's: claims, figures and tables of one scale."""

from sgbench.report._page import render_page
from sgbench.report._published import publish
from sgbench.report._results import Picture, Results, read_results
from sgbench.report._structures import StructureFacts, Structures
from sgbench.report.claims import VERDICTS, Claim, all_claims

__all__ = [
    "VERDICTS",
    "Claim",
    "Picture",
    "Results",
    "StructureFacts",
    "Structures",
    "all_claims",
    "publish",
    "read_results",
    "render_page",
]
