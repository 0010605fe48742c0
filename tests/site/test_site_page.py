"""The page as a file: whole, self-contained, and safe whatever a model is called."""

import base64
import hashlib
import json
import re

import pytest
from example_site import HOSTILE, some_scores, some_site
from lxml import html
from typer.testing import CliRunner

from sgbench.errors import SgbenchError
from sgbench.evaluation import write_score
from sgbench.files import file_sha256
from sgbench.leaderboard import build_table, write_csv
from sgbench.site import render_site


@pytest.fixture(scope="module")
def site():
    return some_site(some_scores(("plain", *HOSTILE), ("cubic",), n=120))


@pytest.fixture(scope="module")
def page(site):
    return render_site(site)


def test_it_needs_nothing_but_itself(page):
    tree = html.fromstring(page)
    assert not tree.xpath("//script[@src] | //link[@rel='stylesheet'] | //iframe | //img")
    assert {link.get("href") for link in tree.xpath("//link")} == {"data:,"}
    without_names = page.replace("http://www.w3.org/2000/svg", "")
    without_names = re.sub(r'<a href="https?://[^"]+">', "", without_names)
    assert not re.search(r"(?:https?:)?//[a-z0-9-]+\.[a-z]", without_names)
    assert "@import" not in page
    assert not re.search(r"\beval\(|new Function|innerHTML|outerHTML|document\.write", page)


def test_the_data_come_back_as_they_were(page, site):
    tree = html.fromstring(page)
    [index] = tree.xpath("//script[@id='index']/text()")
    assert json.loads(index) == json.loads(json.dumps(site.index))
    assert set(HOSTILE) < set(json.loads(index)["models"])
    for place, kept in enumerate(site.models):
        [text] = tree.xpath(f"//script[@id='model-{place}']/text()")
        assert json.loads(text) == json.loads(json.dumps(kept))


def test_no_name_leaves_its_place(page):
    assert "<img" not in page
    assert page.count("<script") == page.count("</script>")
    assert "window.hacked" not in re.sub(r'<script type="application/json".*?</script>', "", page)


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


def test_the_same_data_give_the_same_page(page, site):
    assert render_site(site) == page


@pytest.fixture
def command():
    import typer

    from sgbench.cli import _site

    app = typer.Typer()
    app.command()(_site.site)

    def call(*arguments):
        done = CliRunner().invoke(app, list(map(str, arguments)))
        if done.exception is not None:
            raise done.exception
        return done.output

    return call


def test_the_command_writes_it(command, tmp_path):
    scores = some_scores(("one", "two"), ("cubic",), ("cddd",), n=100)
    for place, one in enumerate(scores):
        write_score(tmp_path / "scores" / f"{place}.json", one)
    table = tmp_path / "leaderboard.csv"
    write_csv(table, build_table(scores))
    said = command("--table", table, "--scores", tmp_path / "scores", "--output", tmp_path / "site")
    assert "index.html" in said
    page = (tmp_path / "site" / "index.html").read_text(encoding="utf-8")
    assert file_sha256(table) in page
    assert file_sha256(tmp_path / "scores" / "0.json") in page
    command("--table", table, "--output", tmp_path / "without")
    assert (tmp_path / "without" / "index.html").stat().st_size < len(page)


def test_the_command_takes_a_glossary(command, tmp_path):
    table = tmp_path / "leaderboard.csv"
    write_csv(table, build_table(some_scores(("one",), ("cubic",), ("cddd",), n=100)))
    glossary = tmp_path / "glossary.md"
    arguments = ("--table", table, "--output", tmp_path / "site", "--glossary", glossary)
    with pytest.raises(SgbenchError, match=r"glossary\.md is missing; .* leave --glossary out"):
        command(*arguments)
    assert not (tmp_path / "site").exists()
    glossary.write_text("### A term of ours\n\nIts meaning.\n", encoding="utf-8")
    command(*arguments)
    tree = html.parse(str(tmp_path / "site" / "index.html"), html.HTMLParser(encoding="utf-8"))
    assert tree.xpath("//dt[@id='term-a-term-of-ours']/text()") == ["A term of ours"]


def test_a_missing_table_is_the_users_to_mend(command, tmp_path):
    with pytest.raises(SgbenchError, match=r"none\.csv"):
        command("--table", tmp_path / "none.csv", "--output", tmp_path / "site")
    assert not (tmp_path / "site").exists()
