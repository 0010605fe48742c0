"""Where the pages lead to: to each other, and to what the package's metadata name."""

from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, metadata

from sgbench.version import __version__

_SUBMITTING = "submitting.html"


@dataclass(frozen=True)
class Links:
    """Addresses of the other pages, seen from the page that they stand on.

    Attributes
    ----------
    leaderboard, report, docs : str or None
        Of an ``index.html``, relative or absolute; None where there is none to lead to.
    """

    leaderboard: str | None = None
    report: str | None = None
    docs: str | None = None

    @property
    def named(self) -> tuple[tuple[str, str], ...]:
        """Names and addresses of all that there is, the project's own among them."""
        folder = (self.docs or "").rpartition("/")[0]
        pages = {
            "Leaderboard": self.leaderboard,
            "The article's claims": self.report,
            "Documentation": self.docs,
            "How to submit": self.docs and (f"{folder}/{_SUBMITTING}" if folder else _SUBMITTING),
        }
        there = {name: address for name, address in pages.items() if address}
        return tuple((_project_links() | there).items())


def citation() -> str:
    """Return how to cite the package, in one line."""
    about = _metadata()
    author, summary = about.get("Author", ["sgbench"])[0], about.get("Summary", [""])[0]
    return f"{author}, sgbench {__version__}" + (f": {summary}" if summary else "")


def _project_links() -> dict[str, str]:
    """Return the addresses of ``project.urls`` in pyproject.toml, by their labels."""
    named = (one.partition(", ") for one in _metadata().get("Project-URL", []))
    return {name: url for name, _, url in named if url.startswith(("https://", "http://"))}


def _metadata() -> dict[str, list[str]]:
    try:
        found = metadata("sgbench")
    except PackageNotFoundError:  # read from a folder that was never installed
        return {}
    return {name: [str(one) for one in found.get_all(name) or []] for name in found}
