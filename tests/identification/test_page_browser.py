"""The page in a browser: the plot is drawn and zooms by mouse, buttons and keys."""

import re

import pytest
from example_decoded import ANGLESITE, PYRITE, answered
from test_page import HOSTILE

from sgbench.identification import render_answers


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    path = tmp_path_factory.mktemp("page") / "answers.html"
    text = render_answers([answered(62, ANGLESITE, HOSTILE), answered(205, PYRITE, "b.xy")])
    path.write_text(text, encoding="utf-8")
    return path.as_uri()


def shown(page):
    """Return the range of angles of the first plot, as its label says it."""
    label = page.locator("figure svg").first.get_attribute("aria-label")
    return tuple(map(float, re.search(r"from ([\d.]+) to ([\d.]+) degrees", label).groups()))


def test_each_pattern_is_drawn_with_its_marks(open_page):
    page = open_page()
    assert page.locator("figure svg").count() == 2
    first = page.locator("figure").first
    assert first.locator("path.measured").get_attribute("d").startswith("M")
    assert first.locator("path.fit").count() == 1
    assert first.locator("line.mark").count() > 50
    assert first.locator("circle.forbidden").count() > 10
    assert "P n a -" in first.locator("text.row").all_text_contents()
    assert page.evaluate("window.hacked") is None


def test_zoom_by_buttons_keys_and_mouse(open_page):
    page = open_page()
    figure = page.locator("figure").first
    assert shown(page) == (5, 90)
    figure.get_by_role("button", name="zoom in").click()
    assert shown(page) == (26.25, 68.75)
    figure.get_by_role("button", name="to higher angles").click()
    assert shown(page) == (43.25, 85.75)
    figure.locator("svg").focus()
    page.keyboard.press("0")
    assert shown(page) == (5, 90)
    page.keyboard.press("+")
    page.keyboard.press("ArrowLeft")
    assert shown(page) == (9.25, 51.75)
    figure.get_by_role("button", name="whole pattern").click()
    box = figure.locator("svg").bounding_box()
    page.mouse.move(box["x"] + 400, box["y"] + 100)
    page.mouse.down()
    page.mouse.move(box["x"] + 500, box["y"] + 120)
    page.mouse.up()
    low, high = shown(page)
    assert 5 < low < high < 60
    assert figure.locator("rect.chosen").count() == 0
    figure.locator("svg").dblclick(position={"x": 600, "y": 100})
    assert shown(page) == (5, 90)


def test_the_pointer_reads_angle_and_lines(open_page):
    page = open_page()
    figure = page.locator("figure").first
    figure.locator("svg").hover(position={"x": 500, "y": 100})
    assert re.match(r"\d+\.\d{3}°, intensity \d+", figure.locator(".read").inner_text())


def test_scales_change_the_curve(open_page):
    page = open_page()
    figure = page.locator("figure").first
    curves = set()
    for scale in ("linear", "sqrt", "log"):
        figure.get_by_role("combobox").select_option(scale)
        curves.add(figure.locator("path.measured").get_attribute("d"))
        assert "NaN" not in max(curves)
    assert len(curves) == 3


@pytest.mark.parametrize("width", [1440, 390])
def test_it_fits_the_screen(open_page, width):
    page = open_page(viewport={"width": width, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator("figure svg").first.bounding_box()["width"] <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(open_page, scheme):
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    page = open_page(color_scheme=scheme)
    for summary in page.locator("details summary").all():
        summary.click()
    found = axe.Axe().run(page)
    assert found.violations_count == 0, found.generate_report()
