"""Everything that is fuzzed: how a good file of each kind is made and damaged, and who reads it.

A reader's ``make`` returns the bytes of a case. Its ``read`` reads a file of such bytes, does what
commands do with the result, and tells whether the content came past the first check, that is,
whether it could be decoded as a document of its format. It may raise `SgbenchError` and nothing
else.
"""

import base64
import gzip
import hashlib
import io
import json
import random
import re
import shutil
import tempfile
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from damage import DAMAGE, cif_of, random_crystal
from damage_values import damaged, damaged_bytes, near, scalar

ROOT = Path(__file__).parents[2]
# Of the cases of a reader, so many are damaged as bytes and not as documents.
_BYTES = 0.15
# Of a measured pattern; enough to pass for one.
_FEW_POINTS = 80
# Of one that is to be a test.
_LEAST_POINTS = 200


@dataclass(frozen=True)
class Reader:
    """A kind of file.

    Attributes
    ----------
    ending : str
        Of the file's name.
    make : callable
        Takes a random.Random, returns the bytes of a case.
    read : callable
        Takes a path, returns whether the content came past the first check.
    """

    ending: str
    make: Callable[[random.Random], bytes]
    read: Callable[[Path], bool]


def of_documents(
    ending: str,
    documents: list[Any],
    encode: Callable[[Any], bytes],
    read: Callable[[Path], Any],
) -> Reader:
    """Return a reader of which cases are damaged documents, and some damaged bytes."""

    def make(rng: random.Random) -> bytes:
        document = rng.choice(documents)
        if rng.random() < _BYTES:
            return damaged_bytes(encode(document), rng)
        while True:
            try:
                return encode(damaged(document, rng))
            # What the format cannot hold at all is no case.
            except (
                TypeError,
                ValueError,
                LookupError,
                ArithmeticError,
                AttributeError,
                RuntimeError,
            ):
                continue

    return Reader(ending, make, lambda path: read(path) is not False)


def as_json(value: Any) -> bytes:
    return json.dumps(value).encode()


def as_yaml(value: Any) -> bytes:
    return yaml.dump(value, Dumper=yaml.CSafeDumper, sort_keys=False).encode()


def as_csv(rows: list[dict[str, Any]]) -> bytes:
    """Return rows as CSV, with the columns of the first and what the others have beside them."""
    import csv

    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    if not isinstance(rows[0], dict):
        raise TypeError
    names = list(rows[0])
    writer.writerow(names)
    for row in rows:
        cells = [row.get(name, "") for name in names]
        writer.writerow(["" if cell is None else cell for cell in cells])
    return text.getvalue().encode()


def scores() -> Reader:
    from example_results import made_up_scores

    from sgbench.evaluation import confusions, read_score, write_score
    from sgbench.leaderboard import build_class_table, build_pairs, build_table

    documents = []
    with tempfile.TemporaryDirectory() as folder:
        for number, one in enumerate(
            made_up_scores("ulbd-cubic", "cddd", "cubic", 0.8, n=60, predictions_sha256="ab")
        ):
            path = Path(folder) / f"{number}.json"
            write_score(path, one)
            documents.append(json.loads(path.read_text()))

    def read(path: Path) -> None:
        found = [read_score(path, with_answers=True)]
        build_table(found)
        build_class_table(found)
        build_pairs(found)
        confusions(found)

    return of_documents(".json", documents, as_json, read)


def answers() -> Reader:
    from sgbench.evaluation._answers import read_answers

    document = {"hit": [0.0, 1.0, 0.5] * 4, "cluster": list(range(12))}
    kinds = {"hit": "float32", "cluster": "int32"}
    return of_documents(
        ".parquet",
        [document],
        lambda values: as_parquet(values, kinds, {}),
        lambda path: read_answers(path, 12),
    )


def as_parquet(columns: dict[str, Any], kinds: dict[str, Any], metadata: dict[str, bytes]) -> bytes:
    """Return columns as Parquet, each as its own kind where its values can be that."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    arrays = {}
    for name, values in columns.items():
        try:
            arrays[name] = pa.array(values, kinds.get(name))
        except (pa.ArrowException, TypeError, ValueError, OverflowError):
            arrays[name] = pa.array(values)
    table = pa.table(arrays).replace_schema_metadata(metadata)
    buffer = io.BytesIO()
    pq.write_table(table, buffer, write_page_checksum=True)
    return buffer.getvalue()


def predictions() -> Reader:
    import pyarrow as pa

    from sgbench.evaluation import read_predictions
    from sgbench.symmetry import family_spacegroups

    groups = list(family_spacegroups("cubic"))
    provenance = {
        "model": "m", "train_set": "ulbd-cubic", "scale": "smoke", "test_set": "ulbd-in-mesh",
        "family": "cubic", "protocol": "canonical", "per_spacegroup": 1, "seed": 0, "status": "x",
    }  # fmt: skip
    document = {
        "header": {
            "class_scheme": "spacegroup", "spacegroups": groups, "provenance": provenance
        },
        "columns": {"sample_id": ["a", "b", "c"], "probabilities": [[1 / 36] * 36] * 3},
    }  # fmt: skip
    old = {**provenance, "dataset": "ulbd-cubic-published"}
    extinction = {
        "header": {"class_scheme": "extinction", "spacegroups": groups, "provenance": old},
        "columns": {"sample_id": ["a", "b"], "probabilities": [[1 / 17] * 17] * 2},
    }

    def encode(value: Any) -> bytes:
        kinds = {"sample_id": pa.string()}
        rows = value["columns"].get("probabilities")
        width = len(rows[0]) if isinstance(rows, list) and rows else 0
        kinds["probabilities"] = pa.list_(pa.float32(), width)
        return as_parquet(value["columns"], kinds, {"sgbench": json.dumps(value["header"])})

    def read(path: Path) -> None:
        found = read_predictions(path)
        found.by_class()
        found.sha256()

    return of_documents(".parquet", [document, extinction], encode, read)


def line_lists() -> Reader:
    import pyarrow.parquet as pq
    from example_crystals import crystal_set

    from sgbench.structures import covered_groups, group_counts, read_crystals, write_crystals

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "x.parquet"
        write_crystals(crystal_set({2: 2, 225: 3}), path)
        table = pq.read_table(path)
    kinds = {field.name: field.type for field in table.schema}
    document = {
        "metadata": json.loads(table.schema.metadata[b"sgbench"]),
        "columns": table.to_pydict(),
    }

    def encode(value: Any) -> bytes:
        text = json.dumps(value["metadata"], sort_keys=True).encode()
        check = hashlib.sha256(text).hexdigest()
        return as_parquet(value["columns"], kinds, {"sgbench": text, "sgbench_sha256": check})

    def read(path: Path) -> None:
        crystals = read_crystals(path)
        samples = crystals.samples(np.arange(len(crystals)))
        if len(crystals) and samples.protocol.n_points <= 8192:
            samples.patterns()
            samples.sha256()
        covered_groups(crystals)
        group_counts(crystals)

    return of_documents(".parquet", [document], encode, read)


def pattern_sets() -> Reader:
    """Collections of measured patterns, as they rest and as test sets open them."""
    import pyarrow.parquet as pq

    from sgbench.collections import (
        LabelledPattern,
        build_patterns,
        find_patterns,
        write_excluded,
        write_patterns,
    )
    from sgbench.measured import measured_pattern, treat
    from sgbench.sourced import Excluded, Source

    angles = np.linspace(10, 45, _LEAST_POINTS)
    entries = [
        LabelledPattern(
            name, name, group, measured_pattern(angles, 10 + np.cos(angles + group), None, 1.5406),
            cell=(5.0, 5.0, 5.0, 90.0, 90.0, 90.0),
        )
        for name, group in (("salt", 225), ("quartz", 152))
    ]  # fmt: skip
    source = Source(
        "folder", "a", "b", {"folder": "c"},
        lambda: iter([*entries, Excluded("x", "unreadable", "no numbers")]), 3,
    )  # fmt: skip
    folder = Path(tempfile.mkdtemp())
    path = folder / "x.parquet"
    write_patterns(build_patterns("measured-mine", source), path)
    table = pq.read_table(path)
    kinds = {field.name: field.type for field in table.schema}
    document = {
        "metadata": json.loads(table.schema.metadata[b"sgbench"]),
        "columns": table.to_pydict(),
    }

    def encode(value: Any) -> bytes:
        text = json.dumps(value["metadata"], sort_keys=True).encode()
        check = hashlib.sha256(text).hexdigest()
        return as_parquet(value["columns"], kinds, {"sgbench": text, "sgbench_sha256": check})

    def read(path: Path) -> None:
        found = find_patterns("measured-mine", [path])
        assert len(found.clusters) == len(found.spacegroup)
        write_patterns(found, folder / "again.parquet")
        write_excluded(found, folder / "excluded.csv")
        for one in found.patterns[:1]:
            treat(one.pattern)

    return of_documents(".parquet", [document], encode, read)


def pattern_labels() -> Reader:
    """The table of a folder of measured patterns."""
    from sgbench.collections import build_patterns, write_patterns
    from sgbench.collections.sources import folder as of_folder

    folder = Path(tempfile.mkdtemp())
    angles = np.linspace(10, 45, _LEAST_POINTS)
    for number in range(2):
        rows = zip(angles, 10 + np.cos(angles + number), strict=True)
        (folder / f"{number}.xy").write_text("".join(f"{x:.3f} {y:.3f}\n" for x, y in rows))
    cell = dict(zip(("a", "b", "c", "alpha", "beta", "gamma"), (5, 5, 5, 90, 90, 90), strict=True))
    first = {"file": "0.xy", "spacegroup": 225, "substance": "salt", "wavelength": "CuKa",
             "scan": 1, "phases": 1, **cell}  # fmt: skip
    second = {**first, "file": "1.xy", "spacegroup": "P 31 2 1", "wavelength": 1.54, "scan": None}
    least = {"file": "0.xy", "spacegroup": "Fm-3m"}

    def read(path: Path) -> None:
        shutil.copyfile(path, folder / of_folder.TABLE)
        found = build_patterns("measured-mine", of_folder.source(str(folder), folder))
        write_patterns(found, folder / "found.parquet")

    return of_documents(".csv", [[first, second], [least, least | {"file": "1.xy"}]], as_csv, read)


def table_rows() -> list[dict[str, Any]]:
    from example_results import made_up_scores

    from sgbench.leaderboard import build_table

    found = [
        one
        for model in ("fcn-wang2024", "m")
        for name in ("cddd", "ulbd-off-mesh")
        for one in made_up_scores("ulbd-cubic", name, "cubic", 0.8, model, n=60, hardware="a, b")
    ]
    rows = build_table(found).astype(object)
    return rows.where(rows.notna(), None).to_dict("records")


def leaderboard() -> Reader:
    from sgbench.leaderboard import above_ceiling, read_csv, to_markdown
    from sgbench.site import site_data

    def read(path: Path) -> None:
        found = read_csv(path)
        above_ceiling(found)
        to_markdown(found)
        if len(found):
            site_data(found, "", [])

    rows = table_rows()
    return of_documents(".csv", [rows, rows[:3]], as_csv, read)


def archives() -> Reader:
    """What is published of a run: its table, numbers about its structures, the index of figures."""
    import lzma
    import tarfile

    from example_crystals import crystal_set

    from sgbench.report import read_results
    from sgbench.report._structures import all_facts, as_json
    from sgbench.report.claims import datasets

    every = crystal_set({62: 25, 225: 25}, ("all",))
    facts = all_facts(dict.fromkeys(("cddd", "gcdd"), every))
    document = {
        "leaderboard.csv": as_csv(table_rows()[:3]).decode(),
        "structures.json": json.loads(as_json(facts)),
        "figures/paper/figures.json": [
            {"file": "a.svg", "number": "Fig. 5 (a)", "title": "A", "caption": "B", "family": None}
        ],
        "figures/paper/a.svg": "<svg/>",
    }

    def encode(files: Any) -> bytes:
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w") as archive:
            for name, content in files.items():
                text = content if isinstance(content, str) else json.dumps(content)
                entry = tarfile.TarInfo(name)
                entry.size = len(text.encode())
                archive.addfile(entry, io.BytesIO(text.encode()))
        return lzma.compress(packed.getvalue(), preset=0)

    def read(path: Path) -> None:
        results = read_results(path)
        datasets.cells_cluster(results)
        datasets.patterns_follow_cells(results)
        datasets.random_cells_spread(results)
        datasets.groups_are_imbalanced(results)

    return of_documents(".tar.xz", [document], encode, read)


def other_tables() -> Reader:
    """Every other CSV and YAML that is read back, one after the other."""
    from sgbench.leaderboard import (
        below_reference,
        pairs_of,
        read_ceilings,
        read_csv,
        read_pairs,
        read_reference,
        with_exact_ceilings,
        write_csv,
    )
    from sgbench.plan import read_rates
    from sgbench.plots import read_history

    folder = Path(tempfile.mkdtemp())
    (folder / "t.csv").write_bytes(as_csv(table_rows()))
    table = read_csv(folder / "t.csv")
    (folder / "workflow").mkdir()
    pair = {
        "test_set": "cddd", "class_scheme": "extinction", "first": "a", "second": "b", "p": 0.5
    }  # fmt: skip
    ceiling = {
        "family": "cubic", "test_set": "ulbd-off-mesh", "class_scheme": "spacegroup",
        "level": "data", **{f"top{k}": 90.5 for k in range(1, 6)},
    }  # fmt: skip
    history = {"step": 1, "patterns": 64, "rate": 1e-3, "top1": 0.5}
    identity = {
        name: str(table[name][0])
        for name in ("model", "train_set", "test_set", "source", "test_sha256", "family",
                     "class_scheme", "scale")
    }  # fmt: skip
    reference = {"rows": [{**identity, "top1": 0.9, "top1_low": 0.85, "top1_high": 0.95}] * 2}
    rates = yaml.safe_load((ROOT / "workflow" / "rates.yaml").read_text())
    documents = [
        ["pairs", [pair, pair]], ["ceilings", [ceiling, ceiling]], ["history", [history, history]],
        ["reference", reference], ["rates", rates],
    ]  # fmt: skip

    def make(rng: random.Random) -> bytes:
        kind, document = rng.choice(documents)
        encode = as_yaml if kind in ("reference", "rates") else as_csv
        one = of_documents("", [document], encode, lambda path: None)
        return f"{kind}\n".encode() + one.make(rng)

    def read(path: Path) -> bool:
        kind, _, content = path.read_bytes().partition(b"\n")
        own = folder / ("workflow/rates.yaml" if kind == b"rates" else "x.csv")
        own.write_bytes(content)
        if kind == b"pairs":
            pairs_of(read_pairs(own), table)
        elif kind == b"ceilings":
            with_exact_ceilings(table, read_ceilings(own))
        elif kind == b"history":
            read_history(own)
        elif kind == b"reference":
            below_reference(table, read_reference(own))
        elif kind == b"rates":
            read_rates(folder)
        write_csv(folder / "again.csv", table)
        return True

    return Reader(".txt", make, read)


def settings() -> Reader:
    from sgbench.plan import (
        expected_jobs,
        read_rates,
        resolve_settings,
        runs,
        settings_name,
    )

    project = Path(tempfile.mkdtemp())
    (project / "config").mkdir()
    (project / "workflow").symlink_to(ROOT / "workflow")
    rates = read_rates(ROOT)
    given = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
    documents = [
        {
            "own": yaml.safe_load((ROOT / "config" / f"{scale}.yaml").read_text()),
            "given": {**given, "scale": "smoke", "training": {"ulbd-cubic": {"reference": 100}}},
        }
        for scale in ("smoke", "laptop")
    ]

    def read(path: Path) -> bool:
        try:
            content = yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader)
        except (yaml.YAMLError, ValueError, KeyError):
            content = None
        if isinstance(content, dict) and isinstance(content.get("given"), dict):
            own = as_yaml(content.get("own"))
            over = content["given"]
        else:
            own, over = path.read_bytes(), {"scale": "smoke"}
        (project / "config" / "smoke.yaml").write_bytes(own)
        found = resolve_settings(over, project)
        settings_name(found)
        if all(found[key] <= 10**6 for key in ("test_patterns_per_spacegroup",)):
            runs(found)
            expected_jobs(found, rates, gpu=False)
        return True

    return of_documents(".yaml", documents, as_yaml, read)


def descriptions() -> Reader:
    from submission_examples import description

    from sgbench.submission._description import read_description

    onnx = {
        "input": "pattern", "shape": ["n", 8192], "output": "out", "gives": "probabilities",
        "batch_size": 16,
    }  # fmt: skip
    documents = [description(), description(onnx=onnx), description(class_scheme="extinction")]
    folder = Path(tempfile.mkdtemp()) / "mine"
    folder.mkdir()

    def read(path: Path) -> bool:
        shutil.copyfile(path, folder / "submission.yaml")
        _, problems = read_description(folder)
        for problem in problems:
            str(problem)
        return not any("it cannot be read" in problem.found for problem in problems)

    return of_documents(".yaml", documents, as_yaml, read)


def cifs() -> Reader:
    from gemmi import cif

    from sgbench.structures.sources import Entry
    from sgbench.structures.sources._cif import entry_from_cif

    def make(rng: random.Random) -> bytes:
        text = cif_of(random_crystal(rng), rng.choice(("operators", "symbol", "hall", "number")))
        how = rng.random()
        if how < _BYTES:
            return damaged_bytes(text.encode(), rng)
        if how < 0.3:
            kind = rng.choice([name for name in DAMAGE if name != "a million atoms"])
            try:
                return DAMAGE[kind](rng, text)
            except (
                ValueError,
                IndexError,
                StopIteration,
            ):  # of a kind that this file has nothing of
                return text.encode()
        block = cif.read_string(text).sole_block()
        items = [_plain(item) for item in block]
        return _cif_text(damaged(items, rng)).encode("utf-8", "surrogatepass")

    def read(path: Path) -> bool:
        content = path.read_bytes()
        found = entry_from_cif(content, "x")
        if isinstance(found, Entry):
            return True
        try:
            cif.read_string(content.decode("latin-1"))
        except Exception:
            return False
        return True

    return Reader(".cif", make, read)


def _plain(item: Any) -> Any:
    if item.pair is not None:
        return list(item.pair)
    loop = item.loop
    rows = [[loop[row, column] for column in range(loop.width())] for row in range(loop.length())]
    return [list(loop.tags), rows]


def _cif_text(items: Any) -> str:
    """Print a CIF whatever its parts have become."""
    lines = ["data_x"]
    for item in items if isinstance(items, list) else [items]:
        if isinstance(item, list) and len(item) == 2 and isinstance(item[0], list):
            lines += ["loop_", *map(str, item[0])]
            for row in item[1] if isinstance(item[1], list) else [item[1]]:
                lines.append(" ".join(map(_word, row)) if isinstance(row, list) else _word(row))
        elif isinstance(item, list):
            lines.append(" ".join(map(_word, item)))
        else:
            lines.append(_word(item))
    return "\n".join(lines) + "\n"


def _word(value: Any) -> str:
    text = str(value)
    plain = text and not any(c.isspace() for c in text)
    return text if plain or text[:1] in "'\"" else f"'{' '.join(text.split())}'"


def structure_tables() -> Reader:
    import pyarrow as pa

    from sgbench.structures.sources.table import table

    rng = random.Random(0)
    crystal = {
        "lattice": {"matrix": [[4.0, 0, 0], [0, 4.0, 0], [0, 0, 5.0]], "pbc": [True] * 3},
        "sites": [
            {"species": [{"element": "Na", "occu": 1.0}], "abc": [0.0, 0.0, 0.0]},
            {"species": [{"element": "Cl1-", "occu": 0.5}], "abc": [0.5, 0.5, 0.5]},
        ],
    }
    rows = [
        {
            "material_id": f"m{i}", "structure": crystal if i % 2 else cif_of(random_crystal(rng)),
            "spacegroup": 225, "name": "NaCl", "citation": "c",
        }
        for i in range(4)
    ]  # fmt: skip

    def encode(value: Any) -> bytes:
        rows = [
            {key: json.dumps(cell) if isinstance(cell, dict | list) else cell
             for key, cell in row.items()}
            for row in value
        ]  # fmt: skip
        # Half of the tables are Parquet.
        if sum(map(len, rows[0])) % 2:
            return as_csv(rows)
        names = list(rows[0])
        texts = {name: [str(row.get(name, "")) for row in rows] for name in names}
        return as_parquet(texts, dict.fromkeys(names, pa.string()), {})

    folder = Path(tempfile.mkdtemp())

    def read(path: Path) -> bool:
        content = path.read_bytes()
        own = folder / ("x.parquet" if content[:4] == b"PAR1" else "x.csv")
        own.write_bytes(content)
        list(table(own).read())
        return True

    return of_documents(".table", [rows], encode, read)


def optimade_answers() -> Reader:
    from sgbench.structures.sources.optimade import optimade

    attributes = {
        "lattice_vectors": [[4.0, 0, 0], [0, 4.0, 0], [0, 0, 5.0]],
        "cartesian_site_positions": [[0.0, 0, 0], [2.0, 2.0, 2.5]],
        "species_at_sites": ["Na", "X"],
        "species": [
            {"name": "Na", "chemical_symbols": ["Na"], "concentration": [1.0]},
            {"name": "X", "chemical_symbols": ["Cl", "vacancy"], "concentration": [0.5, 0.5]},
        ],
        "chemical_formula_reduced": "ClNa", "dimension_types": [1, 1, 1],
        "structure_features": ["disorder"], "space_group_it_number": 123,
        "assemblies": [{"sites_in_groups": [[0], [1]], "group_probabilities": [0.5, 0.5]}],
    }  # fmt: skip
    document = {
        "record": {
            "database": "http://x", "licence": "MIT", "n": 2, "filter": "", "provider": "x",
            "api_version": "1.1", "fetched": "2026",
        },
        "lines": [{"id": f"s{i}", "attributes": attributes} for i in range(2)],
    }  # fmt: skip
    cache = Path(tempfile.mkdtemp())
    (cache / "optimade").mkdir()
    key = hashlib.sha256(json.dumps(["http://x", ""]).encode()).hexdigest()[:12]

    def encode(value: Any) -> bytes:
        lines = [json.dumps(line) for line in value["lines"]]
        return as_json(value["record"]) + b"\n" + gzip.compress("\n".join(lines).encode(), 1)

    def read(path: Path) -> bool:
        head, _, tail = path.read_bytes().partition(b"\n")
        (cache / "optimade" / f"x-{key}.json").write_bytes(head)
        (cache / "optimade" / f"x-{key}.jsonl.gz").write_bytes(tail)
        source = optimade("http://x", cache=cache)
        list(source.read())
        return True

    return of_documents(".optimade", [document], encode, read)


def tiny_network() -> tuple[dict[str, Any], dict[str, Any]]:
    """Register a small network; return a provenance of it, and weights as lists."""
    from torch import nn

    from sgbench.models import register_model

    @register_model("tiny", paper="none")
    def build(n_outputs: int) -> nn.Module:
        return nn.Sequential(nn.MaxPool1d(512), nn.Flatten(), nn.Linear(16, n_outputs))

    plan = {
        "model": "tiny", "dataset": "ulbd-cubic", "patterns": 8, "batch_size": 8,
        "peak_rate": 1e-3, "warmup": 0.2, "seed": 0, "validations": 1,
        "validation_per_spacegroup": 1, "patience": 1,
    }  # fmt: skip
    validation = {
        "step": 1, "patterns": 8, "rate": 0.1, "train_loss": 1.0, "validation_loss": 1.0,
        "top1": 0.5, "class_accuracy": 0.5, "patterns_per_second": 10.0,
    }  # fmt: skip
    provenance = {
        "plan": plan, "plan_sha256": "a", "family": "cubic", "model_version": 1, "parameters": 9,
        "dataset_sha256": "b", "hardware": "c", "train_patterns": 8, "train_seconds": 1.5,
        "history": [validation], "scale": "smoke",
    }  # fmt: skip
    weights = {
        "2.weight": [[0.1] * 16] * 36,
        "2.bias": [0.0] * 36,
    }
    return provenance, weights


def models() -> Reader:
    """Files of networks and of estimators in turn."""
    import skops.io
    import torch

    from sgbench.models import get_model
    from sgbench.training import load_model

    torch.set_num_threads(1)

    provenance, weights = tiny_network()
    network = {"provenance": provenance, "weights": weights, "outside": {"more": 1}}
    estimators = []
    for name in ("extra-trees-suzuki2020", "gradient-boosting", "nearest-neighbours"):
        spec = get_model(name)
        rng = np.random.default_rng(0)
        width = spec.features(np.ones((1, 8192), np.float32), _canonical()).shape[1]
        classifier = spec.build(0)
        small = {"n_estimators": 2, "max_iter": 2, "max_depth": 3, "n_neighbors": 2}
        known = classifier.get_params()
        classifier.set_params(**{k: v for k, v in small.items() if k in known})
        classifier.fit(rng.random((40, width), np.float32), np.repeat([195, 200, 221, 225], 10))
        story = {**provenance, "plan": {**provenance["plan"], "model": name}}
        content = {"classifier": classifier, "provenance": json.dumps(story)}
        estimators.append(_unzipped(skops.io.dumps(content), story))

    def encode_network(value: Any) -> bytes:
        buffer = io.BytesIO()
        tensors = {name: torch.tensor(rows) for name, rows in value["weights"].items()}
        torch.save({"weights": tensors, "provenance": json.dumps(value["provenance"])}, buffer)
        return buffer.getvalue()

    def make(rng: random.Random) -> bytes:
        if rng.random() < 0.6:
            return of_documents("", [network], encode_network, lambda path: None).make(rng)
        return of_documents("", [rng.choice(estimators)], _zipped, lambda path: None).make(rng)

    def read(path: Path) -> bool:
        load_model(path, torch.device("cpu"))
        return True

    return Reader(".pt", make, read)


def reference_weights() -> Reader:
    """A description, a line break and the weights; the hash is right where it was not damaged."""
    import safetensors.torch
    import torch

    from sgbench.pretrained import load_pretrained

    torch.set_num_threads(1)
    provenance, weights = tiny_network()
    figures = {
        "test_set": "ulbd-off-mesh", "source": "designed", "test_sha256": "a", "n_test": 36,
        "class_scheme": "extinction", **dict.fromkeys(("top", "top_low", "top_high", "ceiling"),
        [0.5] * 5),
    }  # fmt: skip
    rounding = {
        "test_set": "ulbd-off-mesh", "test_sha256": "a", "n_test": 36, "largest": 1e-4,
        "near_ties": 1, "swapped": 0,
    }  # fmt: skip
    description = {
        "provenance": provenance, "weights_sha256": "right", "scores": [figures],
        "rounding": rounding, "licence": "MIT", "versions": {"torch": "2"},
    }  # fmt: skip
    halved = {"2.weight": "float16", "2.bias": "float32"}
    document = {"description": description, "weights": weights, "kinds": halved}
    home = Path(tempfile.mkdtemp())
    (home / "ulbd-cubic").mkdir()

    def encode(value: Any) -> bytes:
        tensors = {
            name: torch.tensor(rows).to(getattr(torch, value["kinds"].get(name, "float32")))
            for name, rows in value["weights"].items()
        }
        content = safetensors.torch.save(tensors)
        about = value["description"]
        if about.get("weights_sha256") == "right":
            about = about | {"weights_sha256": hashlib.sha256(content).hexdigest()}
        return as_json(about) + b"\n" + content

    def read(path: Path) -> bool:
        about, _, content = path.read_bytes().partition(b"\n")
        (home / "ulbd-cubic" / "tiny.json").write_bytes(about)
        (home / "ulbd-cubic" / "tiny.safetensors").write_bytes(content)
        load_pretrained("ulbd-cubic/tiny", torch.device("cpu"), home)
        return True

    return of_documents(".pretrained", [document], encode, read)


def _canonical() -> Any:
    from sgbench.diffraction import CANONICAL

    return CANONICAL


def _unzipped(content: bytes, provenance: Any) -> Any:
    """Return a skops file as a document: its schema, and its arrays as lists of numbers."""
    found: dict[str, Any] = {"provenance": provenance, "arrays": {}}
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name in archive.namelist():
            data = archive.read(name)
            if name == "schema.json":
                found["schema"] = json.loads(data)
            else:
                values = np.load(io.BytesIO(data))
                plain = values.dtype.names is None
                found["arrays"][name] = {
                    "kind": str(values.dtype) if plain else "raw",
                    "shape": list(values.shape),
                    "values": values.ravel().tolist() if plain else base64.b64encode(data).decode(),
                }
    return found


def _zipped(value: Any) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        schema = json.dumps(value["schema"])
        text = json.dumps(value["provenance"])
        archive.writestr("schema.json", _with_provenance(schema, text))
        for name, one in value["arrays"].items():
            if one["kind"] == "raw":
                archive.writestr(name, base64.b64decode(one["values"]))
                continue
            array = np.array(one["values"]).astype(one["kind"])
            inner = io.BytesIO()
            shape = tuple(one["shape"])
            np.save(inner, array.reshape(shape) if np.prod(shape) == array.size else array)
            archive.writestr(name, inner.getvalue())
    return buffer.getvalue()


def _with_provenance(schema: str, text: str) -> str:
    """Put the provenance into the node that holds it, which is a text in JSON in JSON."""
    document = json.loads(schema)
    if isinstance(document, dict) and isinstance(document.get("content"), dict):
        node = document["content"].get("provenance")
        if isinstance(node, dict):
            node["content"] = json.dumps(text)
    return json.dumps(document)


def onnx_models() -> Reader:
    """Models of strangers, each in a process of its own behind walls."""
    import onnx_examples as examples
    from submission_examples import description, write

    from sgbench.submission import Limits, check_submission

    protos = [examples.linear(), examples.then()]
    folder = Path(tempfile.mkdtemp()) / "mine"
    write(folder, description(onnx=examples.contract()))
    limits = Limits(seconds=20.0, memory=2.0)

    def make(rng: random.Random) -> bytes:
        proto = rng.choice(protos)
        if rng.random() < _BYTES:
            return damaged_bytes(proto.SerializeToString(), rng)
        changed = type(proto)()
        changed.CopyFrom(proto)
        for _ in range(rng.choice((1, 1, 2, 3))):
            _change_message(changed, rng)
        return changed.SerializeToString()

    def read(path: Path) -> bool:
        shutil.copyfile(path, folder / "model.onnx")
        checked = check_submission(folder, limits=limits)
        words = [str(problem) for problem in checked.problems]
        return not any("cannot be read" in text or "no ONNX" in text for text in words)

    return Reader(".onnx", make, read)


def _change_message(message: Any, rng: random.Random) -> None:
    """Change one field somewhere in a protocol buffer."""
    places = []

    def walk(one: Any) -> None:
        for field, value in one.ListFields():
            repeated = not isinstance(value, str | bytes | int | float) and hasattr(value, "append")
            if field.message_type is not None:
                for child in value if hasattr(value, "add") else [value]:
                    walk(child)
            places.append((one, field, repeated or hasattr(value, "add")))

    walk(message)
    one, field, several = rng.choice(places)
    value = getattr(one, field.name)
    try:
        if several and rng.random() < 0.3:
            if rng.random() < 0.5:
                del value[rng.randrange(len(value))]
            else:
                value.extend([value[rng.randrange(len(value))]])
        elif several and field.message_type is None:
            value[rng.randrange(len(value))] = near(value[0], rng)
        elif field.message_type is None:
            plain = near(value, rng) if rng.random() < 0.6 else scalar(rng)
            setattr(one, field.name, value[:-1] if isinstance(value, bytes) else plain)
        elif rng.random() < 0.2:
            one.ClearField(field.name)
    except (TypeError, ValueError):
        pass  # the field cannot hold such a value


def prediction_files() -> Reader:
    """Predictions of strangers, each read in a process of its own behind walls."""
    from submission_examples import LABELS

    from sgbench.submission._prediction_file import read_prediction_file

    ids = tuple(f"s{i}" for i in range(12))
    values = {"sample_id": list(ids), **{f"p_{n}": [1 / len(LABELS)] * 12 for n in LABELS}}
    ranking = {"sample_id": list(ids), "ranking": [[195, 200, 230]] * 12}

    def read(path: Path) -> bool:
        _, _, problems = read_prediction_file(path, ids, LABELS)
        words = [str(problem) for problem in problems]
        return not any("cannot be read" in text or "not Parquet" in text for text in words)

    return of_documents(
        ".parquet", [values, ranking], lambda columns: as_parquet(columns, {}, {}), read
    )


def _written_and_drawn(path: Path) -> None:
    """Read a file of measured patterns, and do with each what commands do."""
    from sgbench.measured import WRITTEN, read_patterns

    for pattern in read_patterns(path)[:1]:
        for form in ("xy", "csv", "cif"):
            WRITTEN[form](pattern)
        for text in (*pattern.metadata, *pattern.metadata.values(), *pattern.notes):
            assert text.isprintable()
        for one in pattern.wavelengths:
            assert one.source.isprintable()


def _measured(*formats: str) -> Reader:
    """Files of measured patterns of some formats, which damage meets as bytes, words and lines."""
    from example_patterns import EXAMPLES, of_few_points

    with of_few_points(_FEW_POINTS):
        contents = [make() for form, _, _, make in EXAMPLES.values() if form in formats]
    assert contents

    def make(rng: random.Random) -> bytes:
        content = rng.choice(contents)
        for _ in range(rng.choice((1, 1, 2, 4))):
            content = _damaged_text(content, rng)
        return content

    def read(path: Path) -> bool:
        _written_and_drawn(path)
        return True

    return Reader(".dat", make, read)


_WORDS = (
    b"", b"nan", b"-1", b"0", b"1e999", b"1e308", b"-0.02", b"99999999999", b"1_0", b"x", b"10,5",
    b"1.5D+300", b"\x1b[31m", b"\xff\xfe",
)  # fmt: skip


def _damaged_text(content: bytes, rng: random.Random) -> bytes:
    """Return a file of which a word is another; of one with a grammar, mostly a number."""
    how = rng.random()
    if how < _BYTES:
        return damaged_bytes(content, rng)
    # Most of a file is its points; most of what can go wrong is in its head.
    head = content[:4096] if how < 0.8 else content
    grammar = content.startswith((b"<", b"data_"))
    word = (
        rb"(?<=[\s>\"])-?[\d.]+(?=[\s<\"(])" if grammar and rng.random() < 0.97 else rb"[^\s,;=]+"
    )
    words = list(re.finditer(word, head))
    if not words:
        return damaged_bytes(content, rng)
    one, another = rng.choice(words), rng.choice(words)
    if rng.random() < 0.1 and not grammar:
        # A stretch of the file at another place.
        there = content[another.start() : another.start() + 200]
        return content[: one.start()] + there + content[one.start() :]
    text = str(scalar(rng)).encode("utf-8", "replace")
    new = rng.choice((*_WORDS, one[0] * 2, one[0][:-1], another[0], text))
    return content[: one.start()] + new + content[one.end() :]


def measured_columns() -> Reader:
    return _measured("columns")


def measured_steps() -> Reader:
    return _measured("start, step, stop", "ILL D1A, D1B", "GSAS")


def measured_vendors() -> Reader:
    return _measured(
        "Rigaku RAS", "Rigaku ASCII", "Bruker UXD", "Philips UDF", "HighScore CSV", "inXitu PLV",
        "Bruker GADDS PLT", "Philips X00", "MAUD RAW",
    )  # fmt: skip


def measured_binary() -> Reader:
    return _measured(
        "Bruker RAW 1", "Bruker RAW 2", "Bruker RAW 3", "Bruker RAW 4", "Rigaku RAW", "Stoe RAW",
        "Philips RD", "Philips SD",
    )  # fmt: skip


def measured_cif() -> Reader:
    return _measured("powder CIF")


def measured_xml() -> Reader:
    """XRDML, and what lies in archives, which is damaged before it is packed."""
    from example_patterns import conditions, of_few_points, profile, raw_data, zipped

    plain = _measured("PANalytical XRDML", "NeXus")
    whole = _measured("Bruker BRML", "Rigaku RASX")
    with of_few_points(_FEW_POINTS):
        made = raw_data(), conditions(), profile()

    def make(rng: random.Random) -> bytes:
        how = rng.random()
        if how < 0.4:
            return plain.make(rng)
        if how < 0.43:
            return whole.make(rng)
        raw, about, points = made
        if how < 0.75:
            return zipped({"Experiment0/RawData0.xml": _damaged_text(raw, rng)})
        if rng.random() < 0.5:
            about = _damaged_text(about, rng)
        else:
            points = _damaged_text(points, rng)
        members = {"Data0/Profile0.txt": points, "Data0/MesurementConditions0.xml": about}
        return zipped(members)

    return Reader(".dat", make, plain.read)


def identified() -> Reader:
    """Arrays that are given to `sgbench.identify`, for a search of a fifth of a second."""
    from sgbench.identification import answer_text, identify, render_answers

    angles = np.arange(20, 80, 0.25)
    lines = [28.549, 33.084, 47.488, 56.348, 59.095, 69.421, 76.709]
    heights = 10 + 100 * np.exp(-(((angles[:, None] - lines) / 0.4) ** 2)).sum(axis=1).round(3)
    plain = {"two_theta": angles.tolist(), "intensity": heights.tolist(), "wavelength": 1.5406}
    documents = [
        plain,
        plain | {"sigma": np.sqrt(heights).round(3).tolist(), "wavelength": "CuKa"},
        plain | {"wavelength": [1.540593, 1.544427], "deep": True},
    ]

    def read(path: Path) -> bool:
        try:
            given = json.loads(path.read_bytes())
        except ValueError:
            return False
        if not isinstance(given, dict):
            return False
        known = ("two_theta", "intensity", "sigma", "wavelength", "deep")
        options = {name: given.get(name) for name in known}
        answer = identify(
            options["two_theta"], options["intensity"], options["sigma"],
            wavelength=options["wavelength"], deep=bool(options["deep"]), time_limit=0.2,
        )  # fmt: skip
        answer_text(answer)
        json.dumps(answer.as_dict(), allow_nan=False)
        render_answers([answer])
        return True

    # What is compiled and loaded at first is no case.
    identify(plain["two_theta"], plain["intensity"], wavelength=1.5406, time_limit=0.2)
    return of_documents(".json", documents, as_json, read)


#: In this process.
READERS: dict[str, Callable[[], Reader]] = {
    "scores": scores,
    "answers": answers,
    "predictions": predictions,
    "line-lists": line_lists,
    "leaderboard": leaderboard,
    "archives": archives,
    "other-tables": other_tables,
    "settings": settings,
    "descriptions": descriptions,
    "cifs": cifs,
    "structure-tables": structure_tables,
    "optimade-answers": optimade_answers,
    "models": models,
    "reference-weights": reference_weights,
    "pattern-sets": pattern_sets,
    "pattern-labels": pattern_labels,
    "measured-columns": measured_columns,
    "measured-steps": measured_steps,
    "measured-vendors": measured_vendors,
    "measured-binary": measured_binary,
    "measured-cif": measured_cif,
    "measured-xml": measured_xml,
    "identified": identified,
}
#: Each case in a process of its own.
SANDBOXED: dict[str, Callable[[], Reader]] = {
    "onnx-models": onnx_models,
    "prediction-files": prediction_files,
}
