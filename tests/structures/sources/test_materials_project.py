import gzip
import json

import numpy as np
import pytest
from service import running

from sgbench import fetching
from sgbench.errors import SgbenchError
from sgbench.structures.sources import Entry, Excluded, materials_project, open_source

KEY = "k" * 32
N_MATERIALS, PAGE = 23, 5


def document(number: int) -> dict:
    from pymatgen.core import Lattice, Structure

    lattice = Lattice.from_parameters(*[4 + 0.1 * number] * 3, *[60] * 3)
    structure = Structure(lattice, ["Na+", "Cl-"], [[0, 0, 0], [0.5, 0.5, 0.5]])
    return {
        "material_id": f"mp-{1000 - number}",
        "formula_pretty": "NaCl",
        "symmetry": {"crystal_system": "Cubic", "symbol": "Fm-3m", "number": 225},
        "structure": structure.as_dict(),
        "deprecated": number == 7,
        "batch": "gnome_r2scan_statics" if number == 11 else None,
    }


@pytest.fixture(scope="module")
def documents():
    return [document(number) for number in range(N_MATERIALS)]


@pytest.fixture
def mp(documents, monkeypatch):
    """The service, as far as it is asked: heartbeat and summaries, with paging and sorting."""
    state = {"version": "2026.01.15"}

    def answer(path, query, headers):
        if path == "/heartbeat":
            return 200, {
                "status": "OK",
                "db_version": state["version"],
                "version": "0.87.0",
                "access_controlled_batch_ids": [],
            }
        if path != "/materials/summary/":
            return 404, {"detail": f"no {path}"}
        if headers.get("x-api-key") != KEY:
            return 403, {"message": "Invalid authentication credentials"}
        known = {"deprecated", "batch_id_not_eq", "material_ids"}
        if wrong := [key for key in query if key[0] != "_" and key not in known]:
            return 422, {"detail": f"unknown {wrong}"}
        found = documents
        if query.get("deprecated") == "False":
            found = [d for d in found if not d["deprecated"]]
        if "batch_id_not_eq" in query:
            found = [d for d in found if d["batch"] != query["batch_id_not_eq"]]
        if "material_ids" in query:
            ids = query["material_ids"].split(",")
            found = [d for d in found if d["material_id"] in ids]
        if "_sort_fields" in query:
            found = sorted(found, key=lambda d: d[query["_sort_fields"]])
        skip, limit = int(query.get("_skip", 0)), int(query.get("_limit", 100))
        if page_number := int(query.get("_page", 0)):
            limit = int(query["_per_page"])
            skip = limit * (page_number - 1)
        fields = query.get("_fields", "material_id").split(",")
        page = [{field: d[field] for field in fields} for d in found[skip : skip + limit]]
        return 200, {"data": page, "meta": {"total_doc": len(found)}}

    monkeypatch.setenv("MP_API_KEY", KEY)
    monkeypatch.setattr(materials_project, "_PAGE", PAGE)
    monkeypatch.setattr(materials_project, "_IDS_AT_A_TIME", 8)
    monkeypatch.setattr(materials_project, "_PAUSE", 0.0)
    monkeypatch.setattr(fetching, "_PAUSE", 0.0)
    with running(answer) as service:
        service.state = state
        yield service


def source_of(service, folder):
    return materials_project.materials_project(folder, service.address)


N_KEPT = N_MATERIALS - 2
N_PAGES = -(-N_KEPT // PAGE)


def test_the_structures_as_pymatgen_has_them(mp, documents, tmp_path):
    from pymatgen.core import Structure

    source = source_of(mp, tmp_path)
    entries = list(source.read())
    kept = {d["material_id"]: d for n, d in enumerate(documents) if n not in (7, 11)}
    assert [entry.structure_id for entry in entries] == sorted(kept)
    assert source.total == len(kept) == N_KEPT
    for entry in entries:
        assert isinstance(entry, Entry)
        structure = Structure.from_dict(kept[entry.structure_id]["structure"])
        np.testing.assert_allclose(entry.cell, structure.lattice.parameters, rtol=1e-9)
        np.testing.assert_allclose(entry.positions, structure.frac_coords, atol=1e-9)
        assert entry.elements == ("Na", "Cl")
        assert (entry.name, entry.spacegroup, entry.operators) == ("NaCl", 225, ("x,y,z",))
        assert entry.structure_id in entry.citation
    assert source.provenance["database_version"] == "2026.01.15"
    assert source.licence == "CC BY 4.0"
    assert any(agent.startswith("sgbench/") for agent in mp.user_agents)


def test_a_full_folder_needs_neither_key_nor_network(mp, tmp_path, monkeypatch):
    first = source_of(mp, tmp_path)
    monkeypatch.delenv("MP_API_KEY")
    asked = len(mp.requests)
    again = materials_project.materials_project(tmp_path, "http://127.0.0.1:9")
    assert len(mp.requests) == asked
    assert again.provenance == first.provenance
    assert list(again.read()) == list(first.read())


@pytest.mark.parametrize("mishap", [(429, 0), 500, (503, 0), "hang up", "drop"])
def test_what_passes_is_waited_for(mp, tmp_path, mishap):
    mp.mishaps.extend([mishap, None, None, mishap, None, mishap, mishap, None, mishap])
    assert len(list(source_of(mp, tmp_path).read())) == N_KEPT


def test_retry_after_is_heeded(mp, tmp_path, monkeypatch):
    waited = []
    monkeypatch.setattr("time.sleep", waited.append)
    mp.mishaps.append((429, 7))
    source_of(mp, tmp_path)
    assert waited == [7]


@pytest.mark.parametrize("mishap", [500, "drop"])
def test_a_broken_download_goes_on_where_it_was(mp, tmp_path, mishap):
    mp.fragile = "material_ids"
    mp.mishaps.extend([None, None, *[mishap] * 99])
    with pytest.raises(SgbenchError, match=r"is kept in .* goes on"):
        source_of(mp, tmp_path)
    folder = tmp_path / "materials-project"
    assert len(list(folder.glob("page-*"))) == 2
    mp.mishaps.clear()
    mp.requests.clear()
    interrupted = source_of(mp, tmp_path)
    assert mp.asked("material_ids") == N_PAGES - 2
    assert mp.asked("summary") == N_PAGES - 2  # the list of ids was kept as well
    whole = source_of(mp, tmp_path / "other")
    assert list(interrupted.read()) == list(whole.read())
    assert interrupted.provenance["sha256"] == whole.provenance["sha256"]


def test_a_service_that_is_down(tmp_path, monkeypatch):
    monkeypatch.setenv("MP_API_KEY", KEY)
    monkeypatch.setattr(materials_project, "_PAUSE", 0.0)
    monkeypatch.setattr(fetching, "_PAUSE", 0.0)
    with pytest.raises(SgbenchError, match="does not answer"):
        materials_project.materials_project(tmp_path, "http://127.0.0.1:9")


def test_two_versions_of_the_database_are_not_mixed(mp, tmp_path):
    mp.fragile = "material_ids"
    mp.mishaps.extend([None, *[500] * 99])
    with pytest.raises(SgbenchError):
        source_of(mp, tmp_path)
    mp.mishaps.clear()
    mp.state["version"] = "2026.05.01"
    with pytest.raises(SgbenchError, match=r"2026\.01\.15 .* 2026\.05\.01.*Delete the folder"):
        source_of(mp, tmp_path)


def test_another_query_is_not_mixed(mp, tmp_path, monkeypatch):
    source_of(mp, tmp_path)
    monkeypatch.setattr(materials_project, "_QUERY", {"deprecated": True})
    with pytest.raises(SgbenchError, match="another version of sgbench"):
        source_of(mp, tmp_path)


def test_a_list_that_is_cut_short_is_noticed(mp, tmp_path, monkeypatch):
    monkeypatch.setattr(materials_project, "_page_of_ids", lambda service, page: [f"mp-{page}"])
    with pytest.raises(SgbenchError, match=f"3 of {N_KEPT} materials"):
        source_of(mp, tmp_path)


def test_a_material_without_a_document_is_reported(mp, tmp_path, monkeypatch):
    listed = materials_project._list_ids
    monkeypatch.setattr(materials_project, "_list_ids", lambda *args: [*listed(*args), "mp-999999"])
    entries = list(source_of(mp, tmp_path).read())
    assert len(entries) == N_KEPT + 1
    assert isinstance(entries[-1], Excluded)
    assert entries[-1].structure_id == "mp-999999"


@pytest.mark.parametrize("key", ["w" * 32, "too short"])
def test_a_wrong_key(mp, tmp_path, monkeypatch, key):
    monkeypatch.setenv("MP_API_KEY", key)
    with pytest.raises(SgbenchError, match=r"refuses the key.*materialsproject\.org/dashboard"):
        source_of(mp, tmp_path)
    assert mp.asked("summary") <= 1  # asking again with the same key would not help


def test_without_a_key(tmp_path, monkeypatch):
    monkeypatch.delenv("MP_API_KEY", raising=False)
    with pytest.raises(SgbenchError, match=r"MP_API_KEY is not set.*amcsd, optimade, cif-folder"):
        open_source("materials-project", None, tmp_path)
    with pytest.raises(SgbenchError, match="one service"):
        open_source("materials-project", "somewhere", tmp_path)


def test_damaged_files_are_named(mp, tmp_path):
    source = source_of(mp, tmp_path)
    page = tmp_path / "materials-project" / "page-00001.jsonl.gz"
    page.write_bytes(page.read_bytes()[:-20])
    with pytest.raises(SgbenchError, match=r"page-00001.*Delete it"):
        list(source.read())
    plan = tmp_path / "materials-project" / "plan.json"
    plan.write_text("{")
    with pytest.raises(SgbenchError, match=r"plan\.json"):
        source_of(mp, tmp_path)


def test_a_document_of_another_form_is_excluded(mp, tmp_path):
    source = source_of(mp, tmp_path)
    page = tmp_path / "materials-project" / "page-00000.jsonl.gz"
    lines = gzip.decompress(page.read_bytes()).decode().splitlines()
    first = json.loads(lines[0]) | {"structure": None, "symmetry": None}
    page.write_bytes(gzip.compress("\n".join([json.dumps(first), *lines[1:]]).encode()))
    entries = list(source.read())
    assert isinstance(entries[0], Excluded)
    assert all(isinstance(entry, Entry) for entry in entries[1:])
