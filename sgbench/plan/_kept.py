"""Results of finished trainings that are kept with the project, so that nobody trains again."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from sgbench.archives import ENDING, read_archive, write_archive
from sgbench.checked import Count, FileKind, Text, record
from sgbench.evaluation import CLASS_SCHEMES, Score, read_score
from sgbench.files import all_or_none, write_atomically
from sgbench.models import get_trained_model
from sgbench.plan._jobs import Run, trainings
from sgbench.pretrained import read_pretrained
from sgbench.sets import DESIGNED, designed_set, family_set

#: Where they lie in the project, in a folder a scale.
KEPT = Path("results", "kept")

_MARK, _PACK = "run.json", f"results{ENDING}"
_HISTORY = "history.csv"
_KIND = FileKind("a mark of kept results", "what `sgbench keep` writes. Restore it.")
_PACK_KIND = FileKind("an archive of kept results", "what `sgbench keep` writes. Restore it.")
_FILE = record(
    "Mark", {"run_sha256": Text, "origin": dict[Text, Text | Count], "files": dict[Text, Text]}
)


def kept_mark(run: Run, settings: Mapping[str, Any], root: Path) -> Path | None:
    """Return the file that marks what is kept of a run, or None if nothing is.

    Parameters
    ----------
    run : Run
        One that trains a model.
    settings : mapping
        As `resolve_settings` returns them. What is kept of a run with another plan, other test sets
        or other structures is not taken, and nothing where they say so.
    root : Path
        Folder of the project.
    """
    mark = root / KEPT / settings["scale"] / run.folder / _MARK
    if not settings["kept"] or not mark.is_file():
        return None
    found = _KIND.read_json(mark, _FILE)
    fits = (_run_sha256(run, settings), _origin(run, settings))
    return mark if (found["run_sha256"], found["origin"]) == fits else None


def keep(settings: Mapping[str, Any], root: Path) -> Iterator[Run]:
    """Keep what is finished of a scale, and yield the runs that were not kept before.

    A run is finished when it has a score of this very plan for each of its test sets.

    Parameters
    ----------
    settings : mapping
        As `resolve_settings` returns them.
    root : Path
        Folder of the project.
    """
    results = root / "results" / settings["scale"]
    for run in trainings(settings):
        scores, history = results / "scores" / run.folder, results / "models" / run.folder
        if kept_mark(run, settings, root) or not scores.is_dir():
            continue
        origin = _origin(run, settings)
        found = [read_score(path, with_answers=True) for path in sorted(scores.glob("*.json"))]
        wanted = {(spec.name, scheme) for spec in run.test_sets for scheme in CLASS_SCHEMES}
        tested = {(one.test_set, one.class_scheme) for one in found if _is_of(one, origin)}
        if tested != wanted or len(found) != len(wanted) or not (history / _HISTORY).is_file():
            continue
        files = {path.name: path.read_bytes() for path in sorted(scores.glob("[!.]*"))}
        files[_HISTORY] = (history / _HISTORY).read_bytes()
        mark = {
            "run_sha256": _run_sha256(run, settings),
            "origin": origin,
            "files": {name: _sha256(content) for name, content in files.items()},
        }
        folder = root / KEPT / settings["scale"] / run.folder
        folder.mkdir(parents=True, exist_ok=True)
        with all_or_none():
            write_archive(folder / _PACK, files)
            with write_atomically(folder / _MARK) as temporary:
                temporary.write_text(json.dumps(mark, indent=1) + "\n")
        yield run


def take(mark: Path, history: Path, scores: Path) -> None:
    """Lay kept results where a training and its evaluation would have written them.

    Raises
    ------
    SgbenchError
        If a file is missing, or is not what was kept, or a score is of something else.
    """
    found = _KIND.read_json(mark, _FILE)
    files: dict[str, str] = found["files"]
    content_of = read_archive(mark.with_name(_PACK), _PACK_KIND)
    scores.mkdir(parents=True, exist_ok=True)
    with all_or_none():
        for name, digest in files.items():
            content = content_of.get(name, b"")
            if _sha256(content) != digest:
                raise _KIND.damaged(mark, f"{name} is not the file that it names")
            place = history if name == _HISTORY else scores / Path(name).name
            with write_atomically(place) as temporary:
                temporary.write_bytes(content)
                is_score = place.suffix == ".json"
                if is_score and not _is_of(read_score(temporary), found["origin"]):
                    raise _KIND.damaged(mark, f"{name} is of another training")


def _origin(run: Run, settings: Mapping[str, Any]) -> dict[str, str | int]:
    """Return what the scores of a run say of where they come from."""
    plan = run.training_plan
    begun = {"start_sha256": read_pretrained(plan.start).weights_sha256} if plan.start else {}
    return {
        "model": plan.model, "train_set": plan.dataset, "seed": plan.seed,
        "scale": settings["scale"], "plan_sha256": plan.sha256(), **begun,
    }  # fmt: skip


def _is_of(score: Score, origin: Mapping[str, str | int]) -> bool:
    return all(score.provenance.get(name) == value for name, value in origin.items())


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _run_sha256(run: Run, settings: Mapping[str, Any]) -> str:
    """Return a SHA-256 over all that a run's scores follow from: settings, data and model."""
    from sgbench.structures import VERSION  # seconds of imports, only where something is kept

    assert run.train_set is not None
    designed = [family_set(run.family)]
    if run.train_set.origin == DESIGNED:
        designed.append(designed_set(replace(run.train_set, conditions=())))
    data = [dataset.checksum() for dataset in designed]
    done = (one for spec in (run.train_set, *run.test_sets) for one in spec.conditions)
    data += [condition.identity() for condition in done]
    plan = run.training_plan
    versions = [VERSION, get_trained_model(run.model).version]
    shared = ("source", "crystals_per_family", "generated", "test_patterns_per_spacegroup")
    tested = [spec.name for spec in run.test_sets]
    said = {name: settings[name] for name in shared}
    content = [plan.values(), tested, said, data, versions]
    return _sha256(json.dumps(content, sort_keys=True).encode())
