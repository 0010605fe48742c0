import json
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from sgbench.diffraction import render
from sgbench.errors import SgbenchError
from sgbench.evaluation import (
    Predictions,
    _predict,
    predict_set,
    predict_sets,
    predict_untrained,
    read_predictions,
    write_predictions,
)
from sgbench.evaluation._predict import _timed
from sgbench.models import get_model
from sgbench.sets import IN_MESH, OFF_MESH, SetSpec, family_set, open_test_set
from sgbench.symmetry import extinction_classes, family_spacegroups
from sgbench.training import TrainedModel

CUBIC = family_spacegroups("cubic")
PROVENANCE = {
    "model": "made-up",
    "train_set": "ulbd-cubic",
    "scale": "smoke",
    "test_set": "ulbd-in-mesh",
    "family": "cubic",
    "protocol": "canonical",
    "per_spacegroup": 1,
    "seed": 3,
}


def random_predictions(n=7, seed=0) -> Predictions:
    values = np.random.default_rng(seed).dirichlet(np.ones(36), n).astype(np.float32)
    ids = tuple(f"sample-Å-{i}" for i in range(n))
    return Predictions(ids, "spacegroup", CUBIC, values, PROVENANCE)


def assert_same(a: Predictions, b: Predictions) -> None:
    assert (a.sample_ids, a.class_scheme, a.spacegroups) == (
        b.sample_ids, b.class_scheme, b.spacegroups,
    )  # fmt: skip
    assert a.provenance == b.provenance
    assert a.probabilities.dtype == b.probabilities.dtype == np.float32
    np.testing.assert_array_equal(a.probabilities, b.probabilities)


@pytest.mark.parametrize("by_class", [False, True])
@pytest.mark.parametrize("n", [1, 7, 500])
def test_what_is_written_is_read(tmp_path, by_class, n):
    predictions = random_predictions(n)
    predictions = predictions.by_class() if by_class else predictions
    write_predictions(tmp_path / "new" / "p.parquet", predictions)
    assert_same(read_predictions(tmp_path / "new" / "p.parquet"), predictions)
    assert [p.name for p in (tmp_path / "new").iterdir()] == ["p.parquet"]


def test_speed_lies_beside_and_leaves_the_file_as_it_is(tmp_path):
    slow, fast = (replace(random_predictions(), patterns_per_second=v) for v in (0.5, 3e5))
    path = tmp_path / "p.parquet"
    write_predictions(path, slow)
    before = path.read_bytes()
    assert read_predictions(path).patterns_per_second == 0.5
    assert read_predictions(path).by_class().patterns_per_second == 0.5
    write_predictions(path, fast)
    assert path.read_bytes() == before
    assert read_predictions(path).patterns_per_second == 3e5
    # What was measured with other predictions does not stay.
    write_predictions(path, random_predictions())
    assert read_predictions(path).patterns_per_second is None
    assert [one.name for one in tmp_path.iterdir()] == ["p.parquet"]


@pytest.mark.parametrize("text", ["", "{}", "[1]", *(
    f'{{"patterns_per_second": {value}}}' for value in ("0", "-1", "NaN", "Infinity", '"fast"')
)])  # fmt: skip
def test_a_speed_that_is_none(tmp_path, text):
    write_predictions(tmp_path / "p.parquet", random_predictions())
    (tmp_path / "p.speed.json").write_text(text)
    with pytest.raises(SgbenchError, match="is not a file of patterns_per_second"):
        read_predictions(tmp_path / "p.parquet")


@given(st.integers(0, 100))
def test_classes_get_the_sum_of_their_groups(seed):
    predictions = random_predictions(seed=seed)
    by_class = predictions.by_class()
    for column, cls in enumerate(extinction_classes(CUBIC)):
        members = [CUBIC.index(number) for number in cls.spacegroups]
        np.testing.assert_allclose(
            by_class.probabilities[:, column],
            predictions.probabilities[:, members].sum(axis=1),
            rtol=1e-5,
        )
    assert by_class.by_class() is by_class


@pytest.mark.parametrize("shape", [(7, 35), (6, 36), (7, 37), (7,)])
def test_shapes_that_do_not_fit(shape):
    good = random_predictions()
    with pytest.raises(SgbenchError, match="probabilities have shape"):
        Predictions(good.sample_ids, "spacegroup", CUBIC, np.ones(shape, dtype=np.float32), {})


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -0.1])
def test_values_that_are_no_probabilities(value):
    good = random_predictions()
    values = good.probabilities.copy()
    values[3, 5] = value
    with pytest.raises(SgbenchError, match="finite and not negative"):
        Predictions(good.sample_ids, "spacegroup", CUBIC, values, {})


@pytest.mark.parametrize("factor", [0.0, 0.5, 1.01, 100])
def test_rows_that_do_not_sum_to_one(factor):
    good = random_predictions()
    values = good.probabilities.copy()
    values[3] *= factor
    with pytest.raises(SgbenchError, match=f"sum to {factor:.4f}; expected 1"):
        Predictions(good.sample_ids, "spacegroup", CUBIC, values, {})


def test_an_unknown_scheme():
    values = np.full((1, 17), 1 / 17, dtype=np.float32)
    with pytest.raises(SgbenchError):
        Predictions(("a",), "laue", CUBIC, values, {})


@pytest.mark.parametrize("share", [0.0, 0.01, 0.5, 0.9, 0.999])
def test_a_truncated_file(tmp_path, share):
    path = tmp_path / "p.parquet"
    write_predictions(path, random_predictions(200))
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    with pytest.raises(SgbenchError, match="not a readable predictions file"):
        read_predictions(path)


def write_foreign(path, columns, header) -> None:
    table = pa.table(columns)
    if header is not None:
        table = table.replace_schema_metadata({b"sgbench": header})
    pq.write_table(table, path)


HEADER = json.dumps(
    {"class_scheme": "spacegroup", "spacegroups": list(CUBIC), "provenance": PROVENANCE}
)
UNIFORM = [[1 / 36] * 36] * 2


@pytest.mark.parametrize(
    ("columns", "header"),
    [
        ({"a": [1, 2]}, None),
        ({"a": [1, 2]}, HEADER),
        ({"sample_id": ["a", "b"], "probabilities": UNIFORM}, None),
        ({"sample_id": ["a", "b"], "probabilities": UNIFORM}, "{}"),
        ({"sample_id": ["a", "b"], "probabilities": UNIFORM}, "[]"),
        ({"sample_id": ["a", "b"], "probabilities": UNIFORM}, "not JSON"),
        ({"sample_id": ["a", "b"], "probabilities": [0.5, 0.5]}, HEADER),
        ({"sample_id": ["a", "b"], "probabilities": [[1.0], [0.5, 0.5]]}, HEADER),
        ({"sample_id": ["a", "b"], "probabilities": ["x", "y"]}, HEADER),
        ({"sample_id": [], "probabilities": []}, HEADER),
    ],
)
def test_something_else_than_predictions(tmp_path, columns, header):
    write_foreign(tmp_path / "p.parquet", columns, header)
    with pytest.raises(SgbenchError):
        read_predictions(tmp_path / "p.parquet")


def test_lists_of_any_kind_are_read(tmp_path):
    """Somebody else's writer may not make fixed-size lists."""
    write_foreign(
        tmp_path / "p.parquet", {"sample_id": ["a", "b"], "probabilities": UNIFORM}, HEADER
    )
    assert read_predictions(tmp_path / "p.parquet").sample_ids == ("a", "b")


def test_no_file(tmp_path):
    with pytest.raises(SgbenchError, match="is missing"):
        read_predictions(tmp_path / "none.parquet")


@pytest.mark.parametrize("name", ["fcn-wang2024", "fcn-wang2024.sqrt"])
def test_predictions_of_a_network_are_its_probabilities(name):
    torch.manual_seed(0)
    spec, dataset = get_model(name), family_set("cubic")
    network = spec.build(36)
    with torch.no_grad():  # fresh weights give nearly equal probabilities
        network.head.weight *= 30
    truth = open_test_set(OFF_MESH, dataset, 1)
    plan = {"model": name, "dataset": dataset.name, "seed": 5}
    provenance = {"plan": plan, "family": "cubic", "dataset_sha256": "x", "scale": "smoke"}
    found = predict_set(TrainedModel(spec, network, provenance), truth, torch.device("cpu"))
    patterns = torch.from_numpy(render(truth.samples.lines, truth.protocol))[:, None]
    patterns = patterns.sqrt() if name.endswith("sqrt") else patterns
    with torch.inference_mode():
        expected = torch.softmax(network.eval()(patterns), dim=1)
    np.testing.assert_allclose(found.probabilities, expected.numpy(), rtol=1e-3, atol=1e-6)
    assert found.probabilities.std() > 1e-3
    assert found.sample_ids == truth.samples.ids
    assert found.patterns_per_second > 0
    origin = found.provenance
    assert (origin["model"], origin["train_set"], origin["seed"]) == (name, dataset.name, 5)
    assert (origin["test_set"], origin["family"]) == ("ulbd-off-mesh", "cubic")
    assert (origin["protocol"], origin["source"]) == ("canonical", "designed")
    assert (origin["per_spacegroup"], origin["scale"]) == (1, "smoke")


@pytest.mark.parametrize(("n", "counted"), [(20, 15), (9, 9)])
def test_the_speed_of_a_predictor_with_a_slow_start(n, counted, monkeypatch):
    """A quarter of a second once, then 20 ms a batch of five; few patterns are timed whole."""
    whole = open_test_set(OFF_MESH, family_set("cubic"), 1)
    truth = replace(whole, samples=whole.samples.take(np.arange(n)))
    seen = []

    now = [0.0]
    monkeypatch.setattr(_predict, "time", SimpleNamespace(perf_counter=lambda: now[0]))

    def predict(chunk):
        now[0] += 0.02 if seen else 0.25
        seen.append(len(chunk))
        return len(chunk)

    parts, speed = _timed(truth, 5, predict)
    assert parts == seen == [5] * (n // 5) + [n % 5] * (n % 5 > 0)
    seconds = counted / speed
    expected = 0.02 * 3 if counted < n else 0.25 + 0.02
    assert seconds == pytest.approx(expected)


def test_predictions_of_a_control():
    truth = open_test_set(IN_MESH, family_set("cubic"), 1)
    found, details = predict_untrained(get_model("control-uniform"), truth, "extinction", "smoke")
    assert details == {}
    assert found.probabilities.shape == (36, 17)
    assert found.patterns_per_second is None
    assert found.provenance["status"] == "control"
    assert found.provenance["train_set"] == "none"


def test_predictions_of_the_decoder():
    """In two batches, with the cell of each sample."""
    dataset, chosen = family_set("cubic"), [0, 3, 9, 20]
    whole = open_test_set(IN_MESH, dataset, 1)
    truth = replace(whole, samples=whole.samples.take(chosen))
    spec = replace(get_model("decoder-pawley"), batch=3)
    found, details = predict_untrained(spec, truth, "spacegroup", "smoke")
    assert found.probabilities.shape == (4, 36)
    assert found.patterns_per_second > 0
    assert (found.provenance["status"], found.provenance["seed"]) == ("reference", 0)
    assert set(details) == {"a", "misfit", "reason"}
    assert set(details["reason"]) == {""}
    edges = dataset.held_out_recipes("in-mesh", 1).cells[chosen, 0]
    np.testing.assert_allclose(details["a"], edges, rtol=1e-3)


def test_a_family_that_a_model_cannot_be_asked_about():
    truth = open_test_set(IN_MESH, family_set("triclinic"), 1)
    with pytest.raises(SgbenchError, match="cannot predict the family 'triclinic'"):
        predict_untrained(get_model("decoder-pawley"), truth, "spacegroup", "smoke")


def test_what_was_trained_on_is_not_predicted():
    """By the name of the set alone, before a network is touched."""
    whole = open_test_set(IN_MESH, family_set("cubic"), 1)
    seen = replace(whole, spec=SetSpec.parse("cddd"))
    plan = {"model": "fcn-wang2024", "dataset": "cddd-cubic", "seed": 0}
    trained = TrainedModel(get_model("fcn-wang2024"), None, {"plan": plan})
    with pytest.raises(SgbenchError, match="Use the one whose name has '-test'"):
        predict_set(trained, seen, torch.device("cpu"))


class Counting(torch.nn.Module):
    """A network that tells its input apart, and counts the patterns that it was shown."""

    def __init__(self):
        super().__init__()
        self.seen = 0
        self.weight = torch.nn.Parameter(torch.randn(8192, 36, generator=torch.manual_seed(0)))

    def forward(self, x):
        self.seen += len(x)
        return x[:, 0] @ self.weight


def test_a_structure_that_stands_in_several_sets_is_predicted_once():
    designed = open_test_set(OFF_MESH, family_set("cubic"), 1)
    whole = replace(designed, spec=SetSpec.parse("cddd"))
    part = replace(whole.take(np.array([7, 2, 30])), spec=SetSpec.parse("cddd-in-domain"))
    # The same id and label with other lines is another structure.
    lines = whole.samples.lines
    changed = replace(lines, intensity=lines.intensity[::-1].copy())
    other = replace(
        whole, spec=SetSpec.parse("gcdd"), samples=replace(whole.samples, lines=changed)
    )
    network = Counting()
    plan = {"model": "fcn-wang2024", "dataset": "ulbd-cubic", "seed": 0}
    trained = TrainedModel(get_model("fcn-wang2024"), network, {"plan": plan})
    cpu = torch.device("cpu")
    found = list(predict_sets(trained, [part, whole, other, designed, designed], cpu))
    assert network.seen == 4 * 36
    network.seen = 0  # a designed set in between forgets no structure
    list(predict_sets(trained, [part, designed, whole], cpu))
    assert network.seen == 2 * 36
    assert [one.provenance["test_set"] for one in found[:2]] == ["cddd-in-domain", "cddd"]
    for truth, one in zip((part, whole, other, designed), found[:4], strict=True):
        alone = predict_set(trained, truth, cpu)
        assert one.sample_ids == truth.samples.ids
        np.testing.assert_allclose(one.probabilities, alone.probabilities, atol=1e-5)
    assert abs(found[2].probabilities - found[1].probabilities).max() > 0.01
    assert found[0].patterns_per_second > 0
