"""Broken files of predictions: each refused in its own words, and nothing changes."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from submission_examples import CLASSES, LABELS, description, frame, probabilities, write

from sgbench.submission import Track, public_samples


def table(change):
    """Change a good table, and write it."""

    def mutate(folder, samples):
        changed = change(frame(samples))
        if isinstance(changed, pd.DataFrame):
            changed.to_parquet(folder / "predictions.parquet", index=False)
        else:
            pq.write_table(changed, folder / "predictions.parquet")

    return mutate


def cell(value, row=3, column="p_200"):
    def change(good):
        good[column] = good[column].astype(np.float64)
        good.loc[row, column] = value
        return good

    return table(change)


def ids(change):
    def changed(good):
        names = list(good["sample_id"])
        good["sample_id"] = change(names)
        return good

    return table(changed)


def raw(change):
    def mutate(folder, samples):
        path = folder / "predictions.parquet"
        path.write_bytes(change(path.read_bytes()))

    return mutate


def ranking(make):
    def change(good):
        lists = [list(LABELS[:5]) for _ in range(len(good))]
        return pa.table({"sample_id": list(good["sample_id"]), "ranking": make(lists)})

    return table(change)


def set_at(lists, value, row=7):
    lists[row] = value
    return lists


def many_rows(good):
    """A row that is repeated takes nearly no room until it is read."""
    n = 30_000_000
    names = pa.DictionaryArray.from_arrays(pa.array(np.zeros(n, np.int8)), pa.array(["a"]))
    return pa.table({"sample_id": names})


def long_text(good):
    """One long id, repeated: small as a dictionary, large spelt out."""
    n = len(good)
    names = pa.DictionaryArray.from_arrays(pa.array(np.zeros(n, np.int8)), pa.array(["a" * 10**5]))
    columns = {name: good[name] for name in good.columns[1:]}
    return pa.table({"sample_id": names, **columns})


def zeros(good):
    """Compresses a thousand times."""
    n = len(good)
    lists = pa.ListArray.from_arrays(
        pa.array(np.arange(n + 1) * 20_000, pa.int32()), pa.array(np.zeros(n * 20_000, np.int64))
    )
    return pa.table({"sample_id": list(good["sample_id"]), "ranking": lists})


def compressed_text(folder, samples):
    good = frame(samples)
    good["sample_id"] = [f"{i}" + "a" * 100_000 for i in range(len(good))]
    pq.write_table(
        pa.Table.from_pandas(good, preserve_index=False), folder / "predictions.parquet",
        compression="zstd", use_dictionary=False,
    )  # fmt: skip


def many_columns(good):
    return pa.table({f"c{i}": pa.array([0.0]) for i in range(3000)})


def many_groups(folder, samples):
    rows = pa.table({"sample_id": ["a"] * 1200})
    pq.write_table(rows, folder / "predictions.parquet", row_group_size=1)


def of_other(track, scale="smoke"):
    def mutate(folder, samples):
        other = Track(track, scale)
        predicted = public_samples(other)
        frame(predicted, other.labels("spacegroup")).to_parquet(
            folder / "predictions.parquet", index=False
        )

    return mutate


def classes_said(folder, samples):
    write(folder, description(class_scheme="extinction"), frame(samples, LABELS))


def classes_given(folder, samples):
    write(folder, description(), frame(samples, CLASSES))


def typed(kind):
    def change(good):
        rows = pa.Table.from_pandas(good, preserve_index=False)
        place = rows.schema.get_field_index("p_200")
        values = {
            "text": pa.array(["0.1"] * len(good)),
            "int": pa.array([1] * len(good)),
            "list": pa.array([[0.1]] * len(good)),
            "null": pa.nulls(len(good)),
        }[kind]
        return rows.set_column(place, "p_200", values)

    return table(change)


def names_typed(values):
    def change(good):
        rows = pa.Table.from_pandas(good, preserve_index=False)
        return rows.set_column(0, "sample_id", values(len(good)))

    return table(change)


def twice(good):
    rows = pa.Table.from_pandas(good, preserve_index=False)
    return rows.append_column("p_200", rows["p_200"])


def flipped(from_end):
    def change(content):
        changed = bytearray(content)
        changed[-from_end] ^= 0xFF
        return bytes(changed)

    return change


def noise(share):
    def change(content):
        changed = np.frombuffer(content, np.uint8).copy()
        rng = np.random.default_rng(int(share * 1000))
        where = rng.random(len(changed)) < share
        changed[where] = rng.integers(0, 256, where.sum())
        return changed.tobytes()

    return change


CANNOT = "predictions.parquet: it "

# kind, what to do to a good file, what is said
CASES = [
    ("not a number", cell(np.nan), "1 values are not finite, the first is in row 3, p_200"),
    ("not a number", table(lambda d: d.assign(p_195=np.nan)), "not finite"),
    ("infinite", cell(np.inf), "not finite"),
    ("null", cell(None), "not finite"),
    ("negative", cell(-0.1), "1 values are negative"),
    ("above one", cell(1.5), "above 1"),
    ("above one", cell(1e308), "above 1"),
    ("above one", table(lambda d: d.assign(p_230=100.0)), f"{144} values are above 1"),
    ("sum", cell(0.9), "1 rows do not sum to 1, the first is row 3"),
    ("sum", table(lambda d: d.assign(**{f"p_{g}": 0.0 for g in LABELS})), "144 rows do not sum"),
    ("sum", table(lambda d: d.assign(p_195=d.p_195 / 2)), "do not sum to 1"),
    ("logits", table(lambda d: d.assign(**{c: np.log(d[c]) for c in d.columns[1:]})), "negative"),
    ("missing ids", table(lambda d: d.iloc[:-1]), "1 of 144 samples are missing"),
    ("missing ids", table(lambda d: d.iloc[:1]), "143 of 144 samples are missing"),
    ("no rows", table(lambda d: d.iloc[:0]), "none of its 0 ids"),
    ("doubled ids", table(lambda d: pd.concat([d, d.iloc[:1]])), "1 ids are doubled"),
    ("doubled ids", table(lambda d: pd.concat([d, d])), "144 ids are doubled"),
    ("doubled ids", ids(lambda n: [n[1], *n[1:]]), "1 ids are doubled"),
    ("wrong ids", ids(lambda n: ["x", *n[1:]]), "1 ids are unknown, the first is 'x' in row 0"),
    ("wrong ids", ids(lambda n: [one.upper() + "!" for one in n]), "none of its 144 ids"),
    ("wrong ids", ids(lambda n: [None, *n[1:]]), "1 ids are unknown"),
    ("wrong ids", ids(lambda n: ["", *n[1:]]), "1 ids are unknown"),
    ("unicode ids", ids(lambda n: ["ａ\u202e", *n[1:]]), "1 ids are unknown"),
    ("unicode ids", ids(lambda n: ["\x1b[31m\n", *n[1:]]), "1 ids are unknown"),
    ("long ids", ids(lambda n: ["a" * 1000, *n[1:]]), "a sample id has 1000 bytes"),
    ("wrong family", of_other("ulbd-tetragonal"), "columns are missing"),
    ("wrong family", of_other("ulbd-triclinic"), "columns are missing"),
    ("wrong scale", ids(lambda n: [one[::-1] + "z" for one in n]), "none of its"),
    ("wrong scheme", classes_said, "columns are unknown"),
    ("wrong scheme", classes_given, "19 columns are missing, the first is p_199"),
    ("missing columns", table(lambda d: d.drop(columns="p_200")), "1 columns are missing"),
    ("missing columns", table(lambda d: d[["sample_id"]]), "36 columns are missing"),
    ("missing columns", table(lambda d: d.drop(columns="sample_id")), "the first is sample_id"),
    ("missing columns", table(lambda d: d.rename(columns={"sample_id": "id"})), "is sample_id"),
    ("unknown columns", table(lambda d: d.assign(label=1)), "the first is 'label'"),
    ("unknown columns", table(lambda d: d.assign(p_1=0.0)), "the first is 'p_1'"),
    ("unknown columns", table(lambda d: d.assign(**{"a\nb": 1})), "1 columns are unknown"),
    (
        "index",
        table(lambda d: pa.Table.from_pandas(d.set_index(d["sample_id"].str[:5]))),
        "index=False",
    ),
    ("doubled columns", table(twice), "column p_200 is there twice"),
    *(
        ("wrong type", typed(kind), "the type of column p_200 is")
        for kind in ("text", "int", "list", "null")
    ),
    ("wrong type of ids", names_typed(lambda n: pa.array(range(n))), "type of column sample_id is"),
    ("wrong type of ids", names_typed(lambda n: pa.array([b"a"] * n)), "type of column sample_id"),
    ("wrong type of ids", names_typed(lambda n: pa.array([["a"]] * n)), "sample_id"),
    *(
        ("truncated", raw(lambda c, share=share: c[: int(len(c) * share)]), CANNOT)
        for share in (0.1, 0.9)
    ),
    ("truncated", raw(lambda c: c[:4]), CANNOT),
    ("truncated", raw(lambda c: c[:-1]), CANNOT),
    *(("noise", raw(noise(share)), "") for share in (0.05, 0.2, 1.0)),
    *(("damaged footer", raw(flipped(place)), "") for place in (1, 5, 8)),
    ("not parquet", raw(lambda c: b"PAR1PAR1"), CANNOT),
    ("not parquet", raw(lambda c: b"sample_id,p_195\n1,1\n"), CANNOT),
    ("not parquet", raw(lambda c: b"\x89HDF\r\n\x1a\n" + c), CANNOT),
    ("not parquet", raw(lambda c: b"PAR1" + b"\xff" * 500 + b"\xff\xff\xff\x7fPAR1"), CANNOT),
    ("padded", raw(lambda c: c + b"\x00" * 10**7), "it is larger than"),
    ("parquet bomb", table(many_rows), "it claims 30000000 rows"),
    ("parquet bomb", table(zeros), "it would grow to"),
    ("parquet bomb", table(long_text), "a sample id has 100000 bytes"),
    ("parquet bomb", compressed_text, "it would grow to"),
    ("parquet bomb", table(many_columns), "it has 3000 columns"),
    ("parquet bomb", many_groups, "it claims 1200 rows"),
    ("ranking empty", ranking(lambda r: set_at(r, [])), "1 lists are empty, the first in row 7"),
    ("ranking empty", ranking(lambda r: set_at(r, None)), "1 lists are empty"),
    ("ranking doubled", ranking(lambda r: set_at(r, [195, 195])), "with doubles"),
    ("ranking of others", ranking(lambda r: set_at(r, [1, 2])), "with a label that is none"),
    ("ranking of others", ranking(lambda r: set_at(r, [2**62])), "with a label that is none"),
    ("ranking of others", ranking(lambda r: set_at(r, [195, None])), "with a label that is none"),
    ("ranking too long", ranking(lambda r: set_at(r, [*LABELS, 195])), "with doubles"),
    (
        "ranking of words",
        ranking(lambda r: [[str(g) for g in one] for one in r]),
        "the type of column ranking is",
    ),
    ("ranking of words", ranking(lambda r: [195.0] * len(r)), "the type of column ranking is"),
    ("ranking of words", ranking(lambda r: [[0.5] * 5] * len(r)), "the type of column ranking is"),
    ("ranking and more", table(lambda d: d.assign(ranking=[[195]] * len(d))), "36 columns are unk"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("mutate", "words"), [pytest.param(m, w, id=f"{i}-{k}") for i, (k, m, w) in enumerate(CASES)]
)
def test_is_refused(mine, refused, samples, mutate, words):
    mutate(mine, samples)
    said = refused(mine)
    assert any(words in line for line in said), said


def test_a_lie_about_rows_does_not_fill_memory(mine, refused, samples):
    """The footer says how much there is; pages that hold more are not believed."""
    good = pa.Table.from_pandas(frame(samples), preserve_index=False)
    pq.write_table(good, mine / "predictions.parquet", compression="none", use_dictionary=False)
    content = (mine / "predictions.parquet").read_bytes()
    (mine / "predictions.parquet").write_bytes(content.replace(b"\xa0\x02", b"\x84\x02"))
    refused(mine)


def test_a_file_that_ends_its_reader_is_refused(mine, refused, samples, monkeypatch):
    """Damaged statistics make the library end its process; it is not that of the scorer."""
    from sgbench.submission import _prediction_file

    class Fatal(_prediction_file.Sandbox):
        def start(self, answer):
            self._process.kill()
            return super().start(answer)

    monkeypatch.setattr(_prediction_file, "Sandbox", Fatal)
    (said,) = refused(mine)
    assert "made its process end with status -9" in said


def test_every_problem_is_said_at_once(mine, refused, samples):
    good = frame(samples, values=probabilities(samples, LABELS))
    good.loc[0, "sample_id"] = "x"
    good.loc[1, "sample_id"] = good.loc[2, "sample_id"]
    good.loc[3, "p_195"] = np.nan
    good.loc[4, "p_196"] = -1
    good.to_parquet(mine / "predictions.parquet", index=False)
    said = "\n".join(refused(mine))
    for words in ("doubled", "unknown", "2 of 144 samples are missing", "not finite", "negative"):
        assert words in said
