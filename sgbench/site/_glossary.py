"""The glossary of the documentation, as the page shows it: terms, and the term of each column."""

import re
from collections.abc import Container
from dataclasses import dataclass
from pathlib import Path

from markdown_it import MarkdownIt

from sgbench.errors import SgbenchError
from sgbench.files import unreadable

_TERM = re.compile(r"^### (?P<name>.+)\n(?P<text>(?:(?!^#).*\n?)*)", re.MULTILINE)
_COLUMN = re.compile(r"^\| (?P<names>`[^|]+) \|[^|]*\| .*?\(#(?P<anchor>[\w-]+)\)", re.MULTILINE)
_LINK = re.compile(r'<a href="(?:#(?P<anchor>[\w-]+)|[^"]*)"[^>]*>(?P<text>.*?)</a>', re.DOTALL)
_NUMBERED = re.compile(r"(?<=top)\d")


@dataclass(frozen=True)
class Term:
    """A term of the glossary.

    Attributes
    ----------
    anchor, name : str
    html : str
        What it means. Its links lead to other terms and carry their anchor as ``data-term``, from
        which the page makes the address; there are no other links and no pictures.
    """

    anchor: str
    name: str
    html: str


@dataclass(frozen=True)
class Glossary:
    """Terms, and the columns of the leaderboard that they belong to.

    Attributes
    ----------
    terms : tuple of Term
        In the order of the file.
    columns : dict of str to str
        For each column of ``leaderboard.csv``, the anchor of the first term that its line names.
    """

    terms: tuple[Term, ...]
    columns: dict[str, str]


def read_glossary(path: Path) -> Glossary:
    """Read the glossary: a heading ``###`` for each term, and a table that links columns to terms.

    Parameters
    ----------
    path : Path
        Markdown such as ``docs/glossary.md``. Raw HTML in it is shown as text.

    Raises
    ------
    SgbenchError
        If the file is missing or has no term.
    """
    expected = "the glossary, such as docs/glossary.md. Mend the path, or leave --glossary out."
    try:
        text = path.read_text(encoding="utf-8")
    except OSError as error:
        raise unreadable(path, error, expected) from error
    except UnicodeDecodeError as error:
        raise SgbenchError(f"{path} cannot be read ({error}); expected {expected}") from error
    markdown = MarkdownIt("commonmark", {"html": False}).disable("image")
    named = [(_anchor(found["name"]), *found.groups()) for found in _TERM.finditer(text)]
    anchors = {anchor for anchor, _, _ in named}
    terms = tuple(
        Term(anchor, name, _links_within(markdown.render(meaning), anchors))
        for anchor, name, meaning in named
    )
    if not terms:
        raise SgbenchError(
            f"{path} has no term; expected headings such as '### Ceiling'. Name the glossary."
        )
    columns = {
        name: found["anchor"]
        for found in _COLUMN.finditer(text)
        for first in [re.findall(r"`(\w+)`", found["names"])]
        for name in (
            # `top1` … `top5` stands for all five.
            [_NUMBERED.sub(str(k), first[0]) for k in range(1, 6)]
            if "…" in found["names"]
            else first
        )
    }
    return Glossary(terms, columns)


def _links_within(html: str, anchors: Container[str]) -> str:
    """Keep links to terms, and of others their text: the pages they lead to are not there."""

    def kept(link: re.Match[str]) -> str:
        anchor = link["anchor"]
        if anchor not in anchors:
            return link["text"]
        return f'<a data-term="{anchor}" href="#term-{anchor}">{link["text"]}</a>'

    return _LINK.sub(kept, html)


def _anchor(name: str) -> str:
    return re.sub(r"[^\w]+", "-", name.lower()).strip("-")
