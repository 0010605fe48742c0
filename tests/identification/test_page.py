"""The page as a file: whole, self-contained, and safe whatever a file is called or says."""

import base64
import hashlib
import json
import re
from dataclasses import replace

import numpy as np
import pytest
from example_decoded import ANGLESITE, PYRITE, answered
from lxml import html

from sgbench.identification import render_answers
from sgbench.identification._page import _thinned

HOSTILE = "</script><img src=x onerror=window.hacked=1>\u202e{{ 7*7 }}'\"&.xy"


@pytest.fixture(scope="module")
def answers():
    one = answered(62, ANGLESITE, HOSTILE)
    told = replace(one.pattern, metadata={"sample": HOSTILE}, notes=(HOSTILE,))
    return [replace(one, pattern=told), answered(205, PYRITE, "b.xy")]


@pytest.fixture(scope="module")
def page(answers):
    return render_answers(answers, [(HOSTILE, f"no pattern: {HOSTILE}")])


def test_it_needs_nothing_but_itself(page):
    tree = html.fromstring(page)
    assert not tree.xpath("//script[@src] | //link[@rel='stylesheet'] | //iframe | //img")
    assert {link.get("href") for link in tree.xpath("//link")} == {"data:,"}
    assert not re.search(r"(?:https?:)?//[a-z0-9-]+\.[a-z]",
                         page.replace("http://www.w3.org/2000/svg", ""))  # fmt: skip
    assert not re.search(r"\beval\(|new Function|innerHTML|outerHTML|document\.write", page)


def test_no_name_leaves_its_place(page):
    assert "<img" not in page
    assert page.count("<script") == page.count("</script>")
    tree = html.fromstring(page)
    assert HOSTILE in [one.text for one in tree.xpath("//h2")]
    assert tree.xpath("//dd/text()") == [HOSTILE]
    assert any(HOSTILE in text for text in tree.xpath("//li/text()"))


def test_the_policy_names_the_one_script_and_the_one_style(page):
    tree = html.fromstring(page)
    [policy] = tree.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    [script] = tree.xpath("//script[not(@type)]/text()")
    [style] = tree.xpath("//style/text()")
    for text in (script, style):
        digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"'sha256-{digest}'" in policy
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy


def test_the_plot_has_the_pattern_the_fit_and_the_marks(page, answers):
    tree = html.fromstring(page)
    for place, answer in enumerate(answers):
        [text] = tree.xpath(f"//script[@id='plot-{place}']/text()")
        plot = json.loads(text)
        assert set(plot["curves"]) == {"measured", "fit", "background"}
        x, y = plot["curves"]["measured"]
        assert np.allclose(x, answer.pattern.two_theta, atol=1e-4)
        assert np.allclose(y, answer.pattern.intensity, rtol=1e-4)
        assert len(plot["peaks"]) == len(answer.peaks)
        assert [row["name"] for row in plot["marks"]] == [
            one.symbol for one in answer.classes if one.evidence
        ]


def test_the_same_answers_give_the_same_page(page, answers):
    assert render_answers(answers, [(HOSTILE, f"no pattern: {HOSTILE}")]) == page


def test_one_answer_has_no_summary(answers):
    tree = html.fromstring(render_answers(answers[1:]))
    assert [one.text for one in tree.xpath("//h1")] == ["b.xy"]
    assert not tree.xpath("//table[@class='summary']")


def test_of_very_many_points_the_lowest_and_the_highest_stay():
    x = np.linspace(5, 90, 300_000)
    y = np.random.default_rng(0).normal(100, 10, len(x))
    y[123_456], y[234_567] = 1e4, -1e4
    thin = np.array(_thinned(x, y))
    assert thin.shape[1] <= 40_000
    assert thin[1].max() == 1e4
    assert thin[1].min() == -1e4
    assert (np.diff(thin[0]) > 0).all()
