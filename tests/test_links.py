from sgbench import links
from sgbench.links import Links, citation


def test_pages_lead_to_what_is_there(monkeypatch):
    monkeypatch.setattr(links, "_metadata", dict)
    assert Links().named == ()
    assert Links("../index.html", docs="../docs/index.html").named == (
        ("Leaderboard", "../index.html"),
        ("Documentation", "../docs/index.html"),
        ("How to submit", "../docs/submitting.html"),
    )
    assert ("How to submit", "submitting.html") in Links(docs="index.html").named


def test_addresses_of_the_project_are_those_of_its_metadata(monkeypatch):
    urls = [
        "Article, https://doi.example/10.1",
        "Code, https://code.example/x",
        "Trap, javascript:1",
        "Documentation, https://docs.example",
    ]
    monkeypatch.setattr(links, "_metadata", lambda: {"Project-URL": urls})
    assert dict(Links().named) == {
        "Article": "https://doi.example/10.1",
        "Code": "https://code.example/x",
        "Documentation": "https://docs.example",
    }
    # What lies beside the page goes before it.
    assert dict(Links(docs="docs/index.html").named)["Documentation"] == "docs/index.html"


def test_how_to_cite(monkeypatch):
    assert citation().startswith("The sgbench developers, sgbench ")
    monkeypatch.setattr(links, "_metadata", dict)
    assert citation().startswith("sgbench, sgbench ")
