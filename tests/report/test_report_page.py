"""The page: whole, self-contained, accessible, and the same for the same results."""

import base64
import json
import re
import shutil
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest
from example_conditions import rows_under_conditions
from example_crystals import crystal_file, crystal_set
from example_results import MODEL, all_histories, all_scores, made_up_scores
from lxml import html

from sgbench.archives import read_archive
from sgbench.errors import SgbenchError
from sgbench.evaluation import write_score
from sgbench.leaderboard import build_table, write_csv
from sgbench.plots import CONDITION_CURVES
from sgbench.report import Claim, _page, all_claims, publish, read_results, render_page

ITEMS = (
    "fig-2", "fig-3", "fig-4", "fig-5", "fig-6", "fig-7", "fig-8", "table-i", "tables-s1-s3",
    "fig-9", "fig-10", "fig-s1", "extinction-classes", "learning-curves", "cells-of-minerals",
    "physical-intensities", "all-models",
    "whole-matrix", "confusions", "runs",
)  # fmt: skip
SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"><g id="figure_1"/></svg>'


def keep(folder: Path, scores):
    for one in scores:
        origin = one.provenance
        run = folder / "scores" / origin["train_set"] / origin["model"] / f"seed{origin['seed']}"
        write_score(run / f"{one.test_set}.{one.class_scheme}.json", one)
    write_csv(folder / "leaderboard.csv", build_table(scores))


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """A folder with everything that a run leaves behind."""
    folder = tmp_path_factory.mktemp("run") / "smoke"
    scores = all_scores(n=120)
    scores += made_up_scores(
        "ulbd-cubic-imbalanced", "ulbd-imbalanced-in-mesh", "cubic", 0.9, n=120,
        hardware="abacus & <sons>", mlflow_run="run1", mlflow_experiment="3",
    )  # fmt: skip
    keep(folder, scores)
    for train_set, histories in all_histories().items():
        place = folder / "models" / train_set / MODEL / "seed0"
        place.mkdir(parents=True)
        histories[0].to_csv(place / "history.csv", index=False)
    (folder / "datasets").mkdir()
    counts = dict.fromkeys((195, 196, 198, 205, 225, 230), 25) | {62: 300}
    every = crystal_set(counts, families=("all",))
    table = build_table(scores)
    known = table[(table["test_set"] == "cddd") & (table["family"] == "cubic")].iloc[0]
    source = {**every.metadata["source"], "name": known["source"]}
    every = replace(every, metadata={**every.metadata, "source": source})
    crystal_file(folder / "datasets", every)
    crystal_file(folder / "datasets", crystal_set({225: 40, 62: 40}), "gcdd.parquet")
    for name in ("cddd", "gcdd", "gcdd-portrayed"):
        place = folder / "figures" / name
        place.mkdir(parents=True)
        for stem in ("cells", "patterns", "samples"):
            (place / f"{stem}.svg").write_text(SVG)
    paper = folder / "figures" / "paper"
    paper.mkdir()
    entries = [
        ("fig5-top-k.svg", "Fig. 5 (c)", "Accuracy", "A <caption>.", None, None),
        ("models-cubic.svg", "", "All models", "Best: a.", "cubic", None),
        ("other.svg", "", "Something else", "", None, None),
        (None, "Fig. 9", "Beside the ceiling", "", None, "no family has scores."),
        ("lost.svg", "Fig. S1", "Lost", "", None, None),
    ]
    names = ("file", "number", "title", "caption", "family", "reason")
    index = pd.DataFrame(entries, columns=names).to_json(orient="records")
    (paper / "figures.json").write_text(index)
    for name in ("fig5-top-k", "models-cubic", "other"):
        (paper / f"{name}.svg").write_text(SVG)
    return folder


@pytest.fixture(scope="module")
def text(whole):
    return render_page(read_results(whole), "sqlite:///results/mlflow.db")


@pytest.fixture(scope="module")
def page(text):
    return html.fromstring(text.encode())


@pytest.fixture
def bare(tmp_path):
    """A folder with a leaderboard and nothing else."""
    keep(tmp_path / "all", made_up_scores("ulbd-cubic", "ulbd-in-mesh", "cubic", 0.9))
    (tmp_path / "bare").mkdir()
    shutil.copy(tmp_path / "all" / "leaderboard.csv", tmp_path / "bare")
    return tmp_path / "bare"


def test_sections_are_in_the_order_of_the_article(page):
    sections = [one.get("id") for one in page.iter("section")]
    assert sections == ["summary", *ITEMS]


def test_every_link_inside_the_page_leads_somewhere(page):
    ids = [one.get("id") for one in page.iter() if one.get("id")]
    assert len(ids) == len(set(ids))
    inside = [a.get("href")[1:] for a in page.iter("a") if a.get("href").startswith("#")]
    assert len(inside) > 60
    assert set(inside) <= set(ids)
    for name in page.xpath("//@aria-labelledby"):
        assert name in ids


def test_nothing_is_fetched_from_elsewhere(page):
    assert all(
        image.get("src").startswith("data:image/svg+xml;base64,") for image in page.iter("img")
    )
    assert not list(page.iter("script", "link", "iframe", "object"))
    assert "url(" not in page.findtext(".//style")
    assert "@import" not in page.findtext(".//style")


def test_figures_are_the_files(page):
    images = list(page.iter("img"))
    assert {base64.b64decode(i.get("src").split(",")[1]).decode() for i in images} == {SVG}
    assert len(images) == 5 + 3
    places = {i.getparent().getparent().getparent().get("id") for i in images}
    assert places == {"fig-2", "fig-3", "fig-4", "fig-5", "fig-6", "all-models", "whole-matrix"}


def test_figures_tables_and_headings_are_accessible(page):
    assert page.get("lang") == "en"
    assert all(image.get("alt", "").strip() for image in page.iter("img"))
    for table in page.iter("table"):
        assert table.findtext("caption").strip()
        assert {th.get("scope") for th in table.iter("th")} == {"col", "row"}
        widths = {len(row) for row in table.iter("tr")}
        assert len(widths) == 1
    levels = [int(one.tag[1]) for one in page.iter("h1", "h2", "h3", "h4")]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(below - above <= 1 for above, below in pairwise(levels))
    for region in page.xpath("//*[@role='region']"):
        assert region.get("aria-label")
        assert region.get("tabindex") == "0"


def test_every_tag_is_closed(text):
    void = {"meta", "img", "br", "hr", "link"}
    stack = []
    body = re.sub(r"<!DOCTYPE[^>]*>|<style>.*?</style>", "", text, flags=re.DOTALL)
    for closing, tag in re.findall(r"<(/?)([a-z][a-z0-9]*)", body):
        if closing:
            assert stack.pop() == tag
        elif tag not in void:
            stack.append(tag)
    assert stack == []


def test_the_summary_holds_every_claim(whole, page):
    claims = all_claims(read_results(whole))
    rows = page.xpath("//table[@class='claims']/tbody/tr")
    found = [[cell.text_content() for cell in row] for row in rows]
    assert found == [[c.item, c.statement, c.outcome] for c in claims]
    assert len({claim.key for claim in claims}) == len(claims)
    for claim in claims:
        (article,) = page.xpath(f"//article[@id='{claim.key}']")
        said = [one.text_content() for one in article.iter("dd")]
        assert said == [claim.published, claim.measured or "nothing at this scale", claim.reason]


def test_what_is_not_borne_out_comes_first(whole):
    results = replace(read_results(whole), scale="laptop")
    page = html.fromstring(render_page(results).encode())
    claims = [one for one in all_claims(results) if one.of_article]
    linked = page.xpath("//section[@id='summary']/ul/li/a/@href")
    worst_first = [
        f"#{claim.key}"
        for verdict in ("not reproduced", "partly")
        for claim in claims
        if claim.verdict == verdict
    ]
    assert linked == worst_first
    assert len(linked) > 1


def test_backticks_become_code_and_nothing_else_markup(bare, monkeypatch):
    new = Claim("new-claim", "It", "It is so.", "a `name`", "<b> `x<y`", "partly", "So.")
    monkeypatch.setattr(_page, "all_claims", lambda results: (*all_claims(results), new))
    text = render_page(read_results(bare))
    assert "<dd>a <code>name</code></dd>" in text
    assert "<dd>&lt;b&gt; <code>x&lt;y</code></dd>" in text
    assert "`" not in html.fromstring(text.encode()).text_content()


def test_every_claim_could_be_judged(whole):
    """With all results there; otherwise the tests above would test nothing."""
    absent = [c.key for c in all_claims(read_results(whole)) if c.verdict.startswith("not in")]
    # The example has no such crystals, and nothing of all families together.
    assert absent == [
        "accuracy-follows-samples-tetragonal",
        "accuracy-follows-samples-trigonal-hexagonal",
        "class-accuracy-all-posteriors",
    ]


def test_a_claim_of_something_new_gets_a_section(bare, monkeypatch):
    new = Claim("new-claim", "A new item", "It is so.", "not in the article", "", "partly", "So.")
    monkeypatch.setattr(_page, "all_claims", lambda results: (*all_claims(results), new))
    page = html.fromstring(render_page(read_results(bare)).encode())
    assert page.get_element_by_id("new-claim").getparent().get("id") == "a-new-item"


def test_what_is_missing_is_said(page):
    missing = " ".join(one.text_content() for one in page.find_class("missing"))
    assert "Beside the ceiling: not in these results. no family has scores." in missing
    assert "Lost: not in these results. The file lost.svg is missing." in missing


def test_text_from_results_is_text(text, page):
    assert "abacus &amp; &lt;sons&gt;" in text
    assert "A &lt;caption&gt;." in text
    assert "<sons>" not in text
    assert "abacus & <sons>" in page.text_content()


def test_scale_hardware_and_versions_are_named(page):
    header = page.find(".//header").text_content()
    assert "Scale smoke" in header
    assert "abacus" in header
    assert "far too short" in header
    assert re.search(r"numpy \d", page.get_element_by_id("runs").text_content())


def test_runs_are_linked(whole, page):
    (link,) = [a for a in page.iter("a") if a.text == "run1"]
    assert link.get("href") == "http://127.0.0.1:5000/#/experiments/3/runs/run1"
    command = "mlflow ui --backend-store-uri sqlite:///results/mlflow.db"
    assert command in page.get_element_by_id("runs").text_content()
    served = render_page(read_results(whole), "https://who:secret@runs.example:8443/base/")
    assert "secret" not in served
    assert 'href="https://runs.example:8443/base/#/experiments/3/runs/run1"' in served


@pytest.mark.parametrize(
    "store", ["sqlite:////home/somebody/mlflow.db", "postgresql://who:secret@x"]
)
def test_stores_that_are_nobody_s_business(whole, store):
    text = render_page(read_results(whole), store)
    assert "somebody" not in text
    assert "secret" not in text
    assert "$MLFLOW_TRACKING_URI" in text


def test_the_same_results_give_the_same_bytes(whole, text):
    again = render_page(read_results(whole), "sqlite:///results/mlflow.db")
    assert again == text
    assert str(whole) not in text


def test_the_page_of_what_was_published_is_that_of_the_run(whole, text, tmp_path):
    path = tmp_path / "smoke.tar.xz"
    publish(whole, path)
    assert render_page(read_results(path), "sqlite:///results/mlflow.db") == text
    files = read_archive(path)
    assert not [name for name in files if name.endswith(".parquet")]
    # Structures have names and citations; what is published has numbers, and the source's name.
    facts = json.loads(files["structures.json"])["sets"]["cddd"]
    assert [name for name, value in facts.items() if isinstance(value, str)] == ["source"]


def test_a_leaderboard_alone_makes_a_page(bare):
    page = html.fromstring(render_page(read_results(bare)).encode())
    assert [one.get("id") for one in page.iter("section")] == ["summary", *ITEMS]
    missing = [one.text_content() for one in page.find_class("missing")]
    assert "The figure is not in these results." in missing
    assert any("no run can be named" in one for one in missing)
    verdicts = {claim.key: claim.verdict for claim in all_claims(read_results(bare))}
    assert verdicts["ceilings-agree"] == "reproduced"
    assert verdicts["generalizes-cubic-cddd-test"] == "not in these results"


def test_scores_that_the_leaderboard_lacks_are_left_out(whole, tmp_path):
    folder = tmp_path / "run"
    kept = made_up_scores("ulbd-cubic", "cddd", "cubic", 0.9, predictions_sha256="aa")
    stale = made_up_scores("ulbd-cubic", "cddd", "cubic", 0.8, seed=5, predictions_sha256="bb")
    keep(folder, [*kept, *stale])
    write_csv(folder / "leaderboard.csv", build_table(kept))
    assert {one.provenance["seed"] for one in read_results(folder).scores} == {0}


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("figures/paper/figures.json", "{"),
        ("figures/paper/figures.json", "[1]"),
        ("figures/paper/figures.json", '[{"file": "a.svg"}]'),
        ("figures/paper/figures.json", '{"file": "a.svg"}'),
        (
            "figures/paper/figures.json",
            '[{"file": "../a.svg", "number": "", "title": "", "caption": "", "family": null}]',
        ),
        ("structures.json", "{}"),
        ("structures.json", '{"sets": {"cddd": {"source": "amcsd"}}, "paired": []}'),
        ("models/ulbd-cubic/m/seed0/history.csv", "step\n1\n"),
        ("scores/ulbd-cubic/m/seed0/cddd.extinction.json", "{}"),
        ("datasets/cddd.parquet", "PAR1"),
    ],
)
def test_damaged_files(bare, name, content):
    (bare / name).parent.mkdir(parents=True, exist_ok=True)
    (bare / name).write_text(content)
    with pytest.raises(SgbenchError, match=re.escape(Path(name).name)):
        read_results(bare)


def test_a_history_without_rows_is_none(bare):
    path = bare / "models" / "ulbd-cubic" / "forest" / "seed0" / "history.csv"
    path.parent.mkdir(parents=True)
    path.write_text("step,patterns,top1\n")
    assert read_results(bare).histories == {}


def test_a_folder_of_several_scales(bare):
    table = pd.read_csv(bare / "leaderboard.csv")
    both = pd.concat([table, table.assign(scale="full")])
    both.to_csv(bare / "leaderboard.csv", index=False)
    with pytest.raises(SgbenchError, match="2 scales"):
        read_results(bare)


def test_no_leaderboard(tmp_path):
    with pytest.raises(SgbenchError, match=r"leaderboard\.csv"):
        read_results(tmp_path)


def test_conditions_have_a_section_where_there_are_rows_under_them(bare, tmp_path, page):
    assert "conditions" not in [one.get("id") for one in page.iter("section")]
    run = tmp_path / "robustness"
    (run / "figures" / "paper").mkdir(parents=True)
    write_csv(run / "leaderboard.csv", rows_under_conditions())
    drawn = ["conditions-cubic.svg", "", CONDITION_CURVES, "Curves.", "cubic", None]
    other = ["models-cubic.svg", "", "All models", "Best: a.", "cubic", None]
    names = ("file", "number", "title", "caption", "family", "reason")
    index = pd.DataFrame([drawn, other], columns=names).to_json(orient="records")
    (run / "figures" / "paper" / "figures.json").write_text(index)
    for file, *_ in (drawn, other):
        (run / "figures" / "paper" / file).write_text(SVG)
    for results in (read_results(run), read_results(bare, run)):
        text = html.fromstring(render_page(results).encode())
        (section,) = [one for one in text.iter("section") if one.get("id") == "conditions"]
        assert len(section.findall(".//img")) == 1
        mixtures, severities = section.findall(".//table")
        said = [cell.text_content() for cell in mixtures.findall(".//thead/tr/th")]
        assert said == ["family", "model", "n", "ideal patterns", "laboratory", "synchrotron"]
        assert "trained under laboratory" in mixtures.text_content()
        assert len(severities.findall(".//tbody/tr")) == 2 * 4
    # Of the other run, what is shown is its curves alone.
    assert [one.title for one in read_results(bare, run).pictures if one.image] == [
        CONDITION_CURVES
    ]
