"""A browser for the tests of the page."""

from browsers import browser, open_page

__all__ = ["browser", "open_page"]
