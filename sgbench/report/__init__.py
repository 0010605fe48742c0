"""The page that holds the results beside the article's: claims, figures and tables of one scale."""

from sgbench.report._page import render_page
from sgbench.report._results import Picture, Results, read_results
from sgbench.report.claims import VERDICTS, Claim, all_claims

__all__ = [
    "VERDICTS",
    "Claim",
    "Picture",
    "Results",
    "all_claims",
    "read_results",
    "render_page",
]
