"""`submission.yaml`: who made a model, of what, and what it takes."""

import difflib
import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

import yaml

from sgbench.errors import SgbenchError
from sgbench.models import is_reserved
from sgbench.submission._folder import (
    DESCRIPTION,
    MODEL,
    MOST_BYTES,
    PREDICTIONS,
    SEALED_PREDICTIONS,
    read_bytes,
)
from sgbench.submission._problems import Problem, shown
from sgbench.submission._track import Track
from sgbench.submission._yaml import load_yaml

_POINTS = 8192
_BATCH = 256
# Without these it is open what the predictions are of.
_NEEDED = {"track", "scale", "class_scheme"}


@dataclass(frozen=True)
class Contract:
    """What a model file takes and gives.

    Attributes
    ----------
    input, output : str
    n_points, channels : int
        Shape of the input is (n, n_points), or (n, 1, n_points) where `channels` is 1 and not 0.
    scaling : {'linear', 'sqrt'}
    max_pool : int
        Neighbouring points of which the highest is taken.
    gives : {'probabilities', 'logits'}
    batch_size : int
    labels : tuple of int
        Space group that each output column stands for (the lowest of its extinction class).
    """

    input: str
    output: str
    n_points: int
    channels: int
    scaling: str
    max_pool: int
    gives: str
    batch_size: int
    labels: tuple[int, ...]


@dataclass(frozen=True)
class Submission:
    """A submission whose description holds together; its predictions or its model may not.

    Attributes
    ----------
    folder : Path
    track : Track
    class_scheme : {'spacegroup', 'extinction'}
    train_set : str
        Empty where it is not known.
    contract : Contract or None
        None where there are predictions and no model.
    values : mapping
        All of `submission.yaml`.
    """

    folder: Path
    track: Track
    class_scheme: str
    train_set: str
    contract: Contract | None
    values: Mapping[str, Any]


def read_description(folder: Path) -> tuple[Submission | None, list[Problem]]:
    """Read `submission.yaml`, and say everything that is wrong with it.

    Returns
    -------
    submission : Submission or None
        None if what is wrong leaves open what is predicted; else the rest can be looked at, too.
    problems : list of Problem
    """
    try:
        values = load_yaml(read_bytes(folder / DESCRIPTION, MOST_BYTES[DESCRIPTION]).decode())
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        mark = getattr(error, "problem_mark", None)
        place = f", line {mark.line + 1}" if mark else ""
        words = getattr(error, "problem", None) or str(error).splitlines()[0]
        return None, [
            Problem(
                f"{folder.name}/{DESCRIPTION}{place}", f"it cannot be read: {shown(words)}",
                "YAML in UTF-8 with plain keys and values, each key once",
                "Mend it there, or start again from `sgbench submission new`.",
            )
        ]  # fmt: skip
    if not isinstance(values, dict):
        return None, [
            Problem(
                f"{folder.name}/{DESCRIPTION}", "it is not a list of keys and values",
                "`key: value` lines", "Start again from `sgbench submission new`.",
            )
        ]  # fmt: skip
    problems = [*_schema_problems(values), *_text_problems(values, "")]
    wrong = {problem.where.split(".")[0] for problem in problems}
    if "name" not in wrong and "name" in values:
        problems += _name_problems(folder, values)
    if "training_data" not in wrong and "training_data" in values:
        problems += _training_problems(values["training_data"])
    submission = None
    if not (wrong - {""}) & _NEEDED and values.keys() >= _NEEDED:
        track, more = _track(values)
        problems += more
        problems += _file_problems(folder, values)
        if track is not None:
            contract, more = (None, []) if "onnx" in wrong else _contract(values, track)
            problems += more
            if contract is not None or not (folder / MODEL).exists():
                known = "training_data" in values and "training_data" not in wrong
                train_set = values["training_data"]["name"] if known else ""
                submission = Submission(
                    folder, track, values["class_scheme"], train_set, contract, values
                )
    return submission, [_inside(folder, problem) for problem in problems]


@cache
def schema() -> Mapping[str, Any]:
    """Return the JSON Schema of `submission.yaml`."""
    text = files("sgbench.submission").joinpath("submission.schema.yaml").read_text("utf-8")
    loaded: dict[str, Any] = yaml.safe_load(text)
    return loaded


def _inside(folder: Path, problem: Problem) -> Problem:
    place = f", {problem.where}" if problem.where else ""
    return Problem(
        f"{folder.name}/{DESCRIPTION}{place}", problem.found, problem.expected, problem.mend
    )


def _schema_problems(values: dict[str, Any]) -> Iterator[Problem]:
    from jsonschema import Draft202012Validator

    for error in Draft202012Validator(schema()).iter_errors(values):
        where = ".".join(map(str, error.absolute_path))
        wanted = error.schema.get("description", "what the schema says")
        if error.validator == "required":
            missing = [key for key in error.validator_value if key not in error.instance]
            # One error comes for each missing key, all with the same list of keys.
            key = next(key for key in missing if f"'{key}'" in error.message)
            wanted = error.schema["properties"][key].get("description", wanted)
            yield Problem(where, f"the key '{key}' is missing", wanted, f"Add `{key}:`.")
        elif error.validator == "additionalProperties":
            known = list(error.schema["properties"])
            for key in (key for key in error.instance if key not in known):
                close = difflib.get_close_matches(str(key), known, 1)
                mend = f"Call it `{close[0]}`." if close else "Take it out."
                found = f"the key '{shown(key)}' is unknown"
                yield Problem(where, found, f"one of {', '.join(known)}", mend)
        elif error.validator in ("type", "enum", "pattern") and error.instance != "":
            found = f"found {shown(error.instance)!r}"
            quote = isinstance(error.instance, int | float) and error.validator == "type"
            mend = "Mend the value, or put it in quotes." if quote else "Mend the value."
            yield Problem(where, found, wanted, mend)
        else:
            found = "nothing is there" if error.instance == "" else shown(error.message)
            yield Problem(where, found, wanted, "Fill it in.")


def _text_problems(value: Any, where: str) -> Iterator[Problem]:
    """Find text that does not read as it looks."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _text_problems(inner, f"{where}.{shown(key)}".lstrip("."))
    elif isinstance(value, list):
        for place, inner in enumerate(value):
            yield from _text_problems(inner, f"{where}.{place}")
    elif isinstance(value, str):
        hidden = [c for c in value if unicodedata.category(c) in ("Cc", "Cf", "Co", "Cs", "Zl")]
        hidden = [c for c in hidden if c != "\n"]
        if hidden:
            name = f"U+{ord(hidden[0]):04X}"
            found = f"it holds the invisible character {name}"
            yield Problem(where, found, "text that reads as it looks", "Type it again.")
        elif unicodedata.normalize("NFC", value) != value:
            found = "its accents are characters of their own"
            yield Problem(where, found, "Unicode in the form NFC", "Type it again.")


def _training_problems(data: Mapping[str, Any]) -> list[Problem]:
    """Say if what a model was trained on is called nothing."""
    if data["name"] not in ("none", "unknown") or not data["patterns"]:
        return []
    return [
        Problem(
            "training_data.name", f"it is '{data['name']}', with {data['patterns']:,} patterns",
            "the name of what the model was trained on, such as ulbd-cubic or my-patterns",
            "Name it; only a model without training has 'none' and 0 patterns.",
        )
    ]  # fmt: skip


def _name_problems(folder: Path, values: Mapping[str, Any]) -> list[Problem]:
    name = values["name"]
    # The name of a folder as it is, not as it was typed: '.' and 'a/..' are the same folder.
    actual = folder.resolve().name
    problems = []
    if actual != name:
        problems.append(
            Problem(
                "name", f"it is '{name}' in a folder named '{shown(actual)}'",
                "the folder's name", "Rename one of them.",
            )
        )  # fmt: skip
    if is_reserved(name):
        problems.append(
            Problem(
                "name", f"'{name}' is, or reads like, the name of a model of sgbench",
                "a name of its own", "Call it otherwise.",
            )
        )  # fmt: skip
    return problems


def _track(values: Mapping[str, Any]) -> tuple[Track | None, list[Problem]]:
    try:
        track = Track(values["track"], values["scale"])
    except SgbenchError as error:
        words = re.match(r"(?P<found>[^;]*); expected (?P<expected>[^.]*)", str(error))
        assert words
        return None, [Problem("track", shown(words["found"]), words["expected"], "Choose one.")]
    told = values.get("track_sha256")
    if isinstance(told, str) and told != track.checksum():
        return track, [
            Problem(
                "track_sha256", f"it is {told[:8]}…, that of other patterns",
                f"{track.checksum()[:8]}…, that of {track.name} at scale {track.scale}",
                "Predict the patterns of this version: `sgbench submission patterns`.",
            )
        ]  # fmt: skip
    return track, []


def _file_problems(folder: Path, values: Mapping[str, Any]) -> list[Problem]:
    """Compare the files of a folder with what the description says of them."""
    there = {name for name in (PREDICTIONS, SEALED_PREDICTIONS, MODEL) if (folder / name).exists()}
    either = f"either {PREDICTIONS} or {MODEL}"
    problems = []
    if not there & {PREDICTIONS, MODEL}:
        problems.append(
            Problem("", "there is nothing to score beside it", either, "Put one of them there.")
        )
    if MODEL in there and len(there) > 1:
        found = f"there are {' and '.join(sorted(there))} beside it"
        problems.append(Problem("", found, either, "Take one of them out."))
    if MODEL in there and "onnx" not in values:
        problems.append(
            Problem(
                "onnx", f"it is missing, and there is a {MODEL}", "what the model takes and gives",
                "Fill in the block `onnx:` as `sgbench submission new` writes it.",
            )
        )  # fmt: skip
    if "onnx" in values and PREDICTIONS in there and MODEL not in there:
        problems.append(
            Problem("onnx", f"it is there, and no {MODEL}", either, "Take the block out.")
        )
    if MODEL not in there and "track_sha256" not in values:
        problems.append(
            Problem(
                "track_sha256", "it is missing",
                "the checksum of the patterns that were predicted",
                "Copy the line from what `sgbench submission new` writes.",
            )
        )  # fmt: skip
    return problems


def _contract(values: Mapping[str, Any], track: Track) -> tuple[Contract | None, list[Problem]]:
    if "onnx" not in values:
        return None, []
    given = values["onnx"]
    problems = []
    pool = given.get("max_pool", 1)
    n_points = _POINTS // pool
    if given["shape"] not in (["n", n_points], ["n", 1, n_points]):
        problems.append(
            Problem(
                "onnx.shape", f"found {shown(given['shape'])}",
                f"[n, {n_points}] or [n, 1, {n_points}] with max_pool {pool}", "Mend it.",
            )
        )  # fmt: skip
    known = track.labels(values["class_scheme"])
    labels = tuple(given.get("labels", known))
    foreign = [label for label in labels if label not in known]
    if foreign or list(labels) != sorted(labels):
        found = f"{foreign[0]} is none of this track" if foreign else "they are not ascending"
        problems.append(
            Problem(
                "onnx.labels", found,
                f"{known[0]} to {known[-1]}, ascending, those of {track.name} by "
                f"{values['class_scheme']}",
                "Mend the list, or leave it out if all are there.",
            )
        )  # fmt: skip
    if problems:
        return None, problems
    return (
        Contract(
            given["input"], given["output"], n_points, len(given["shape"]) - 2,
            given.get("scaling", "linear"), pool, given["gives"], given.get("batch_size", _BATCH),
            labels,
        ),
        [],
    )  # fmt: skip
