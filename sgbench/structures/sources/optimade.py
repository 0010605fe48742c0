"""Structures of databases that speak OPTIMADE, through the consortium's own client.

The specification is at https://specification.optimade.org. A structure lists all atoms of a cell,
at Cartesian positions in ångström.
"""

import gzip
import hashlib
import json
import math
import re
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import redirect_stderr
from io import StringIO
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np

from sgbench import fetching
from sgbench.checked import Count, FileKind, Text
from sgbench.checked import record as record_of
from sgbench.errors import SgbenchError
from sgbench.files import file_sha256, write_atomically
from sgbench.structures.sources._entry import (
    NO_COORDINATES,
    UNREADABLE,
    UNREADABLE_SPECIES,
    Entry,
    Excluded,
    Exclusion,
    Source,
)
from sgbench.structures.sources._reading import (
    clean_text,
    element_of,
    read_or_exclude,
)
from sgbench.structures.sources._structure_dict import (
    check_number_of_sites,
    checked_vectors,
    entry_of_cell,
    number,
    triple,
)
from sgbench.structures.sources._symbols import spacegroup_of

CITATION = (
    "C. W. Andersen et al., OPTIMADE, an API for exchanging materials data, Scientific Data 8, 217 "
    "(2021), and the database itself"
)

# Of a structure, what is asked for, as far as the database offers it.
_FIELDS = (
    "assemblies",
    "cartesian_site_positions",
    "chemical_formula_reduced",
    "dimension_types",
    "lattice_vectors",
    "nperiodic_dimensions",
    "nsites",
    "space_group_it_number",
    "species",
    "species_at_sites",
    "structure_features",
)
_KIND = FileKind("what an earlier run fetched", "a whole file. Delete it and run again.")
_RECORD = record_of("Record", {"database": Text, "licence": Text, "n": Count}, others=True)
_RESOURCE = record_of("Resource", {"id": Text, "attributes": Any}, others=True)
_VACANCY = "vacancy"
# More than any database has; the client wants a number.
_NO_LIMIT = 10**9

# How often a page is asked for that broke off on its way, and the pause in between, in seconds.
_ATTEMPTS = 3
_PAUSE = 5.0


def optimade(database: str, filter: str = "", *, cache: Path) -> Source:
    """Return the answer of an OPTIMADE database to a query as a source.

    Parameters
    ----------
    database : str
        Address of the database, e.g. ``https://example.org/optimade``, or id of a registered
        provider, e.g. ``cod``, which the client looks up in the consortium's list.
    filter : str
        Query in the filter language of OPTIMADE, e.g. ``elements HAS "Si" AND nelements=2``; all
        structures by default.
    cache : Path
        Folder in which the answer is kept; once it is there, no network is needed.

    Returns
    -------
    Source
        In the order of the answer. The label is the space group's number, where the database gives
        one.

    Raises
    ------
    SgbenchError
        If the filter is wrong, the provider is unknown or has several databases, or the database
        fails or answers with less than it announces.
    """
    key = hashlib.sha256(json.dumps([database, filter]).encode()).hexdigest()[:12]
    host = re.sub(r"\W+", "-", re.sub(r"^https?://", "", database)).strip("-")[:60]
    record = Path(cache) / "optimade" / f"{host}-{key}.json"
    structures = record.with_suffix(".jsonl.gz")
    if not (record.exists() and structures.exists()):
        _fetch(database, filter, record, structures)
    told = _KIND.read_json(record, _RECORD)
    total, stated = told["n"], {key: str(value) for key, value in told.items()}

    def read() -> Iterator[Entry | Excluded]:
        for resource in _resources(structures):
            yield _entry(resource["id"], resource["attributes"], stated["database"])

    return Source(
        name="optimade",
        citation=CITATION,
        licence=stated.pop("licence"),
        provenance=stated | {"sha256": file_sha256(structures)},
        read=read,
        total=total,
    )


def _entry(structure_id: str, structure: object, database: str) -> Entry | Excluded:
    def read() -> Entry:
        if not isinstance(structure, Mapping):
            raise Exclusion(UNREADABLE, "no attributes")
        _check_features(structure)
        vectors = checked_vectors(structure.get("lattice_vectors"))
        positions = _list(structure, "cartesian_site_positions", NO_COORDINATES)
        kinds = _list(structure, "species_at_sites", NO_COORDINATES)
        if len(kinds) != len(positions):
            raise Exclusion(UNREADABLE, f"{len(kinds)} species at {len(positions)} sites")
        check_number_of_sites(positions)
        contents = _species(structure)
        shares = _shares(structure, len(positions))
        to_fractional = np.linalg.inv(vectors)
        scatterers = []
        for position, kind, share in zip(positions, kinds, shares, strict=True):
            if not isinstance(kind, str) or kind not in contents:
                raise Exclusion(UNREADABLE_SPECIES, f"{kind} is not described")
            fractional = triple(position, NO_COORDINATES) @ to_fractional
            scatterers += [(element, fractional, x * share) for element, x in contents[kind]]
        _check_count(structure, "nsites", len(positions), "positions")
        return entry_of_cell(
            structure_id,
            clean_text(str(structure.get("chemical_formula_reduced") or "")),
            spacegroup_of(structure.get("space_group_it_number")),
            vectors,
            scatterers,
            citation=f"{database}, {structure_id}",
        )

    return read_or_exclude(structure_id, read)


def _check_features(structure: Mapping[str, Any]) -> None:
    """Exclude what is no crystal or does not list all of its atoms."""
    dimensions = structure.get("dimension_types")
    if isinstance(dimensions, list) and dimensions != [1, 1, 1]:
        raise Exclusion(UNREADABLE, "not periodic in three directions")
    _check_count(structure, "nperiodic_dimensions", 3, "lattice vectors")
    features = structure.get("structure_features")
    for feature in ("implicit_atoms", "site_attachments", "unknown_positions"):
        if isinstance(features, list) and feature in features:
            raise Exclusion(NO_COORDINATES, f"of all atoms ({feature})")


def _check_count(structure: Mapping[str, Any], key: str, found: int, what: str) -> None:
    """Exclude what contradicts itself."""
    stated = structure.get(key)
    if isinstance(stated, int | float) and stated != found:
        raise Exclusion(UNREADABLE, f"{key} is {stated}, but there are {found} {what}")


def _species(structure: Mapping[str, Any]) -> dict[str, list[tuple[str, float]]]:
    """Return, for each kind of site, elements and occupancies; vacancies have none."""
    contents = {}
    for species in _list(structure, "species", UNREADABLE_SPECIES):
        symbols = _list(species, "chemical_symbols", UNREADABLE_SPECIES)
        amounts = _list(species, "concentration", UNREADABLE_SPECIES)
        if len(symbols) != len(amounts) or species.get("attached"):
            raise Exclusion(UNREADABLE_SPECIES, str(species.get("name")))
        contents[str(species.get("name"))] = [
            (element_of(str(symbol)), number(amount))
            for symbol, amount in zip(symbols, amounts, strict=True)
            if symbol != _VACANCY
        ]
    return contents


def _shares(structure: Mapping[str, Any], n_sites: int) -> list[float]:
    """Return how often each site is there: assemblies are groups of sites that exclude others."""
    shares = [1.0] * n_sites
    if not structure.get("assemblies"):
        return shares
    for assembly in _list(structure, "assemblies", UNREADABLE):
        groups = _list(assembly, "sites_in_groups", UNREADABLE)
        probabilities = _list(assembly, "group_probabilities", UNREADABLE)
        for sites, probability in zip(groups, probabilities, strict=False):
            for site in sites if isinstance(sites, list) else ():
                if not isinstance(site, int) or not 0 <= site < n_sites:
                    raise Exclusion(UNREADABLE, "assembly of sites that do not exist")
                shares[site] *= number(probability)
    return shares


def _list(whole: object, key: str, reason: str) -> list[Any]:
    part = whole.get(key) if isinstance(whole, Mapping) else None
    if not isinstance(part, list):
        raise Exclusion(reason, f"no {key}")
    return part


def _resources(path: Path) -> Iterator[dict[str, Any]]:
    with _KIND.decoding(path), gzip.open(path) as file:
        for line in file:
            yield _KIND.parse_json(path, line, _RESOURCE)


def _fetch(database: str, filter: str, record: Path, structures: Path) -> None:
    """Ask the database, and write its answer and what it says about it."""
    _check_filter(filter)
    url = _address(database)
    client = _client(base_urls=url)
    about = _information(client, url, "info", "attributes")
    offered = _information(client, url, "info/structures", "properties")
    with write_atomically(structures) as temporary:
        # Without a name and a time in it the file depends on the answer alone.
        with open(temporary, "wb") as raw, gzip.GzipFile("", "wb", fileobj=raw, mtime=0) as file:
            n_structures, meta = _download(client, url, filter, offered, file)
        announced = meta.get("data_returned")
        if not n_structures or n_structures < (announced or 0):
            raise SgbenchError(
                f"{url} answered with {n_structures} of {announced} structures for the filter "
                f"'{filter}'; expected all, and at least one. Mend the filter, or try again later."
            )
    provider = meta.get("provider")
    stated = {
        "database": url,
        "filter": filter,
        "provider": provider.get("name", "unknown") if isinstance(provider, dict) else "unknown",
        "api_version": meta.get("api_version", "unknown"),
        "fetched": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "n": n_structures,
        "licence": _licence(about),
    }
    with write_atomically(record) as temporary:
        temporary.write_text(json.dumps(stated, indent=1))


def _download(
    client: Any, url: str, filter: str, offered: Mapping[str, Any], file: gzip.GzipFile
) -> tuple[int, dict[str, Any]]:
    """Write all structures of the answer, one a line; return their number and what came along."""
    seen: set[str] = set()
    position: str | None = None

    def keep(_: str, page: dict[str, Any]) -> None:
        nonlocal position
        before = len(seen)
        _check_page(page)
        for resource in page["data"]:
            structure_id = str(resource["id"])
            if structure_id not in seen:
                attributes = {k: v for k, v in resource["attributes"].items() if k in _FIELDS}
                line = json.dumps({"id": structure_id, "attributes": _without_nan(attributes)})
                file.write(line.encode() + b"\n")
                seen.add(structure_id)
        page["data"] = [None] * len(page["data"])  # the client need not hold them as well
        following = page["links"].get("next")
        following = following["href"] if isinstance(following, dict) else following
        if following and len(seen) == before:
            raise RuntimeError("pages without end: one brings nothing new and leads to another")
        if not following and page["meta"].get("more_data_available") is True:
            raise RuntimeError("meta.more_data_available is true, but links.next leads nowhere")
        position = following

    client.callbacks = [_check_members, keep]
    in_vain = 0
    while True:
        before = len(seen)
        answer = _get(
            client,
            url,
            "structures",
            quote(filter, safe=""),
            response_fields=[field for field in _FIELDS if field in offered] or None,
            # Pages of a sorted answer neither overlap nor leave gaps, and the file is the same
            # each time.
            sort="id" if (offered.get("id") or {}).get("sortable") else None,
            override_url=position,
        )
        if not answer.errors:
            return len(seen), answer.meta
        # It broke off on the way: what is there stays, and the next page is asked for again.
        in_vain = 0 if len(seen) > before else in_vain + 1
        if in_vain == _ATTEMPTS:
            raise _failed(url, answer.errors)
        time.sleep(_PAUSE)


def _information(client: Any, url: str, endpoint: str, member: str) -> dict[str, Any]:
    client.callbacks = [_check_members]
    answer = _get(client, url, endpoint, "", paginate=False)
    if answer.errors or not isinstance(answer.data, dict):
        raise _failed(url, answer.errors or [f"nothing at {endpoint}"])
    found = answer.data.get(member)
    if not isinstance(found, dict | None):
        raise _failed(url, [f"data.{member} of {endpoint} is {_named(found)}, not an object"])
    return found or {}


def _check_members(_: str, page: Mapping[str, Any]) -> None:
    """Raise where a part of an answer is not what the client takes for granted."""
    _check_kind("meta", page["meta"], dict, "an object")
    _check_kind("links", page["links"], dict, "an object")
    _check_kind("meta.data_returned", page["meta"].get("data_returned"), int | None, "a number")
    _check_kind("links.next", page["links"].get("next"), str | dict | None, "an address")
    if isinstance(following := page["links"].get("next"), dict):
        _check_kind("links.next.href", following.get("href", 0), str | None, "an address")


def _check_page(page: Mapping[str, Any]) -> None:
    _check_kind("data", page["data"], list, "a list")
    for i, resource in enumerate(page["data"]):
        _check_kind(f"data[{i}]", resource, dict, "an object")
        _check_kind(f"data[{i}].id", resource.get("id"), str | int, "a text")
        _check_kind(f"data[{i}].attributes", resource.get("attributes"), dict, "an object")


def _check_kind(name: str, value: object, kind: Any, expected: str) -> None:
    if not isinstance(value, kind) or isinstance(value, bool):
        raise RuntimeError(f"{name} is {_named(value)}, where {expected} is expected")


def _without_nan(value: Any) -> Any:
    """Return a value of JSON with null for numbers that JSON has not, but some services write."""
    if isinstance(value, dict):
        return {key: _without_nan(one) for key, one in value.items()}
    if isinstance(value, list):
        return [_without_nan(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _named(value: object) -> str:
    """Return how JSON writes a value, cut to what can be read."""
    return json.dumps(value)[:40]


def _get(client: Any, url: str, endpoint: str, filter: str, **options: Any) -> Any:
    """Return the client's collected pages; what went wrong is in their list of errors."""
    try:
        with redirect_stderr(StringIO()):  # errors are not ours to print, but to report
            return client.get_one(endpoint, filter, url, **options)[url]
    except IndexError as error:  # the client's, for an error without a message
        raise _failed(url, [repr(error.__context__)]) from error


def _failed(url: str, errors: Sequence[object]) -> SgbenchError:
    problem = " ".join("; ".join(map(str, errors)).split())[:300]
    return SgbenchError(
        f"{url} does not answer as an OPTIMADE database should ({problem}). Check the address and "
        "the filter, or try again later."
    )


def _check_filter(filter: str) -> None:
    from optimade.exceptions import BadRequest
    from optimade.filterparser import LarkParser

    try:
        LarkParser().parse(filter)
    except BadRequest as error:
        raise SgbenchError(
            f"'{filter}' is no OPTIMADE filter ({' '.join(str(error).split())}); expected e.g. "
            'elements HAS "Si" AND nelements=2. Mend it.'
        ) from error


def _address(database: str) -> str:
    """Return the address of a database, without version and endpoint."""
    if "://" in database:
        return re.sub(r"(/v\d[\d.]*)?(/structures)?/*$", "", database)
    try:
        found = list(_client(include_providers=[database]).base_urls)
    # SystemExit: the client ends the process where it finds none.
    except (OSError, RuntimeError, ValueError, SystemExit) as error:
        raise SgbenchError(
            f"no database of an OPTIMADE provider '{database}' was found ({error}); expected the "
            "id of a registered provider (https://providers.optimade.org) or an address. Give "
            "the address of the database."
        ) from error
    if len(found) > 1:
        raise SgbenchError(
            f"the OPTIMADE provider '{database}' has several databases: {', '.join(found)}. Give "
            "the address of one."
        )
    return str(found[0]).rstrip("/")


def _client(**databases: Any) -> Any:
    import requests
    from optimade.client import OptimadeClient

    class Session(requests.Session):
        def __init__(self) -> None:
            super().__init__()
            # The client itself would repeat without end what is refused as too much.
            fetching.be_patient(self)

    return OptimadeClient(
        max_results_per_provider=_NO_LIMIT,
        headers={"User-Agent": fetching.user_agent("optimade")},
        http_timeout=fetching.TIMEOUT,
        use_async=False,
        silent=True,
        http_client=Session,
        **databases,
    )


def _licence(about: Mapping[str, Any]) -> str:
    if available := about.get("available_licenses"):
        return " or ".join(map(str, available))
    link = about.get("license")
    return str((link.get("href") if isinstance(link, dict) else link) or "as the database states")
