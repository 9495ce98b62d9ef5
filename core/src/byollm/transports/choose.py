"""From what a configuration says, or a program hands over, to a transport."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any, cast

from byollm.errors import ConfigError
from byollm.transports.base import AsyncTransport, Transport

NAMES = ("httpx", "httpx2", "pyreqwest")
"""What `transport:` may say. "httpx" is the default."""

_INSTALL = {
    "httpx2": "pip install httpx2",
    "pyreqwest": 'pip install "byollm[fast]" (from a clone: pip install "./core[fast]")',
}
_NEEDED = {"httpx": "httpcore", "httpx2": "httpcore2", "pyreqwest": "pyreqwest"}


def _known(name: str) -> str:
    if name not in NAMES:
        raise ConfigError(f"unknown transport {name!r}", hint=f"transport: one of {', '.join(NAMES)}")
    if find_spec(_NEEDED[name]) is None:
        raise ConfigError(f"transport {name!r} is not installed", hint=_INSTALL.get(name, "pip install httpx"))
    return name


def make_transport(choice: str | object = "httpx") -> Transport:
    """A transport for blocking code: by name, from an `httpx.BaseTransport`, or `choice` itself if it is one.

    Nothing of the library behind a name is imported here. Raises ConfigError for an unknown name, a library that is
    not installed, or an object that is no transport.
    """
    if isinstance(choice, str):
        name = _known(choice)
        if name == "pyreqwest":
            from byollm.transports.fast import FastTransport

            return FastTransport()
        from byollm.transports.sync_http import HttpTransport

        return HttpTransport("httpcore" if name == "httpx" else "httpcore2")
    if _has(choice, "handle_request"):
        from byollm.transports.adapter import HttpxTransport

        return HttpxTransport(cast(Any, choice))
    if _has(choice, "open", "close"):
        return cast(Transport, choice)
    raise _no_transport(choice, "handle_request")


def make_async_transport(choice: str | object = "httpx") -> AsyncTransport:
    """`make_transport` for asyncio: by name, from an `httpx.AsyncBaseTransport`, or `choice` itself if it is one."""
    if isinstance(choice, str):
        name = _known(choice)
        if name == "pyreqwest":
            from byollm.transports.async_fast import AsyncFastTransport

            return AsyncFastTransport()
        from byollm.transports.async_http import AsyncHttpTransport

        return AsyncHttpTransport("httpcore" if name == "httpx" else "httpcore2")
    if _has(choice, "handle_async_request"):
        from byollm.transports.adapter import AsyncHttpxTransport

        return AsyncHttpxTransport(cast(Any, choice))
    if _has(choice, "open", "aclose"):
        return cast(AsyncTransport, choice)
    raise _no_transport(choice, "handle_async_request")


def _has(choice: object, *methods: str) -> bool:
    return all(callable(getattr(choice, method, None)) for method in methods)


def _no_transport(choice: object, method: str) -> ConfigError:
    return ConfigError(
        f"a {type(choice).__name__} is no transport",
        hint=f"give one of {', '.join(NAMES)}, or an object with {method} (a transport of httpx, not its client)",
    )
