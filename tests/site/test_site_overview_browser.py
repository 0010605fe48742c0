"""In a browser: the overview, what folds, what stands apart, and ceilings that are no bound."""

import re

import pytest
from example_site import HOSTILE, some_rows

from sgbench.models import ORACLE
from sgbench.models import REFERENCE as MODEL
from sgbench.site import render_site, site_data
from sgbench.text import percent

COST = {"train_patterns": 70000, "parameters": 10**6}
BOUND = {**COST, "data_ceiling_top1": 0.97, "ceiling_top1": 1.0}
LAW = {**COST, "class_scheme": "spacegroup", "source": "amcsd", "ceiling_top1": 0.898}
DESIGNED_LAW = {**COST, "class_scheme": "spacegroup", "ceiling_top1": 0.472}
OTHER = {**BOUND, "test_sha256": "of a few", "n_test": 360}
PRIOR = "control-prior"
COST_VIEW = "#/cost?family=cubic&test=ulbd-off-mesh&scheme=extinction"
TABLE = "#/table?family=cubic&test={}&scheme={}"


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    tetragonal = {**BOUND, "family": "tetragonal"}
    table = some_rows(
        (MODEL, "ulbd-cubic", "ulbd-off-mesh", 0.95, BOUND),
        (MODEL, "ulbd-cubic", "cddd", 0.72, COST),
        (MODEL, "ulbd-tetragonal", "ulbd-off-mesh", 0.91, tetragonal),
        (MODEL, "ulbd-cubic@0.1x5", "ulbd-off-mesh", 0.96, BOUND),
        (MODEL, "cddd-cubic", "ulbd-off-mesh", 0.31, BOUND),
        (f"{MODEL}@18750", "ulbd-cubic", "ulbd-off-mesh", 0.71, BOUND),
        ("second", "ulbd-cubic", "ulbd-off-mesh", 0.5, BOUND),
        ("second", "ulbd-cubic", "cddd", 0.5, COST),
        ("second", "ulbd-tetragonal", "ulbd-off-mesh", 0.5, tetragonal),
        ("one-result", "ulbd-cubic", "ulbd-off-mesh", 0.965, BOUND),
        ("decoder-pawley", "none", "ulbd-off-mesh", 0.966, OTHER),
        (HOSTILE[0], HOSTILE[1], "ulbd-off-mesh", 0.4, {**BOUND, "status": "self-reported"}),
        (MODEL, "ulbd-all", "ulbd-off-mesh", 0.51, {**BOUND, "family": "all"}),
        (MODEL, "ulbd-cubic", "cddd", 0.30, LAW),
        (PRIOR, "none", "ulbd-off-mesh", 0.17, BOUND),
        (ORACLE, "none", "ulbd-off-mesh", 1.0, BOUND),
        (PRIOR, "none", "cddd", 0.36, LAW),
        (ORACLE, "none", "cddd", 0.392, LAW),
        (MODEL, "ulbd-cubic", "ulbd-off-mesh+laboratory", 0.41, DESIGNED_LAW),
        (
            MODEL,
            "ulbd-cubic",
            "ulbd-off-mesh",
            0.46,
            {**DESIGNED_LAW, "resolution_ceiling_top1": 0.44},
        ),
    )
    path = tmp_path_factory.mktemp("overview") / "index.html"
    path.write_text(render_site(site_data(table, "f" * 64, [])), encoding="utf-8")
    return path.as_uri()


def models(page):
    return page.locator("th.model a").all_text_contents()


def line(page, model):
    return page.locator("tr:has(th.model a)").nth(models(page).index(model))


def cell(page, model, column):
    return line(page, model).locator("td").nth(column)


def test_the_page_opens_with_an_overview_under_two_sentences(open_page):
    page = open_page()
    assert page.title() == "Overview – sgbench"
    assert page.locator("nav a").first.inner_text() == "Overview"
    said = page.locator("header p.about").inner_text()
    assert said.count(".") == 2
    assert "ceiling" in said
    heads = page.locator(".accuracies thead th").all_inner_texts()
    assert heads == [
        "model", "cubic", "tetragonal", "all 230 groups", "designed, off-mesh", "real crystals",
        "designed, off-mesh", "designed, off-mesh",
    ]  # fmt: skip
    assert cell(page, MODEL, 0).inner_text() == "95.0 of 97.0"
    assert cell(page, MODEL, 1).inner_text() == "72.0"
    assert "designed set of the family" in page.locator("#view").inner_text()


def test_a_cell_says_its_interval_to_pointer_keyboard_and_reader(open_page):
    page = open_page()
    link = cell(page, MODEL, 0).locator("a")
    label = link.get_attribute("aria-label")
    for part in ("95.0 % of", "94.0–96.0", "ceiling 97.0 %", "n = 7,200", "trained on: designed"):
        assert part in label
    hint = page.get_by_role("tooltip")
    link.hover()
    assert "94.0–96.0" in hint.inner_text()
    page.mouse.move(0, 0)
    assert not hint.is_visible()
    page.locator("a.cell[tabindex='0']").focus()
    page.keyboard.press("ArrowRight")
    assert "real crystals" in hint.inner_text()
    page.keyboard.press("ArrowDown")
    assert "second, cubic" in hint.inner_text()  # beyond no heading
    page.locator("thead [tabindex='0']").first.focus()
    assert "ulbd-off-mesh: designed patterns" in hint.inner_text()


def test_a_cell_leads_to_the_results_behind_it(open_page):
    page = open_page()
    cell(page, MODEL, 2).locator("a").click()
    page.locator("[data-sort]").first.wait_for()
    title = page.locator("#title").inner_text()
    assert title == "tetragonal, tested on designed, off-mesh, extinction classes"
    assert page.locator("#f-train").input_value() == "ulbd-tetragonal"
    assert set(models(page)) == {MODEL, "second"}
    page.go_back()
    page.locator(".accuracies").wait_for()


def test_only_lines_with_the_same_results_are_compared(open_page):
    """A model with one result of four never leads one that has them all."""
    page = open_page()
    assert models(page) == [MODEL, "second", "one-result", HOSTILE[0], "decoder-pawley", PRIOR]
    parts = page.locator("tr.part").all_inner_texts()
    assert [part.split(" ")[0] for part in parts] == ["All", "3", "1", "1", "Controls:"]
    assert "not compared" in parts[3]  # since it was tested on other patterns
    page.goto(page.url.split("#")[0] + "#/matrix?family=cubic&scheme=extinction&train=")
    page.get_by_role("heading", name="Generalization").wait_for()
    assert models(page)[:2] == [MODEL, "second"]
    assert "one-result" in models(page)


def test_a_line_says_that_nobody_checked_it(open_page):
    page = open_page()
    assert line(page, HOSTILE[0]).locator(".badge").all_inner_texts() == ["self-reported"]
    assert page.locator("tr:has(th.model a) .badge").count() == 1
    # So do the plots, to the eye, in the key and in the hint.
    for view, marks in (
        ("", "svg.chart g:has(circle.unchecked)"),
        (COST_VIEW, "svg.chart a:has(.unchecked)"),
    ):
        page = open_page(view)
        assert page.locator(marks).count() == 1
        assert page.locator(".keys", has_text="nobody has checked it").count() == 1
        page.locator(marks).hover()
        hint = page.get_by_role("tooltip")
        hint.wait_for()
        assert "self-reported: nobody has checked it" in hint.inner_text()


def test_variants_are_folded_and_can_be_opened(open_page):
    page = open_page()
    assert models(page).count(MODEL) == 1
    fold = page.get_by_role("button", name="3 variants")
    fold.press("Enter")
    assert fold.get_attribute("aria-expanded") == "true"
    assert fold.evaluate("x => x === document.activeElement")
    assert f"{MODEL}@18750" in models(page)
    notes = page.locator("tr.variant .note").all_inner_texts()
    assert "trained on: designed, mesh 0.1 Å × 5" in notes
    assert f"open={MODEL}" in page.url
    again = open_page(TABLE.format("ulbd-off-mesh", "extinction"))
    own = models(again)
    assert own.count(MODEL) == 2  # the designed set and real crystals
    assert f"{MODEL}@18750" not in own
    again.get_by_label("variants").check()
    assert len(models(again)) == len(own) + 2
    assert models(again)[models(again).index(MODEL) + 2] == f"{MODEL}@18750"
    assert "variants=yes" in again.url
    # An address that asks for a variant shows it.
    again.goto(again.url.split("#")[0] + "#/table?train=ulbd-cubic%400.1x5&variants=no")
    again.wait_for_function("state.train")
    assert [name for name in models(again) if not name.startswith("control")] == [MODEL]


def test_a_table_tells_small_tests_and_controls_apart(open_page):
    page = open_page(TABLE.format("ulbd-off-mesh%20%28of%20a%20few%29", "extinction"))
    headers = page.locator("[data-sort]").evaluate_all("all => all.map(x => x.dataset.sort)")
    assert headers[headers.index("top1") + 1] == "n_test"
    assert "360 small test" in page.locator("tr:has-text('decoder-pawley')").inner_text()
    page.goto(page.url.split("#")[0] + TABLE.format("ulbd-off-mesh", "extinction") + "&sort=-model")
    page.wait_for_function("state.test === 'ulbd-off-mesh'")
    assert "small test" not in page.locator("#view").inner_text()
    bodies = page.locator(".board tbody")
    assert bodies.nth(1).locator("tr.part").inner_text().startswith("Controls: no contenders")
    assert bodies.nth(1).locator("a").all_text_contents() == [PRIOR, ORACLE]
    assert "any family" in page.locator("#f-family").inner_text()
    assert "all 230 groups" in page.locator("#f-family").inner_text()


def test_a_mark_is_no_bound(open_page):
    """On structures there is no share of the laws' ceiling, no gap to it and no oracle."""
    page = open_page(TABLE.format("cddd", "spacegroup"))
    view = page.locator("#view")
    for key in ("gap", "share"):
        place = page.locator(f"th:has([data-sort='{key}'])").evaluate("x => x.cellIndex")
        assert cell(page, MODEL, place - 1).inner_text() == "–"
    assert "a mark, no bound" in page.locator("tr.ceiling").inner_text()
    assert "no share of it and no gap to it" in view.inner_text()
    assert ORACLE not in models(page)
    page.get_by_label("share of achievable").check()
    assert not re.search(r"\d %", page.locator(".board").inner_text())
    page.goto(page.url.replace("#/table?", f"#/model/{MODEL}?").replace("show=share", ""))
    page.locator("h2.model-name").wait_for()
    assert "here a mark, no bound" in view.inner_text()
    assert not re.search(
        r"[+−]\d.* points", page.locator("section", has_text="In numbers").inner_text()
    )
    assert "mark, no bound: " in page.locator("circle[aria-label^='top-1']").get_attribute(
        "aria-label"
    )


def test_a_condition_leaves_the_bound_of_a_designed_set(open_page):
    page = open_page(TABLE.format("ulbd-off-mesh%2Blaboratory", "spacegroup"))
    assert "ceiling: extinction laws" in page.locator("tr.ceiling").inner_text()
    place = page.locator("th:has([data-sort='gap'])").evaluate("x => x.cellIndex")
    assert cell(page, MODEL, place - 1).inner_text() == "−6.20"
    assert "no bound" not in page.locator("#view").inner_text()


def test_what_the_profile_resolves_is_a_mark(open_page):
    page = open_page(TABLE.format("ulbd-off-mesh", "spacegroup") + "&ceiling=resolution_ceiling")
    assert "a mark, no bound" in page.locator("tr.ceiling").inner_text()
    assert "shape of lines that overlap" in page.locator("#view").inner_text()
    place = page.locator("th:has([data-sort='gap'])").evaluate("x => x.cellIndex")
    assert cell(page, MODEL, place - 1).inner_text() == "–"


def test_the_page_prints_percentages_as_everything_else_does(open_page):
    values = [
        0,
        1,
        0.99997,
        0.9998,
        0.9951,
        0.995,
        1e-9,
        2e-7,
        1 - 1e-9,
        0.003,
        0.005,
        0.1225,
        0.47222,
        1.2,
    ]
    assert open_page().evaluate("(values) => values.map(percent)", values) == [
        percent(value) for value in values
    ]
    signs = "[signed(-1e-4, 2), signed(0.003, 2), signed(-0.3, 1), fixed(0.0001, 2), fixed(0, 2)]"
    assert open_page().evaluate(signs) == ["0.00", "+0.01", "−0.3", "0.01", "0.00"]


def test_dots_of_cost_differ_in_name_colour_and_shape(open_page):
    page = open_page("#/cost?family=cubic&test=ulbd-off-mesh&scheme=extinction&variants=yes")
    labels = page.locator(".chart text.label").all_text_contents()
    assert len(labels) == len(set(labels)) > 3
    assert f"{MODEL}, designed, mesh 0.1 Å × 5" in page.evaluate(
        "[...labelsOf(filtered()).values()]"
    )
    dots = page.locator(".chart a").evaluate_all(
        """all => all.map((one) => {
          const glyph = one.querySelector("path.glyph");
          const model = one.getAttribute("aria-label").split(": ")[0];
          return [model, glyph.style.getPropertyValue("--hue"), glyph.getAttribute("d")];
        })"""
    )
    assert len({(model, hue) for model, hue, _ in dots}) == len({hue for _, hue, _ in dots}) == 5
    assert len({shape for model, _, shape in dots if model == MODEL}) == 3
    page.get_by_label("variants").uncheck()
    assert page.locator(".chart a").count() == len(dots) - 2
