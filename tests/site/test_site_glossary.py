"""The glossary of the documentation on the page: terms, links between them, columns."""

import re
from pathlib import Path

import pytest
from example_site import some_scores, some_site
from lxml import html

from sgbench.errors import SgbenchError
from sgbench.leaderboard import COLUMNS
from sgbench.links import Links
from sgbench.site import read_glossary, render_site

GLOSSARY = Path(__file__).parents[2] / "docs" / "glossary.md"
SMALL = """# Glossary

## Scores

### Top-k

- **ML:** A share. See [the protocol](protocol.md#scores "a title"), [ceiling](#ceiling), and
  [what is not there](#nothing).
- **XRD:** <b onclick="window.hacked=1">Bold</b> ![a picture](https://example.org/a.png).

### Ceiling

- **ML:** A bound on [top-k](#top-k).

## Columns

| column | holds | term |
|---|---|---|
| `model` | a [name](models.md) | [nothing of ours](models.md) |
| `top1` … `top5` | shares | [top-k](#top-k), [ceiling](#ceiling) |
| `n_test`, `n_clusters` | numbers | [ceiling](#ceiling) |
"""


@pytest.fixture
def small(tmp_path):
    path = tmp_path / "glossary.md"
    path.write_text(SMALL, encoding="utf-8")
    return read_glossary(path)


def test_terms_are_the_headings_in_their_order(small):
    assert [(term.anchor, term.name) for term in small.terms] == [
        ("top-k", "Top-k"),
        ("ceiling", "Ceiling"),
    ]
    assert "Columns" not in small.terms[-1].html


def test_only_links_to_terms_are_links(small):
    tree = html.fromstring(f"<div>{small.terms[0].html}</div>")
    assert [(link.get("data-term"), link.text) for link in tree.iter("a")] == [
        ("ceiling", "ceiling")
    ]
    for text in ("the protocol", "what is not there", "a picture"):
        assert text in tree.text_content()


def test_raw_html_stays_text(small):
    tree = html.fromstring(f"<div>{small.terms[0].html}</div>")
    assert '<b onclick="window.hacked=1">' in tree.text_content()
    assert {node.tag for node in tree.iter()} == {"div", "ul", "li", "strong", "a"}


def test_a_column_belongs_to_the_first_term_of_its_line(small):
    assert small.columns == {
        **{f"top{k}": "top-k" for k in range(1, 6)},
        "n_test": "ceiling",
        "n_clusters": "ceiling",
    }


def test_every_column_of_the_file_has_a_term():
    found = read_glossary(GLOSSARY)
    anchors = [term.anchor for term in found.terms]
    assert len(anchors) == len(set(anchors))
    assert set(COLUMNS) <= found.columns.keys()
    assert set(found.columns.values()) <= set(anchors)


def test_links_between_terms_arrive():
    text = GLOSSARY.read_text(encoding="utf-8")
    anchors = {term.anchor for term in read_glossary(GLOSSARY).terms}
    meanings = text[text.index("\n### ") : text.index("\n## Columns")]
    assert set(re.findall(r"\]\(#([\w-]+)\)", meanings)) <= anchors


def test_the_page_needs_nothing_but_itself():
    page = render_site(some_site(some_scores(("plain",), ("cubic",))), read_glossary(GLOSSARY))
    tree = html.fromstring(page)
    targets = [link.get("href") for link in tree.iter("a")]
    assert targets
    # But for what the project names, which a reader may follow.
    for target in set(targets) - set(dict(Links().named).values()):
        assert target.startswith("#")
        assert target == "#main" or tree.get_element_by_id(target[1:]) is not None


@pytest.mark.parametrize("text", [None, "no term here"])
def test_a_glossary_that_is_none(tmp_path, text):
    path = tmp_path / "glossary.md"
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(SgbenchError, match=r"glossary\.md (is missing|cannot be read|has no term)"):
        read_glossary(path)
