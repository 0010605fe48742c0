import hashlib
import json
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest
import safetensors.torch
import torch
from example_training import TWO_CELLS
from torch import nn

from sgbench.errors import SgbenchError
from sgbench.evaluation import Predictions, predict_set, score, write_score
from sgbench.models import TrainingPlan, _registry, register_model
from sgbench.pretrained import (
    HOME,
    MOST_BYTES,
    export_weights,
    load_pretrained,
    pretrained_names,
    read_pretrained,
)
from sgbench.pretrained._export import compared
from sgbench.sets import SetSpec, family_set, open_test_set
from sgbench.symmetry import family_spacegroups
from sgbench.training import (
    FittedEstimator,
    TrainedModel,
    load_model,
    save_model,
    train,
)

CPU = torch.device("cpu")
PLAN = TrainingPlan("wide", TWO_CELLS, 64, 8, validations=4, validation_per_spacegroup=1)
NAME = f"{TWO_CELLS}/wide"


@contextmanager
def wide_network():
    """Register a network of one layer that is large enough to be halved."""

    @register_model("wide", paper="none", input_scaling="sqrt")
    def build(n_outputs):
        return nn.Sequential(nn.MaxPool1d(2), nn.Flatten(), nn.Linear(4096, n_outputs))

    yield
    del _registry._REGISTRY["wide"]


@pytest.fixture(scope="module")
def off_mesh():
    return open_test_set(SetSpec.parse("ulbd-off-mesh"), family_set("cubic"), 2)


@pytest.fixture(scope="module")
def made(tmp_path_factory, off_mesh):
    """A trained network, and its score files."""
    folder = tmp_path_factory.mktemp("made")
    with wide_network():
        more = {"scale": "smoke", "mlflow_run": "a1"}
        trained = train(PLAN, folder / "model.pt", folder / "state", CPU, extra_provenance=more)
        predictions = predict_set(trained, off_mesh, CPU)
        for scheme in ("spacegroup", "extinction"):
            found = score(predictions, off_mesh, scheme)
            write_score(folder / f"ulbd-off-mesh.{scheme}.json", found)
        yield folder


@pytest.fixture
def scores(made):
    return sorted(made.glob("*.json"))


@pytest.fixture
def home(made, scores, tmp_path):
    export_weights(made / "model.pt", scores, tmp_path / "home", per_spacegroup=2)
    return tmp_path / "home"


def test_weights_are_found_by_their_name_and_answer_alike(made, home, off_mesh):
    assert pretrained_names(home) == (NAME,)
    found = load_pretrained(NAME, CPU, home)
    full = load_model(made / "model.pt", CPU)
    for name, value in found.network.state_dict().items():
        assert value.dtype == torch.float32
        before = full.network.state_dict()[name]
        assert value.equal(before.half().float() if name.endswith("weight") else before)
    a, b = (predict_set(one, off_mesh, CPU) for one in (full, found))
    assert np.abs(a.probabilities - b.probabilities).max() <= 1e-3
    assert a.provenance | {"mlflow_run": None} == b.provenance
    assert (home / f"{NAME}.safetensors").stat().st_size < 300_000


def test_the_description_says_where_weights_come_from(made, home, scores):
    found = read_pretrained(NAME, home)
    weights = (home / f"{NAME}.safetensors").read_bytes()
    assert found.weights_sha256 == hashlib.sha256(weights).hexdigest()
    assert found.provenance["plan_sha256"] == PLAN.sha256()
    assert found.provenance["history"]
    assert "mlflow_run" not in found.provenance
    assert {one.class_scheme for one in found.scores} == {"spacegroup", "extinction"}
    stored = json.loads(scores[0].read_text())
    assert found.top1("ulbd-off-mesh", stored["class_scheme"]) == stored["top"][0]
    assert found.top1("ulbd-in-mesh", "extinction") is None
    assert found.rounding.n_test == 72
    assert found.licence == "MIT"
    assert {"sgbench", "python", "torch", "safetensors"} <= set(found.versions)


def test_the_same_network_gives_the_same_bytes(made, home, scores, tmp_path):
    export_weights(made / "model.pt", scores, tmp_path / "again", per_spacegroup=2)
    for path in (home / TWO_CELLS).iterdir():
        assert path.read_bytes() == (tmp_path / "again" / path.relative_to(home)).read_bytes()


def test_a_wrong_name_is_answered_with_right_ones(home, tmp_path):
    with pytest.raises(SgbenchError, match=rf"'{TWO_CELLS}'; expected {NAME}\."):
        read_pretrained(TWO_CELLS, home)
    with pytest.raises(SgbenchError, match=f"expected {NAME}"):
        load_pretrained("ulbd-cubic/tinny", CPU, home)
    with pytest.raises(SgbenchError, match="there is none yet"):
        load_pretrained("ulbd-cubic", CPU, tmp_path / "nowhere")


def of_weights(change):
    """Change the weights and describe them as they are."""

    def damage(home):
        path, about = home / f"{NAME}.safetensors", home / f"{NAME}.json"
        weights = safetensors.torch.load_file(path)
        change(weights)
        content = safetensors.torch.save(weights)
        path.write_bytes(content)
        digest = hashlib.sha256(content).hexdigest()
        about.write_text(json.dumps(json.loads(about.read_text()) | {"weights_sha256": digest}))

    return damage


def flipped(home):
    path = home / f"{NAME}.safetensors"
    content = bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)


def of_description(change):
    def damage(home):
        path = home / f"{NAME}.json"
        content = json.loads(path.read_text())
        change(content)
        path.write_text(json.dumps(content))

    return damage


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (flipped, "its SHA-256 begins with .* not as described"),
        (lambda home: (home / f"{NAME}.safetensors").unlink(), "is missing"),
        (of_weights(lambda w: w["2.bias"].fill_(torch.inf)), "'2.bias' are not finite"),
        (of_weights(lambda w: w.update({"2.bias": w["2.bias"][1:]})), "another shape or kind"),
        (of_weights(lambda w: w.update({"2.bias": w["2.bias"].double()})), "shape or kind"),
        (of_weights(lambda w: w.pop("2.bias")), "it has other weights: 2.bias"),
        (of_description(lambda d: d.pop("licence")), "'licence' is missing"),
        (of_description(lambda d: d["provenance"].pop("plan")), "'plan' is missing"),
        (of_description(lambda d: d["rounding"].update(swapped=-1)), r"'rounding.swapped' is -1"),
        (
            of_description(lambda d: d["provenance"]["plan"].update(model="fcn-wang2024")),
            "it describes .*/fcn-wang2024",
        ),
    ],
)
def test_damage_is_named(home, damage, words):
    damage(home)
    with pytest.raises(SgbenchError, match=words) as raised:
        load_pretrained(NAME, CPU, home)
    assert "what `sgbench export-weights` writes" in str(raised.value)


def changed(made, path, **provenance):
    """Write the trained network with another origin."""
    trained = load_model(made / "model.pt", CPU)
    save_model(path, replace(trained, provenance={**trained.provenance, **provenance}))
    return path


def test_what_is_not_exported(made, scores, tmp_path):
    def refused(model, words, files=scores):
        with pytest.raises(SgbenchError, match=words):
            export_weights(model, files, tmp_path / "home", per_spacegroup=2)
        assert not (tmp_path / "home").exists()

    refused(made / "model.pt", "there is no score of", [])
    other = changed(made, tmp_path / "other.pt", plan_sha256="another")
    refused(other, r"is a score of another training \(plan_sha256 differs\)")
    plan = load_model(made / "model.pt", CPU).provenance["plan"]
    structures = changed(made, tmp_path / "s.pt", plan={**plan, "dataset": "cddd-cubic"})
    refused(structures, "whose structures have a licence of their own")


# Half precision has few digits left for what tells labels apart beside 30, and ends at 65,504.
@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda weight: weight.add_(30.0), r"moves a probability of .* by \d"),
        (lambda weight: weight.mul_(1e9), "are not finite"),
    ],
)
def test_weights_whose_rounding_shows_are_not_exported(made, scores, tmp_path, change, words):
    trained = load_model(made / "model.pt", CPU)
    with torch.no_grad():
        change(trained.network[2].weight)
    save_model(tmp_path / "model.pt", trained)
    with pytest.raises(SgbenchError, match=words):
        export_weights(tmp_path / "model.pt", scores, tmp_path / "home", per_spacegroup=2)
    assert not (tmp_path / "home").exists()


def test_an_estimator_is_not_exported(monkeypatch, tmp_path):
    from sgbench.models import get_model

    estimator = FittedEstimator(get_model("nearest-neighbours"), None, {})
    monkeypatch.setattr("sgbench.pretrained._export.load_model", lambda *_: estimator)
    with pytest.raises(SgbenchError, match="an estimator; expected a network"):
        export_weights(tmp_path / "model.pt", [])


def test_near_ties_are_counted(off_mesh):
    """Classes that are nearer than twice what is allowed may swap; no others can."""
    groups = family_spacegroups("cubic")
    rows = np.zeros((len(off_mesh), 36), np.float32)
    rows[:, 0], rows[:, -1] = 0.7, 0.3
    rows[0, [0, -1]] = 0.5004, 0.4996
    rows[1, [0, -1]] = 0.5002, 0.4998
    moved = rows.copy()
    moved[:2] += np.float32(5e-4) * np.sign(np.arange(36) - 17.5) * (rows[:2] > 0)
    full, half = (
        Predictions(off_mesh.samples.ids, "spacegroup", groups, values.astype(np.float32), {})
        for values in (rows, moved)
    )
    found = compared(full, half, off_mesh)
    assert (found.near_ties, found.swapped) == (2, 2)
    assert found.largest == pytest.approx(5e-4, rel=1e-3)
    assert compared(full, full, off_mesh).swapped == 0


def test_what_comes_with_the_package_is_small_and_whole():
    assert sum(path.stat().st_size for path in HOME.rglob("*") if path.is_file()) <= MOST_BYTES
    for name in pretrained_names():
        assert isinstance(load_pretrained(name, CPU), TrainedModel)
        assert read_pretrained(name).rounding.largest <= 1e-3
