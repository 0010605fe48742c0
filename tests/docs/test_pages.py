"""The commands and examples of all other pages, word for word, each page in its own folder."""

import pytest
from page_commands import PROJECT, blocks, run_page

DOCS = PROJECT / "docs"
# These have tests of their own.
ELSEWHERE = {DOCS / "submitting.md", DOCS / "models.md", *(DOCS / "tutorials").iterdir()}
PAGES = sorted(page for page in DOCS.rglob("*.md") if page not in ELSEWHERE and blocks(page))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(DOCS)))
def test_what_a_page_says_can_be_typed(page, tmp_path):
    run_page(page, tmp_path)


def test_what_the_readme_prints_is_what_is_printed(tmp_path):
    run_page(PROJECT / "README.md", tmp_path, kinds=("console",))
