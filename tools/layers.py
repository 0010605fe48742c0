"""Draw the layers of the import contract into docs/architecture.md.

The contract in pyproject.toml is what `lint-imports` checks, so the picture cannot differ from it.
"""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "architecture.md"
_BEGIN, _END = "<!-- layers -->", "<!-- /layers -->"


def picture() -> str:
    """Return the layers as text, from the highest to the lowest."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]
    (contract,) = (one for one in settings["contracts"] if one["type"] == "layers")
    rows = [[name.strip() for name in layer.split("|")] for layer in contract["layers"]]
    lines = [f"    {'   '.join(row)}" for row in rows]
    return "\n".join(["", *lines, ""])


def with_picture(text: str) -> str:
    """Return the page with the picture of today's contract."""
    pattern = re.compile(f"(?<={re.escape(_BEGIN)}\n).*?(?={re.escape(_END)})", re.DOTALL)
    return pattern.sub(lambda _: f"{picture()}\n", text)


if __name__ == "__main__":
    PAGE.write_text(with_picture(PAGE.read_text()))
