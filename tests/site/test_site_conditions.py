"""Models under conditions: what the page carries, and what a reader sees of it."""

import json

import pandas as pd
import pytest
from example_conditions import MODELS, rows_under_conditions
from example_results import made_up_scores

from sgbench.errors import SgbenchError
from sgbench.leaderboard import build_table, sort_table
from sgbench.site import render_site, site_data

ROWS = rows_under_conditions()
IDEAL = build_table(
    score
    for model in ("fcn-wang2024.soft", "forest")
    for score in made_up_scores("ulbd-cubic", "ulbd-off-mesh", "cubic", 0.9, model, 72)
)


@pytest.fixture(scope="module")
def data():
    return site_data(IDEAL, "", [], curves=ROWS)


def test_the_table_of_the_page_has_none_of_the_rows_that_are_drawn_as_curves(data):
    assert data.index["n_rows"] == len(IDEAL)
    assert "robustness" not in json.dumps(data.index["columns"])
    assert [line["name"] for line in data.index["conditions"]["lines"]] == [
        "fcn-wang2024.soft",
        "fcn-wang2024.soft, trained under laboratory",
        "decoder-pawley",
    ]


def test_points_and_ceilings_are_those_of_the_rows(data):
    found = data.index["conditions"]
    assert [name for name, *_ in found["kinds"]] == ["width", "readout"]
    assert [name for name, _ in found["mixtures"]] == ["laboratory", "synchrotron"]
    assert found["ceilings"] == {"cubic": {"readout": [0.9, None, None, 0.9, None, None]}}
    line = found["lines"][0]
    row = ROWS[(ROWS["train_set"] == "ulbd-cubic") & (ROWS["class_scheme"] == "extinction")]
    row = row.set_index("test_set").loc["ulbd-off-mesh+laboratory"]
    assert line["mixtures"]["laboratory"] == [
        *(pytest.approx(row[name], abs=1e-4) for name in ("top1", "top1_low", "top1_high")),
        72,
    ]
    assert line["curves"]["width"][3] is None


def test_of_one_table_points_of_curves_are_in_no_list_and_lines_keep_their_numbers():
    both = sort_table(pd.concat([IDEAL, ROWS], ignore_index=True))
    index = site_data(both, "", []).index
    names = index["columns"]["test_set"]["texts"]
    assert names == ["ulbd-off-mesh", "ulbd-off-mesh+laboratory", "ulbd-off-mesh+synchrotron"]
    listed = both["test_set"].isin(names)
    assert index["lines"] == [place + 2 for place, kept in enumerate(listed) if kept]
    assert len(index["conditions"]["lines"]) == len(MODELS)
    with pytest.raises(SgbenchError, match="has no rows"):
        site_data(both[~listed], "", [])


def test_a_reader_finds_curves_mixtures_and_their_numbers(open_page, data, tmp_path):
    path = tmp_path / "index.html"
    path.write_text(render_site(data), encoding="utf-8")
    page = open_page("#/model/fcn-wang2024.soft?family=cubic", path.as_uri())
    page.get_by_role("link", name="Under conditions of measurement").click()
    page.get_by_role("heading", name="Mixtures").wait_for()
    assert page.locator(".panels figure").count() == 2
    assert page.locator(".panels path.ceiling").count() == 1
    panel = page.get_by_role("img", name="width. At 0.2 ° of σ")
    assert panel.count() == 1
    assert [text.strip() for text in page.locator(".keys li").all_inner_texts()] == [
        "fcn-wang2024.soft",
        "fcn-wang2024.soft, trained under laboratory",
        "highest possible",
    ]
    table = page.get_by_role("region", name="Percent right with 95 % intervals, cubic")
    assert "no bound" in table.inner_text()
    page.get_by_label("Model").fill("")
    assert page.locator(".keys li").count() == 4
    page.get_by_text("The numbers as a table").click()
    numbers = page.get_by_role("region", name="Percent of extinction classes right at each")
    assert numbers.locator("tbody tr").count() == 2 * (len(MODELS) + 1)
    for width in (1440, 360):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.evaluate("document.documentElement.scrollWidth") <= width
    axe = pytest.importorskip("axe_playwright_python.sync_playwright")
    found = axe.Axe().run(page).response["violations"]
    assert not [one["id"] for one in found if one["impact"] in ("serious", "critical")]


def test_without_rows_under_conditions_there_is_no_view_of_them(open_page, tmp_path):
    path = tmp_path / "index.html"
    path.write_text(render_site(site_data(IDEAL, "", [])), encoding="utf-8")
    page = open_page("#/table", path.as_uri())
    page.get_by_role("link", name="Generalization").wait_for()
    assert page.get_by_role("link", name="Conditions").count() == 0
