"""A browser for the tests of pages; folders of such tests import these fixtures."""

import os
import shutil
from pathlib import Path

import pytest


def _browser_path() -> str | None:
    names = ("chromium", "chromium-browser", "google-chrome", "chromium-headless-shell")
    found = [os.environ.get("SGBENCH_BROWSER"), *map(shutil.which, names)]
    return next((path for path in found if path and Path(path).is_file()), None)


@pytest.fixture(scope="module")
def browser():
    playwright = pytest.importorskip(
        "playwright.sync_api", reason="Playwright for Python is not installed"
    )
    path = _browser_path()
    if path is None:
        pytest.skip("no Chromium is installed; name one in SGBENCH_BROWSER")
    with playwright.sync_playwright() as running:
        kept = running.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield kept
        kept.close()


@pytest.fixture
def open_page(browser, request):
    """Open a view of the module's `address`, or of another page.

    Whatever the page complains of, or asks the network for, fails the test.
    """
    contexts, faults = [], []

    def go(fragment="", url=None, **options):
        url = url or request.getfixturevalue("address")
        context = browser.new_context(**{"viewport": {"width": 1400, "height": 900}, **options})
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(5000)
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
        page.on(
            "request",
            lambda asked: (
                None
                if asked.url.startswith(("file:", "data:", "blob:"))
                else faults.append(asked.url)
            ),
        )
        page.goto(url + fragment)
        return page

    yield go
    for context in contexts:
        context.close()
    assert not faults
