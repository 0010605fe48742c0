import json

import numpy as np
import pytest
from example_decoded import ANGLESITE, PYRITE, answered
from jsonschema import Draft202012Validator

from sgbench.identification import summary_rows
from sgbench.identification._text import cell_text


def test_the_text_says_what_was_found_and_why():
    text = str(answered(62, ANGLESITE, "anglesite.xy"))
    for words in (
        "anglesite.xy\n",
        "4251 points from 5 to 90° in steps of 0.02°, 1.54059 Å (given by the caller)",
        "Verdict: one class.",
        "P n a - (orthorhombic), probability 9",
        "P n m a (62): 147",
        "Evidence for P n a - on axes a 8.47",
        "forbidden and absent",
        "Against P",
    ):
        assert words in text
    assert max(map(len, text.splitlines())) < 170


def test_what_cannot_be_told_says_so_above_what_was_found():
    text = str(answered(205, PYRITE, extra=((31.0, 9000.0), (44.4, 9000.0))))
    assert "Verdict: cannot tell." in text
    assert "several phases are likely" in text
    assert "is not to be leaned on" in text


def test_rows_of_a_summary():
    rows = summary_rows([answered(62, ANGLESITE, "a"), answered(205, PYRITE, "b")])
    assert [row["class"] for row in rows] == ["P n a -", "P a - -"]
    assert [row["family"] for row in rows] == ["orthorhombic", "cubic"]
    assert rows[1]["cell"].startswith("a 5.4")


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (0.00021, "a 5.4180(2)"),
        (0.00012, "a 5.41802(12)"),
        (0.0196, "a 5.42(2)"),
        (0.0, "a 5.4180"),
        (float("nan"), "a 5.4180"),
        (3.0, "a 5(3)"),
    ],
)
def test_uncertainties_stand_in_brackets(error, text):
    assert cell_text("cubic", (5.418021,) * 3 + (90.0,) * 3, (error,) * 6) == text


def test_json_keeps_to_its_schema_and_holds_no_points(schema):
    for one in (answered(62, ANGLESITE, "a"), answered(205, PYRITE)):
        told = json.loads(json.dumps(one.as_dict(), allow_nan=False))
        Draft202012Validator(schema).validate([told, {"name": "b", "refused": "no pattern"}])
        assert told["classes"][0]["symbol"] in ("P n a -", "P a - -")
        assert len(told["peaks"]) == len(one.peaks)
        assert "fit" not in told
        assert not [key for key, value in told.items() if isinstance(value, np.ndarray)]
