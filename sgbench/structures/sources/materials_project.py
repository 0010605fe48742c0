"""Computed structures of the Materials Project, through its client ``mp-api``.

For a whole collection the client would go to the project's object store and fetch all that is known
of each material. Structures are a small part of that, so they are asked for in pages of ids, each
of which is kept as soon as it is there.
"""

import gzip
import hashlib
import json
import os
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from tqdm import tqdm

from sgbench import fetching
from sgbench.checked import Count, FileKind, Text, record
from sgbench.errors import SgbenchError
from sgbench.files import file_sha256, write_atomically
from sgbench.structures.sources._entry import NO_COORDINATES, Entry, Excluded, Source
from sgbench.structures.sources._structure_dict import entry_from_dict
from sgbench.structures.sources._symbols import spacegroup_of

CITATION = (
    "A. Jain et al., Commentary: The Materials Project: A materials genome approach to "
    "accelerating materials innovation, APL Materials 1, 011002 (2013)"
)
LICENCE = "CC BY 4.0"

_KEY = "MP_API_KEY"

# What is asked for. Structures that were contributed under another licence than the rest (GNoME, no
# commercial use) are left out.
_QUERY: dict[str, Any] = {"deprecated": False, "include_gnome": False}
_CRITERIA = {"deprecated": False, "batch_id_not_eq": "gnome_r2scan_statics"}
_FIELDS = ["material_id", "formula_pretty", "symmetry", "structure"]

# Ids on a page: as many as an address holds with ease.
_PAGE = 250
_IDS_AT_A_TIME = 1000
# How often something is asked for that broke off on the way, and the first of the doubling pauses
# in between, in seconds.
_KIND = FileKind("what an earlier run fetched", "a whole file. Delete it and run again.")
_PLAN = record(
    "Plan",
    {
        "ids": list[Text],
        "query": Any,
        "page": Count,
        **dict.fromkeys(("database_version", "fetched"), Text),
    },
    ("query", "page"),
    others=True,
)
_DOCUMENT = record("Document", {"material_id": Text}, others=True)
_ATTEMPTS = 3
_PAUSE = 5.0

T = TypeVar("T")


def materials_project(cache: Path, endpoint: str | None = None) -> Source:
    """Return the structures of the Materials Project as a source, fetching what is not yet there.

    Parameters
    ----------
    cache : Path
        Folder in which the answers are kept; what it has is not asked for again, and once it has
        all, neither the key nor a network is needed.
    endpoint : str, optional
        Address of the service; by default the one that ``mp-api`` is set to.

    Returns
    -------
    Source
        In the order of the sorted ids; the label is the number of the space group that the project
        gives.

    Raises
    ------
    SgbenchError
        If the environment variable ``MP_API_KEY`` is missing or wrong, the service fails
        repeatedly, or the folder holds answers from another version of the database.
    """
    folder = Path(cache) / "materials-project"
    plan = _read_plan(folder)
    if plan is None or _missing(folder, plan):
        plan = _fetch(folder, plan, endpoint)
    pages = [_page_path(folder, number) for number in range(len(_pages(plan)))]
    content = hashlib.sha256("".join(map(file_sha256, pages)).encode())

    def read() -> Iterator[Entry | Excluded]:
        for path, ids in zip(pages, _pages(plan), strict=True):
            documents = {document["material_id"]: document for document in _read_page(path)}
            for material_id in ids:
                yield _entry(material_id, documents.get(material_id))

    return Source(
        name="materials-project",
        citation=CITATION,
        licence=LICENCE,
        provenance={
            "database_version": plan["database_version"],
            "query": json.dumps(plan["query"]),
            "fetched": plan["fetched"],
            "sha256": content.hexdigest(),
        },
        read=read,
        total=len(plan["ids"]),
    )


def _entry(material_id: str, document: Mapping[str, Any] | None) -> Entry | Excluded:
    if document is None:
        return Excluded(material_id, NO_COORDINATES, "the service lists it and has no document")
    symmetry = document.get("symmetry")
    number = symmetry.get("number") if isinstance(symmetry, Mapping) else None
    return entry_from_dict(
        document.get("structure"),
        material_id,
        name=str(document.get("formula_pretty") or ""),
        spacegroup=spacegroup_of(number),
        citation=f"Materials Project, {material_id}",
    )


def _read_plan(folder: Path) -> dict[str, Any] | None:
    """Return what is to be fetched, if that was found out before."""
    path = folder / "plan.json"
    if not path.exists():
        return None
    plan: dict[str, Any] = _KIND.read_json(path, _PLAN)
    if plan.get("query") != _QUERY or plan.get("page") != _PAGE:
        raise SgbenchError(
            f"{folder} was filled by another version of sgbench, which asked for "
            f"{plan.get('query')}; expected {_QUERY}. Delete the folder to fetch anew, or name "
            "another place."
        )
    return plan


def _pages(plan: Mapping[str, Any]) -> list[Sequence[str]]:
    ids = plan["ids"]
    return [ids[start : start + _PAGE] for start in range(0, len(ids), _PAGE)]


def _page_path(folder: Path, number: int) -> Path:
    return folder / f"page-{number:05d}.jsonl.gz"


def _missing(folder: Path, plan: Mapping[str, Any]) -> list[int]:
    return [n for n in range(len(_pages(plan))) if not _page_path(folder, n).exists()]


def _read_page(path: Path) -> list[dict[str, Any]]:
    with _KIND.decoding(path), gzip.open(path) as file:
        return [_KIND.parse_json(path, line, _DOCUMENT) for line in file]


def _fetch(folder: Path, plan: dict[str, Any] | None, endpoint: str | None) -> dict[str, Any]:
    """Fetch what the folder lacks; return the plan, now carried out."""
    key = os.environ.get(_KEY, "").strip()
    if not key:
        raise SgbenchError(
            f"the Materials Project asks for a key, and the environment variable {_KEY} is not "
            "set. Get one for free at https://materialsproject.org/dashboard and set it, or take "
            "a source that needs none: amcsd, optimade, cif-folder, table."
        )
    import requests

    with requests.Session() as session:
        session.headers["User-Agent"] = fetching.user_agent("mp-api")
        fetching.be_patient(session)
        service, version = _patiently(folder, partial(_connect, session, key, endpoint))
        if plan is None:
            ids = _list_ids(folder, service)
            plan = {
                "database_version": version,
                "query": _QUERY,
                "page": _PAGE,
                "fetched": time.strftime("%Y-%m-%d", time.gmtime()),
                "ids": ids,
            }
            with write_atomically(folder / "plan.json") as temporary:
                temporary.write_text(json.dumps(plan))
        elif plan["database_version"] != version:
            raise SgbenchError(
                f"{folder} holds a part of version {plan['database_version']} of the Materials "
                f"Project, which by now has version {version}; the two cannot be mixed. Delete the "
                "folder to fetch the new version, or name another place."
            )
        pages = _pages(plan)
        missing = _missing(folder, plan)
        for number in tqdm(missing, desc="Materials Project", unit="page", disable=None):
            documents = _patiently(folder, partial(_documents, service, pages[number]))
            _write_page(_page_path(folder, number), documents)
    return plan


def _connect(session: Any, key: str, endpoint: str | None) -> tuple[Any, str]:
    """Return the client's access to summaries, and the version of the database."""
    from mp_api.client.core.settings import MAPI_CLIENT_SETTINGS
    from mp_api.client.routes.materials.summary import SummaryRester

    address = (endpoint or MAPI_CLIENT_SETTINGS.ENDPOINT).rstrip("/") + "/"
    # The client asks for this too, but without a limit of time, and only once a process.
    answer = session.get(f"{address}heartbeat", timeout=fetching.TIMEOUT)
    answer.raise_for_status()
    version = str(answer.json()["db_version"])
    service = SummaryRester(
        api_key=key,
        endpoint=address,
        session=session,
        use_document_model=False,
        mute_progress_bars=True,
        db_version=version,
        timeout=fetching.TIMEOUT,
    )
    return service, version


def _list_ids(folder: Path, service: Any) -> list[str]:
    expected = _patiently(folder, partial(service.count, dict(_CRITERIA)))
    ids: set[str] = set()
    for page in range(1, -(-expected // _IDS_AT_A_TIME) + 1):
        ids.update(_patiently(folder, partial(_page_of_ids, service, page)))
    if len(ids) != expected:
        raise SgbenchError(
            f"the Materials Project listed {len(ids)} of {expected} materials; expected all of "
            "them. Try again later."
        )
    return sorted(ids)


def _page_of_ids(service: Any, page: int) -> list[str]:
    found = service.search(
        **_QUERY,
        fields=["material_id"],
        num_chunks=1,
        chunk_size=_IDS_AT_A_TIME,
        _page=page,
        _sort_fields="material_id",
    )
    return [str(document["material_id"]) for document in found]


def _documents(service: Any, ids: Sequence[str]) -> list[dict[str, Any]]:
    found = service.search(
        **_QUERY, material_ids=list(ids), fields=_FIELDS, num_chunks=1, chunk_size=_PAGE
    )
    return sorted(found, key=lambda document: str(document["material_id"]))


def _write_page(path: Path, documents: Sequence[Mapping[str, Any]]) -> None:
    lines = "".join(
        json.dumps({field: document.get(field) for field in _FIELDS}, sort_keys=True) + "\n"
        for document in documents
    )
    with write_atomically(path) as temporary:
        # Without a time in it the file depends on the answers alone.
        temporary.write_bytes(gzip.compress(lines.encode(), mtime=0))


def _patiently(folder: Path, ask: Callable[[], T]) -> T:
    """Ask again where an answer broke off on its way.

    Raises
    ------
    SgbenchError
        If the key is refused, or nothing helped.
    """
    import requests
    from mp_api.client.core.exceptions import MPRestError

    for attempt in range(_ATTEMPTS):
        if attempt:
            time.sleep(_PAUSE * 2 ** (attempt - 1))
        try:
            return ask()
        except (KeyError, MPRestError, ValueError, requests.RequestException) as error:
            problem = " ".join(str(error).split())[:300]
            if re.search(r"status code 40[13]|Valid API keys", problem):
                raise SgbenchError(
                    f"the Materials Project refuses the key in {_KEY} ({problem}). Copy it again "
                    "from https://materialsproject.org/dashboard."
                ) from error
    raise SgbenchError(
        f"the Materials Project does not answer as it should ({problem}); asked {_ATTEMPTS} times. "
        f"What was fetched is kept in {folder}: run the same command again later, and it goes on "
        "from there."
    )
