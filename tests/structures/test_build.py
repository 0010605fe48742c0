import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from contextlib import closing
from dataclasses import fields, replace
from itertools import islice
from pathlib import Path

import numpy as np
import psutil
import pytest

from sgbench.cards import crystal_card
from sgbench.diffraction import PUBLISHED
from sgbench.errors import SgbenchError
from sgbench.files import file_sha256
from sgbench.structures import CrystalSet, _build, build_crystals, read_crystals
from sgbench.structures._build import DUPLICATE, TOO_SLOW, WORKER_DIED
from sgbench.structures._cleaning import DISAGREEMENT, OTHER_FAMILY
from sgbench.structures.sources import Entry, Excluded, Source
from sgbench.structures.sources.amcsd import amcsd, database_path
from sgbench.symmetry import family_of
from sgbench.workers import CRASHED, KILLED

# Some seconds of work, in some forty parts.
DRIVER = """
import sys
from pathlib import Path

from sgbench.structures import _build
from sgbench.structures.sources.amcsd import amcsd

path, database, workers = sys.argv[1:]
_build._CHUNK = 16
_build.build_crystals(Path(path), "cddd", amcsd(Path(database)), workers=int(workers))
"""


def source_of(entries, name="made-up", **provenance: str) -> Source:
    entries = tuple(entries)
    return Source(name, "nobody", "none", provenance, lambda: iter(entries), len(entries))


@pytest.fixture(scope="module")
def entries() -> tuple[Entry | Excluded, ...]:
    """Small entries of the AMCSD, some of which are left out."""
    small = (e for e in amcsd().read() if isinstance(e, Excluded) or len(e.positions) < 8)
    return tuple(islice(small, 0, 40 * 90, 90))


@pytest.fixture(scope="module")
def whole(entries, tmp_path_factory) -> Path:
    """The dataset of these entries, built in one part without a break."""
    path = tmp_path_factory.mktemp("whole") / "whole.parquet"
    build_crystals(path, "cddd", source_of(entries))
    return path


@pytest.fixture
def small_parts(monkeypatch):
    monkeypatch.setattr(_build, "_CHUNK", 7)


def parts_of(path: Path) -> list[Path]:
    return sorted(path.with_name(f".{path.name}.parts").glob("*.parquet"))


# What is built


def test_what_is_built(entries, whole):
    crystals = read_crystals(whole)
    ids = [entry.structure_id for entry in entries]
    order = [ids.index(structure_id) for structure_id in crystals.structure_id]
    assert order == sorted(order)
    assert len(crystals) + len(crystals.excluded) == len(entries)
    assert {e.structure_id for e in crystals.excluded}.isdisjoint(crystals.structure_id)
    assert len(crystals) > 25
    given = {entry.structure_id: entry for entry in entries}
    for i, structure_id in enumerate(crystals.structure_id):
        entry = given[structure_id]
        assert crystals.spacegroup[i] == entry.spacegroup
        assert crystals.family[i] == family_of(entry.spacegroup)
        assert crystals.name[i] == (entry.name or crystals.formula[i])
        assert crystals.citation[i] == entry.citation
    assert (np.diff(crystals.lines.offsets) > 0).all()
    assert set(crystals.split_stratified) <= {"train", "test"}
    assert set(crystals.split_grouped) <= {"train", "validation", "test"}


def test_metadata(whole):
    metadata = read_crystals(whole).metadata
    assert metadata["name"] == "cddd"
    assert metadata["version"] == _build.VERSION
    assert metadata["protocol"]["name"] == "canonical"
    assert metadata["source"] == {
        "name": "made-up", "citation": "nobody", "licence": "none", "provenance": {},
    }  # fmt: skip
    assert set(metadata["software"]) == {"cctbx-base", "gemmi", "spglib"}
    assert metadata["limit"] is None
    json.dumps(metadata)


def test_what_is_returned_is_what_is_written(entries, tmp_path):
    path = tmp_path / "cddd.parquet"
    built, read = build_crystals(path, "cddd", source_of(entries[:8])), read_crystals(path)
    for field in fields(CrystalSet):
        if field.name != "lines":
            np.testing.assert_array_equal(getattr(built, field.name), getattr(read, field.name))
    np.testing.assert_array_equal(built.lines.two_theta, read.lines.two_theta)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["cddd.parquet"]


def test_published_protocol(entries, whole, tmp_path):
    published = build_crystals(
        tmp_path / "p.parquet", "cddd", source_of(entries[:8]), protocol=PUBLISHED
    )
    canonical = read_crystals(whole)
    assert published.metadata["protocol"]["overlap"] == "first"
    assert published.lines.two_theta.max() <= 90
    n = len(published)
    assert published.structure_id == canonical.structure_id[:n]
    assert not np.array_equal(published.lines.offsets, canonical.lines.offsets[: n + 1])


# What is left out


def test_families(entries, tmp_path):
    crystals = build_crystals(
        tmp_path / "c.parquet", "cddd", source_of(entries), ["cubic", "tetragonal"]
    )
    assert set(crystals.family) == {"cubic", "tetragonal"}
    assert crystals.metadata["families"] == ["cubic", "tetragonal"]
    other = [e for e in crystals.excluded if e.reason == OTHER_FAMILY]
    assert {e.detail for e in other} >= {"orthorhombic", "monoclinic"}
    assert len(crystals) + len(crystals.excluded) == len(entries)


def test_entries_without_a_label_are_asked_about(entries, tmp_path):
    plain = [replace(e, spacegroup=None) for e in entries if isinstance(e, Entry)][:20]
    crystals = build_crystals(tmp_path / "c.parquet", "cddd", source_of(plain), ["cubic"])
    assert set(crystals.family) == {"cubic"}
    assert OTHER_FAMILY in {e.reason for e in crystals.excluded}
    assert len(crystals) + len(crystals.excluded) == 20


@pytest.mark.parametrize("workers", [1, 2])
def test_limit(entries, whole, tmp_path, workers, small_parts):
    limited = build_crystals(
        tmp_path / "c.parquet", "cddd", source_of(entries), workers=workers, limit=3
    )
    assert max(Counter(limited.family).values()) == 3
    assert limited.metadata["limit"] == 3
    # They are the first of the source.
    everything = read_crystals(whole)
    for family in set(everything.family):
        first = [i for i, f in zip(everything.structure_id, everything.family, strict=True)
                 if f == family][:3]  # fmt: skip
        found = [i for i, f in zip(limited.structure_id, limited.family, strict=True)
                 if f == family]  # fmt: skip
        assert found == first


def test_a_limit_gives_the_same_with_several_workers(entries, tmp_path, small_parts):
    sums = set()
    for workers in (1, 2):
        path = tmp_path / f"{workers}.parquet"
        build_crystals(path, "cddd", source_of(entries), workers=workers, limit=2)
        sums.add(file_sha256(path))
    assert len(sums) == 1


def test_a_limit_does_not_read_on(entries, tmp_path, small_parts):
    cubic = [e for e in entries if isinstance(e, Entry) and family_of(e.spacegroup) == "cubic"]
    read = 0

    def entries_without_end():
        nonlocal read
        while True:
            for entry in cubic:
                read += 1
                yield replace(entry, structure_id=f"{entry.structure_id}-{read}")

    source = Source("endless", "", "", {}, entries_without_end)
    limited = build_crystals(tmp_path / "c.parquet", "cddd", source, ["cubic"], limit=5)
    assert len(limited) <= 5
    assert read < 40


def test_duplicates(entries, tmp_path):
    entry = next(e for e in entries if isinstance(e, Entry) and family_of(e.spacegroup) == "cubic")

    def other(structure_id: str, scale: float = 1.0, **changes) -> Entry:
        cell = (*(edge * scale for edge in entry.cell[:3]), *entry.cell[3:])
        return replace(entry, structure_id=structure_id, cell=cell, **changes)

    crystals = build_crystals(
        tmp_path / "c.parquet", "cddd",
        source_of([
            other("first"), other("copy", name="Of another name"), other("rounded", 1 + 2e-5),
            other("hot", 1.002), other("copy of hot", 1.002),
        ]),
    )  # fmt: skip
    assert crystals.structure_id == ("first", "hot")
    assert crystals.excluded == (
        Excluded("copy", DUPLICATE, "of first"),
        Excluded("rounded", DUPLICATE, "of first"),
        Excluded("copy of hot", DUPLICATE, "of hot"),
    )


def test_the_table_of_exclusions_says_why(entries, tmp_path):
    entry = next(e for e in entries if isinstance(e, Entry) and e.spacegroup == 225)
    unknown = (*("Qq" if element == "S" else element for element in entry.elements),)
    assert "Qq" in unknown
    crystals = build_crystals(
        tmp_path / "c.parquet",
        "cddd",
        source_of([
            Excluded("at the source", "unreadable", "half a file"),
            replace(entry, structure_id="label", spacegroup=216),
            replace(entry, structure_id="element", elements=unknown),
            entry,
        ]),
    )  # fmt: skip
    assert crystals.structure_id == (entry.structure_id,)
    reasons = {e.structure_id: (e.reason, e.detail) for e in crystals.excluded}
    assert reasons["at the source"] == ("unreadable", "half a file")
    assert reasons["label"] == (DISAGREEMENT, "label 216, spglib 225")
    assert reasons["element"][0] == "structure factors not calculated"
    assert "Qq" in reasons["element"][1]


def answering(other, number):
    """Return the pool with another answer to one of the requests."""
    real = _build.answers_in_order

    def answers(*arguments):
        with closing(real(*arguments)) as given:
            for n, answer in enumerate(given):
                yield other if n == number else answer

    return answers


def test_a_calculation_that_crashes_costs_one_structure(entries, tmp_path, monkeypatch):
    crash = {CRASHED: "Segmentation fault" * 100}
    monkeypatch.setattr(_build, "answers_in_order", answering(crash, 1))
    good = [e for e in entries if isinstance(e, Entry)][:4]
    path = tmp_path / "c.parquet"
    crystals = build_crystals(path, "cddd", source_of(good))
    assert crystals.structure_id == tuple(e.structure_id for i, e in enumerate(good) if i != 1)
    (excluded,) = crystals.excluded
    assert (excluded.structure_id, excluded.reason) == (good[1].structure_id, WORKER_DIED)
    assert excluded.detail.startswith("Segmentation fault")
    assert len(excluded.detail) == 200
    assert read_crystals(path).unanswered == (good[1].structure_id,)
    assert "**Not complete**" in crystal_card(crystals, path)


def test_a_complete_file_has_answers_about_everything(whole):
    assert read_crystals(whole).unanswered == ()
    assert "**Not complete**" not in crystal_card(read_crystals(whole), whole)


def test_what_takes_too_long_is_left_out(entries, tmp_path, monkeypatch):
    monkeypatch.setattr(_build, "_TIME_LIMIT", 1e-5)
    good = [e for e in entries if isinstance(e, Entry)][:2]
    with pytest.raises(SgbenchError, match=f"no structure.*{TOO_SLOW}': 2"):
        build_crystals(tmp_path / "c.parquet", "cddd", source_of(good))


def test_requests_that_cannot_be_met(entries, tmp_path):
    path = tmp_path / "cddd.parquet"
    with pytest.raises(SgbenchError, match="unknown family"):
        build_crystals(path, "cddd", source_of(entries), ["hexagonal"])
    with pytest.raises(SgbenchError, match="limit of 0"):
        build_crystals(path, "cddd", source_of(entries), limit=0)
    with pytest.raises(SgbenchError, match="at least one"):
        build_crystals(path, "cddd", source_of(entries), workers=0)
    with pytest.raises(SgbenchError, match=r"no structure of the source 'made-up' is left for c"):
        build_crystals(path, "cddd", source_of(entries[1:2]), ["triclinic", "cubic"])
    assert not path.exists()


def test_progress_is_shown(entries, tmp_path, capsys):
    build_crystals(tmp_path / "c.parquet", "cddd", source_of(entries[:3]), progress=True)
    assert "cddd: 100%" in capsys.readouterr().err


# Stopping and going on


def test_parts_and_workers_do_not_matter(entries, whole, tmp_path, small_parts):
    for workers in (1, 2):
        path = tmp_path / f"{workers}.parquet"
        build_crystals(path, "cddd", source_of(entries), workers=workers)
        assert file_sha256(path) == file_sha256(whole)


class Stopped(Exception):
    pass


def stopping(entries, after: int) -> Source:
    """The same source, which fails on the way."""

    def read():
        yield from entries[:after]
        raise Stopped

    return replace(source_of(entries), read=read)


@pytest.fixture(scope="module")
def remains(entries, tmp_path_factory) -> Path:
    """A folder with what a build of parts of seven left that failed at the thirtieth entry."""
    folder = tmp_path_factory.mktemp("stopped")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_build, "_CHUNK", 7)
        with pytest.raises(Stopped):
            build_crystals(folder / "cddd.parquet", "cddd", stopping(entries, after=30))
    assert 2 <= len(parts_of(folder / "cddd.parquet")) <= 4
    return folder


@pytest.fixture
def stopped(remains, tmp_path, small_parts) -> Path:
    """The file whose build was stopped, in a folder of its own."""
    shutil.copytree(remains, tmp_path, dirs_exist_ok=True)
    assert not (tmp_path / "cddd.parquet").exists()
    return tmp_path / "cddd.parquet"


@pytest.fixture
def asked(monkeypatch) -> list[str]:
    """The ids of the entries that workers were asked about."""
    ids: list[str] = []
    real = _build.answers_in_order

    def remembering(module, requests, *arguments):
        def remembered():
            for request in requests:
                ids.append(request["entry"]["structure_id"])
                yield request

        return real(module, remembered(), *arguments)

    monkeypatch.setattr(_build, "answers_in_order", remembering)
    return ids


def test_a_build_goes_on_where_it_stopped(entries, whole, stopped, asked):
    done = 7 * len(parts_of(stopped))
    build_crystals(stopped, "cddd", source_of(entries))
    assert asked == [e.structure_id for e in entries[done:] if isinstance(e, Entry)]
    assert file_sha256(stopped) == file_sha256(whole)
    assert list(stopped.parent.iterdir()) == [stopped]


def test_a_worker_that_is_killed_changes_nothing(entries, whole, tmp_path, monkeypatch):
    real = _build.answers_in_order
    signals = [signal.SIGKILL, signal.SIGTERM]

    def with_kills(*arguments):
        for number, answer in enumerate(real(*arguments)):
            yield answer
            if number % 9 == 0 and signals:  # more than wait, so none is hit twice on one request
                random.choice(psutil.Process().children()).send_signal(signals.pop())

    monkeypatch.setattr(_build, "answers_in_order", with_kills)
    path = tmp_path / "cddd.parquet"
    build_crystals(path, "cddd", source_of(entries), workers=2)
    assert not signals
    assert file_sha256(path) == file_sha256(whole)


def test_a_build_goes_on_at_what_killed_a_worker_twice(
    entries, whole, tmp_path, small_parts, monkeypatch
):
    path = tmp_path / "cddd.parquet"
    with monkeypatch.context() as patch:
        patch.setattr(_build, "answers_in_order", answering({KILLED: "Killed"}, 20))
        with pytest.raises(SgbenchError, match=r"died twice \(Killed\).*Run again.*goes on"):
            build_crystals(path, "cddd", source_of(entries))
    assert parts_of(path)
    build_crystals(path, "cddd", source_of(entries))
    assert file_sha256(path) == file_sha256(whole)


@pytest.mark.parametrize(
    "change",
    [
        {"families": ["cubic", "orthorhombic"]},
        {"protocol": PUBLISHED},
        {"limit": 2},
        {"name": "gcdd"},
        {"source": {"database_sha256": "other"}},
        {"VERSION": 4},
        {"version": lambda package: "99"},
    ],
    ids=["families", "protocol", "limit", "name", "source", "version", "software"],
)
def test_parts_of_another_plan_are_not_used(entries, stopped, tmp_path, change, monkeypatch):
    settings = dict(change)
    for name in ("VERSION", "version"):
        if name in settings:
            monkeypatch.setattr(_build, name, settings.pop(name))
    source = source_of(entries[:16], **settings.pop("source", {}))
    arguments = settings.pop("name", "cddd"), source
    build_crystals(stopped, *arguments, **settings)
    fresh = tmp_path / "fresh.parquet"
    build_crystals(fresh, *arguments, **settings)
    assert file_sha256(stopped) == file_sha256(fresh)
    assert len(read_crystals(fresh).structure_id) <= 16
    assert not parts_of(stopped)


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(path.read_bytes()[:-50]),
        lambda path: path.write_bytes(path.read_bytes()[:500] + b"?" + path.read_bytes()[501:]),
        lambda path: path.unlink(),
        lambda path: (path.unlink(), path.mkdir()),
        lambda path: path.with_name("plan.json").unlink(),
        lambda path: path.with_name("plan.json").write_text("{"),
        lambda path: path.with_name("000007.parquet").write_bytes(path.read_bytes()),
    ],
    ids=["empty", "cut", "changed", "missing", "folder", "no plan", "half a plan", "gap"],
)
def test_damaged_parts_are_computed_again(entries, whole, stopped, damage):
    damage(parts_of(stopped)[1])
    build_crystals(stopped, "cddd", source_of(entries))
    assert file_sha256(stopped) == file_sha256(whole)
    assert list(stopped.parent.iterdir()) == [stopped]


def test_no_changed_byte_of_a_part_goes_unnoticed(stopped):
    folder = parts_of(stopped)[0].parent
    metadata = json.loads((folder / "plan.json").read_text())
    kept = {path.name: path.read_bytes() for path in folder.iterdir()}
    _, original, *_ = _build._saved_parts(folder, metadata)
    rng = random.Random(0)
    unharmed = 0
    for _ in range(200):
        content = bytearray(kept["000001.parquet"])
        content[rng.randrange(len(content))] ^= 1 << rng.randrange(8)
        folder.mkdir(exist_ok=True)
        for name, before in kept.items():
            (folder / name).write_bytes(content if name == "000001.parquet" else before)
        if found := _build._saved_parts(folder, metadata):  # a byte that means nothing
            unharmed += 1
            assert len(found) == len(kept) - 1
            for name in (field.name for field in fields(CrystalSet)):
                left, right = getattr(found[1], name), getattr(original, name)
                if name == "lines":
                    np.testing.assert_array_equal(left.two_theta, right.two_theta)
                    np.testing.assert_array_equal(left.intensity, right.intensity)
                else:
                    np.testing.assert_array_equal(left, right)
    assert unharmed < 100


# Killing


@pytest.fixture(scope="module")
def database(tmp_path_factory) -> Path:
    """Six hundred small entries of the AMCSD."""
    path = tmp_path_factory.mktemp("amcsd") / "amcsd.db"
    shutil.copy(database_path(), path)
    path.chmod(0o644)
    with sqlite3.connect(path) as connection:
        few = "SELECT id FROM cif WHERE length(atoms_sites) < 40 ORDER BY id"
        ids = [number for (number,) in connection.execute(few)][::8]
        assert len(ids) > 600
        kept = ",".join(map(str, ids[:620]))
        connection.execute(f"DELETE FROM cif WHERE id NOT IN ({kept})")
    connection.close()
    return path


def start(path: Path, database: Path, workers: int) -> subprocess.Popen:
    return subprocess.Popen(
        [sys.executable, "-c", DRIVER, str(path), str(database), str(workers)],
        stderr=subprocess.PIPE,
        start_new_session=True,
    )


def stop(process: subprocess.Popen, sign: signal.Signals, whole_group: bool = False) -> None:
    """End a build, and see that its workers end too."""
    family = psutil.Process(process.pid).children(recursive=True) if process.poll() is None else []
    if whole_group:
        os.killpg(process.pid, sign)
    else:
        process.send_signal(sign)
    process.communicate(timeout=60)
    end = time.monotonic() + 20
    while any(map(at_work, family)):
        assert time.monotonic() < end
        time.sleep(0.01)


def at_work(process: psutil.Process) -> bool:
    """Tell whether a process runs; one that is dead may wait long for the system to clear it."""
    try:
        return process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def wait_for_parts(path: Path, n: int, process: subprocess.Popen) -> None:
    end = time.monotonic() + 60
    while len(parts_of(path)) < n and process.poll() is None and time.monotonic() < end:
        time.sleep(0.005)


def test_killing_at_any_moment_changes_nothing(database, tmp_path):
    """Ten kills while it starts and while it works, and interrupts, alone and with its workers."""
    path = tmp_path / "cddd.parquet"
    rng = random.Random(1)
    signals = [(signal.SIGKILL, False)] * 10
    signals[4:4] = [(signal.SIGINT, False), (signal.SIGINT, True)]
    done = 0
    for moment, (sign, whole_group) in enumerate(signals):
        process = start(path, database, workers=1 + moment % 2)
        if moment == 0:
            time.sleep(rng.uniform(0.1, 1.0))
        else:
            wait_for_parts(path, done + 1, process)
            time.sleep(rng.uniform(0.0, 0.05))
        assert process.poll() is None
        stop(process, sign, whole_group)
        assert process.returncode != 0
        assert len(parts_of(path)) >= done
        done = len(parts_of(path))
    assert done > 10
    assert not path.exists()
    process = start(path, database, workers=2)
    _, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    assert list(tmp_path.iterdir()) == [path]

    uninterrupted = tmp_path / "uninterrupted.parquet"
    built = build_crystals(uninterrupted, "cddd", amcsd(database), workers=2)
    assert len(built) + len(built.excluded) == 620
    assert len(built) > 500
    assert file_sha256(path) == file_sha256(uninterrupted)
