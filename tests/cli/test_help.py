"""What the command line says of itself."""

import inspect
from importlib import import_module

import pytest

import sgbench
from sgbench.cli import _app, _lazy


def told(call, *arguments, status=0):
    done = call(*arguments, status=status)
    return done.stdout + done.stderr


def test_the_version(call):
    assert call("--version").stdout == f"sgbench {sgbench.__version__}\n"


@pytest.mark.parametrize("command", [[], ["train"], ["submission"], ["submission", "check"]])
def test_both_names_of_help(call, command):
    short, long = call(*command, "-h").stdout, call(*command, "--help").stdout
    assert short == long
    assert short.startswith("Usage: sgbench")


def test_help_names_every_command_with_its_first_line(call):
    """It is read from the sources, so it has to be what the functions say."""
    flat = " ".join(call("-h").stdout.split())
    for name, place in _app._COMMANDS.items():
        module, _, attribute = place.partition(":")
        found = getattr(import_module(module), attribute)
        doc = found.info.help if attribute == "app" else inspect.getdoc(found)
        first = doc.partition("\n")[0]
        assert _lazy.summary(place) == first
        assert f"{name} {first}" in flat


@pytest.mark.parametrize("columns", [60, 80, 120])
def test_help_wraps_and_cuts_nothing_short(call, monkeypatch, columns):
    """Lines are full: paragraphs are wrapped again, and not where the source breaks them."""
    monkeypatch.setenv("COLUMNS", str(columns))
    for command in (["train"], ["predict"], ["models"], ["dataset", "build"], []):
        text = call(*command, "-h").stdout
        assert max(map(len, text.splitlines())) <= columns
        assert "..." not in text.replace("COMMAND [ARGS]...", "")
    lines = call("train", "-h").stdout.splitlines()
    start = next(i for i, line in enumerate(lines) if "What is not said" in line)
    assert len(lines[start]) + len(lines[start + 1].split()[0]) + 1 > min(columns, 80) - 2


def test_a_wrong_option_is_named(call):
    assert "No such option: --nope" in told(call, "train", "--nope", status=2)
    assert "No such command 'foo'" in told(call, "foo", status=2)
