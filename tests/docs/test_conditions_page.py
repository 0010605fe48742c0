"""docs/conditions.md has the tables of the catalogue."""

from maintainers_tools import tool

from sgbench.conditions import CONDITIONS

conditions = tool("conditions")


def test_the_tables_are_those_of_the_catalogue():
    """If not, `python tools/conditions.py` draws them again."""
    page = conditions.PAGE.read_text()
    assert conditions.with_tables(page) == page


def test_every_condition_and_every_part_has_a_row():
    for name, kind in CONDITIONS.items():
        table = conditions.mixtures() if kind.parts else conditions.kinds()
        assert table.count(f"| `{name}` |") >= max(1, len(kind.parts))
