"""SEC: what the plugin's own source names."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Final

from byollm_conformance.checks.packaging import package_of
from byollm_conformance.effort import Effort
from byollm_conformance.model import Broken, Untestable, check
from byollm_conformance.subject import Subject

DANGEROUS: Final = frozenset({"pickle", "marshal", "shelve", "subprocess", "multiprocessing", "ctypes", "pty", "code"})
"""Modules that turn data into code or start programs."""
SENDING: Final = frozenset(
    {"socket", "ssl", "http.client", "urllib.request", "ftplib", "smtplib", "requests", "httpx", "httpx2", "httpcore",
     "aiohttp", "urllib3", "websockets", "websocket", "pyreqwest", "grpc"}
)  # fmt: skip
"""Modules that send: a translator has no use for them."""
CALLS: Final = frozenset({"eval", "exec", "compile", "__import__"})
MEMBERS: Final = frozenset(
    {("os", "system"), ("os", "popen"), ("os", "fork"), ("yaml", "load"), ("yaml", "unsafe_load")}
)


@check(
    "SEC-06",
    "MUST",
    "The plugin's source reaches for nothing that turns data into code or starts programs (eval, exec, pickle, "
    "yaml.load, subprocess, ctypes), and a translator for nothing that sends.",
    spec="spec/security.md#8",
    layer="L0",
    plugin=True,
)
def source_is_harmless(subject: Subject, effort: Effort) -> None:
    """By the syntax tree of every module of the package; imports for typing only are not counted."""
    place = package_of(subject)
    if place is None:
        raise Untestable("the source of the plugin's package is not there")
    for file in sorted(place.rglob("*.py")):
        subject.count()
        try:
            tree = ast.parse(file.read_bytes())
        except (SyntaxError, ValueError) as error:  # the latter of NUL
            tree, problem = None, str(error)
        if tree is None:
            raise Broken(f"{file.relative_to(place.parent)} is no Python, so that nobody can look into it: {problem}")
        for line, words in _findings(tree, local=subject.local):
            raise Broken(f"{words} in {file.relative_to(place.parent)}, line {line}")


def _findings(tree: ast.Module, *, local: bool) -> Iterator[tuple[int, str]]:
    typing_only = {id(node) for branch in ast.walk(tree) if _for_typing(branch) for node in ast.walk(branch)}
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        for name in _imported(node):
            if _within(name, DANGEROUS) or (not local and _within(name, SENDING)):
                yield getattr(node, "lineno", 0), f"import of {name}"
        if isinstance(node, ast.Call):
            called = _called(node)
            if called:
                yield node.lineno, f"a call of {called}"


def _for_typing(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def _imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [item.name for item in node.names]
    if isinstance(node, ast.ImportFrom) and node.module and not node.level:
        return [node.module, *[f"{node.module}.{item.name}" for item in node.names]]
    return []


def _within(name: str, modules: frozenset[str]) -> bool:
    return any(name == module or name.startswith(f"{module}.") for module in modules)


def _called(node: ast.Call) -> str:
    function = node.func
    if isinstance(function, ast.Name) and function.id in CALLS:
        return function.id
    if not isinstance(function, ast.Attribute) or not isinstance(function.value, ast.Name):
        return ""
    return f"{function.value.id}.{function.attr}" if (function.value.id, function.attr) in MEMBERS else ""
