import csv
import io
import re

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from sgbench.text import csv_frame, csv_text, markdown_text, percent, points

HOSTILE = [
    "=cmd|' /C calc'!A0", "+1+2", "-1+cmd|' /C calc'!A0", "@SUM(A1)", "\t=1", "\r=1",
    "<script>alert(1)</script>", "a|b", "# heading", "[link](javascript:alert(1))", "**bold**",
    "_lean_", "__0__", "a__b", "`code`", "![image](http://example.org/x.png)", "http://example.org",
    "www.example.org", "ada@example.org", "two\nlines", "a\\", "&lt;b&gt;", "~~gone~~",
]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_no_spreadsheet_calculates(text):
    assert csv_text(text)[:1] not in set("=+-@\t\r")
    assert csv_text(csv_text(text)) == csv_text(text)


@pytest.mark.parametrize(
    "text",
    ["", "2 cores", "-3", "+4.5", "-1e-3", "P m -3 m", "-3, -3m, 6/m, 6/mmm", "fcn-wang2024"],
)
def test_harmless_text_stays(text):
    assert csv_text(text) == text


def test_only_texts_of_a_table_change():
    table = pd.DataFrame({"n": [-1, 2], "x": [-0.5, None], "words": ["=1", None]})
    safe = csv_frame(table)
    assert safe["words"].dropna().tolist() == ["'=1"]
    pd.testing.assert_frame_equal(safe[["n", "x"]], table[["n", "x"]])


def tags(text):
    """Return the tags of the page that a table with this text in a cell becomes."""
    page = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    return re.findall("<[^>]*>", page.render(f"| a | b |\n|---|---|\n| {text} | end |\n"))


@given(st.one_of(st.sampled_from(HOSTILE), st.text(max_size=30)))
def test_markdown_shows_text_as_it_is(text):
    assert tags(markdown_text(text)) == tags("plain")


def test_markdown_links_nothing():
    assert markdown_text("http://a.org") == r"http\://a.org"
    assert markdown_text("HTTPS://a.org") == r"HTTPS\://a.org"
    assert markdown_text("www.a.org, a@b.org") == r"www\.a.org, a\@b.org"
    assert markdown_text("fcn-wang2024.sqrt my_model") == "fcn-wang2024.sqrt my_model"


@given(st.text(max_size=30))
def test_csv_keeps_text_in_its_cell(text):
    buffer = io.StringIO()
    csv.writer(buffer).writerow([csv_text(text), "end"])
    (row,) = csv.reader(io.StringIO(buffer.getvalue(), newline=""))
    assert row[1] == "end"
    assert row[0].removeprefix("'") == text.removeprefix("'")


@pytest.mark.parametrize(
    ("fraction", "text"),
    [
        (0, "0.0"), (1, "100.0"), (0.99997, "99.99"), (1 - 1e-8, "100.0"), (1 - 2e-7, "99.99"),
        (0.9998, "99.98"), (0.9951, "99.51"), (0.995, "99.5"), (1e-9, "0.0"), (2e-7, "0.01"),
        (0.003, "0.30"), (0.005, "0.5"),
        (0.1225, "12.3"), (0.47222, "47.2"), (1.2, "120.0"), (float("nan"), "–"),
    ],
)  # fmt: skip
def test_percent(fraction, text):
    assert percent(fraction) == text


@given(st.floats(1.1e-7, 1 - 1.1e-7))
def test_only_nothing_is_0_and_only_all_is_100(fraction):
    assert 0 < float(percent(fraction)) < 100
    assert abs(float(percent(fraction)) - 100 * fraction) <= 0.0501


@pytest.mark.parametrize(
    ("difference", "text"),
    [(0, "0.0"), (-1e-6, "0.0"), (3e-5, "+0.01"), (-0.0003, "−0.03"), (-0.059, "−5.9")],
)
def test_points(difference, text):
    assert points(difference) == text
