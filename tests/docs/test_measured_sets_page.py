"""docs/measured-sets.md has the tables of the committed numbers."""

from maintainers_tools import tool

measured_sets = tool("measured_sets")


def test_the_tables_are_those_of_the_numbers():
    """If not, `python tools/measured_sets.py` draws them again."""
    page = measured_sets.PAGE.read_text()
    assert measured_sets.with_tables(page) == page
