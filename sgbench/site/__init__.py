"""The leaderboard as a page: one file that needs no server."""

from sgbench.site._data import ScoreFile, SiteData, read_score_files, site_data, with_ranks
from sgbench.site._page import render_site
from sgbench.site._ranks import Accuracy, Place, difference_p, places

__all__ = [
    "Accuracy",
    "Place",
    "ScoreFile",
    "SiteData",
    "difference_p",
    "places",
    "read_score_files",
    "render_site",
    "site_data",
    "with_ranks",
]
