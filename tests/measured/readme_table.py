"""The table of the collection of patterns that others made, as numbers."""

import re
from pathlib import Path

SHARED = Path(__file__).parents[3] / "shared/data/patterns"


def rows():
    """Yield name, what its range is (first, last, step, points; None where unsaid) and the row."""
    for line in (SHARED / "formats/README.md").read_text().splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if len(cells) < 7 or not cells[0].startswith("`"):
            continue
        yield cells[0].strip("`"), numbers(cells[3]), line


def numbers(text):
    """Return first, last, step and number of points of what a cell says."""
    span = re.search(
        r"(?<!step )(?<![\d.])(-?\d+\.?\d*)(?:-~?|,\s+)(-?\d+\.\d+|-?\d+(?! rows))", text
    )
    step = re.search(r"step ~?(\d+\.?\d*)", text)
    points = re.search(r"(\d+) (?:pts|counts|rows)|\bn (\d+)", text)
    return (
        float(span[1]) if span else None,
        float(span[2]) if span else None,
        float(step[1]) if step else None,
        int(points[1] or points[2]) if points else None,
    )
