"""Where a word of the configuration stands, and what is said about it.

A `Document` is what was written, as plain values, together with the place of every key and value. What an error shows
of it goes through `name` and `shown`, which hide whatever looks like a credential.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple

from byollm.errors import ConfigError
from byollm.wire.redact import Secret

KeyPath = tuple[str | int, ...]
Level = Literal["error", "warning", "info"]

MAX_DEPTH: Final = 32
"""Levels of mappings and lists inside each other."""
MAX_NODES: Final = 100_000
"""Keys and values of one configuration, each alias counted as often as it is used."""


class Where(NamedTuple):
    """A place in a file; line and column count from 1. All None: the configuration was no file."""

    file: str | None = None
    line: int | None = None
    column: int | None = None

    def __str__(self) -> str:
        return ":".join(str(part) for part in self if part is not None) or "the configuration"


NOWHERE: Final = Where()


@dataclass(frozen=True, slots=True)
class Finding:
    """What loading or `byollm check` noticed: how bad, where, one sentence, and the line that mends it."""

    level: Level
    where: Where
    sentence: str
    mend: str = ""


class Problem(NamedTuple):
    """An error as a value, so that it is raised from a frame that holds no text of the configuration."""

    message: str
    hint: str
    line: int | None = None
    column: int | None = None


class Node:
    """A value's place. `entries` of a mapping: key → (line, column, node); `items` of a list; `value` of a scalar."""

    __slots__ = ("column", "depth", "entries", "items", "line", "raw", "size", "value")

    def __init__(self, line: int, column: int) -> None:
        self.line = line
        self.column = column
        self.entries: dict[str, tuple[int, int, Node]] | None = None
        self.items: list[Node] | None = None
        self.value: Any = None
        self.raw: str | None = None
        self.size = 1
        self.depth = 1

    def __repr__(self) -> str:
        return f"Node({self.line}:{self.column})"


class Document:
    """Plain values and their places. `source` is the file's name, None for a mapping."""

    __slots__ = ("source", "tree", "value")

    def __init__(self, value: Any, source: str | None = None, tree: Node | None = None) -> None:
        self.value = value
        self.source = source
        self.tree = tree

    def __repr__(self) -> str:
        return f"Document({self.source!r})"

    def where(self, path: KeyPath, *, value: bool = False) -> Where:
        """The place of the key at `path` (of its value when `value`), or of the nearest thing above that has one."""
        node = self.tree
        if node is None:
            return Where(self.source)
        line, column = node.line, node.column
        for step in path:
            if node.entries is not None and isinstance(step, str) and step in node.entries:
                line, column, node = node.entries[step]
            elif node.items is not None and isinstance(step, int) and step < len(node.items):
                node = node.items[step]
                line, column = node.line, node.column
            else:
                return Where(self.source, line, column)
        return Where(self.source, node.line, node.column) if value else Where(self.source, line, column)

    def at(self, path: KeyPath) -> Any:
        """The plain value at `path`; None when there is none."""
        value = self.value
        for step in path:
            try:
                value = value[step]
            except (KeyError, IndexError, TypeError):
                return None
        return value

    def raw(self, path: KeyPath) -> str | None:
        """How a number or boolean was written; None for everything else."""
        node = self.tree
        for step in path:
            if node is None:
                return None
            if isinstance(step, str):
                node = node.entries[step][2] if node.entries is not None and step in node.entries else None
            else:
                node = node.items[step] if node.items is not None and step < len(node.items) else None
        return node.raw if node is not None else None

    def error(self, path: KeyPath, message: str, hint: str = "", *, value: bool = False) -> ConfigError:
        """A ConfigError about the key at `path` (about its value when `value`). Without a file, the path is told."""
        where = self.where(path, value=value)
        if where.file is None and path:
            message = f"{dotted(path)}: {message}"
        return ConfigError(message, hint=hint, file=where.file, line=where.line, column=where.column)


def dotted(path: KeyPath) -> str:
    """`tasks.pii_detection.failover[0]`."""
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{name(step)}"
    return text.lstrip(".")


def name(text: Any) -> str:
    """A key as it may be shown: short, printable, and never something that looks like a credential."""
    if not isinstance(text, str):
        return f"<{type(text).__name__}>"
    if looks_like_key(text):
        return "<hidden>"
    cut = text if len(text) <= 60 else f"{text[:57]}…"
    return cut if cut.isprintable() else ascii(cut)[1:-1]


def shown(value: Any) -> str:
    """A value as it may be shown in an error."""
    if isinstance(value, str):
        return f"`{name(value)}`"
    if value is None or isinstance(value, bool):
        return f"`{str(value).lower() if value is not None else 'null'}`"
    if isinstance(value, int | float):
        return f"`{value}`" if abs(value) < 10**18 or isinstance(value, float) else "a number too large"
    if isinstance(value, Secret):
        return "a hidden text"
    if isinstance(value, dict | list):
        return "a mapping" if isinstance(value, dict) else "a list"
    return f"a {type(value).__name__}"


_UUID = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}")
_RUN = re.compile(r"[A-Za-z0-9+=]{20,}")


def looks_like_key(text: str) -> bool:
    """True for a text that may well be a credential: a known prefix, a UUID, or a long run of letters and digits."""
    if re.match(r"(?:sk|pk|rk|gsk|hf|xai|ghp|glpat)[-_].{12,}", text) or text.startswith(("AKIA", "AIza", "eyJ")):
        return True
    if _UUID.search(text):
        return True
    return any(re.search(r"\d", run) and re.search(r"[A-Za-z]", run) for run in _RUN.findall(text))


def plain_of(node: Node) -> Any:
    """The plain values below a node."""
    if node.entries is not None:
        return {key: plain_of(item) for key, (_, _, item) in node.entries.items()}
    if node.items is not None:
        return [plain_of(item) for item in node.items]
    return node.value


class _Count:
    __slots__ = ("left",)

    def __init__(self) -> None:
        self.left = MAX_NODES


def document_of(mapping: Mapping[Any, Any]) -> Document | Problem:
    """A mapping from Python as a Document: copied into plain dicts, lists and texts; other objects stay as they are."""
    plain = _plain(mapping, (), _Count())
    return plain if isinstance(plain, Problem) else Document(plain)


def _plain(value: Any, path: KeyPath, count: _Count) -> Any:
    count.left -= 1
    if count.left < 0 or len(path) > MAX_DEPTH:
        return Problem("the configuration is too deep or too large, or contains itself", "write it flat and once")
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, Mapping):
        return _plain_mapping(value, path, count)
    if isinstance(value, list | tuple):
        items = [_plain(item, (*path, index), count) for index, item in enumerate(value)]
        return next((item for item in items if isinstance(item, Problem)), items)
    return value


def _plain_mapping(value: Mapping[Any, Any], path: KeyPath, count: _Count) -> Any:
    found: dict[str, Any] = {}
    for key, item in value.items():
        if not isinstance(key, str):
            at = dotted(path) or "the configuration"
            return Problem(f"{at}: a key is {shown(key)}, and keys are texts", "write every key in quotes")
        text = str.__str__(key)
        plain = _plain(item, (*path, text), count)
        if isinstance(plain, Problem):
            return plain
        found[text] = plain
    return found
