"""Licences of the pins: all allowed, and listed as they are."""

import pytest
from maintainers_tools import tool

licences = tool("licences")


def test_the_licence_of_every_pin_is_allowed():
    found = {name: licences.licence(name) for name in licences.pinned()}
    assert len(found) > 200
    assert {
        n: licences.refused(n, one) for n, one in found.items() if licences.refused(n, one)
    } == {}
    assert set(licences.READ) <= set(found), "a package that is no longer pinned"


def test_the_page_lists_what_is_pinned():
    text = licences.PAGE.read_text()
    assert licences.with_listing(text) == text, "write it again: python tools/licences.py"


@pytest.mark.parametrize(
    ("name", "expression", "refused"),
    [
        ("one", "MIT", set()),
        ("one", "MPL-2.0 AND (Apache-2.0 OR MIT)", set()),
        ("one", "MIT AND GPL-3.0-only", {"GPL-3.0-only"}),
        ("one", "", {""}),
        ("nvidia-nccl-cu13", licences.NVIDIA, set()),
        ("one", licences.NVIDIA, {licences.NVIDIA}),
    ],
)
def test_a_licence_that_is_not_on_the_list_is_refused(name, expression, refused):
    assert licences.refused(name, expression) == refused
