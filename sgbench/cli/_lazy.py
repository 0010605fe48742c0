"""A group of commands whose modules are imported when they are asked for, so that help is quick."""

import ast
from collections.abc import Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

#: Of every app: plain help, which wraps at the width of the terminal and cuts no option short.
SETTINGS: dict[str, Any] = {
    "rich_markup_mode": None,
    "pretty_exceptions_enable": False,
    "add_completion": False,
}


class Group(TyperGroup):
    """A group whose help has the whole first line of each command."""

    def summaries(self) -> dict[str, str]:
        """Return the first line of each command's help."""
        return {
            name: (command.help or "").partition("\n")[0] for name, command in self.commands.items()
        }

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the commands into the help."""
        with formatter.section("Commands"):
            formatter.write_dl(list(self.summaries().items()))


def lazy_group(commands: Mapping[str, str]) -> type[Group]:
    """Return a group of commands that are functions, or apps called ``app``, of other modules.

    Parameters
    ----------
    commands : mapping of str to str
        ``MODULE:FUNCTION`` of each command, in the order of the help.
    """

    class LazyGroup(Group):
        def list_commands(self, ctx: Any) -> list[str]:
            return list(commands)

        def get_command(self, ctx: Any, cmd_name: str) -> Any:
            if cmd_name not in commands:
                return None
            module, _, attribute = commands[cmd_name].partition(":")
            found = getattr(import_module(module), attribute)
            if isinstance(found, typer.Typer):
                command = get_command(found)
            else:
                alone = typer.Typer(**SETTINGS)
                alone.command(cmd_name)(found)
                command = get_command(alone)
            command.name = cmd_name
            return command

        def summaries(self) -> dict[str, str]:
            return {name: summary(place) for name, place in commands.items()}

    return LazyGroup


def summary(place: str) -> str:
    """Return the first line of the docstring of a command, or of the module of an app.

    It is read from the source, since importing it may take a second.
    """
    module, _, attribute = place.partition(":")
    spec = find_spec(module)
    assert spec is not None
    assert spec.origin is not None
    tree = ast.parse(Path(spec.origin).read_text(encoding="utf-8"))
    functions = [
        node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == attribute
    ]
    return (ast.get_docstring(functions[0] if functions else tree) or "").partition("\n")[0]
