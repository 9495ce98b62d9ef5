"""Strict YAML: what two readers could understand in two ways is an error that says file, line and column.

Plain scalars are read by the core schema of YAML 1.2 (https://yaml.org/spec/1.2.2/#103-core-schema). Whatever YAML 1.1
reads otherwise (`no`, `010`, `1:30`, `1_000`, `2024-10-21`) must be put in quotes or written plainly. Merge keys (`<<`)
belong to YAML 1.1 only and are refused: `defaults:` holds what targets share. Anchors and aliases are read within
limits. The parser's events are read one by one, because a composer's recursion has no limit of ours.
"""

from __future__ import annotations

import os
import re
from typing import Any, Final

from byollm.config.places import MAX_DEPTH, MAX_NODES, Document, Node, Problem, name, plain_of
from byollm.errors import ConfigError

MAX_BYTES: Final = 1024 * 1024
"""The largest file that is read."""
MAX_ALIASES: Final = 200
_DAYS: Final = ("expires", "until")
"""Keys whose value is a date."""
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")

_UNPRINTABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_TEXT_TAGS: Final = ("!", "tag:yaml.org,2002:str")
_PLAIN_TAGS: Final = (None, "!", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq")


def read_yaml(path: str | os.PathLike[str], mend: str | None = None) -> Document:
    """The document in a file. Raises ConfigError when it cannot be read or is not strict YAML.

    `mend` is said of a file that is no configuration, where a configuration's would lead astray.
    """
    data = _bytes_of(os.fspath(path))
    source = str(os.fspath(path))
    if isinstance(data, Problem):
        data = _of_another(data, mend)
        raise ConfigError(f"{name(source)}: {data.message}", hint=data.hint)
    return parse_yaml(data, source, mend)


def parse_yaml(data: Any, source: str = "<yaml>", mend: str | None = None) -> Document:
    """The document in bytes or a text; `source` names it in errors. Raises ConfigError when it is not strict YAML."""
    found = _parse(data)
    if isinstance(found, Problem):
        found = _of_another(found, mend)
        raise ConfigError(found.message, hint=found.hint, file=source, line=found.line, column=found.column)
    return Document(plain_of(found), source, found)


def _of_another(problem: Problem, mend: str | None) -> Problem:
    if mend is None or problem.hint not in (_NO_FILE, _FIRST_FILE):
        return problem
    return problem._replace(message=problem.message.replace("the configuration", "the file"), hint=mend)


def _bytes_of(path: str) -> bytes | Problem:
    try:
        with open(path, "rb") as file:
            return file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return Problem("there is no such file", _NO_FILE)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
    return Problem(f"the file cannot be read: {reason}", "name a readable YAML file")


def _parse(data: bytes | str) -> Node | Problem:
    if len(data) > MAX_BYTES:
        return Problem("a configuration has at most 1 MiB", "split the file: each client needs its own part only", 1, 1)
    text = _decoded(data)
    if isinstance(text, Problem):
        return text
    odd = _UNPRINTABLE.search(text)
    if odd:
        line, column = _place(text, odd.start())
        return Problem(f"the character {odd.group()!a} has no place in YAML", "delete it", line, column)
    return _Reader(text).read()


def _decoded(data: bytes | str) -> str | Problem:
    if isinstance(data, str):
        return data.removeprefix("\ufeff")
    start = 3 if data.startswith(b"\xef\xbb\xbf") else 0
    try:
        return data[start:].decode("utf-8")
    except UnicodeDecodeError as error:
        good = data[start : start + error.start].decode("utf-8")
    return Problem("this is not UTF-8", "save the file as UTF-8", *_place(good, len(good)))


def _place(text: str, at: int) -> tuple[int, int]:
    lines = _lines(text[:at])
    return len(lines), len(lines[-1]) + 1


def _lines(text: str) -> list[str]:
    return re.split("\r\n|[\n\r\x85\u2028\u2029]", text)


class _Stop(Exception):
    """Leaves the event loop with a problem; never leaves this module."""

    def __init__(self, problem: Problem) -> None:
        super().__init__()
        self.problem = problem


def _fail(event: Any, message: str, hint: str) -> _Stop:
    return _Stop(Problem(message, hint, event.start_mark.line + 1, event.start_mark.column + 1))


class _Reader:
    """One pass over the parser's events: a tree of nodes, or the first problem."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._stack: list[tuple[Node, str | None]] = []
        self._keys: list[list[tuple[str, int, int]]] = []
        self._anchors: dict[str, Node] = {}
        self._open_anchors: list[str | None] = []
        self._aliases = 0
        self._nodes = 0
        self._root: Node | None = None

    def __repr__(self) -> str:
        return "_Reader(…)"

    def read(self) -> Node | Problem:
        """The root mapping, or the problem."""
        import yaml

        loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        try:
            for event in yaml.parse(self._text, Loader=loader):
                self._take(event)
        except _Stop as stop:
            return stop.problem
        except yaml.YAMLError as error:
            return _syntax(self._text, error)
        if self._root is None:
            return Problem("the file is empty", _FIRST_FILE, 1, 1)
        return self._root

    def _take(self, event: Any) -> None:
        kind = type(event).__name__
        if kind == "ScalarEvent":
            self._scalar(event)
        elif kind in ("MappingStartEvent", "SequenceStartEvent"):
            self._start(event, kind == "MappingStartEvent")
        elif kind in ("MappingEndEvent", "SequenceEndEvent"):
            self._end(event)
        elif kind == "AliasEvent":
            self._alias(event)
        elif kind == "DocumentStartEvent" and self._root is not None:
            raise _fail(event, "a second document begins here", "one file holds one configuration: remove the `---`")

    def _expects_key(self) -> bool:
        return bool(self._stack) and self._stack[-1][0].entries is not None and len(self._keys[-1]) == 0

    def _scalar(self, event: Any) -> None:
        if self._expects_key():
            self._key(event)
            return
        if not self._stack:
            raise _fail(event, "the configuration is one text, not a mapping", _FIRST_FILE)
        node = Node(event.start_mark.line + 1, event.start_mark.column + 1)
        node.value = event.value if self._is_day(event) else _value(event)
        if isinstance(node.value, int | float):
            node.raw = event.value
        if event.anchor:
            self._refuse_second(event)
        self._add(event, node, event.anchor)

    def _is_day(self, event: Any) -> bool:
        """A plain date where a date is asked for: text or date, it is read as the same day."""
        inside = self._keys[-1][-1][0] if self._keys and self._keys[-1] else ""
        return inside in _DAYS and event.tag is None and bool(_DAY.match(event.value))

    def _key(self, event: Any) -> None:
        node = self._stack[-1][0]
        key = _value(event)
        if not isinstance(key, str):
            kind = "nothing" if key is None else "true or false" if isinstance(key, bool) else "a number"
            raise _fail(event, f"a key is a text; this one was read as {kind}", "put the key in quotes")
        if key == "<<" and event.implicit[0]:
            raise _fail(event, "merge keys (`<<`) are not read", "put what targets share under `defaults:`")
        if node.entries is not None and key in node.entries:
            first = node.entries[key][0]
            mend = f"keep one of the two `{name(key)}:` lines"
            raise _fail(event, f"`{name(key)}` stands twice: first on line {first}", mend)
        if event.anchor:
            raise _fail(event, "a key has an anchor", "put the anchor on the value")
        self._keys[-1].append((key, event.start_mark.line + 1, event.start_mark.column + 1))

    def _start(self, event: Any, mapping: bool) -> None:
        if self._expects_key():
            hint = "write `key: value`, and a `{` or `[` in quotes"
            raise _fail(event, "a key is a text; this one is a mapping or a list", hint)
        if event.tag not in _PLAIN_TAGS:
            raise _fail(event, "tags (`!…`) are not read", "remove the tag")
        if not self._stack and not mapping:
            raise _fail(event, "the configuration is a list, not a mapping", _FIRST_FILE)
        if len(self._stack) >= MAX_DEPTH:
            raise _fail(event, f"more than {MAX_DEPTH} levels", "write it flatter")
        node = Node(event.start_mark.line + 1, event.start_mark.column + 1)
        if mapping:
            node.entries = {}
        else:
            node.items = []
        self._stack.append((node, event.anchor))
        self._keys.append([])
        if event.anchor:
            self._refuse_second(event)
            self._open_anchors.append(event.anchor)

    def _end(self, event: Any) -> None:
        node, anchor = self._stack.pop()
        self._keys.pop()
        if anchor:
            self._open_anchors.remove(anchor)
        self._add(event, node, anchor)

    def _alias(self, event: Any) -> None:
        if self._expects_key():
            raise _fail(event, "a key is a text; this one is an alias", "write the key out")
        if event.anchor in self._open_anchors:
            raise _fail(event, "this alias contains itself", "write the value out")
        target = self._anchors.get(event.anchor)
        if target is None:
            hint = f"write `&{name(event.anchor)}` before the value it repeats"
            raise _fail(event, "this alias has no anchor before it", hint)
        self._aliases += 1
        if self._aliases > MAX_ALIASES:
            raise _fail(event, f"more than {MAX_ALIASES} aliases", "put what targets share under `defaults:`")
        if len(self._stack) + target.depth > MAX_DEPTH:
            raise _fail(event, f"more than {MAX_DEPTH} levels", "write it flatter")
        self._add(event, target, None, target.size)

    def _refuse_second(self, event: Any) -> None:
        if event.anchor in self._anchors or event.anchor in self._open_anchors:
            raise _fail(event, f"the anchor `&{name(event.anchor)}` stands twice", "give each anchor its own name")

    def _add(self, event: Any, node: Node, anchor: str | None, worth: int = 1) -> None:
        """Put a finished node into what is open; `worth` is how many values it adds, aliases written out."""
        self._nodes += worth
        if self._nodes > MAX_NODES:
            raise _fail(event, f"more than {MAX_NODES} values, aliases written out", "make the file smaller")
        if anchor:
            self._anchors[anchor] = node
        if not self._stack:
            self._root = node
            return
        parent = self._stack[-1][0]
        parent.size += node.size
        parent.depth = max(parent.depth, node.depth + 1)
        if parent.items is not None:
            parent.items.append(node)
        elif parent.entries is not None:
            key, line, column = self._keys[-1].pop()
            parent.entries[key] = (line, column, node)


_NO_FILE: Final = "name a file that exists, or run `byollm init` to make one"
_FIRST_FILE: Final = 'begin with:  llm_config: {provider: "openai", model: "gpt-5.4"}'

_INT = re.compile(r"[-+]?(?:0|[1-9][0-9]*)\Z")
_HEX = re.compile(r"0x[0-9a-fA-F]+\Z")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?\Z")
_QUOTES: Final = "put it in quotes"
_SURPRISES: Final = (
    (r"(?i:yes|no|on|off)", "is true or false", "write true or false, or put the word in quotes"),
    (r"[-+]?0[0-9_]+|0o[0-7]+|[-+]?0b[01_]+", "is octal or binary", "write a plain number, or put it in quotes"),
    (r"[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+(?:\.[0-9_]*)?", "is a number to base 60", _QUOTES),
    (
        r"[-+]?(?:0x[0-9a-fA-F]*|[0-9]+)_[0-9a-fA-F_]*(?:\.[0-9_]*)?",
        "is a number",
        "leave out the `_`, or put it in quotes",
    ),
    (r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt \t].*)?", "is a date", _QUOTES),
)
"""What YAML 1.1 and 1.2 read differently: pattern, what it is to some readers and not to others, the mend."""

_WORDS: Final = {
    "": None, "~": None, "null": None, "Null": None, "NULL": None,
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False,
    ".inf": float("inf"), ".Inf": float("inf"), ".INF": float("inf"), "-.inf": float("-inf"), "+.inf": float("inf"),
    ".nan": float("nan"), ".NaN": float("nan"), ".NAN": float("nan"),
}  # fmt: skip


def _value(event: Any) -> Any:
    """The scalar's value by YAML 1.2, or a problem when YAML 1.1 sees another."""
    text: str = event.value
    if event.tag is not None:
        if event.tag in _TEXT_TAGS:
            return text
        raise _fail(event, "tags (`!…`) are not read", "remove the tag")
    if not event.implicit[0]:  # in quotes, or a block
        return text
    if text in _WORDS:
        return _WORDS[text]
    if text[0].isdecimal() or text[0] in "-+.yYnNoO":
        for pattern, what, mend in _SURPRISES:
            if re.fullmatch(pattern, text):
                word = f"`{text}`" if len(text) <= 12 else "this"
                raise _fail(event, f"{word} {what} to some YAML readers, and not to others", mend)
        return _number(event, text)
    return text


def _number(event: Any, text: str) -> Any:
    if _INT.match(text) or _HEX.match(text):
        if len(text) > 40:
            raise _fail(event, "a number of more than 40 digits", "put it in quotes if it is a text")
        return int(text, 16 if text.startswith("0x") else 10)
    return float(text) if _FLOAT.match(text) else text


def _syntax(text: str, error: Any) -> Problem:
    """The parser's complaint, with the line that mends the usual causes of it."""
    problem, mark, began = (getattr(error, key, None) for key in ("problem", "problem_mark", "context_mark"))
    problem = str(problem or "")
    line, column = (mark.line, mark.column) if mark is not None else (0, 0)
    lines = _lines(text)
    here = lines[line] if line < len(lines) else ""
    place = (line + 1, column + 1)
    indent = here[: len(here) - len(here.lstrip())]
    if "\t" in indent or "tab character" in problem:
        told = "a tab stands where spaces indent", "indent with spaces: YAML takes no tabs there"
        place = (line + 1, indent.find("\t") + 1 or column + 1)
    elif "${" in here[max(0, column - 1) : column + 2]:
        told = "inside { } and [ ] a reference needs quotes", 'write it as "${NAME}"'
    elif here[column : column + 1] in ("@", "`", "%"):
        told = f"a value cannot begin with {here[column]}", "put the value in quotes"
    elif "mapping values are not allowed" in problem:
        hint = "put a value that holds `: ` in quotes, or mend the indentation"
        told = ("a second `: `, or a line indented too far", hint)
    elif began is not None and any(word in str(error.context) for word in ("flow", "quoted")):
        told = "what begins here is never closed", "close the bracket or the quote, or put a comma where one is missing"
        place = (began.line + 1, began.column + 1)
    else:
        hint = "look at the indentation of this line and the one before"
        told = ("this is not YAML" + (f": {problem}" if problem else ""), hint)
    return Problem(*told, *place)
