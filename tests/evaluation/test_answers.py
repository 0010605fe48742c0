import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from example_results import made_up_scores

from sgbench.errors import SgbenchError
from sgbench.evaluation import Answers, read_score, write_score
from sgbench.evaluation._answers import answers_path, read_answers, write_answers


@pytest.fixture
def score():
    """Of structures, some of which belong together."""
    (one,) = [
        one
        for one in made_up_scores("ulbd-cubic", "cddd", "cubic", 0.7, n=300)
        if one.class_scheme == "extinction"
    ]
    return one


def test_a_score_keeps_its_answers(score, tmp_path):
    path = tmp_path / "cddd.extinction.json"
    write_score(path, score)
    found = read_score(path, with_answers=True)
    assert found == score
    np.testing.assert_array_equal(found.answers.hit, score.answers.hit)
    np.testing.assert_array_equal(found.answers.cluster, score.answers.cluster)
    assert found.answers.hit.mean() == pytest.approx(score.top[0])
    assert len(np.unique(found.answers.cluster)) == score.n_clusters
    assert read_score(path).answers is None


def test_a_score_without_answers_is_read(score, tmp_path):
    path = tmp_path / "cddd.extinction.json"
    write_score(path, score)
    answers_path(path).unlink()
    assert read_score(path, with_answers=True).answers is None


def test_answers_are_small(tmp_path):
    draw = np.random.default_rng(0)
    hit = (draw.random(50_000) < 0.9).astype(np.float32)
    write_answers(tmp_path / "a", Answers(hit, np.arange(50_000, dtype=np.int32)))
    assert (tmp_path / "a").stat().st_size < 20_000


@pytest.mark.parametrize("hit", [[0.5, 1.1], [-0.1], [np.nan]])
def test_answers_that_are_none(tmp_path, hit):
    cluster = np.arange(len(hit), dtype=np.int32)
    write_answers(tmp_path / "a", Answers(np.array(hit, dtype=np.float32), cluster))
    with pytest.raises(SgbenchError, match="is not a file of the answers"):
        read_answers(tmp_path / "a", len(hit))


@pytest.mark.parametrize("columns", [{"hit": [1.0]}, {"hit": ["a"], "cluster": [0]}])
def test_files_that_hold_no_answers(tmp_path, columns):
    pq.write_table(pa.table(columns), tmp_path / "a")
    with pytest.raises(SgbenchError, match="is not a file of the answers"):
        read_answers(tmp_path / "a", 1)
    (tmp_path / "a").write_bytes(b"PAR1")
    with pytest.raises(SgbenchError, match="is not a file of the answers"):
        read_answers(tmp_path / "a", 1)


def test_a_few_bytes_that_would_fill_memory(tmp_path):
    n = 2**25
    column = pa.DictionaryArray.from_arrays(np.zeros(n, np.int8), pa.array([1.0], pa.float32()))
    pq.write_table(pa.table({"hit": column, "cluster": column}), tmp_path / "a")
    assert (tmp_path / "a").stat().st_size < 300_000
    for claimed in (n, 100):
        with pytest.raises(SgbenchError, match="is not a file of the answers"):
            read_answers(tmp_path / "a", claimed)


@pytest.mark.parametrize("change", ["other answers", "fewer"])
def test_answers_of_another_score(score, tmp_path, change):
    path = tmp_path / "cddd.extinction.json"
    write_score(path, score)
    hit, cluster = score.answers.hit, score.answers.cluster
    other = Answers(1 - hit, cluster) if change != "fewer" else Answers(hit[:-1], cluster[:-1])
    write_answers(answers_path(path), other)
    with pytest.raises(SgbenchError, match=r"does not belong|is not a file of"):
        read_score(path, with_answers=True)
