"""A browser for the tests of the page, and what JSON has to keep to."""

import json
from importlib.resources import files

import pytest
from browsers import browser, open_page

__all__ = ["browser", "open_page", "schema"]


@pytest.fixture(scope="session")
def schema():
    place = files("sgbench.identification") / "identification.schema.json"
    return json.loads(place.read_text(encoding="utf-8"))
