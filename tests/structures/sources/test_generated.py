import json

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sgbench.errors import SgbenchError
from sgbench.structures import generate_gcdd
from sgbench.structures.sources import Entry, open_source
from sgbench.structures.sources.generated import generated


@pytest.fixture(scope="module")
def structures(tmp_path_factory):
    path = tmp_path_factory.mktemp("generated") / "structures.parquet"
    generate_gcdd(path, [99, 225], 2, seed=3)
    return path


def test_a_file_of_random_structures_says_how_it_was_made(structures, tmp_path):
    source = open_source("generated", str(structures), tmp_path)
    assert source.name == "generated"
    assert "PyXtal" in source.citation
    assert source.provenance["seed"] == "3"
    assert source.provenance["structures a space group"] == "2"
    assert "pyxtal" in source.provenance["software"]
    entries = list(source.read())
    assert all(isinstance(entry, Entry) for entry in entries)
    assert [entry.spacegroup for entry in entries] == [99, 99, 225, 225]


def test_another_table_is_refused(structures, tmp_path):
    table = pq.read_table(structures)
    for metadata in ({}, {b"sgbench": json.dumps({"format": "other"}).encode()}):
        path = tmp_path / "other.parquet"
        pq.write_table(table.replace_schema_metadata(metadata), path)
        with pytest.raises(SgbenchError, match="not a file of generated structures"):
            generated(path)
    path.with_suffix(".csv").write_text("cif\nx\n")
    with pytest.raises(SgbenchError, match="not a file of generated structures"):
        generated(path.with_suffix(".csv"))
    pq.write_table(pa.table({"a": [1]}), path)
    with pytest.raises(SgbenchError, match="no column"):
        generated(path)
