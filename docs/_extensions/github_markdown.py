"""Pages that read well on GitHub, made fit for the site without a second text."""

import os
import re
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

DOCS = Path(__file__).resolve().parents[1]
ROOT = DOCS.parent

# <!-- {toctree} … --> is a directive, which would be a block of code to read elsewhere.
_DIRECTIVE = re.compile(r"^<!-- (?P<text>\{[\w-]+\}.*?)-->$", re.MULTILINE | re.DOTALL)
# ```python title="train.py" is a file of this name.
_FILE = re.compile(r'^```(?P<language>\w+) title="(?P<title>[^"]+)"$', re.MULTILINE)
_LINK = re.compile(r"\]\((?P<target>[^()\s]+)\)")
# Texts outside of docs/ that pages include.
_PAGES = {
    ROOT / "README.md": DOCS / "index.md",
    ROOT / "CHANGELOG.md": DOCS / "changelog.md",
    ROOT / "SECURITY.md": DOCS / "security.md",
}


def fit(text: str, origin: Path, folder: Path) -> str:
    """Return a text with its directives, captions over its files, and links that hold on the site.

    Parameters
    ----------
    text : str
    origin : Path
        Folder that the text lies in, which its links start from.
    folder : Path
        Folder of the page that shows it.
    """
    text = _DIRECTIVE.sub(r"```\g<text>```", text)
    text = _FILE.sub(r"```{code-block} \g<language>\n:caption: \g<title>\n", text)
    return _LINK.sub(lambda link: f"]({_on_site(link['target'], origin, folder)})", text)


def _on_site(target: str, origin: Path, folder: Path) -> str:
    name, mark, place = target.partition("#")
    path = (origin / name).resolve()
    if not path.is_file():
        return target
    path = _PAGES.get(path, path)
    # What is no page is handed out as a file.
    scheme = "" if path.is_relative_to(DOCS) else "path:"
    return f"{scheme}{os.path.relpath(path, folder)}{mark}{place}"


def _source_read(_app: Sphinx, page: str, source: list[str]) -> None:
    folder = (DOCS / page).parent
    source[0] = fit(source[0], folder, folder)


def _include_read(_app: Sphinx, _path: Path, _page: str, source: list[str]) -> None:
    source[0] = fit(source[0], ROOT, DOCS)


def setup(app: Sphinx) -> dict[str, Any]:
    """Connect the two places where Sphinx reads text."""
    app.connect("source-read", _source_read)
    app.connect("include-read", _include_read)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
