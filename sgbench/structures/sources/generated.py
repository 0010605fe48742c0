"""Random structures that `sgbench dataset generate` wrote, with what the file says of itself."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

from sgbench.checked import Count, FileKind, Text, record
from sgbench.structures.sources._entry import Source
from sgbench.structures.sources.table import table

FORMAT = "sgbench-structures-1"

LICENCE = "MIT (https://opensource.org/license/mit), as the code that makes it"

_KEY = b"sgbench"
_KIND = FileKind(
    "a file of generated structures",
    "what `sgbench dataset generate` wrote. Name one, or take the source table for structures of "
    "yours.",
)
_METADATA = record(
    "Metadata",
    {
        "format": Literal[FORMAT],
        "citation": Text,
        "software": dict[Text, Text],
        "short": Any,
        **dict.fromkeys(("seed", "per_spacegroup", "patience"), Count),
    },
    others=True,
)


def generated(path: Path) -> Source:
    """Return a file of random structures as a source.

    Parameters
    ----------
    path : Path
        Parquet file of `sgbench.structures.generate_gcdd`.

    Raises
    ------
    SgbenchError
        If there is no such file, or it is another kind of table.
    """
    import pyarrow.parquet as pq

    source = table(path)
    with _KIND.decoding(path):
        text = (pq.read_schema(path).metadata or {}).get(_KEY, b"{}")
    metadata = _KIND.parse_json(Path(path), text, _METADATA)
    software = ", ".join(f"{name} {version}" for name, version in metadata["software"].items())
    return replace(
        source,
        name="generated",
        citation=metadata["citation"],
        licence=LICENCE,
        provenance={
            "sha256": source.provenance["sha256"],
            "seed": str(metadata["seed"]),
            "structures a space group": str(metadata["per_spacegroup"]),
            "failed draws in a row at which a space group is given up": str(metadata["patience"]),
            "space groups that fell short": json.dumps(metadata["short"]),
            "software": software,
        },
    )
