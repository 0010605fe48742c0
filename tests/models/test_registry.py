from dataclasses import fields, replace
from types import SimpleNamespace

import numpy as np
import pytest
import torch

import sgbench.models
from sgbench.diffraction import CANONICAL
from sgbench.errors import SgbenchError
from sgbench.models import (
    CONTROLS,
    REFERENCE,
    REFERENCE_MODELS,
    TrainingPlan,
    UntrainedSpec,
    _index,
    _registry,
    base_name,
    current_name,
    get_model,
    get_trained_model,
    is_reserved,
    list_models,
    model_names,
    register_model,
)
from sgbench.sets import OFF_MESH, TestSet, family_set, open_test_set
from sgbench.symmetry import FAMILIES, class_labels, family_spacegroups


def test_names_are_sorted_and_found():
    assert list(model_names()) == sorted(model_names())
    for name in model_names():
        spec = get_model(name)
        assert spec.name == name
        assert spec.paper


def test_the_index_says_what_the_models_are():
    """`python tools/index_models.py` makes it again."""
    assert _index.PATH.read_text() == _index.index_text(_registry.import_models().values())
    assert list_models() == _index.read_index()
    for name, spec in _registry.import_models().items():
        mine = get_model(name)
        assert type(mine) is type(spec)
        for field in fields(spec):
            value = getattr(spec, field.name)
            assert callable(value) or getattr(mine, field.name) == value, field.name


def test_an_index_of_other_sources_is_not_used(monkeypatch, tmp_path):
    (tmp_path / "mine.py").write_text("")
    monkeypatch.setattr("sgbench.models.__path__", [*sgbench.models.__path__, str(tmp_path)])
    assert not _index.read_index()


def test_an_unknown_name_names_the_others():
    with pytest.raises(
        SgbenchError, match=r"unknown model .resnet.; expected one such as .*resnet18"
    ):
        get_model("resnet")


def test_the_reference_and_its_names():
    assert REFERENCE_MODELS[0] == REFERENCE
    assert set(REFERENCE_MODELS) <= set(model_names())
    assert current_name("fcn-wang2024.sqrt-fresh") == REFERENCE
    assert get_model("fcn-wang2024.sqrt-fresh") is get_model(REFERENCE)
    assert get_trained_model(REFERENCE) is get_model(REFERENCE)
    assert current_name("somebody-else") == "somebody-else"


def test_a_length_behind_a_name_is_that_of_its_training():
    spec, short = get_trained_model(REFERENCE), get_trained_model(f"{REFERENCE}@250")
    assert short == replace(spec, name=f"{REFERENCE}@250", defaults={"patterns": 250})
    assert base_name(short.name) == base_name(REFERENCE) == REFERENCE
    assert TrainingPlan.of(short, "ulbd-cubic", 0, {}).patterns == 250
    with pytest.raises(SgbenchError, match="250 patterns by its name, and 300 are asked for"):
        TrainingPlan.of(short, "ulbd-cubic", 0, {"patterns": 300})
    for wrong in ("@0", "@-3", "@", "@1.5", "@٣", "@5\n"):
        with pytest.raises(SgbenchError, match="unknown model"):
            get_model(REFERENCE + wrong)
    with pytest.raises(SgbenchError, match="needs no training"):
        get_model("control-uniform@5")
    assert is_reserved("fcn_wang2024@9")
    assert not is_reserved("somebody@9")


UNTRAINED = [name for name in model_names() if isinstance(get_model(name), UntrainedSpec)]


def test_models_without_training_say_what_they_are():
    assert set(UNTRAINED) == {*CONTROLS, "decoder-pawley"}
    for name in UNTRAINED:
        assert get_model(name).status == ("control" if name in CONTROLS else "reference")
        assert set(get_model(name).families) <= set(FAMILIES)
        with pytest.raises(SgbenchError, match=f"'{name}' needs no training; .*sgbench predict"):
            get_trained_model(name)


@pytest.mark.parametrize("name", UNTRAINED)
def test_models_without_training_answer_with_probabilities(name):
    spec = get_model(name)
    truth = next(open_test_set(OFF_MESH, family_set("cubic"), 1).batches(3))
    groups = family_spacegroups("cubic")
    for scheme in spec.class_schemes:
        n_labels = len(groups) if scheme == "spacegroup" else class_labels(groups).max() + 1
        answer = spec.answer(truth, scheme)
        assert answer.probabilities.shape == (3, n_labels)
        assert answer.probabilities.dtype == np.float32
        np.testing.assert_allclose(answer.probabilities.sum(axis=1), 1, atol=1e-5)
        assert all(len(values) == 3 for values in answer.details.values())


def test_the_decoder_also_tells_the_cell():
    dataset = family_set("tetragonal")
    recipes = dataset.held_out_recipes("off-mesh", 1).take([3, 40])
    asked = TestSet(OFF_MESH, "tetragonal", "designed", dataset.samples(recipes), 1)
    answer = get_model("decoder-pawley").answer(asked, "spacegroup")
    cells = np.column_stack([answer.details["a"], answer.details["c"]])
    np.testing.assert_allclose(cells, recipes.cells, atol=1e-3)
    assert (answer.details["misfit"] < 1e-3).all()
    assert answer.details["reason"].tolist() == ["", ""]


def test_the_decoder_tells_why_it_found_no_cell():
    blank = SimpleNamespace(patterns=lambda: np.zeros((1, 8192)), protocol=CANONICAL)
    asked = SimpleNamespace(samples=blank, family="cubic")
    answer = get_model("decoder-pawley").answer(asked, "spacegroup")
    np.testing.assert_allclose(answer.probabilities, 1 / 36, rtol=1e-6)
    assert np.isnan(answer.details["a"]).all()
    assert answer.details["reason"].tolist() == ["no intensity above zero"]


def test_a_network_enters_the_registry(monkeypatch):
    before = set(model_names())
    monkeypatch.setattr(_registry, "_REGISTRY", {})

    @register_model("mine", paper="Somebody 2020", input_scaling="sqrt")
    def build(n_outputs):
        return torch.nn.Linear(4, n_outputs)

    assert set(model_names()) - before == {"mine"}
    assert list_models()["mine"]["input"] == "sqrt"
    assert get_model("mine").n_parameters(3) == 15
    assert build(2).weight.shape == (2, 4)


def test_input_scaling():
    patterns = torch.tensor([[0.0, 0.25, 1.0]])
    linear, root = get_model("fcn-wang2024"), get_model("fcn-wang2024.sqrt")
    assert linear.scale_input(patterns).tolist() == [[[0.0, 0.25, 1.0]]]
    assert root.scale_input(patterns).tolist() == [[[0.0, 0.5, 1.0]]]
