"""What a plugin touches: an audit hook, a listening environment, a fingerprint of the core. Only in the child process.

This detects and does not prevent: a plugin is Python code in the same process, and native code is not seen.
"""

from __future__ import annotations

import inspect
import ipaddress
import os
import random
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import FrameType, ModuleType
from typing import Any, Final

PROCESSES: Final = ("subprocess.Popen", "os.fork", "os.forkpty", "os.posix_spawn", "os.system", "os.exec", "os.spawn")
SOCKETS: Final = ("socket.connect", "socket.bind", "socket.sendto", "socket.getaddrinfo", "socket.gethostbyname")
FILES: Final = (
    "open", "os.listdir", "os.scandir", "os.remove", "os.rename", "os.mkdir", "os.rmdir", "os.chmod", "os.truncate",
    "os.link", "os.symlink", "os.utime", "shutil.rmtree", "tempfile.mkstemp", "tempfile.mkdtemp", "sqlite3.connect",
)  # fmt: skip
OTHERS: Final = ("ctypes.dlopen", "os.putenv", "os.unsetenv", "urllib.Request", "pty.spawn")
HOOKS: Final = frozenset({*PROCESSES, *SOCKETS, *FILES, *OTHERS})
"""What a hook of a plugin never does."""
WRITING: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_TRUNC


class NetworkRefused(ConnectionError):
    """Nothing but this machine is reached while a plugin is tested."""


@dataclass(slots=True)
class Guard:
    """`touched`: what was seen while `importing`; `inside`: the depth of plugin functions now running; `during`: what
    was seen in them; `refused`: connections that were refused at any time; `names`: environment variables read.
    """

    importing: bool = False
    inside: int = 0
    touched: list[str] = field(default_factory=list)
    during: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    known: frozenset[str] = frozenset()
    installed: bool = False

    def install(self) -> None:
        """From now on, for the life of the process: an audit hook cannot be taken away."""
        if self.installed:
            return
        self.installed = True
        self.known = frozenset(name.partition(".")[0] for name in sys.modules) | sys.stdlib_module_names
        sys.addaudithook(self._audit)
        os.environ.__class__ = _listening(self)
        time.sleep = self._sleeper(time.sleep)

    def _sleeper(self, sleep: Callable[[float], None]) -> Any:
        """`time.sleep` is no audit event before Python 3.13."""

        def noted(seconds: float) -> None:
            if self.importing or self.inside:
                (self.touched if self.importing else self.during).append(f"time.sleep({seconds!r})")
            sleep(seconds)

        return noted

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event not in HOOKS:
            return
        if event in SOCKETS and not _at_home(event, arguments):
            self.refused.append(_told(event, arguments))
            (self.touched if self.importing else self.during).append(_told(event, arguments))
            raise NetworkRefused("conformance is offline: nothing but this machine is reached")
        if self.importing and _matters(event, arguments):
            self.touched.append(_told(event, arguments))
        elif self.inside and not (event in FILES and _by_import()):
            self.during.append(_told(event, arguments))

    def read(self, name: str) -> None:
        """A variable of the environment was asked for."""
        if not (self.importing or self.inside):
            return
        package = _reader()
        if self.inside or package not in self.known:
            (self.during if self.inside else self.names).append(f"environment variable {name} (by {package})")


GUARD: Final = Guard()
"""The one of this process."""


def _listening(guard: Guard) -> Any:
    class Listening(os._Environ[str]):
        def __getitem__(self, key: Any) -> Any:
            guard.read(str(key))
            return super().__getitem__(key)

        def __iter__(self) -> Iterator[Any]:
            guard.read("*")
            return super().__iter__()

    return Listening


def _at_home(event: str, arguments: tuple[Any, ...]) -> bool:
    """Loopback addresses, local sockets and names for this machine."""
    address = arguments[1] if event in ("socket.connect", "socket.bind", "socket.sendto") else arguments[0]
    host = address[0] if isinstance(address, tuple) and address else address
    if isinstance(host, bytes):
        host = host.decode("utf-8", "replace")
    if not isinstance(host, str) or host.startswith(("/", "\0")) or host in ("", "localhost"):
        return True
    try:
        return ipaddress.ip_address(host.partition("%")[0]).is_loopback
    except ValueError:
        return False


def _matters(event: str, arguments: tuple[Any, ...]) -> bool:
    """While importing, reading code is what one does; writing, and reading from elsewhere, is not."""
    if event in ("os.listdir", "os.scandir"):
        return not _by_import()
    if event in FILES and arguments and "__pycache__" in str(arguments[0]) and _by_import():
        return False  # the plugin's own bytecode, which the interpreter keeps
    if event != "open":
        return True
    path, mode, flags = (*arguments, None, None, None)[:3]
    writes = (isinstance(mode, str) and set(mode) & set("wax+")) or (isinstance(flags, int) and flags & WRITING)
    if writes:
        return "__pycache__" not in str(path)
    return _private(path)


def _private(path: Any) -> bool:
    """A file of the user's, outside of where Python and packages live."""
    if not isinstance(path, str | bytes) or not path:
        return False
    text = os.path.abspath(os.fsdecode(path))
    if text.endswith((".py", ".pyc", ".so", ".pyi", ".pyd", ".dll", ".typed")) or ".dist-info" in text:
        return False
    places = (sys.prefix, sys.base_prefix, *(os.path.abspath(place) for place in sys.path if place), "/usr", "/etc/ld")
    return not text.startswith(tuple(places))


def _by_import() -> bool:
    """Is the import system at work? The first use of a module reads its file."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        if frame.f_globals.get("__name__") in ("importlib._bootstrap", "importlib._bootstrap_external", "linecache"):
            return True
        frame = frame.f_back
    return False


def _reader() -> str:
    """The package of the first frame that is neither ours nor the standard library's."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None:
        package = str(frame.f_globals.get("__name__", "")).partition(".")[0]
        if package not in sys.stdlib_module_names and package != "byollm_conformance":
            return package
        frame = frame.f_back
    return ""


def _told(event: str, arguments: tuple[Any, ...]) -> str:
    shown = ", ".join(repr(item)[:80] for item in arguments if isinstance(item, str | bytes | int | tuple))
    return f"{event}({shown})"


def state() -> dict[str, Any]:
    """What belongs to the process and not to a plugin: compared before and after an import."""
    import gc
    import logging
    import socket

    handlers = {number.name: repr(signal.getsignal(number)) for number in signal.valid_signals() if _named(number)}
    return {
        "threads": sorted(thread.name for thread in threading.enumerate()),
        "signal handlers": handlers,
        "excepthook": repr(sys.excepthook),
        "stdout": id(sys.stdout),
        "random state": hash(random.getstate()),
        "working directory": os.getcwd(),
        "socket timeout": socket.getdefaulttimeout(),
        "recursion limit": sys.getrecursionlimit(),
        "trace function": repr(sys.gettrace()),
        "garbage collector": gc.isenabled(),
        "root logger": (logging.root.level, [repr(handler) for handler in logging.root.handlers]),
    }


def _named(number: Any) -> bool:
    return isinstance(number, signal.Signals)


def fingerprint() -> dict[str, int]:
    """Every function and class of the core, and some of the library that it stands on: name → identity."""
    found: dict[str, int] = {}
    for name, module in list(sys.modules.items()):
        if (name == "byollm" or name.startswith("byollm.") or name in _GROUND) and isinstance(module, ModuleType):
            found.update(_members(name, vars(module)))
    return found


_GROUND: Final = frozenset(
    {"builtins", "socket", "ssl", "json", "os", "time", "threading", "logging", "random", "pydantic_core", "pluggy"}
)


def _members(owner: str, members: Any) -> Iterator[tuple[str, int]]:
    for name, value in list(members.items()):
        if inspect.isroutine(value) or isinstance(value, property):
            yield f"{owner}.{name}", id(value)
        elif isinstance(value, type):
            yield f"{owner}.{name}", id(value)
            if value.__module__ == owner:
                yield from (
                    (f"{owner}.{name}.{inner}", id(member))
                    for inner, member in list(vars(value).items())
                    if inspect.isroutine(member) or isinstance(member, property)
                )


def patched(before: dict[str, int], after: dict[str, int]) -> list[str]:
    """Names whose function or class was replaced or taken away."""
    return sorted(name for name, identity in before.items() if after.get(name) != identity)
