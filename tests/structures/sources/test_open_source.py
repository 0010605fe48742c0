import subprocess
import sys

import pytest
from damage import cif_of, random_crystal

from sgbench.errors import SgbenchError
from sgbench.structures.sources import SOURCES, Entry, open_source


def test_every_source_has_a_description_that_fits_a_line():
    assert {"amcsd", "cif-folder", "materials-project", "optimade", "table"} <= set(SOURCES)
    assert all(len(text) < 90 for text in SOURCES.values())


def test_sources_by_name(tmp_path):
    import random

    import pandas as pd

    text = cif_of(random_crystal(random.Random(0)))
    (tmp_path / "files").mkdir()
    (tmp_path / "files" / "a.cif").write_text(text)
    pd.DataFrame({"id": ["a"], "cif": [text]}).to_csv(tmp_path / "t.csv", index=False)
    folder = open_source("cif-folder", str(tmp_path / "files"), tmp_path / "cache")
    table = open_source("table", str(tmp_path / "t.csv"), tmp_path / "cache")
    assert list(folder.read()) == list(table.read())
    minerals = open_source("amcsd", None, tmp_path / "cache")
    assert isinstance(next(minerals.read()), Entry)
    assert [s.name for s in (folder, table, minerals)] == ["cif-folder", "table", "amcsd"]
    assert not (tmp_path / "cache").exists()


def test_what_cannot_be_opened(tmp_path):
    with pytest.raises(SgbenchError, match=r"unknown source 'icsd'; expected one of amcsd, cif-"):
        open_source("icsd", None, tmp_path)
    for name in ("cif-folder", "table", "optimade"):
        with pytest.raises(SgbenchError, match=f"source {name} needs a location"):
            open_source(name, None, tmp_path)
    with pytest.raises(SgbenchError, match="asks for 'page_limit'"):
        open_source("optimade", "https://example.org?page_limit=3", tmp_path)
    with pytest.raises(SgbenchError, match="is missing"):
        open_source("amcsd", str(tmp_path / "missing.db"), tmp_path)


def test_names_of_sources_cost_nothing():
    code = (
        "import sys; from sgbench.structures.sources import SOURCES; "
        "heavy = {'pymatgen', 'mp_api', 'optimade', 'requests', 'pandas', 'pyarrow', 'spglib'}; "
        "print(sorted(heavy & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
