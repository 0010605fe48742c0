"""Write how many minerals have each space group: sgbench/identification/known_structures.json.

A mineral counts once in each space group that the AMCSD labels a structure of it with, however many
structures there are. What has no name does not count.
"""

import json
from pathlib import Path

from sgbench.structures.sources import Entry
from sgbench.structures.sources.amcsd import amcsd

PLACE = Path(__file__).parents[1] / "sgbench" / "identification" / "known_structures.json"


def main() -> None:
    """Count and write."""
    source = amcsd()
    pairs = {
        (entry.name.casefold(), entry.spacegroup)
        for entry in source.read()
        if isinstance(entry, Entry) and entry.name and entry.spacegroup
    }
    numbers = sorted(number for _, number in pairs)
    counts = {str(number): numbers.count(number) for number in sorted(set(numbers))}
    told = {"source": source.citation, "provenance": source.provenance, "minerals": counts}
    PLACE.write_text(json.dumps(told, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
