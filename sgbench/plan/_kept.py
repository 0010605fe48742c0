"""Results of finished trainings that are kept with the project, so that nobody trains again."""

import hashlib
import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from sgbench.checked import FileKind, Text, record
from sgbench.evaluation import read_score
from sgbench.files import all_or_none, write_atomically
from sgbench.plan._jobs import Run, trainings

#: Where they lie in the project, in a folder a scale.
KEPT = Path("results", "kept")

_MARK = "run.json"
_HISTORY = "history.csv"
_KIND = FileKind("a mark of kept results", "what `sgbench keep` writes. Restore it.")
_FILE = record("Mark", {"run_sha256": Text, "files": dict[Text, Text]})


def kept_mark(run: Run, settings: Mapping[str, Any], root: Path) -> Path | None:
    """Return the file that marks what is kept of a run, or None if nothing is.

    Parameters
    ----------
    run : Run
        One that trains a model.
    settings : mapping
        As `resolve_settings` returns them. What is kept of a run with another plan, other test sets
        or other structures is not taken.
    root : Path
        Folder of the project.
    """
    mark = root / KEPT / settings["scale"] / run.folder / _MARK
    if not mark.is_file():
        return None
    fits = _KIND.read_json(mark, _FILE)["run_sha256"] == _run_sha256(run, settings)
    return mark if fits else None


def keep(settings: Mapping[str, Any], root: Path) -> Iterator[Run]:
    """Keep what is finished of a scale, and yield the runs that were not kept before.

    Each score is read before it is kept.

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
        files = {_HISTORY: history / _HISTORY}
        for path in sorted(scores.glob("[!.]*")):
            files[path.name] = path
            if path.suffix == ".json":
                read_score(path, with_answers=True)
        folder = root / KEPT / settings["scale"] / run.folder
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        with all_or_none():
            sums = {}
            for name, path in files.items():
                content = path.read_bytes()
                sums[name] = hashlib.sha256(content).hexdigest()
                with write_atomically(folder / name) as temporary:
                    temporary.write_bytes(content)
            with write_atomically(folder / _MARK) as temporary:
                mark = {"run_sha256": _run_sha256(run, settings), "files": sums}
                temporary.write_text(json.dumps(mark, indent=1) + "\n")
        yield run


def take(mark: Path, history: Path, scores: Path) -> None:
    """Lay kept results where a training and its evaluation would have written them.

    Raises
    ------
    SgbenchError
        If a file is missing, or is not what was kept.
    """
    files: dict[str, str] = _KIND.read_json(mark, _FILE)["files"]
    scores.mkdir(parents=True, exist_ok=True)
    with all_or_none():
        for name, digest in files.items():
            path = mark.parent / Path(name).name
            content = _KIND.read_bytes(path)
            if hashlib.sha256(content).hexdigest() != digest:
                raise _KIND.damaged(mark, f"{path.name} is not the file that it names")
            with write_atomically(history if name == _HISTORY else scores / path.name) as temporary:
                temporary.write_bytes(content)


def _run_sha256(run: Run, settings: Mapping[str, Any]) -> str:
    """Return a SHA-256 over all that the settings say of a run's scores."""
    shared = ("source", "crystals_per_family", "generated", "test_patterns_per_spacegroup")
    tested = [spec.name for spec in run.test_sets]
    content = [asdict(run.training_plan), tested, {name: settings[name] for name in shared}]
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
