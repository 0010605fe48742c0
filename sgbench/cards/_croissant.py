"""Croissant descriptions of dataset files (JSON-LD, https://mlcommons.org/croissant)."""

import json
import re
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from sgbench.cards._columns import COLUMNS
from sgbench.cards._crystals import crystal_facts
from sgbench.cards._designed import designed_facts
from sgbench.cards._facts import IDEAL, Facts
from sgbench.cards._text import beside
from sgbench.designed import Ulbd
from sgbench.files import file_sha256
from sgbench.structures import CrystalSet

# The Croissant standard demands a date of publication, and a card must not depend on the day it is
# made: so it is that of the sgbench version that the dataset was made with.
_PUBLISHED = {"0.1.0": "2026-11-23"}
# Of the file inside its Croissant description; its name may hold blanks, which an id may not.
_FILE_ID = "parquet-file"


def croissant(dataset: CrystalSet | Ulbd, path: Path) -> dict[str, Any]:
    """Describe a dataset's file in Croissant 1.1.

    Parameters
    ----------
    dataset : CrystalSet or Ulbd
    path : Path
        The Parquet file, of `write_crystals` or `write_designed`. The description names it without
        its folder, so the two must lie side by side.

    Returns
    -------
    dict
        JSON-LD; ``mlcroissant.Dataset`` reads the records of the file through it.
    """
    import mlcroissant as mlc

    facts = _facts(dataset)
    # The terms that version 1.1 of the standard adds to what the library writes by itself.
    terms = {
        "arrayShape": "cr:arrayShape",
        "containedIn": "cr:containedIn",
        "isArray": "cr:isArray",
        "name": {"@container": "@language"},
        "description": {"@container": "@language"},
    }
    context = mlc.Context(
        conforms_to="http://mlcommons.org/croissant/1.1",
        rdf=mlc.Rdf(context={**mlc.Rdf().context, **terms}),
    )
    address = re.search(r"https?://[^\s,;)]+", facts.licence)
    metadata = mlc.Metadata(
        ctx=context,
        name=facts.name,
        version=f"{facts.version}.0.0",
        description=f"{facts.summary} {IDEAL}",
        # Relative to the description, as the file is: the card beside it.
        url=beside(path, "md"),
        license=[address[0] if address else mlc.CreativeWork(ctx=context, name=facts.licence)],
        cite_as=facts.citation,
        keywords=list(facts.keywords),
        creators=[mlc.Organization(ctx=context, name="The sgbench developers")],
        date_published=_PUBLISHED.get(facts.sgbench_version),
        data_biases=list(facts.biases),
        distribution=[
            mlc.FileObject(
                ctx=context,
                id=_FILE_ID,
                name=path.name,
                content_url=path.name,
                content_size=f"{path.stat().st_size} B",
                # The registered media type, and the one that mlcroissant knows Parquet by.
                encoding_formats=["application/vnd.apache.parquet", "application/x-parquet"],
                sha256=file_sha256(path),
            )
        ],
        record_sets=[
            mlc.RecordSet(
                ctx=context,
                id=facts.rows,
                name=facts.rows,
                key=[f"{facts.rows}/{facts.key}"],
                fields=[
                    _croissant_field(context, f"{facts.rows}/{column.name}", column)
                    for column in pq.read_schema(path)
                ],
            )
        ],
    )
    described: dict[str, Any] = metadata.to_json()
    return described


def croissant_text(dataset: CrystalSet | Ulbd, path: Path) -> str:
    """Return what `croissant` says as JSON text."""
    return json.dumps(croissant(dataset, path), indent=1, ensure_ascii=False) + "\n"


def _facts(dataset: CrystalSet | Ulbd) -> Facts:
    return crystal_facts(dataset) if isinstance(dataset, CrystalSet) else designed_facts(dataset)


def _croissant_field(context: Any, identifier: str, column: pa.Field) -> Any:
    import mlcroissant as mlc

    is_list = pa.types.is_list(column.type)
    kind = column.type.value_type if is_list else column.type
    types = {
        "string": mlc.DataType.TEXT,
        "int64": mlc.DataType.INT64,
        "bool": mlc.DataType.BOOL,
        "double": mlc.DataType.FLOAT64,
        "float": mlc.DataType.FLOAT32,
    }
    unit, meaning = COLUMNS[column.name]
    return mlc.Field(
        ctx=context,
        id=identifier,
        name=column.name,
        description=f"{meaning}{f' ({unit})' if unit else ''}",
        data_types=[types[str(kind)]],
        is_array=is_list or None,
        array_shape="-1" if is_list else None,
        source=mlc.Source(
            ctx=context,
            file_object=_FILE_ID,
            extract=mlc.Extract(ctx=context, column=column.name),
        ),
    )
