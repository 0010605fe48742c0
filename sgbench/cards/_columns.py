"""The columns of dataset files: their units and what they mean."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from sgbench.cards._facts import Facts
from sgbench.cards._text import beside, table
from sgbench.files import file_sha256

#: Unit and meaning of every column that a dataset file may have.
COLUMNS = {
    "structure_id": ("", "identifier, unique within the file"),
    "sample_id": ("", "number within its split, space group, cell and pattern"),
    "name": ("", "mineral or compound; the formula where it has no name"),
    "family": ("", "crystal family; trigonal and hexagonal are one"),
    "extinction_class": ("", "extinction symbol, unique within the family"),
    "formula": ("", "reduced formula in Hill order"),
    "prototype": ("", "anonymous formula, space group and occupied Wyckoff letters"),
    "citation": ("", "whom to cite for this structure"),
    "split": ("", "`validation`, `in-mesh` or `off-mesh`"),
    "split_paper": (
        "",
        "`train` or `test`, the stratified split: drawn within each space group, as in the article",
    ),
    "split_grouped": (
        "",
        "`train`, `validation` or `test`; no prototype and no name is on two sides",
    ),
    "spacegroup": ("", "number of the space group, 1-230"),
    "a": ("Å", "edge of the conventional cell of the standard setting"),
    "b": ("Å", "edge of the conventional cell of the standard setting"),
    "c": ("Å", "edge of the conventional cell of the standard setting"),
    "alpha": ("degrees", "angle of that cell"),
    "beta": ("degrees", "angle of that cell"),
    "gamma": ("degrees", "angle of that cell"),
    "n_atoms": ("", "occupied positions in that cell"),
    "ordered": ("", "whether each position holds one element and is always occupied"),
    "two_theta": ("degrees", "positions of the lines"),
    "intensity": ("arbitrary", "integrated intensities of the lines, Lorentz factor applied"),
}


def file_sections(facts: Facts, path: Path) -> list[str]:
    """Return the parts of a card that describe a file of the dataset."""
    rows = []
    for column in pq.read_schema(path):
        unit, meaning = COLUMNS[column.name]
        rows.append((f"`{column.name}`", _type_name(column.type), unit, meaning))
    return [
        "## The file",
        f"`{path.name}`, Parquet, {pq.read_metadata(path).num_rows:,} {facts.rows}, "
        f"{path.stat().st_size:,} bytes. SHA-256: `{file_sha256(path)}`",
        table(("column", "type", "unit", "meaning"), rows),
        f'```python\nimport pandas as pd\n\ntable = pd.read_parquet("{path.name}")\n```',
        f'```python\nimport mlcroissant as mlc\n\ndataset = mlc.Dataset("'
        f'{beside(path, "croissant.json")}")\nrecord = next(iter(dataset.records("{facts.rows}"))'
        ")\n```",
    ]


def _type_name(kind: pa.DataType) -> str:
    return f"list of {kind.value_type}" if pa.types.is_list(kind) else str(kind)
