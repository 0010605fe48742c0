"""What README and findings say of the committed table is what their tool draws from it."""

import pytest
from maintainers_tools import ROOT, tool

FINDINGS = tool("findings")


@pytest.fixture(scope="module")
def rows():
    return FINDINGS.read_rows()


@pytest.mark.parametrize("page", ["README.md", "docs/findings.md"])
def test_numbers_of_the_pages_are_those_of_the_table(rows, page):
    """If not, `python tools/findings.py` draws them again."""
    text = (ROOT / page).read_text(encoding="utf-8")
    assert FINDINGS.with_numbers(text, rows) == text
    assert text.count(" | ") > 20
