"""How Sphinx makes a site of these pages (`make docs`); it fetches nothing, then or later."""

import sys
from importlib import import_module
from pathlib import Path

import sgbench

sys.path.append(str(Path(__file__).parent / "_extensions"))

# These load some of their names when they are first asked for, and autodoc does not ask.
_LAZY = ("sgbench.structures", "sgbench.structures.sources", "sgbench.submission")
for _package in map(import_module, _LAZY):
    for _name in _package.__all__:
        setattr(_package, _name, getattr(_package, _name))

project = "sgbench"
author = "The sgbench developers"
project_copyright = author
release = version = sgbench.__version__

extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "numpydoc",
    "accessible",
    "command_reference",
    "github_markdown",
    "mathml",
    "signatures",
]
exclude_patterns = ["_extensions", "_templates"]
root_doc = "index"

# It would make one dash of the two before an option.
smartquotes = False

html_theme = "furo"
html_title = f"sgbench {release}"
html_math_renderer = "mathml"
html_copy_source = False
html_show_sphinx = False
html_static_path = ["_static"]
html_css_files = ["site.css"]
# As a part of `make pages`, each page leads to the leaderboard and the report, which lie beside it.
templates_path = ["_templates"]
if tags.has("pages"):  # noqa: F821, Sphinx defines it
    html_sidebars = {
        "**": [
            "sidebar/brand.html",
            "sidebar/search.html",
            "sidebar/scroll-start.html",
            "pages.html",
            "sidebar/navigation.html",
            "sidebar/scroll-end.html",
        ]
    }

myst_enable_extensions = ["dollarmath"]
# Links to a heading within a page, as GitHub makes them.
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_default_options = {"members": True}
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False

nitpicky = True
nitpick_ignore_regex = [
    # Types of other packages have no page here, and none is fetched.
    (
        r"py:.*",
        r"(numpy|np|pandas|pd|pa|pq|torch|gemmi|h5py|matplotlib|pathlib|collections|contextlib|typing|pydantic|annotated_types|requests|jinja2)\..*",
    ),
    # Imported for type checkers alone, so that autodoc sees the bare name.
    (r"py:class", r"Figure|ClassifierMixin|Trained"),
    # Type variables.
    (r"py:class", r"sgbench(\.\w+)?\._[A-Z]\w*"),
    # Types of attributes that are not for use outside.
    (r"py:class", r"sgbench(\.\w+)?\._\w+\.\w+"),
]
