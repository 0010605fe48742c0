"""Draw the tables of the catalogue of conditions into docs/conditions.md."""

import re
from pathlib import Path

from sgbench.conditions import CONDITIONS, decimal

PAGE = Path(__file__).parents[1] / "docs" / "conditions.md"


def kinds() -> str:
    """Return a table of the conditions that have a severity."""
    rows = [
        (
            f"`{kind.name}`",
            kind.text[0].upper() + kind.text[1:],
            kind.unit,
            ", ".join(map(decimal, kind.severities)),
            kind.source,
        )
        for kind in CONDITIONS.values()
        if not kind.parts
    ]
    return _table(("condition", "what it does", "severity in", "the five", "source"), rows)


def mixtures() -> str:
    """Return a table of what the mixtures draw, a row a part."""
    rows = [
        (
            f"`{kind.name}`",
            f"`{part.name}`",
            _amount(str(amount).partition(" by ")[0]),
            part.unit,
        )
        for kind in CONDITIONS.values()
        for part, amount in kind.parts
    ]
    return _table(("mixture", "part", "how much", "in"), rows)


def with_tables(text: str) -> str:
    """Return the page with the tables of today's catalogue."""
    for name, table in (("kinds", kinds()), ("mixtures", mixtures())):
        begin, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
        pattern = re.compile(f"(?<={re.escape(begin)}).*?(?={re.escape(end)})", re.DOTALL)
        text = pattern.sub(lambda _, table=table: f"\n{table}\n\n", text)
    return text


def _amount(text: str) -> str:
    plain = re.sub(r"[\d.]+e\+\d+", lambda number: decimal(float(number[0])), text)
    return plain.replace(" in 0.333333 of all", " in a third of all")


def _table(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [header, ("---",) * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text()))
