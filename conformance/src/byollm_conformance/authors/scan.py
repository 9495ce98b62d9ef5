"""What a module's source reaches for, by its syntax tree alone. It tells what honest code does; a liar can hide."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple

LONGEST: Final = 512 * 1024
"""Bytes of a module that is looked into."""
_LONG_LITERAL: Final = 4096

Level = Literal["alarm", "note"]


class Finding(NamedTuple):
    """`where` is a path, with a line where there is one."""

    level: Level
    kind: str
    where: str
    sentence: str


MODULES: Final[Mapping[str, tuple[str, ...]]] = {
    "network": (
        "socket", "socketserver", "ssl", "http.client", "http.server", "urllib.request", "ftplib", "smtplib", "poplib",
        "imaplib", "telnetlib", "xmlrpc", "requests", "httpx", "httpx2", "httpcore", "httpcore2", "aiohttp", "urllib3",
        "websockets", "websocket", "grpc", "pyreqwest", "paramiko", "webbrowser",
    ),
    "process": ("subprocess", "multiprocessing", "pty", "signal", "concurrent.futures.process"),
    "native": ("ctypes", "cffi", "_ctypes", "_cffi_backend"),
    "code": (
        "pickle", "_pickle", "cPickle", "marshal", "shelve", "dill", "cloudpickle", "joblib", "runpy", "code", "codeop",
        "imp", "zipimport", "importlib.util", "importlib.machinery", "pkgutil", "site", "builtins",
    ),
}  # fmt: skip
"""Modules by what importing them is a sign of."""
CALLS: Final[Mapping[str, tuple[str, ...]]] = {
    "code": (
        "eval", "exec", "compile", "__import__", "importlib.import_module", "importlib.__import__", "types.CodeType",
        "types.FunctionType", "yaml.load", "yaml.unsafe_load", "yaml.full_load", "sys.settrace", "sys.setprofile",
    ),
    "process": (
        "os.system", "os.popen", "os.fork", "os.forkpty", "os.kill", "os.killpg", "os.posix_spawn", "os.posix_spawnp",
        "os.startfile", "asyncio.create_subprocess_exec", "asyncio.create_subprocess_shell", "os._exit",
    ),
    "network": ("asyncio.open_connection", "asyncio.start_server", "asyncio.open_unix_connection"),
    "file": ("open", "io.open", "os.open", "os.remove", "os.unlink", "os.rename", "shutil.rmtree"),
    "time": ("time.sleep", "threading.Thread", "threading.Timer", "atexit.register"),
}  # fmt: skip
NOTES: Final = frozenset({"file", "time"})
"""Kinds of calls that an honest in-process model makes, too."""
_PROCESS_PREFIXES: Final = ("os.exec", "os.spawn")
_ENVIRONMENT: Final = frozenset({"os.environ", "os.environb", "os.getenv", "os.getenvb", "os.putenv"})
_INSIDES: Final = frozenset(
    {"__subclasses__", "__globals__", "__builtins__", "__code__", "__closure__", "f_globals", "f_locals", "_getframe",
     "__loader__"}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Source:
    """A module, read once: all its nodes, and what its names stand for in other modules.

    `names`: `from os import system as s` makes `s` mean `os.system`, for the whole module.
    """

    path: str
    nodes: Sequence[ast.AST]
    names: Mapping[str, str]


def source_of(path: str, data: bytes) -> Source | Finding:
    """The module, or why nobody can look into it."""
    tree = _parsed(data)
    if isinstance(tree, str):
        return Finding("alarm", "source", path, f"cannot be read as Python: {tree}")
    nodes = list(ast.walk(tree))
    return Source(path, nodes, _names_of(nodes))


def scan(source: Source) -> list[Finding]:
    """What one module reaches for."""
    return list(dict.fromkeys(_Scan(source).findings()))


def _parsed(data: bytes) -> ast.Module | str:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return ast.parse(data)
    except (SyntaxError, ValueError, RecursionError, MemoryError, LookupError) as error:
        return f"{type(error).__name__}: {getattr(error, 'msg', None) or error}"


def _names_of(nodes: Sequence[ast.AST]) -> dict[str, str]:
    names: dict[str, str] = {}
    for node in nodes:
        if isinstance(node, ast.Import):
            for item in node.names:
                top = item.name.partition(".")[0]
                names[item.asname or top] = item.name if item.asname else top
        elif isinstance(node, ast.ImportFrom):
            base = "." * node.level + (node.module or "")
            for item in node.names:
                names[item.asname or item.name] = f"{base}.{item.name}"
    return names


def dotted(node: ast.AST, names: Mapping[str, str]) -> str:
    """`a.b.c` with its first name replaced by what it stands for; "" for anything else."""
    steps: list[str] = []
    while isinstance(node, ast.Attribute):
        steps.append(node.attr)
        node = node.value
    if not isinstance(node, ast.Name):
        return ""
    return ".".join([names.get(node.id, node.id), *reversed(steps)]).removeprefix("builtins.")


class _Scan:
    def __init__(self, source: Source) -> None:
        self.path, self.nodes, self.names = source.path, source.nodes, source.names
        self.modules = {name for name, meaning in self.names.items() if not meaning.startswith(".")}

    def findings(self) -> Iterator[Finding]:
        unseen = self._for_typing()
        for node in self.nodes:
            if id(node) not in unseen:
                yield from self._of(node)

    def _for_typing(self) -> set[int]:
        """What only a type checker executes."""
        return {
            id(node)
            for branch in self.nodes
            if isinstance(branch, ast.If) and dotted(branch.test, self.names) == "typing.TYPE_CHECKING"
            for statement in branch.body
            for node in ast.walk(statement)
        }

    def _of(self, node: ast.AST) -> Iterator[Finding]:
        if isinstance(node, ast.Import):
            for item in node.names:
                yield from self._imported(node, item.name)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            for item in node.names:
                yield from self._imported(node, f"{node.module}.{item.name}")
        elif isinstance(node, ast.Call):
            yield from self._called(node)
        elif isinstance(node, ast.Attribute | ast.Name):
            yield from self._named(node)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str | bytes):
            if len(node.value) > _LONG_LITERAL:
                yield self._found("note", "literal", node, f"holds a literal of {len(node.value)} characters")
        elif isinstance(node, ast.Assign | ast.AugAssign | ast.Delete):
            yield from self._assigned(node)

    def _found(self, level: Level, kind: str, node: ast.AST, sentence: str) -> Finding:
        return Finding(level, kind, f"{self.path}:{getattr(node, 'lineno', 0)}", sentence)

    def _imported(self, node: ast.AST, name: str) -> Iterator[Finding]:
        for kind, modules in MODULES.items():
            for module in modules:
                if name == module or name.startswith(f"{module}."):
                    yield self._found("alarm", kind, node, f"imports {module}")
        if name.endswith(".*"):
            yield self._found("note", "source", node, f"imports everything of {name[:-2]}: names cannot be followed")

    def _called(self, node: ast.Call) -> Iterator[Finding]:
        name = dotted(node.func, self.names)
        for kind, calls in CALLS.items():
            if name in calls or (kind == "process" and name.startswith(_PROCESS_PREFIXES)):
                yield self._found("note" if kind in NOTES else "alarm", kind, node, f"calls {name}")
        if name in ("getattr", "setattr", "delattr") and node.args:
            base = dotted(node.args[0], self.names)
            first = base.partition(".")[0]
            if name != "getattr" and first in {meaning.partition(".")[0] for meaning in self.names.values()}:
                yield self._found("alarm", "patch", node, f"changes {base} with {name}")
            elif base in ("os", "sys", "builtins", "importlib", "__builtins__"):
                yield self._found("alarm", "code", node, f"takes something out of {base} by name")

    def _named(self, node: ast.Attribute | ast.Name) -> Iterator[Finding]:
        name = dotted(node, self.names)
        if name in _ENVIRONMENT:
            yield self._found("alarm", "environment", node, "reads the environment")
        inside = node.attr if isinstance(node, ast.Attribute) else node.id
        if inside in _INSIDES:
            yield self._found("alarm", "code", node, f"reaches into the interpreter by {inside}")
        if name == "sys.modules":
            yield self._found("alarm", "patch", node, "reaches for sys.modules")

    def _assigned(self, node: ast.Assign | ast.AugAssign | ast.Delete) -> Iterator[Finding]:
        targets = [node.target] if isinstance(node, ast.AugAssign) else node.targets
        for target in targets:
            if not isinstance(target, ast.Attribute):
                continue
            base = target.value
            while isinstance(base, ast.Attribute):
                base = base.value
            if isinstance(base, ast.Name) and base.id in self.modules:
                yield self._found("alarm", "patch", node, f"changes {dotted(target, self.names)}")
