"""What the theme leaves out: captions with a level, and scrolling by keyboard."""

import re
from typing import Any

from sphinx.application import Sphinx

_SCROLLS = re.compile(r'<(pre|div class="(formula|table-wrapper[^"]*)")>')


def _process(
    _app: Sphinx, _page: str, _template: str, context: dict[str, Any], _doctree: object
) -> None:
    tree = context.get("furo_navigation_tree", "")
    context["furo_navigation_tree"] = tree.replace(
        'role="heading"', 'role="heading" aria-level="2"'
    )
    context["body"] = _SCROLLS.sub(r'<\1 tabindex="0">', context.get("body", ""))


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect to the writing of pages, after the theme."""
    app.connect("html-page-context", _process, priority=900)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
