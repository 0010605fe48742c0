"""What `sgbench.evaluate` returns, and what it takes beside functions, classifiers and modules."""

import numpy as np
import pandas as pd
import pytest
from lxml import html
from onnx import TensorProto, helper
from onnx_examples import N_LABELS, linear, model
from submission_examples import LABELS

import sgbench
from sgbench.errors import SgbenchError
from sgbench.evaluation import Score
from sgbench.leaderboard import COLUMNS
from sgbench.submission._adapters import probabilities_of


def uniform(patterns):
    return np.full((len(patterns), N_LABELS), 1 / N_LABELS)


@pytest.fixture
def found():
    return sgbench.evaluate(uniform, scale="smoke")


def test_it_is_there_before_it_is_asked_for():
    assert "evaluate" in dir(sgbench)
    assert "__version__" in dir(sgbench)


def test_it_prints_as_a_table(found):
    title, empty, head, rule, *rows = repr(found).splitlines()
    assert title == "uniform on ulbd-cubic at scale smoke, in percent"
    assert empty == ""
    assert head.split("  ")[0] == "test set"
    assert set(rule) == {"-", " "}
    assert [row.split()[0] for row in rows] == ["ulbd-in-mesh"] * 2 + ["ulbd-off-mesh"] * 2
    assert rows[0].split()[1:6] == ["space", "groups", "72", "2.8", "0.9"]
    assert "47.2" in rows[0]
    assert max(map(len, repr(found).splitlines())) <= 100


def test_a_notebook_shows_the_same_table(found):
    page = html.fromstring(found._repr_html_())
    cells = [[cell.text for cell in row.xpath("*")] for row in page.xpath("//tr")]
    printed = repr(found).splitlines()
    assert page.xpath("//caption")[0].text == printed[0]
    assert [" ".join(cells[0])] == [" ".join(printed[2].split())]
    assert [" ".join(row) for row in cells[1:]] == [" ".join(row.split()) for row in printed[4:]]


def test_a_name_is_no_markup():
    named = type("<script>alert(1)</script>", (), {"__call__": lambda self, x: uniform(x)})
    shown = sgbench.evaluate(named(), scale="smoke")._repr_html_()
    assert "<script" not in shown
    assert "&lt;script&gt;" in shown


def test_it_goes_on_as_scores_and_as_rows_of_the_leaderboard(found):
    assert len(found) == 4
    assert all(isinstance(one, Score) for one in found)
    assert list(found[:2]) == [found[0], found[1]]
    rows = found.to_frame()
    assert tuple(rows.columns) == COLUMNS
    assert set(rows["model"]) == {"uniform"}
    assert sorted(rows["top1"]) == sorted(one.top[0] for one in found)
    assert len(pd.concat([rows, rows])) == 8


def test_it_draws_each_kind_of_labels_beside_its_ceiling(found):
    figure = found.plot()
    assert [axes.get_title() for axes in figure.axes] == ["space groups", "extinction classes"]
    heights = [[bar.get_height() for bar in axes.patches] for axes in figure.axes]
    assert heights[0][0] == pytest.approx(47.2, abs=0.1)
    assert heights[1] == [100] * 5
    by_class = sgbench.evaluate(
        lambda x: np.full((len(x), 17), 1 / 17), scale="smoke", class_scheme="extinction"
    )
    assert len(by_class.plot().axes) == 1


def written(path, proto):
    path.write_bytes(proto if isinstance(proto, bytes) else proto.SerializeToString())
    return path


def said(path):
    patterns = np.random.default_rng(1).random((5, 8192), dtype=np.float32)
    return probabilities_of(path, [patterns[:3], patterns[3:]], LABELS)


@pytest.mark.parametrize("shape", [("n", 8192), ("n", 1, 8192)])
@pytest.mark.parametrize("softmax", [True, False])
def test_a_path_leads_to_an_onnx_file(tmp_path, shape, softmax):
    path = written(tmp_path / "mine.onnx", linear(shape=shape, softmax=softmax))
    expected = said(written(tmp_path / "other.onnx", linear()))
    np.testing.assert_allclose(said(str(path)), expected, atol=1e-6)


def test_its_name_is_that_of_the_file(tmp_path):
    path = written(tmp_path / "mine.onnx", linear())
    assert repr(sgbench.evaluate(path, scale="smoke")).startswith("mine on ulbd-cubic")


def test_of_several_outputs_the_probabilities_are_taken(tmp_path):
    proto = linear()
    proto.graph.node[-1].output[0] = "probabilities"
    proto.graph.output[0].name = "probabilities"
    label = helper.make_tensor_value_info("label", TensorProto.INT64, ["n"])
    proto.graph.node.append(helper.make_node("ArgMax", ["logits"], ["label"], keepdims=0))
    proto.graph.output.insert(0, label)
    expected = said(written(tmp_path / "other.onnx", linear()))
    np.testing.assert_allclose(said(written(tmp_path / "m.onnx", proto)), expected, atol=1e-6)


def two_inputs():
    other = helper.make_tensor_value_info("other", TensorProto.FLOAT, ["n", N_LABELS])
    nodes = [helper.make_node("Identity", ["other"], ["out"])]
    return model(nodes, extra_inputs=[other])


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"no model", "is not a readable model"),
        (two_inputs(), "it has 2 inputs, and patterns are one"),
        (linear(shape=("n", 100), n_points=100), "the model fails on patterns of shape"),
        (linear(n_labels=3), "has shape"),
    ],
)
def test_a_file_that_cannot_be_asked_is_refused_in_a_sentence(tmp_path, content, words):
    with pytest.raises(SgbenchError, match=words):
        said(written(tmp_path / "mine.onnx", content))
