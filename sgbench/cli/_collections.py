"""Collections of measured patterns, as `sgbench dataset` builds and describes them."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer

from sgbench.files import file_sha256
from sgbench.sets import SetSpec


def build_collection(
    spec: SetSpec,
    output: Path,
    source: str | None,
    location: str | None,
    crystals: Sequence[Path],
) -> None:
    """Build a collection and write it, and beside it what was left out."""
    from sgbench.collections import build_patterns, write_excluded, write_patterns
    from sgbench.collections.sources import DEVELOPMENT, SOURCES, open_pattern_source

    found = source or (spec.collection if spec.collection in SOURCES else "folder")
    opened = open_pattern_source(found, location, output.with_name(f"{output.stem}.source"))
    patterns = build_patterns(spec.dataset, opened, development=found in DEVELOPMENT)
    if crystals:
        from sgbench.collections import named_by_minerals
        from sgbench.structures import find_crystals

        patterns = named_by_minerals(patterns, find_crystals("cddd", crystals))
    write_patterns(patterns, output)
    left_out = write_excluded(patterns, output.with_suffix(".excluded.csv"))
    typer.echo(
        f"wrote {output}: {len(patterns)} patterns of {len(set(patterns.clusters))} substances and "
        f"{len(set(patterns.spacegroup.tolist()))} space groups; {len(patterns.excluded)} left "
        f"out, see {left_out}"
    )


def collection_facts(path: Path) -> dict[str, Any]:
    """Return what a file of measured patterns holds, as `sgbench dataset describe` says it."""
    from sgbench.collections import read_patterns_file

    patterns = read_patterns_file(path)
    reasons = Counter(one.reason for one in patterns.excluded)
    return {
        "name": patterns.name,
        "source": patterns.source,
        "licence": patterns.metadata["source"]["licence"],
        "audit": f"version {patterns.metadata['audit_version']}",
        "patterns": len(patterns),
        "substances": len(set(patterns.clusters)),
        "spacegroups": len(set(patterns.spacegroup.tolist())),
        "excluded": "; ".join(f"{reason}: {n}" for reason, n in reasons.most_common()) or "none",
        "sha256": file_sha256(path),
    }
