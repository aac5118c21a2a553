"""YAML with line numbers: a small strict reader over the safe loader's node tree.

Threat model: a policy file may be handed in by anyone who can call `policy check`. Only the safe tags are
built; aliases are refused (they allow cycles and exponential growth); repeated and unknown keys are faults;
size is bounded. Every fault names the line.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NoReturn

import yaml

from ...common.errors import UsageFault

MAX_CHARS = 2_000_000
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_TEXT = "tag:yaml.org,2002:str"


def fault(line: int, what: str) -> NoReturn:
    """Raises the one fault of an invalid policy; `line` counts from 1, `what` names keys, never content."""
    raise UsageFault("policy_invalid", line=line, what=what)


def compose(text: str) -> Reader:
    """The whole file as one reader.

    Raises:
        UsageFault: `policy_invalid`, when the text is not one YAML mapping, or uses aliases.
    """
    if len(text) > MAX_CHARS:
        fault(1, f"> {MAX_CHARS} characters")
    try:
        # without an anchor no alias is valid
        for event in yaml.parse(text, Loader=_LOADER) if "&" in text else ():
            if isinstance(event, yaml.AliasEvent):
                start = event.start_mark
                fault(1 if start is None else start.line + 1, "YAML alias (*)")
        node = yaml.compose(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark if error.problem_mark is not None else error.context_mark
        line = 1 if mark is None else mark.line + 1
        raise UsageFault("policy_invalid", line=line, what=f"YAML: {error.problem}") from None
    except (yaml.YAMLError, RecursionError) as error:
        raise UsageFault("policy_invalid", line=1, what=f"YAML: {type(error).__name__}") from None
    if node is None:
        fault(1, "empty")
    return Reader(node, "policy")


class Reader:
    """One YAML node with its line and path, read as the type that is asked for."""

    __slots__ = ("node", "path")

    def __init__(self, node: yaml.Node, path: str) -> None:
        self.node = node
        self.path = path

    @property
    def line(self) -> int:
        """Line in the file, from 1."""
        return int(self.node.start_mark.line) + 1

    def wrong(self, what: str) -> NoReturn:
        """Faults at this node."""
        fault(self.line, f"{self.path}: {what}")

    def plain(self) -> Any:
        """The value as plain Python (dict, list, str, int, float, bool, None)."""
        if isinstance(self.node, yaml.MappingNode):
            return {key: value.plain() for key, value in self.items()}
        if isinstance(self.node, yaml.SequenceNode):
            return [item.plain() for item in self.list()]
        if self.node.tag == _TEXT:
            return self.node.value
        try:
            return yaml.constructor.SafeConstructor().construct_object(self.node)
        except (yaml.YAMLError, ValueError):
            self.wrong("not a plain value")

    def items(self) -> Iterator[tuple[str, Reader]]:
        """Keys and values of a mapping; a key that is not text, or stands twice, is a fault."""
        if not isinstance(self.node, yaml.MappingNode):
            self.wrong("a mapping is expected")
        seen: set[str] = set()
        for key_node, value_node in self.node.value:
            key = Reader(key_node, self.path).plain()
            if not isinstance(key, str):
                fault(key_node.start_mark.line + 1, f"{self.path}: key {key!r} is not text")
            if key in seen:
                fault(key_node.start_mark.line + 1, f"{self.path}: key {key!r} stands twice")
            seen.add(key)
            yield key, Reader(value_node, f"{self.path}.{key}")

    def map(self, *, need: tuple[str, ...] = (), may: tuple[str, ...] = ()) -> dict[str, Reader]:
        """A mapping with the keys of `need` and perhaps those of `may`, no other."""
        found: dict[str, Reader] = {}
        for key, value in self.items():
            if key not in need and key not in may:
                fault(value.line, f"{self.path}: unknown key {key!r}")
            found[key] = value
        for key in need:
            if key not in found:
                self.wrong(f"key {key!r} is missing")
        return found

    def list(self) -> tuple[Reader, ...]:
        """The items of a sequence."""
        if not isinstance(self.node, yaml.SequenceNode):
            self.wrong("a list is expected")
        return tuple(Reader(item, f"{self.path}[{index}]") for index, item in enumerate(self.node.value))

    def text(self) -> str:
        """A text that is not empty."""
        value = self.plain()
        if not isinstance(value, str) or not value.strip():
            self.wrong("a text is expected")
        return str(value)

    def optional_text(self) -> str | None:
        """A text or null."""
        return None if self.plain() is None else self.text()

    def texts(self) -> tuple[str, ...]:
        """A list of texts; a single text counts as a list of one."""
        if isinstance(self.node, yaml.ScalarNode):
            return (self.text(),)
        return tuple(item.text() for item in self.list())

    def one_of(self, allowed: tuple[str, ...]) -> str:
        """A text out of `allowed`."""
        value = self.text()
        if value not in allowed:
            self.wrong(f"{value!r} is not one of {', '.join(allowed)}")
        return value

    def integer(self, low: int = 0, high: int = 1_000_000) -> int:
        """A whole number within the bounds."""
        value = self.plain()
        if isinstance(value, bool) or not isinstance(value, int):
            self.wrong("a whole number is expected")
        if not low <= value <= high:
            self.wrong(f"{value} is not within {low}..{high}")
        return int(value)

    def number(self, low: float = 0.0, high: float = 1_000_000.0) -> float:
        """A number within the bounds."""
        value = self.plain()
        if isinstance(value, bool) or not isinstance(value, int | float):
            self.wrong("a number is expected")
        if not low <= value <= high:
            self.wrong(f"{value} is not within {low}..{high}")
        return float(value)

    def truth(self) -> bool:
        """true or false."""
        value = self.plain()
        if not isinstance(value, bool):
            self.wrong("true or false is expected")
        return value
