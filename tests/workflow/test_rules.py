"""What the rules of the workflow hand to a shell."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
RULES = [*(ROOT / "workflow").rglob("*.smk"), ROOT / "Snakefile", ROOT / "workflow/Snakefile"]
SHELL = re.compile(r"^    shell:\n((?:^        .*\n|^\n)+)", re.MULTILINE)
FIELD = re.compile(r"(?<!\{)\{(?!\{)([^{}]*)\}")


def commands():
    for path in RULES:
        for found in SHELL.finditer(path.read_text()):
            yield path.name, found[1]


def test_there_are_commands():
    assert len(list(commands())) >= 15
    assert sum(path.read_text().count("shell:") for path in RULES) == len(list(commands()))


@pytest.mark.parametrize(("name", "command"), [*commands()])
def test_every_field_is_quoted(name, command):
    """Whatever a file, a wildcard or a setting is called, a shell takes it for a word."""
    fields = FIELD.findall(command)
    assert fields
    assert [field for field in fields if not field.endswith(":q")] == []


@pytest.mark.parametrize(("name", "command"), [*commands()])
def test_no_quotes_around_what_quotes_itself(name, command):
    """Inside of quotes, the quotes of a field would open them instead."""
    assert not re.search(r"'[^'\"]*\{[^{}]*:q\}", command)
