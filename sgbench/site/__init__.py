"""The leaderboard as a page: one file that needs no server."""

from sgbench.site._data import SiteData, site_data
from sgbench.site._details import ScoreFile, read_score_files
from sgbench.site._glossary import Glossary, Term, read_glossary
from sgbench.site._page import render_site

__all__ = [
    "Glossary",
    "ScoreFile",
    "SiteData",
    "Term",
    "read_glossary",
    "read_score_files",
    "render_site",
    "site_data",
]
