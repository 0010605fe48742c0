import numpy as np
import pandas as pd
import pytest

from sgbench.errors import SgbenchError
from sgbench.leaderboard import (
    BAYES_COLUMNS,
    COLUMNS,
    EXACT_COLUMNS,
    above_ceiling,
    read_ceilings,
    read_csv,
    with_exact_ceilings,
    write_csv,
)


def board(**changes) -> pd.DataFrame:
    """Two rows on a designed set and one on structures."""
    row = dict.fromkeys(COLUMNS, 0.0) | {
        "model": "fcn", "train_set": "ulbd-cubic", "family": "cubic", "n_test": 1000,
        "n_clusters": 1000, "class_scheme": "spacegroup", "test_set": "ulbd-in-mesh",
        "scale": "smoke", "top1": 0.46, "top2": 0.7, "top3": 0.8, "top4": 0.88, "top5": 0.97,
    }  # fmt: skip
    row |= {f"raw_top{k}": row[f"top{k}"] for k in range(1, 6)}
    rows = [row | changes, row | {"model": "other"}, row | {"test_set": "cddd", "raw_top1": 0.9}]
    table = pd.DataFrame(rows)
    table[[*BAYES_COLUMNS, *EXACT_COLUMNS]] = np.nan
    return table


def ceilings() -> pd.DataFrame:
    keys = {"family": "cubic", "test_set": "ulbd-in-mesh", "class_scheme": "spacegroup"}
    tops = dict(zip((f"top{k}" for k in range(1, 6)), (47.2, 72.2, 80.6, 88.9, 97.2), strict=True))
    return pd.DataFrame(
        [
            keys | {"level": "law"} | tops,
            keys | {"level": "data"} | tops,
            keys | {"level": "resolution"} | tops | {"top1": 45.0},
        ]
    )


def test_ceilings_go_to_their_rows():
    filled = with_exact_ceilings(board(), ceilings())
    assert filled["data_ceiling_top1"].tolist()[:2] == pytest.approx([0.472, 0.472])
    assert filled["resolution_ceiling_top1"].iloc[0] == pytest.approx(0.45)
    assert filled["data_ceiling_top5"].iloc[1] == pytest.approx(0.972)
    assert filled.loc[2, list(EXACT_COLUMNS)].isna().all()


def test_a_sealed_round_has_those_of_the_same_kind_of_cells():
    table = board(test_set="ulbd-sealed")
    off = ceilings().assign(test_set="ulbd-off-mesh", top1=46.0)
    filled = with_exact_ceilings(table, pd.concat([ceilings(), off]))
    assert filled["data_ceiling_top1"].tolist()[:2] == pytest.approx([0.46, 0.472])
    assert filled["test_set"].equals(table["test_set"])


@pytest.mark.parametrize(
    ("changes", "caught"),
    [
        ({"raw_top1": 0.48}, False),  # chance
        ({"raw_top1": 0.60}, True),
        ({"raw_top3": 0.90}, True),
        ({"raw_top5": 1.0}, True),
        ({"raw_top1": 0.60, "n_clusters": 8}, False),  # few samples
    ],
)
def test_rows_above_their_ceiling(changes, caught):
    """Hits tell of a leak; an accuracy that is their expectation stays where it is."""
    found = above_ceiling(with_exact_ceilings(board(**changes), ceilings()))
    assert found["model"].tolist() == (["fcn"] if caught else [])


def test_rows_without_a_data_ceiling_are_not_looked_at():
    table = board(raw_top1=0.99)
    assert above_ceiling(table).empty


def test_a_limit_of_one_cannot_be_passed():
    tops = ceilings().assign(**{f"top{k}": 100.0 for k in range(1, 6)})
    perfect = {f"raw_top{k}": 1.0 for k in range(1, 6)}
    assert above_ceiling(with_exact_ceilings(board(**perfect), tops)).empty


def test_a_table_of_an_earlier_version(tmp_path):
    later = ["data_ceiling_top1", "patterns_per_second"]
    raw = [f"raw_top{k}" for k in range(1, 6)]
    write_csv(tmp_path / "old.csv", board().drop(columns=[*EXACT_COLUMNS, *raw, *later[1:]]))
    found = read_csv(tmp_path / "old.csv")
    assert found[later].isna().all(axis=None)
    # Accuracies were plain shares of hits.
    assert found["raw_top1"].tolist() == found["top1"].tolist()


def test_ceilings_that_cannot_be_read(tmp_path):
    with pytest.raises(SgbenchError, match=r"nothing\.csv is missing"):
        read_ceilings(tmp_path / "nothing.csv")
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    with pytest.raises(SgbenchError, match="ceilings --exact"):
        read_ceilings(tmp_path / "other.csv")
