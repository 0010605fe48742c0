"""The site: built without a warning, in need of nothing from elsewhere, without a dead link."""

import importlib
import os
import pkgutil
import re
import subprocess
import sys
from urllib.parse import unquote, urlsplit

import pytest
from lxml import html
from page_commands import PROJECT

import sgbench
from sgbench.leaderboard import CLASS_COLUMNS, COLUMNS, PAIR_COLUMNS, RANK_COLUMNS

DOCS = PROJECT / "docs"
REFERENCE = {path: path.read_text() for path in (DOCS / "api").glob("*.md")}
PUBLIC = [
    name for text in REFERENCE.values() for name in re.findall(r"automodule:: ([\w.]+)", text)
]
# What a browser fetches by itself; a link is followed by a reader.
FETCHED = "//script/@src | //img/@src | //iframe/@src | //source/@src | //link/@href"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    pytest.importorskip("sphinx", reason="the site needs Sphinx: pip install '.[dev]'")
    folder = tmp_path_factory.mktemp("site")
    probe = folder / "sitecustomize.py"
    # What the build imports, said when it ends.
    probe.write_text(
        "import atexit, sys\n"
        "atexit.register(lambda: print('imported', *(n for n in sys.modules if '.' not in n)))"
    )
    # As `make pages` lays them beside it.
    for page in (folder / "index.html", folder / "report" / "index.html"):
        page.parent.mkdir(exist_ok=True)
        page.write_text("<title>made by others</title>")
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", "--fail-on-warning", "--keep-going", "--quiet",
         "--tag", "pages", "--doctree-dir", folder / "doctrees", DOCS, folder / "html"],
        env=os.environ | {"PYTHONPATH": str(folder), "PYTHONWARNINGS": ""},
        capture_output=True, text=True, timeout=300, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "cctbx" not in done.stdout.partition("imported")[2].split()
    return folder / "html"


@pytest.fixture(scope="module")
def pages(site):
    return {path: html.parse(path) for path in sorted(site.rglob("*.html"))}


def test_every_markdown_page_is_a_page_of_the_site(site, pages):
    expected = {site / path.relative_to(DOCS).with_suffix(".html") for path in DOCS.rglob("*.md")}
    assert expected <= set(pages)


def test_every_page_leads_to_the_leaderboard_and_the_report(site, pages):
    for path, page in pages.items():
        led_to = {(path.parent / link).resolve() for link in page.xpath("//a/@href")}
        assert {site.parent / "index.html", site.parent / "report" / "index.html"} <= led_to, path


def test_nothing_is_fetched_from_elsewhere(site, pages):
    for path, page in pages.items():
        outside = [one for one in page.xpath(FETCHED) if urlsplit(one).netloc]
        assert outside == [], path
    for path in site.rglob("*.css"):
        found = re.findall(r"(?:url\(|@import )[\"']?([^\"')\s]+)", path.read_text())
        assert [one for one in found if urlsplit(one).netloc] == [], path


def test_links_within_the_site_lead_somewhere(pages):
    anchors = {path: set(page.xpath("//@id | //a/@name")) for path, page in pages.items()}
    for path, page in pages.items():
        for link in page.xpath("//a/@href"):
            parts = urlsplit(link)
            if parts.scheme or parts.netloc:
                assert parts.scheme in ("https", "http", "mailto"), (path, link)
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            assert target.is_file(), (path, link)
            if parts.fragment and target in anchors:
                assert unquote(parts.fragment) in anchors[target], (path, link)


def test_formulas_are_mathml(site):
    page = html.parse(site / "protocol.html")
    assert len(page.xpath("//div[@class='formula']/math")) >= 6
    assert page.xpath("//*[contains(@class, 'math notranslate')]") == []


def test_files_have_their_name_over_them(site):
    text = (site / "submitting.html").read_text()
    assert text.count('class="caption-text">train_mlp.py<') == 1


def test_what_scrolls_is_reached_by_keyboard(pages):
    scrolls = "//pre | //div[@class='formula'] | //div[contains(@class, 'table-wrapper')]"
    for path, page in pages.items():
        assert page.xpath(f"({scrolls})[not(@tabindex)]") == [], path
        assert page.xpath("//*[@role='heading'][not(@aria-level)]") == [], path


def test_signatures_name_arrays_as_the_code_does(site):
    text = html.parse(site / "api" / "diffraction.html").getroot().text_content()
    assert "LineList(offsets: NDArray[int64], two_theta: NDArray[float64]" in text
    assert "two_theta_of(q: ArrayLike" in text


def test_every_command_has_its_options(site):
    text = html.parse(site / "commands.html").getroot().text_content()
    for command in ("sgbench dataset build", "sgbench submission reveal"):
        assert f"$ {command} [OPTIONS]" in text
    assert "--per-spacegroup" in text


def test_every_public_name_is_in_the_reference(site):
    for package in PUBLIC:
        module = importlib.import_module(package)
        (page,) = [path for path, text in REFERENCE.items() if f"automodule:: {package}\n" in text]
        made = html.parse(site / page.relative_to(DOCS).with_suffix(".html"))
        described = set(made.xpath("//dt/@id"))
        missing = [
            name
            for name in getattr(module, "__all__", ())
            if f"{package}.{name}" not in described and f"| `{name}` |" not in REFERENCE[page]
        ]
        assert missing == [], package


def test_every_public_module_is_in_the_reference():
    names = {one.name for one in pkgutil.iter_modules(sgbench.__path__)}
    names -= {"__main__", "cli", "version"}  # commands, and a number
    inner = {"sgbench.structures.sources", "sgbench.collections.sources"}
    assert {f"sgbench.{name}" for name in names} | inner == set(PUBLIC)


def test_the_glossary_says_what_every_column_holds_and_which_term_it_belongs_to():
    _, table = (DOCS / "glossary.md").read_text().split("\n## Columns of ")
    assert sorted(columns(table)) == sorted(COLUMNS)
    rows = [line.split("|") for line in table.splitlines() if line.startswith("| `")]
    assert all(meaning.strip() and "](#" in term for _, _, meaning, term, _ in rows)


def test_the_page_of_the_leaderboard_lists_the_columns_of_the_other_tables():
    _, by_class, pairs, ranks = (DOCS / "leaderboard.md").read_text().split("\n## Columns of ")
    assert tuple(columns(by_class)) == CLASS_COLUMNS
    assert tuple(columns(pairs)) == PAIR_COLUMNS
    assert tuple(columns(ranks.partition("\n## ")[0])) == RANK_COLUMNS


def columns(text):
    """Return the names in the first cells of a table; `a1` … `a5` are five."""
    for line in text.splitlines():
        if line.startswith("| `"):
            cell = line.split("|")[1]
            names = re.findall(r"`(\w+)`", cell)
            if "…" in cell:
                names = [re.sub(r"\d", str(k), names[0]) for k in range(1, 6)]
            yield from names
