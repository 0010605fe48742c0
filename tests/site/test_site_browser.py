"""The page in a browser: clicks, keys, addresses, exports, hostile names, both colour schemes."""

import csv
import json
import re
from pathlib import Path

import pytest
from example_site import HOSTILE, scores_of_two_sources, some_scores, some_site

from sgbench.pages import source_hash
from sgbench.site import read_glossary, render_site

playwright = pytest.importorskip(
    "playwright.sync_api", reason="Playwright for Python is not installed"
)
GLOSSARY = Path(__file__).parents[2] / "docs" / "glossary.md"
FAMILIES = ("cubic", "tetragonal", "trigonal-hexagonal")
MODELS = ("alpha", "beta-forest", "gamma", *HOSTILE)
PHONE = {"width": 360, "height": 740}
VIEWS = (
    "", "#/table", "#/cost", "#/matrix", "#/about",
    "#/model/alpha?family=cubic&test=cddd&scheme=extinction",
)  # fmt: skip


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    path = tmp_path_factory.mktemp("site") / "index.html"
    scores = some_scores(MODELS, FAMILIES[:2], n=150)
    extra = {f"data_ceiling_top{k}": 0.35 + 0.1 * k for k in range(1, 6)}
    page = render_site(some_site(scores, extra), read_glossary(GLOSSARY))
    path.write_text(page, encoding="utf-8")
    return path.as_uri()


def names(page):
    return page.locator(".board tbody th a").all_text_contents()


def model_heading(page):
    """The name on a model's page; an address takes effect a moment after it is there."""
    heading = page.locator("h2.model-name")
    heading.wait_for()
    return heading


def column(page, name):
    headers = [text.strip(" ▲▼\n") for text in page.locator(".board thead th").all_inner_texts()]
    rows = ".board tbody tr:not(.ceiling, .part)"
    return page.locator(f"{rows} > :nth-child({headers.index(name) + 1})")


def test_the_table_opens_with_the_best_first_and_the_ceiling_as_a_row(open_page):
    page = open_page("#/table")
    assert page.title() == "Leaderboard – sgbench"
    accuracies = [float(text.split()[0]) for text in column(page, "top-1").all_inner_texts()]
    assert accuracies == sorted(accuracies, reverse=True)
    assert names(page)[0] == "alpha"
    assert "extinction laws" in page.locator("tr.ceiling").inner_text()
    assert page.locator("td.plot line.ceiling").count() == len(accuracies) + 1
    assert "alpha" in page.locator(".headline").inner_text()
    assert re.fullmatch(r"1–\d", column(page, "rank").first.inner_text())


def test_a_click_on_a_heading_sorts_and_another_turns_round(open_page):
    page = open_page("#/table")
    heading = page.get_by_role("button", name="model", exact=True)
    heading.click()
    models = [name for name in names(page) if not name.startswith("control")]
    assert models == sorted(models, key=str.lower)
    assert page.locator("th[aria-sort]").get_attribute("aria-sort") == "ascending"
    page.get_by_role("button", name="model", exact=True).click()
    assert page.locator("th[aria-sort]").get_attribute("aria-sort") == "descending"
    assert [name for name in names(page) if not name.startswith("control")] == models[::-1]
    assert "sort=-model" in page.url


def test_the_command_of_a_row_is_copied_with_one_click(open_page):
    page = open_page("#/table")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    buttons = page.get_by_role("button", name="copy the command that makes alpha again")
    buttons.first.click()
    page.get_by_text("copied", exact=True).first.wait_for()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("git worktree add --quiet --detach ../again-1a1a1a1-")
    assert copied.endswith("/rows/ulbd-cubic/alpha.csv")
    # A model's page has the command, and says where there is none.
    page.goto(page.url.split("#")[0] + "#/model/alpha?family=cubic&test=cddd&scheme=extinction")
    shown = page.locator(".again code")
    shown.wait_for()
    assert shown.inner_text() == copied
    said = page.locator("section:has(.again)").inner_text()
    assert f"requirements.lock with SHA-256 {'f' * 64}" in said
    assert "Its training took 30 s on a computer." in said
    page.goto(page.url.split("#")[0] + "#/model/beta-forest?family=cubic&test=cddd")
    page.get_by_text("No command makes this row again.").wait_for()


def test_a_command_is_copied_where_the_clipboard_is_denied(open_page):
    page = open_page("#/table")
    page.evaluate(
        """navigator.clipboard.writeText = () => Promise.reject(new Error("denied"));
        document.execCommand = (what) => {
          window.fallback = [what, document.activeElement.value];
        };"""
    )
    page.get_by_role("button", name="copy the command that makes alpha again").first.click()
    page.get_by_text("copied", exact=True).first.wait_for()
    what, text = page.evaluate("window.fallback")
    assert what == "copy"
    assert text.endswith("alpha.csv")
    assert page.locator("textarea").count() == 0


def test_a_long_table_starts_with_its_first_part(open_page, tmp_path):
    scores = some_scores(tuple(f"m{i}" for i in range(32)), FAMILIES[:1], n=40)
    data = some_site([one for one in scores if one.provenance["model"] != "control-prior"])
    text = render_site(data).replace("const FIRST_ROWS = 500;", "const FIRST_ROWS = 100;")
    script = re.search(r"<script>(.*)</script>", text, re.DOTALL)[1]
    known = re.search(r"script-src '(sha256-[^']+)'", text)[1]
    text = text.replace(known, source_hash(script))
    (tmp_path / "long.html").write_text(text, encoding="utf-8")
    page = open_page("#/table?test=&family=&scheme=", (tmp_path / "long.html").as_uri())
    lines = page.locator(".board tbody tr")
    assert lines.count() == 100
    page.get_by_role("button", name="Show all 256").click()
    lines.nth(200).wait_for()
    assert len(names(page)) == 256
    assert "board" in page.evaluate("document.activeElement.className").split()
    assert page.get_by_role("button", name="Show all").count() == 0


def test_missing_values_are_last_whichever_way_it_is_sorted(open_page):
    page = open_page("#/table")
    for order in ("parameters", "-parameters"):
        page.goto(page.url.split("#")[0] + f"#/table?sort={order}")
        page.locator("th[aria-sort]").wait_for()
        assert names(page)[-1].startswith("control")


def test_filters_narrow_the_table_and_rest_in_the_address(open_page):
    page = open_page("#/table")
    page.get_by_label("Track (family)").select_option("tetragonal")
    page.get_by_label("Tested on").select_option("cddd")
    page.get_by_label("Model", exact=True).fill("forest")
    assert page.get_by_label("Model", exact=True).evaluate("x => x === document.activeElement")
    page.get_by_label("controls").uncheck()
    assert names(page) == ["beta-forest"]
    for part in ("family=tetragonal", "test=cddd", "q=forest", "controls=no"):
        assert part in page.url
    again = open_page(page.url[page.url.index("#") :])
    assert names(again) == ["beta-forest"]
    assert again.get_by_label("Track (family)").input_value() == "tetragonal"
    assert again.get_by_label("Model", exact=True).input_value() == "forest"
    assert not again.get_by_label("controls").is_checked()
    again.get_by_label("Model", exact=True).fill("no such")
    assert "No row fits" in again.locator("#view").inner_text()
    again.get_by_role("button", name="Show more").click()
    assert len(names(again)) > 20


def test_all_test_sets_show_a_column_and_a_ceiling_for_each(open_page):
    page = open_page("#/table")
    page.get_by_label("Tested on").select_option("")
    assert len(set(column(page, "tested on").all_inner_texts())) == 4
    assert page.locator("tr.ceiling").count() == 4


def test_a_ceiling_is_called_a_mark_where_it_is_no_bound(open_page, tmp_path):
    path = tmp_path / "bounds.html"
    scores = some_scores(("alpha",), ("cubic",), ("ulbd-off-mesh", "cddd"), n=100)
    extra = {f"data_ceiling_top{k}": 0.4 for k in range(1, 6)}  # below that of the laws
    path.write_text(render_site(some_site(scores, extra)), encoding="utf-8")
    for test_set, scheme, is_mark in (
        ("ulbd-off-mesh", "spacegroup", False),
        ("ulbd-off-mesh", "extinction", False),
        ("cddd", "extinction", False),
        ("cddd", "spacegroup", True),
    ):
        page = open_page(f"#/table?test={test_set}&scheme={scheme}", path.as_uri())
        assert ("a mark" in page.locator("tr.ceiling").inner_text()) == is_mark
        assert ("then a mark" in page.locator("#view").inner_text()) == is_mark


def test_shares_are_accuracies_over_the_chosen_ceiling(open_page):
    page = open_page("#/table?family=cubic&test=ulbd-off-mesh&scheme=spacegroup")
    raw = [float(text.split()[0]) for text in column(page, "top-1").all_inner_texts()]
    limit = float(page.locator("tr.ceiling strong").inner_text())
    page.get_by_label("share of achievable").check()
    shares = [float(text.split()[0]) for text in column(page, "top-1").all_inner_texts()]
    assert shares == pytest.approx([100 * value / limit for value in raw], abs=0.25)
    assert page.locator("tr.ceiling strong").inner_text() == "100.0"
    page.locator("#f-ceiling").select_option("line positions in the window")
    shares = [float(text.split()[0]) for text in column(page, "top-1").all_inner_texts()]
    assert shares == pytest.approx([value / 0.45 for value in raw], abs=0.25)
    assert "show=share" in page.url
    assert "ceiling=data_ceiling" in page.url


def saved(page, label):
    with page.expect_download() as waiting:
        page.get_by_role("button", name=label).click()
    return Path(waiting.value.path()).read_text(encoding="utf-8")


def test_the_view_is_exported_as_csv_and_json(open_page):
    page = open_page("#/table?family=cubic&test=cddd&scheme=extinction&train=&sort=top1")
    rows = list(csv.DictReader(saved(page, "Save as CSV").splitlines()))
    assert len(rows) == len(MODELS) + 1
    assert {row["test_set"] for row in rows} == {"cddd"}
    values = [float(row["top1"]) for row in rows]
    assert values == sorted(values)
    # What a spreadsheet would take for a formula is quoted.
    assert not any(row["model"].startswith("=") for row in rows)
    content = json.loads(saved(page, "Save as JSON"))
    assert [row["top1"] for row in content["rows"]] == values
    assert set(HOSTILE) < {row["model"] for row in content["rows"]}
    assert content["leaderboard_sha256"] == "f" * 64
    assert content["view"].startswith("#/table?")


def test_a_models_page_holds_what_is_known_of_it(open_page):
    page = open_page("#/table")
    page.get_by_label("Tested on").select_option("cddd")
    page.locator(".board").get_by_role("link", name="beta-forest").click()
    heading = model_heading(page)
    assert "beta-forest" in heading.inner_text()
    assert heading.evaluate("x => x === document.activeElement")
    titles = page.get_by_role("heading", level=3).all_inner_texts()
    assert [title.split()[0] for title in titles] == [
        "In", "Calibration", "Top-1", "Generalization", "Extinction", "Confusions", "Make",
        "Provenance",
    ]  # fmt: skip
    chain = page.locator(".chain li").all_inner_texts()
    steps = ["training set", "test set", "predictions", "scorer", "score", "row"]
    assert [text.split("\n")[0] for text in chain] == steps
    assert "c" + f"{1002:063x}" in chain[2]
    assert page.locator("circle[aria-label^='top-']").count() == 5
    page.get_by_label("Result").select_option(index=1)
    assert "/model/beta-forest?" in page.url
    page.get_by_role("link", name="← Leaderboard").click()
    page.locator(".chain").wait_for(state="detached")
    page.locator(".board").wait_for()


def test_a_confusion_tells_its_conditions_to_pointer_and_keyboard(open_page):
    page = open_page("#/model/alpha?family=tetragonal&test=cddd&scheme=extinction")
    hint = page.get_by_role("tooltip")
    wrong = page.locator(".confusions .wrong").first
    wrong.scroll_into_view_if_needed()
    wrong.hover()
    assert "taken for" in hint.inner_text()
    assert re.search(r"(missed|invented) \w+: ", hint.inner_text())
    page.keyboard.press("Escape")
    assert not hint.is_visible()
    page.mouse.move(0, 0)
    grid = page.locator(".confusions")
    inside = grid.locator("[tabindex='0']")
    assert inside.count() == 1
    inside.focus()
    first = hint.inner_text()
    for key in ("ArrowDown", "ArrowRight", "ArrowDown"):
        page.keyboard.press(key)
    assert hint.is_visible()
    assert hint.inner_text() != first
    assert grid.locator("[tabindex='0']").count() == 1
    page.set_viewport_size({"width": 1400, "height": 300})
    page.evaluate("scrollTo(0, 0)")
    page.keyboard.press("ArrowUp")
    page.wait_for_timeout(100)  # for the scrolling that focus brings
    assert hint.is_visible()


def test_cost_and_generalization_follow_the_filters(open_page):
    page = open_page("#/cost?family=cubic&test=cddd&scheme=extinction")
    assert page.locator(".chart a").count() == len(MODELS)
    assert page.locator(".chart line.ceiling").count() == 1
    page.get_by_label("Cost").select_option("parameters")
    assert "parameters (logarithmic)" in page.locator(".chart").text_content()
    page.get_by_label("Cost").select_option("milliseconds a prediction")
    assert page.locator(".chart a").count() == len(MODELS)
    assert "10 milliseconds a prediction" in page.locator(".chart a").nth(1).get_attribute(
        "aria-label"
    )  # 100 patterns a second
    page.locator(".chart a[aria-label^='gamma']").click()
    assert "gamma" in model_heading(page).inner_text()
    page.goto(page.url.split("#")[0] + "#/matrix?family=cubic&scheme=extinction")
    page.get_by_role("grid").wait_for()
    assert page.locator("a.cell").count() == 4 * (len(MODELS) + 1)
    page.get_by_label("Model", exact=True).fill("gamma")
    assert page.locator("a.cell").count() == 4
    page.locator("a.cell[tabindex='0']").focus()
    page.keyboard.press("ArrowRight")
    assert "tested on: designed, off-mesh" in page.get_by_role("tooltip").inner_text()
    page.keyboard.press("Enter")
    assert "gamma" in model_heading(page).inner_text()
    page.go_back()
    page.locator("a.cell").nth(2).click()
    assert "gamma" in model_heading(page).inner_text()


def test_a_reliability_diagram_with_its_numbers(open_page):
    page = open_page("#/model/alpha?family=cubic&test=cddd&scheme=extinction")
    dots = page.locator(".reliability circle")
    assert dots.count() == 15
    section = page.locator("section", has=page.locator(".reliability"))
    section.get_by_text("The numbers as a table").click()
    rows = section.locator("tbody tr")
    assert rows.count() == dots.count()
    stated, right, off, n = rows.last.locator("td").all_inner_texts()
    assert float(right) - float(stated) == pytest.approx(
        float(off.replace("−", "-").replace("+", "")), abs=0.11
    )
    assert f"{right} % of {n} are right" in dots.last.get_attribute("aria-label")


@pytest.mark.parametrize("view", VIEWS)
def test_hostile_names_stay_text(open_page, view):
    page = open_page(view)
    assert page.evaluate("window.hacked") is None
    assert page.locator("img").count() == 0
    if view == "#/table":
        assert set(HOSTILE) <= set(names(page))


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_models_page_opens(open_page, name):
    page = open_page("#/table")
    page.locator(".board tbody th a").nth(names(page).index(name)).click()
    assert model_heading(page).text_content().startswith(name)
    assert page.evaluate("window.hacked") is None
    page.reload()
    assert model_heading(page).text_content().startswith(name)


@pytest.mark.parametrize(
    "fragment",
    ["#/model/%E0%A4%A", "#/model/nobody", "#/nowhere?family=square&sort=what&show=%", "#x"],
)
def test_a_broken_address_shows_something(open_page, fragment):
    page = open_page(fragment)
    assert page.locator("#view").inner_text().strip()


def test_colours_follow_the_system_and_the_choice(open_page):
    ground = "getComputedStyle(document.body).backgroundColor"
    light, dark = open_page(color_scheme="light"), open_page(color_scheme="dark")
    colours = light.evaluate(ground), dark.evaluate(ground)
    assert colours[0] != colours[1]
    light.get_by_label("Colours").select_option("dark")
    dark.get_by_label("Colours").select_option("light")
    assert (dark.evaluate(ground), light.evaluate(ground)) == colours
    light.reload()
    assert light.evaluate(ground) == colours[1]


@pytest.mark.parametrize("view", VIEWS)
def test_a_phone_scrolls_only_downwards(open_page, view):
    page = open_page(view, viewport=PHONE, is_mobile=True, has_touch=True)
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    if view == "#/table":
        assert not page.get_by_label("Tested on").is_visible()
        page.locator("#filter-box summary").click()
        page.get_by_label("Tested on").select_option("cddd")
        box = page.locator(".board")
        box.evaluate("x => { x.scrollLeft = 400; x.scrollTop = 60; }")
        edges = page.evaluate(
            """() => ["thead th.model", "tbody th.model"].map((name) => {
              const own = document.querySelector(".board " + name).getBoundingClientRect();
              const board = document.querySelector(".board").getBoundingClientRect();
              return [own.left - board.left, own.top - board.top];
            })"""
        )
        assert edges[0] == pytest.approx([1, 1], abs=1)
        assert edges[1][0] == pytest.approx(1, abs=1)


def test_everything_is_reached_by_keys(open_page):
    page = open_page("#/table")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    button = page.locator("[data-sort=ece]")
    button.focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.dataset.sort") == "ece"
    assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
    assert page.get_by_role("status").text_content().endswith("sorted by ECE")


@pytest.mark.parametrize("view", VIEWS)
def test_axe_finds_nothing_serious(open_page, view):
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="axe-core is not installed"
    )
    page = open_page(view)
    for width, scheme in ((1440, "light"), (390, "dark")):
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        page.evaluate("byId('filter-box').open = true")
        found = axe.Axe().run(page).response["violations"]
        serious = [
            (one["id"], one["impact"], [node["html"][:200] for node in one["nodes"]][:3])
            for one in found
            if one["impact"] in ("serious", "critical")
        ]
        assert not serious, (width, scheme)


def test_fifty_models_are_a_small_page(open_page, tmp_path):
    scores = some_scores(tuple(f"model-{i:02}" for i in range(50)), FAMILIES, n=400)
    path = tmp_path / "index.html"
    path.write_text(render_site(some_site(scores)), encoding="utf-8")
    assert path.stat().st_size < 5e6
    page = open_page(url=path.as_uri())
    assert page.locator(".accuracies tbody tr:not(.part)").count() == 51
    assert "The first 40 of 50 models" in page.locator("#view").inner_text()
    assert page.evaluate("document.querySelectorAll('*').length") < 3000


def test_every_column_leads_to_its_term(open_page):
    page = open_page("#/table")
    for state in ("accuracy", "share"):
        page.locator(f"input[name=show][value={state}]").check()
        headers = page.locator(".board thead th:not(.plot)")
        links = page.locator(".board thead th a.term")
        assert links.count() == headers.count()
        for header, link in zip(headers.all(), links.all(), strict=True):
            target = re.search(r"term=([\w-]+)", link.get_attribute("href"))[1]
            assert page.locator(f"#term-{target}").count() == 1
            own, around = link.bounding_box(), header.bounding_box()
            assert own["width"] >= 24  # large enough for a finger
            assert own["height"] >= 24
            assert own["x"] + own["width"] <= around["x"] + around["width"]


def test_a_term_is_part_of_the_address(open_page):
    page = open_page("#/table?family=tetragonal&test=cddd&scheme=extinction")
    page.get_by_role("link", name="what raw hits means").press("Enter")
    term = page.locator("#term-raw-accuracy")
    playwright.expect(term).to_be_focused()
    playwright.expect(term).to_be_in_viewport()
    assert "/about?" in page.url
    assert "term=raw-accuracy" in page.url
    link = page.locator("dd a[data-term=law-ceiling]").first
    for _ in range(2):  # the second time the address is there already
        link.click()
        playwright.expect(page.locator("#term-law-ceiling")).to_be_focused()
    page.go_back()
    playwright.expect(term).to_be_focused()
    page.reload()
    playwright.expect(term).to_be_in_viewport()
    page.get_by_role("link", name="Leaderboard").click()
    assert "term=" not in page.url
    assert "tetragonal, tested on real crystals" in page.locator("#title").inner_text()


def test_without_a_glossary_nothing_leads_to_it(open_page, tmp_path):
    path = tmp_path / "without.html"
    path.write_text(render_site(some_site(some_scores(("alpha",), n=100))), encoding="utf-8")
    page = open_page("#/table", path.as_uri())
    assert page.get_by_role("button", name="raw hits").is_visible()
    assert page.locator("a.term").count() == 0
    page.get_by_role("link", name="How to read it").click()
    page.locator("#about").wait_for()
    assert "lossary" not in page.locator("#about").inner_text()


def test_raw_hits_stand_beside_the_accuracy(open_page):
    page = open_page("#/table?family=cubic&test=ulbd-off-mesh&scheme=spacegroup")
    shares = page.evaluate(
        "ROWS.filter((row) => row.family === 'cubic' && row.test_set === 'ulbd-off-mesh'"
        " && row.class_scheme === 'spacegroup').map((row) => row.raw_top1)"
    )
    page.get_by_role("button", name="raw hits").click()
    expected = pytest.approx(sorted((100 * value for value in shares), reverse=True), abs=0.06)
    assert [float(text) for text in column(page, "raw hits").all_inner_texts()] == expected
    page.get_by_label("share of achievable").check()
    assert [float(text) for text in column(page, "raw hits").all_inner_texts()] == expected


def test_two_sources_of_one_test_set_are_two_tables(open_page, tmp_path):
    """Neither a filter nor a rank takes them for one."""
    path = tmp_path / "two.html"
    site = some_site(scores_of_two_sources(("alpha", "gamma"), FAMILIES[:2]))
    path.write_text(render_site(site), encoding="utf-8")
    page = open_page("#/table", path.as_uri())
    choices = page.locator("#f-test option").all_text_contents()
    assert choices == ["any test set", "real crystals", "real crystals (materials-project)"]
    page.locator("#f-controls").uncheck()
    for choice in ("cddd", "cddd (materials-project)"):
        page.locator("#f-test").select_option(choice)
        assert sorted(names(page)) == ["alpha", "gamma"]
        assert page.locator("tr.ceiling").count() == 1
    page.locator("#f-test").select_option("")
    assert sorted(names(page)) == ["alpha", "alpha", "gamma", "gamma"]
    assert page.locator("tr.ceiling").count() == 2
    assert page.locator(".headline").count() == 0
    page.locator(".board tbody th a").first.click()
    model_heading(page)
    assert re.search(r"rank\s+1(–2)? of 2", page.locator("#view").inner_text())


def test_two_versions_of_one_source_are_told_apart_by_checksum(open_page, tmp_path):
    path = tmp_path / "two.html"
    site = some_site(scores_of_two_sources(("alpha",), ("cubic",), ("amcsd", "amcsd")))
    path.write_text(render_site(site), encoding="utf-8")
    page = open_page("#/table", path.as_uri())
    assert page.locator("#f-test option").all_text_contents()[1:] == [
        "real crystals", "real crystals (e10ccccc)"
    ]  # fmt: skip
