"""docs/patterns.md has the tables of the formats that are read, and of those that are not."""

from maintainers_tools import tool

formats = tool("formats")


def test_the_tables_are_those_of_the_readers():
    """If not, `python tools/formats.py` writes them again."""
    page = formats.PAGE.read_text()
    assert formats.with_tables(page) == page
