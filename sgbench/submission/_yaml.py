"""YAML from strangers: plain values only, each key once, nothing that grows when it is read."""

from typing import Any

import yaml

_DEEPEST = 12
_LARGEST_INTEGER = 2**63 - 1


def load_yaml(text: str) -> Any:
    """Read one document of plain values; dates stay text.

    Raises
    ------
    yaml.YAMLError
        If it is not YAML, or holds an anchor, an alias, a doubled key, a tag, an integer beyond 64
        bits, or lists in lists without end.
    """
    return yaml.load(text, _Loader)


class _Loader(yaml.SafeLoader):
    depth = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None) is not None:
            raise _error("it uses an anchor (&) or an alias (*)", event)
        if getattr(event, "tag", None) is not None:
            raise _error("it uses a tag (!)", event)
        self.depth += 1
        if self.depth > _DEEPEST:
            raise _error(f"it is nested deeper than {_DEEPEST} levels", event)
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        if len(keys) != len(node.value):
            raise _error("a key is not a plain word", node)
        doubled = [key for place, key in enumerate(keys) if key in keys[:place]]
        if doubled:
            raise _error(f"the key '{doubled[0]}' is there twice", node)
        return dict(super().construct_mapping(node, deep))

    def construct_integer(self, node: Any) -> int:
        try:
            value = self.construct_yaml_int(node)
        except ValueError:  # Python reads no number of thousands of digits
            value = _LARGEST_INTEGER + 1
        if abs(value) > _LARGEST_INTEGER:
            raise _error("an integer is larger than 64 bits hold", node)
        return value


def _error(problem: str, at: Any) -> yaml.MarkedYAMLError:
    return yaml.MarkedYAMLError(problem=problem, problem_mark=at.start_mark)


_Loader.add_constructor("tag:yaml.org,2002:int", _Loader.construct_integer)
_PLAIN = {f"tag:yaml.org,2002:{kind}" for kind in ("bool", "int", "float", "null")}
_Loader.yaml_implicit_resolvers = {
    first: [pair for pair in pairs if pair[0] in _PLAIN]
    for first, pairs in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
