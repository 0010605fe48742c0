"""The page that holds the results beside the paper's: claims, figures and tables of one scale."""

from sgbench.report._claims import REFERENCE_MODELS, VERDICTS, Claim, all_claims
from sgbench.report._page import render_page
from sgbench.report._results import Picture, Results, read_results

__all__ = [
    "REFERENCE_MODELS",
    "VERDICTS",
    "Claim",
    "Picture",
    "Results",
    "all_claims",
    "read_results",
    "render_page",
]
