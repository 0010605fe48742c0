"""The ways to set up agree: pyproject.toml, requirements.lock and environment.yml."""

import re
import runpy
import tomllib
from pathlib import Path

import pytest
import setuptools
import yaml
from lxml import html
from markdown_it import MarkdownIt
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from sgbench.extras import EXTRAS
from sgbench.version import __version__

ROOT = Path(__file__).parents[1]
PINS = [
    Requirement(line)
    for line in (ROOT / "requirements.lock").read_text().splitlines()
    if line and not line.startswith("#")
]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def test_every_pin_is_exact_and_named_once():
    for pin in PINS:
        assert re.fullmatch(r"==[^*,]+", str(pin.specifier)), pin
    names = [canonicalize_name(pin.name) for pin in PINS]
    assert len(names) == len(set(names))


def test_conda_installs_the_same_pins():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    (pip,) = [entry["pip"] for entry in environment["dependencies"] if isinstance(entry, dict)]
    assert sorted(map(str, PINS)) == sorted(pip)


def test_conda_python_is_one_that_the_project_supports():
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    (python,) = [e for e in environment["dependencies"] if str(e).startswith("python=")]
    version = python.split("=")[-1]
    assert Requirement(f"python{PROJECT['requires-python']}").specifier.contains(f"{version}.0")


def pinned_extras() -> list[str]:
    """What all extras bring that are set up: for development, and all that this names."""
    optional = PROJECT["optional-dependencies"]
    found, pending = [], ["dev"]
    while pending:
        for requirement in optional[pending.pop()]:
            wanted = Requirement(requirement)
            if wanted.name == "sgbench":
                pending += sorted(wanted.extras)
            else:
                found.append(requirement)
    return found


@pytest.mark.parametrize("requirement", PROJECT["dependencies"] + pinned_extras())
def test_every_dependency_is_pinned_to_a_version_it_admits(requirement):
    wanted = Requirement(requirement)
    (pin,) = [p for p in PINS if canonicalize_name(p.name) == canonicalize_name(wanted.name)]
    version = str(pin.specifier).removeprefix("==")
    assert wanted.specifier.contains(version, prereleases=True)


@pytest.mark.parametrize("name", ["requirements.lock", "environment.yml", "pyproject.toml"])
def test_no_file_names_an_index(name):
    text = (ROOT / name).read_text()
    # What pages lead to, if it is there.
    text = re.sub(r"^\[project\.urls\]\n(?:.+\n)*", "", text, flags=re.MULTILINE)
    assert not re.search(r"https?://|--index-url|--find-links|file:", text)


def test_the_wheel_is_described_without_links_into_the_repository(monkeypatch):
    told = {}
    monkeypatch.setattr(setuptools, "setup", told.update)
    runpy.run_path(str(ROOT / "setup.py"))
    assert told["long_description_content_type"] == "text/markdown"
    page = html.fromstring(MarkdownIt("commonmark").render(told["long_description"]))
    readme = html.fromstring(MarkdownIt("commonmark").render((ROOT / "README.md").read_text()))
    leads = "//a/@href | //img/@src"
    assert [one for one in page.xpath(leads) if not one.startswith("https://")] == []
    assert len(readme.xpath(leads)) > 20
    # Nothing else is lost, and no bracket of a link is left over.
    assert page.text_content().split() == readme.text_content().split()
    assert {"version", "readme"} == set(PROJECT["dynamic"])


def as_conda_names_it(requirement: str) -> str:
    wanted = Requirement(requirement)
    names = {"matplotlib": "matplotlib-base", "snakemake": "snakemake-minimal", "torch": "pytorch"}
    bounds = ",".join(sorted(map(str, wanted.specifier), reverse=True))
    return f"{names.get(wanted.name, wanted.name)} {bounds}"


def test_the_conda_package_needs_what_pip_installs():
    recipe = yaml.safe_load((ROOT / "recipe" / "recipe.yaml").read_text())
    assert recipe["context"]["version"] == __version__
    assert f">={recipe['context']['python_min']}" == PROJECT["requires-python"]
    assert recipe["about"]["summary"] == PROJECT["description"]
    (script,) = (f"{name} = {place}" for name, place in PROJECT["scripts"].items())
    assert recipe["build"]["python"]["entry_points"] == [script]
    needs = recipe["requirements"]
    assert needs["run"][2:] == sorted(map(as_conda_names_it, PROJECT["dependencies"]))
    optional = PROJECT["optional-dependencies"]
    extras = [one for extra in EXTRAS for one in optional[extra]]
    assert needs["run_constraints"] == sorted(map(as_conda_names_it, extras))
