"""The page: markup, style and scripts put together into one file."""

from importlib.resources import files
from pathlib import Path

from markupsafe import Markup

from sgbench.cards import ARTICLE
from sgbench.links import Links, citation
from sgbench.pages import environment, source_hash
from sgbench.site._data import SiteData
from sgbench.site._glossary import Glossary
from sgbench.version import __version__

# In this order they are one script; later ones use what earlier ones define.
_SCRIPTS = (
    "dom.js", "data.js", "state.js", "charts.js", "grid.js", "views.js", "model.js",
    "conditions.js", "main.js",
)  # fmt: skip


def render_site(
    data: SiteData, glossary: Glossary | None = None, links: Links | None = None
) -> str:
    """Return the site as one HTML file, the same for the same data.

    The file needs nothing but itself. A content security policy names the one script and the one
    style sheet by their hashes, so that nothing that a model's name smuggles in could run.

    Parameters
    ----------
    data : SiteData
    glossary : Glossary, optional
        With it the page explains its terms, and each column of the table leads to its term.
    links : Links, optional
        To other pages.
    """
    folder = Path(str(files("sgbench.site")))
    templates = environment(folder)
    parts = [(folder / name).read_text(encoding="utf-8") for name in _SCRIPTS]
    script = '"use strict";\n' + "\n".join(parts)
    style = (folder / "site.css").read_text(encoding="utf-8")
    return templates.get_template("site.html.jinja").render(
        version=__version__,
        links=(links or Links()).named,
        citation=citation(),
        article=ARTICLE,
        data=data,
        glossary=glossary or Glossary((), {}),
        # Made from the glossary's Markdown with raw HTML off.
        meanings={term.anchor: Markup(term.html) for term in glossary.terms} if glossary else {},
        script=Markup(script),  # this package's own files
        style=Markup(style),
        script_hash=source_hash(script),
        style_hash=source_hash(style),
    )
