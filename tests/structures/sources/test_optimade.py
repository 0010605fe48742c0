import itertools
import json
import os
import socket
import subprocess
import sys
import time
import urllib.request

import gemmi
import numpy as np
import pytest
from compare import images, same_atoms
from service import running

from sgbench import fetching
from sgbench.errors import SgbenchError
from sgbench.structures.sources import Entry, Excluded, open_source
from sgbench.structures.sources import _entry as reasons
from sgbench.structures.sources import optimade as module
from sgbench.structures.sources.amcsd import amcsd
from sgbench.structures.sources.optimade import optimade

N_MINERALS = 57
PER_PAGE = 20  # of the reference server


def resource(entry: Entry) -> dict:
    """Return a mineral as an OPTIMADE structure: all atoms of the cell, mixed sites as species."""
    sites: dict[tuple[float, ...], dict[str, float]] = {}
    for element, position, occupancy in zip(
        entry.elements, entry.positions, entry.occupancies, strict=True
    ):
        sites.setdefault(position, {})[element] = occupancy
    positions, site = images(entry.cell, entry.operators, list(sites))
    contents = [dict(content) for content in sites.values()]
    for content in contents:
        if (empty := 1 - sum(content.values())) > 1e-6:
            content["vacancy"] = empty
    lattice = np.array(gemmi.UnitCell(*entry.cell).orth.mat.tolist()).T
    elements = sorted(set(entry.elements))
    return {
        "type": "structures",
        "id": entry.structure_id,
        "attributes": {
            "last_modified": {"$date": "2026-01-01T00:00:00Z"},
            "elements": elements,
            "nelements": len(elements),
            "chemical_formula_reduced": entry.name,
            "nsites": len(site),
            "dimension_types": [1, 1, 1],
            "nperiodic_dimensions": 3,
            "lattice_vectors": lattice.tolist(),
            "cartesian_site_positions": (positions @ lattice).tolist(),
            "species": [
                {
                    "name": f"site{number}",
                    "chemical_symbols": list(content),
                    "concentration": list(content.values()),
                }
                for number, content in enumerate(contents)
            ],
            "species_at_sites": [f"site{number}" for number in site],
            "structure_features": [],
            **({"space_group_it_number": entry.spacegroup} if len(elements) > 1 else {}),
        },
    }


@pytest.fixture(scope="module")
def minerals():
    """Minerals that have a cell and no element twice at a site, in the order of their ids."""
    entries = (entry for entry in amcsd().read() if isinstance(entry, Entry))
    wanted = (
        e
        for e in entries
        if len(e.positions) < 10
        and all(o > 0 for o in e.occupancies)
        and len({*zip(e.elements, e.positions, strict=True)}) == len(e.positions)
    )
    return list(itertools.islice(itertools.islice(wanted, 0, None, 40), N_MINERALS))


@pytest.fixture(scope="module")
def server(minerals, tmp_path_factory):
    """The consortium's reference server, with minerals in it."""
    folder = tmp_path_factory.mktemp("server")
    header = {"x-optimade": {"meta": {"api_version": "1.2.0"}}}
    lines = [json.dumps(line) for line in (header, *map(resource, minerals))]
    (folder / "minerals.jsonl").write_text("\n".join(lines))
    settings = {
        "insert_test_data": False,
        "insert_from_jsonl": str(folder / "minerals.jsonl"),
        "database_backend": "mongomock",
        "log_dir": str(folder),
    }
    (folder / "settings.json").write_text(json.dumps(settings))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = ["-m", "uvicorn", "optimade.server.main:app", "--port", str(port)]
    with open(folder / "output", "wb") as output:
        process = subprocess.Popen(
            [sys.executable, *command],
            env=os.environ | {"OPTIMADE_CONFIG_FILE": str(folder / "settings.json")},
            cwd=folder,
            stdout=output,
            stderr=output,
        )
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(300):
            assert process.poll() is None, (folder / "output").read_text()[-2000:]
            try:
                with urllib.request.urlopen(f"{address}/v1/info", timeout=5):
                    break
            except OSError:
                time.sleep(0.1)
        yield address, folder / "output"
    finally:
        process.terminate()
        process.wait()


def atoms(elements, positions, occupancies) -> dict:
    """Return the positions of each element, by how much of it is there."""
    found: dict = {}
    for element, position, occupancy in zip(elements, positions, occupancies, strict=True):
        found.setdefault((str(element), round(float(occupancy), 6)), []).append(position)
    return {kind: np.array(positions) for kind, positions in found.items()}


def test_the_reference_server(server, minerals, tmp_path, capfd):
    address, log = server
    source = optimade(address, cache=tmp_path)
    entries = {entry.structure_id: entry for entry in source.read()}
    assert source.total == len(entries) == N_MINERALS
    assert log.read_text().count("GET /v1/structures") == -(-N_MINERALS // PER_PAGE)
    assert list(entries) == sorted(entries)
    labelled = 0
    for mineral in minerals:
        entry = entries[mineral.structure_id]
        assert isinstance(entry, Entry)
        assert entry.operators == ("x,y,z",)
        assert entry.cell == pytest.approx(mineral.cell, rel=1e-9)
        assert entry.name == mineral.name
        assert entry.spacegroup in (None, mineral.spacegroup)
        labelled += entry.spacegroup is not None
        positions, site = images(mineral.cell, mineral.operators, mineral.positions)
        there = atoms(
            np.array(mineral.elements)[site], positions, np.array(mineral.occupancies)[site]
        )
        assert same_atoms(atoms(entry.elements, entry.positions, entry.occupancies), there)
    assert labelled > 0
    assert any(x < 1 for entry in entries.values() for x in entry.occupancies)
    assert source.provenance["database"] == address
    assert source.provenance["n"] == str(N_MINERALS)
    assert source.provenance["provider"]
    assert source.provenance["api_version"].startswith("1.")
    assert capfd.readouterr() == ("", "")


def test_filters_and_pasted_queries(server, minerals, tmp_path):
    address, _ = server
    expected = sorted(m.structure_id for m in minerals if len(set(m.elements)) == 2)
    assert 0 < len(expected) < N_MINERALS
    for location in (
        f"{address}?filter=nelements=2",
        f"{address}/v1/structures?filter=nelements%3D2",
        f"{address}/?filter=nelements = 2",
    ):
        source = open_source("optimade", location, tmp_path)
        assert [entry.structure_id for entry in source.read()] == expected
    # Characters that mean something in an address reach the database as they are.
    with pytest.raises(SgbenchError, match="0 of 0 structures"):
        optimade(address, 'chemical_formula_reduced="A&B#C+D"', cache=tmp_path)


def test_an_answer_is_asked_for_once(server, tmp_path):
    address, log = server
    first = optimade(address, "nelements=3", cache=tmp_path)
    asked = log.read_text()
    again = optimade(address, "nelements=3", cache=tmp_path)
    assert list(again.read()) == list(first.read())
    assert again.provenance == first.provenance
    assert log.read_text() == asked
    fresh = optimade(address, "nelements=3", cache=tmp_path / "other")
    assert fresh.provenance["sha256"] == first.provenance["sha256"]


@pytest.mark.parametrize("filter", ["nelements=", 'elements HAS "Si', "(((", "a" * 50])
def test_a_wrong_filter(filter, tmp_path):
    hook = sys.excepthook
    with pytest.raises(SgbenchError, match="is no OPTIMADE filter"):
        optimade("http://127.0.0.1:9", filter, cache=tmp_path)
    assert sys.excepthook is hook


def simple(number: int, **changes) -> dict:
    return {
        "type": "structures",
        "id": f"s{number}",
        "attributes": {
            "lattice_vectors": [[4.0, 0, 0], [0, 4.0, 0], [0, 0, 4.0]],
            "cartesian_site_positions": [[0, 0, 0], [2.0, 2.0, 2.0]],
            "species": [
                {"name": "Cs", "chemical_symbols": ["Cs"], "concentration": [1.0]},
                {"name": "Cl", "chemical_symbols": ["Cl"], "concentration": [1.0]},
            ],
            "species_at_sites": ["Cs", "Cl"],
            "chemical_formula_reduced": "ClCs",
            "not_asked_for": "x" * 100,
            **changes,
        },
    }


@pytest.fixture
def database(monkeypatch):
    """A database of few words: no sorting, no licence, pages of three."""
    monkeypatch.setattr(fetching, "_PAUSE", 0.0)
    monkeypatch.setattr(module, "_PAUSE", 0.0)
    state = {
        "structures": [simple(n) for n in range(10)],
        "announced": 10,
        "info": 200,
        "about": {},
    }

    def answer(path, query, headers):
        meta = {"api_version": "1.1.0", "data_returned": state["announced"]}
        if path == "/v1/info":
            about = {"data": {"attributes": state["about"]}, "meta": meta}
            return state["info"], about | state.get("changed info", {})
        if path == "/v1/info/structures":
            properties = {"lattice_vectors": {}, "species": {}, "id": {"sortable": False}}
            return 200, {"data": {"properties": properties}, "meta": meta}
        if path == "/v1/links":
            return 200, {"data": state["links"], "meta": meta}
        start = int(query.get("page_offset", 0))
        following = None
        if start + 3 < len(state["structures"]):
            following = f"{service.address}/v1/structures?page_offset={start + 3}"
            following = {"href": following} if start else following
        following = state.get("following", following)
        page = state["structures"][start : start + 3]
        members = {"data": page, "meta": meta, "links": {"next": following}}
        return 200, members | state.get("changed", {})

    with running(answer) as service:
        service.state = state
        yield service


def test_only_what_is_offered_is_asked_for(database, tmp_path):
    source = optimade(database.address, cache=tmp_path)
    assert [entry.structure_id for entry in source.read()] == [f"s{n}" for n in range(10)]
    (query,) = [request for request in database.requests if "response_fields" in request]
    assert query.endswith("/structures?response_fields=lattice_vectors,species")
    assert source.licence == "as the database states"
    assert source.provenance["provider"] == "unknown"
    assert any(agent.startswith("sgbench/") for agent in database.user_agents)


@pytest.mark.parametrize("mishap", [(429, 0), 500, (503, 0), "hang up", "drop"])
def test_what_passes_is_waited_for(database, tmp_path, mishap, capfd):
    database.fragile = "/v1/structures"
    database.mishaps.extend([mishap, None, mishap, None, None, mishap, mishap])
    source = optimade(database.address, cache=tmp_path)
    assert [entry.structure_id for entry in source.read()] == [f"s{n}" for n in range(10)]
    # The pages that had arrived were not asked for again.
    assert sum("page_offset=3" in request for request in database.requests) == 2
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("mishap", [(429, 0), 500, "hang up", "drop", 404])
def test_what_does_not_pass_is_an_error(database, tmp_path, mishap, capfd):
    database.fragile = "/v1/structures"
    database.mishaps.extend([None, None, *[mishap] * 99])
    with pytest.raises(SgbenchError, match="does not answer as an OPTIMADE database"):
        optimade(database.address, cache=tmp_path)
    assert list(tmp_path.rglob("*.gz")) == []
    assert capfd.readouterr() == ("", "")


def test_what_is_no_database(database, tmp_path):
    with pytest.raises(SgbenchError, match="does not answer"):
        optimade("http://127.0.0.1:9", cache=tmp_path)
    database.state["info"] = 404
    with pytest.raises(SgbenchError, match=r"does not answer.*Check the address"):
        optimade(database.address, cache=tmp_path)


def test_less_than_announced(database, tmp_path):
    database.state["announced"] = 11
    with pytest.raises(SgbenchError, match="10 of 11 structures"):
        optimade(database.address, cache=tmp_path)
    database.state.update(structures=[], announced=0)
    with pytest.raises(SgbenchError, match="0 of 0 structures"):
        optimade(database.address, cache=tmp_path)
    database.state.update(structures=[simple(1)], announced=None)  # which the standard admits
    assert optimade(database.address, cache=tmp_path).total == 1


@pytest.mark.parametrize(
    ("about", "licence"),
    [
        ({"available_licenses": ["CC-BY-4.0", "ODbL-1.0"]}, "CC-BY-4.0 or ODbL-1.0"),
        ({"license": "https://somewhere/licence"}, "https://somewhere/licence"),
        ({"license": {"href": "https://somewhere"}}, "https://somewhere"),
        ({"license": None, "available_licenses": None}, "as the database states"),
    ],
)
def test_licences(database, tmp_path, about, licence):
    database.state["about"] = about
    assert optimade(database.address, cache=tmp_path).licence == licence


def test_pages_that_overlap(database, tmp_path):
    database.state["structures"].insert(3, simple(1))
    source = optimade(database.address, cache=tmp_path)
    assert len(list(source.read())) == source.total == 10


def test_pages_without_end(database, tmp_path):
    database.state["following"] = f"{database.address}/v1/structures?page_offset=3"
    with pytest.raises(SgbenchError, match="pages without end"):
        optimade(database.address, cache=tmp_path)


def test_pages_of_another_form(database, tmp_path):
    for broken in ({"id": "no attributes"}, {"attributes": {}}, 5):
        database.state["structures"][4] = broken
        with pytest.raises(SgbenchError, match="does not answer as an OPTIMADE database"):
            optimade(database.address, cache=tmp_path)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"links": None}, "links is null, where an object is expected"),
        ({"meta": None}, "meta is null, where an object is expected"),
        ({"meta": [1]}, r"meta is \[1\], where"),
        ({"data": {}}, "data is {}, where a list is expected"),
        ({"data": None}, "data is null, where a list is expected"),
        ({"meta": {"data_returned": "33"}}, 'meta.data_returned is "33", where a number'),
        ({"meta": {"data_returned": True}}, "meta.data_returned is true, where a number"),
        ({"links": {"next": 5}}, "links.next is 5, where an address"),
        ({"links": {"next": {"meta": {}}}}, "links.next.href is 0, where an address"),
        ({"data": [simple(0) | {"attributes": None}]}, r"data\[0\].attributes is null"),
        ({"data": [simple(0), simple(1) | {"id": None}]}, r"data\[1\].id is null"),
        # More is announced than can be reached.
        (
            {"meta": {"more_data_available": True}, "links": {}},
            "more_data_available is true, but links.next leads nowhere",
        ),
        (
            {"meta": {"more_data_available": True}, "links": {"next": {"href": None}}},
            "more_data_available is true, but links.next leads nowhere",
        ),
    ],
)
def test_faulty_members_are_named(database, tmp_path, changed, words):
    database.state["changed"] = changed
    with pytest.raises(SgbenchError, match=words):
        optimade(database.address, cache=tmp_path)
    assert list(tmp_path.rglob("*.*")) == []


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"meta": None}, "meta is null"),
        ({"data": {"attributes": ["x"]}}, r'data.attributes of info is \["x"\], not an object'),
        ({"data": []}, "nothing at info"),
    ],
)
def test_faulty_information_is_named(database, tmp_path, changed, words):
    database.state["changed info"] = changed
    with pytest.raises(SgbenchError, match=words):
        optimade(database.address, cache=tmp_path)


def test_ids_that_are_numbers(database, tmp_path):
    database.state["structures"][3] = simple(0) | {"id": 123}
    source = optimade(database.address, cache=tmp_path)
    assert [entry.structure_id for entry in source.read()][3] == "123"


def test_numbers_that_are_none(database, tmp_path):
    nan = float("nan")
    database.state["structures"][3] = simple(3, nsites=nan)
    database.state["structures"][4] = simple(4, lattice_vectors=[[nan] * 3] * 3)
    found = list(optimade(database.address, cache=tmp_path).read())
    assert isinstance(found[3], Entry)
    assert isinstance(found[4], Excluded)


def test_providers_of_another_form(database, tmp_path):
    database.state.update(changed={"meta": {"provider": "text"}, "links": {}})
    assert optimade(database.address, cache=tmp_path).provenance["provider"] == "unknown"


def provider(name: str, address: str) -> dict:
    return {
        "type": "links",
        "id": name,
        "attributes": {
            "name": name,
            "description": name,
            "base_url": address,
            "homepage": None,
            "link_type": "child",
        },
    }


def test_names_of_providers(database, tmp_path, monkeypatch):
    monkeypatch.setattr("optimade.utils.PROVIDER_LIST_URLS", (f"{database.address}/v1/links",))
    # The list of providers and the provider's own list of databases are one here.
    database.state["links"] = [provider("salts", database.address)]
    source = optimade("salts", cache=tmp_path)
    assert source.provenance["database"] == database.address
    assert source.total == 10
    with pytest.raises(SgbenchError, match=r"provider 'peppers'.*Give the address"):
        optimade("peppers", cache=tmp_path)
    database.state["links"].append(provider("more", f"{database.address}/more"))
    with pytest.raises(SgbenchError, match=r"several databases: .*/more"):
        optimade("salts", "nelements=2", cache=tmp_path)


def converted(**changes) -> Entry | Excluded:
    return module._entry("s", simple(0, **changes)["attributes"], "http://somewhere")


def test_a_structure():
    assert converted(space_group_it_number=221) == Entry(
        structure_id="s",
        name="ClCs",
        spacegroup=221,
        cell=(4.0, 4.0, 4.0, 90.0, 90.0, 90.0),
        operators=("x,y,z",),
        elements=("Cs", "Cl"),
        positions=((0.0, 0.0, 0.0), (0.5, 0.5, 0.5)),
        occupancies=(1.0, 1.0),
        citation="http://somewhere, s",
    )


def test_oblique_cells_of_either_hand():
    cell = (4.0, 5.0, 6.0, 80.0, 95.0, 110.0)
    vectors = np.array(gemmi.UnitCell(*cell).orth.mat.tolist()).T
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(3, 3)))[0]
    turn *= np.sign(np.linalg.det(turn))
    for hand in (1, -1):
        lattice = hand * vectors @ turn
        sites = np.array([[0, 0, 0], [0.1, 0.2, 0.3]]) @ lattice
        entry = converted(lattice_vectors=lattice.tolist(), cartesian_site_positions=sites.tolist())
        assert entry.cell == pytest.approx(cell)
        np.testing.assert_allclose(entry.positions[1], hand * np.array([0.1, 0.2, 0.3]))


def test_mixed_sites_vacancies_and_assemblies():
    mixed = {
        "name": "M",
        "chemical_symbols": ["Fe", "D", "vacancy"],
        "concentration": [0.5, 0.2, 0.3],
    }
    mixed["chemical_symbols"][1] = "Mg"
    chlorine = {"name": "Cl", "chemical_symbols": ["Cl"], "concentration": [1.0]}
    entry = converted(species=[mixed, chlorine], species_at_sites=["M", "Cl"])
    assert entry.elements == ("Fe", "Mg", "Cl")
    assert entry.occupancies == (0.5, 0.2, 1.0)
    assert entry.positions[0] == entry.positions[1]
    empty = {"name": "M", "chemical_symbols": ["vacancy"], "concentration": [1.0]}
    assert converted(species=[empty, chlorine], species_at_sites=["M", "Cl"]).elements == ("Cl",)
    assemblies = [{"sites_in_groups": [[0], [1]], "group_probabilities": [0.25, 0.75]}]
    assert converted(assemblies=assemblies).occupancies == (0.25, 0.75)


UNKNOWN = {"name": "Cs", "chemical_symbols": ["X"], "concentration": [1.0]}
CHLORINE = {"name": "Cl", "chemical_symbols": ["Cl"], "concentration": [1.0]}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"lattice_vectors": None}, reasons.UNREADABLE),
        ({"lattice_vectors": [[None] * 3, [0, 1, 0], [0, 0, 1]]}, reasons.UNREADABLE),
        ({"lattice_vectors": [[1, 0, 0], [2, 0, 0], [0, 0, 1]]}, reasons.UNREADABLE),
        ({"dimension_types": [1, 1, 0]}, reasons.UNREADABLE),
        ({"cartesian_site_positions": None}, reasons.NO_COORDINATES),
        ({"cartesian_site_positions": []}, reasons.UNREADABLE),
        ({"cartesian_site_positions": [], "species_at_sites": []}, reasons.NO_COORDINATES),
        ({"cartesian_site_positions": [[0, 0, 0], [None] * 3]}, reasons.NO_COORDINATES),
        ({"cartesian_site_positions": [[0, 0, 0], [0, float("nan"), 0]]}, reasons.NO_COORDINATES),
        ({"species_at_sites": ["Cs", "Br"]}, reasons.UNREADABLE_SPECIES),
        ({"species_at_sites": ["Cs", ["Cl"]]}, reasons.UNREADABLE_SPECIES),
        ({"species": None}, reasons.UNREADABLE_SPECIES),
        ({"species": [UNKNOWN, CHLORINE]}, reasons.UNREADABLE_SPECIES),
        (
            {"species": [UNKNOWN | {"chemical_symbols": ["C"], "attached": ["H"]}, CHLORINE]},
            reasons.UNREADABLE_SPECIES,
        ),
        ({"structure_features": ["implicit_atoms"]}, reasons.NO_COORDINATES),
        ({"structure_features": ["site_attachments"]}, reasons.NO_COORDINATES),
        (
            {"assemblies": [{"sites_in_groups": [[5]], "group_probabilities": [1]}]},
            reasons.UNREADABLE,
        ),
        ({"assemblies": "many"}, reasons.UNREADABLE),
        (
            {"cartesian_site_positions": [[0, 0, 0]] * 5001, "species_at_sites": ["Cl"] * 5001},
            reasons.TOO_LARGE,
        ),
    ],
)
def test_what_is_left_out(changes, reason):
    entry = converted(**changes)
    assert isinstance(entry, Excluded)
    assert entry.reason == reason
    assert entry.detail


@pytest.mark.parametrize(
    ("changes", "detail"),
    [
        ({"nsites": 4}, "nsites is 4, but there are 2 positions"),
        ({"nsites": float("nan")}, "nsites is nan, but there are 2 positions"),
        (
            {"nperiodic_dimensions": 2, "dimension_types": None},
            "nperiodic_dimensions is 2, but there are 3 lattice vectors",
        ),
    ],
)
def test_contradictions_are_named(changes, detail):
    assert converted(**changes) == Excluded("s", reasons.UNREADABLE, detail)
    agreeing = converted(nsites=2, nperiodic_dimensions=3, dimension_types=[1, 1, 1])
    assert isinstance(agreeing, Entry)


def test_attributes_of_any_form():
    for anything in (None, 5, "text", [], {}, {"species": 3}):
        assert isinstance(module._entry("s", anything, "somewhere"), Excluded)
