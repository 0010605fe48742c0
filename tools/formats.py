"""Write the tables of formats of measured patterns into docs/patterns.md, from what reads them."""

import re
from pathlib import Path

from sgbench.measured import FORMATS, UNREAD

PAGE = Path(__file__).parents[1] / "docs" / "patterns.md"


def tables() -> dict[str, str]:
    """Return the tables as Markdown, by the mark that they stand between."""
    read = [
        "| format | usual endings | wavelength | σ | files of others |",
        "|---|---|---|---|---|",
    ]
    read += [
        f"| {one.name} | {one.endings} | {one.wavelength or '-'} | {one.sigma or '-'} | "
        f"{'read' if one.tried else 'none was found'} |"
        for one in FORMATS
    ]
    unread = ["| what | why |", "|---|---|", *(f"| {what} | {why} |" for what, why in UNREAD)]
    return {"formats": "\n".join(read), "unread": "\n".join(unread)}


def with_tables(text: str) -> str:
    """Return the page with the tables of today."""
    for mark, table in tables().items():
        pattern = re.compile(f"(<!-- {mark} -->\n).*?(<!-- /{mark} -->)", re.DOTALL)
        text = pattern.sub(lambda found, table=table: f"{found[1]}\n{table}\n\n{found[2]}", text)
    return text


if __name__ == "__main__":
    PAGE.write_text(with_tables(PAGE.read_text()))
