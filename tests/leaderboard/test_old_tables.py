"""Tables that version 0.1.0 published are read under the names of today."""

from pathlib import Path

import pandas as pd
import pytest

from sgbench.errors import SgbenchError
from sgbench.leaderboard import (
    COLUMNS,
    above_ceiling,
    build_pairs,
    pairs_of,
    read_csv,
    read_pairs,
    sort_table,
    to_markdown,
    with_ranks,
    write_csv,
)
from sgbench.models import REFERENCE, get_model
from sgbench.sets import SetSpec

# Rows of results/published/laptop.csv and the comparisons of these.
OLD = Path(__file__).parent / "of_version_0.1.0"


@pytest.fixture
def table():
    return read_csv(OLD / "leaderboard.csv")


def test_it_is_an_old_table():
    text = (OLD / "leaderboard.csv").read_text()
    assert all(name in text for name in ("sqrt-fresh", "cddd-cubic-paper-split", "cddd-paper-test"))
    assert not {"source", "raw_top1"} & set(text.splitlines()[0].split(","))


def test_names_are_those_of_today(table):
    assert list(table.columns) == list(COLUMNS)
    assert set(table["model"]) == {
        REFERENCE, "fcn-wang2024", "cnn-park2017", "control-oracle",
    }  # fmt: skip
    assert set(table["train_set"]) == {"ulbd-cubic", "cddd-cubic-stratified", "none"}
    assert set(table["test_set"]) == {"ulbd-off-mesh", "cddd-stratified-test", "cddd"}
    for name in table["model"]:
        assert get_model(name).name == name
    for name in set(table["test_set"]) | set(table["train_set"]) - {"none"}:
        assert SetSpec.parse(name).name == name


def test_what_it_does_not_say_is_filled_in_where_it_is_known(table):
    sources = dict(zip(table["test_set"], table["source"], strict=True))
    assert sources == {
        "ulbd-off-mesh": "designed", "cddd-stratified-test": "unrecorded", "cddd": "unrecorded",
    }  # fmt: skip
    before = pd.read_csv(OLD / "leaderboard.csv")
    for k in range(1, 6):
        assert table[f"top{k}"].tolist() == before[f"top{k}"].tolist()
        assert table[f"raw_top{k}"].tolist() == before[f"top{k}"].tolist()
    assert table["test_sha256"].tolist() == before["test_sha256"].tolist()
    assert table["regret"].isna().all()
    assert above_ceiling(table).empty


def test_a_scale_that_was_called_paper(table, tmp_path):
    old = pd.read_csv(OLD / "leaderboard.csv").assign(scale="paper")
    old.to_csv(tmp_path / "old.csv", index=False)
    assert set(read_csv(tmp_path / "old.csv")["scale"]) == {"full"}


def test_comparisons_stay_with_their_rows(table):
    pairs = read_pairs(OLD / "leaderboard.pairs.csv")
    assert set(pairs["test_set"]) == {"cddd-stratified-test", "ulbd-off-mesh"}
    assert len(pairs) == 4
    assert len(pairs_of(pairs, table)) == 4
    rows = with_ranks(table, pairs)
    assert rows[rows["lead"].notna()]["lead_test"].tolist() == ["paired"] * 3


def test_it_is_written_as_a_table_of_today(table, tmp_path):
    """Sorted, shown, and read once more."""
    write_csv(tmp_path / "new.csv", sort_table(table))
    again = read_csv(tmp_path / "new.csv")
    pd.testing.assert_frame_equal(again, sort_table(table), check_dtype=False)
    text = to_markdown(again)
    assert text.count("\n### ") == 3
    assert "### cddd-stratified-test (unrecorded, fdd25020), n = 117" in text


def emptied(folder: Path, name: str) -> Path:
    old = pd.read_csv(OLD / "leaderboard.csv").assign(**{name: None})
    old.to_csv(folder / "old.csv", index=False)
    return folder / "old.csv"


def test_an_empty_column_ends_in_no_traceback(tmp_path):
    found = read_csv(emptied(tmp_path, "test_sha256"))
    assert found["test_sha256"].isna().all()
    assert len(sort_table(found)) == 7


def test_rows_without_accuracy(tmp_path):
    with pytest.raises(SgbenchError, match="the column 'top1' of row 1 is empty"):
        read_csv(emptied(tmp_path, "top1"))


def test_rows_of_no_test_set(tmp_path):
    with pytest.raises(SgbenchError, match="not a readable leaderboard"):
        read_csv(emptied(tmp_path, "test_set"))


def test_nothing_to_compare():
    assert build_pairs([]).empty
