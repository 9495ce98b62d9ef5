"""From what a configuration says, or a program hands over, to a transport."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any, Final, cast

from byollm.errors import ByollmError, ConfigError, PluginError
from byollm.transports.base import AsyncTransport, Transport

NAMES = ("httpx", "httpx2", "httptools", "pyreqwest")
"""What `transport:` may say. "httpx" is the default, "httpx2" the same for programs that have httpx2 and not httpx;
"httptools" and "pyreqwest" come with `byollm[fast]`."""

GROUP: Final = "byollm.transports"
Permit = tuple[tuple[str, ...] | None, str | None]

_INSTALL = {
    "httpx2": "pip install httpx2",
    "httptools": 'pip install "byollm[fast]" (from a clone: pip install "./core[fast]")',
    "pyreqwest": 'pip install "byollm[fast]" (from a clone: pip install "./core[fast]")',
}
_NEEDED = {"httpx": "h11", "httpx2": "httpx2", "httptools": "httptools", "pyreqwest": "pyreqwest"}


def _known(name: str, permitted: Permit | None) -> Any:
    """None for a transport of ours that is installed, else the factory of the plugin that brings it."""
    if name not in NAMES:
        from byollm.providers.discovery import listed, load, permit, pick

        point = pick(GROUP, name)
        if point is None:
            names = ", ".join([*NAMES, *(item.name for item in listed(GROUP))])
            raise ConfigError(f"unknown transport {name!r}", hint=f"transport: one of {names}")
        permit(point, *(permitted or (None, None)))
        return load(GROUP, point)
    if find_spec(_NEEDED[name]) is None:
        raise ConfigError(f"transport {name!r} is not installed", hint=_INSTALL.get(name, "pip install httpx"))
    return None


def missing(name: str, permitted: Permit | None = None) -> ByollmError | None:
    """Why a name cannot be used here, as `byollm check` tells it; None when it can."""
    try:
        _known(name, permitted)
    except ByollmError as error:
        return error.with_traceback(None)
    return None


def _brought(name: str, factory: Any, asynchronous: bool) -> object:
    """What a plugin's factory makes. Raises PluginError when that is no transport."""
    try:
        made = factory(asynchronous=asynchronous)
        problem = None if _has(made, "open", "aclose" if asynchronous else "close") else f"made a {type(made).__name__}"
    except ByollmError:
        raise
    except Exception as error:
        made, problem = None, f"failed ({type(error).__name__})"
    if problem is not None:
        raise PluginError(f"the plugin of transport {name!r} {problem}")
    from byollm.transports.guarded import AsyncGuarded, Guarded

    return AsyncGuarded(made, name) if asynchronous else Guarded(made, name)


def make_transport(choice: str | object = "httpx", permitted: Permit | None = None) -> Transport:
    """A transport for blocking code: by name, from an `httpx.BaseTransport`, or `choice` itself if it is one.

    A name that is not ours is that of an entry point in the group `byollm.transports`: a callable that takes
    `asynchronous=` and makes a `Transport` or an `AsyncTransport`. `permitted` are the file's allow-list and lock.
    Nothing of the library behind a name of ours is imported here. Raises ConfigError for an unknown name, a library
    that is not installed, or an object that is no transport; PluginError for a plugin that does not work.
    """
    if isinstance(choice, str):
        factory = _known(choice, permitted)
        if factory is not None:
            return cast(Transport, _brought(choice, factory, asynchronous=False))
        if choice == "pyreqwest":
            from byollm.transports.fast import FastTransport

            return FastTransport()
        from byollm.transports.sync_http import HttpTransport

        return HttpTransport("httptools" if choice == "httptools" else "h11")
    if _has(choice, "handle_request"):
        from byollm.transports.adapter import HttpxTransport

        return HttpxTransport(cast(Any, choice))
    if _has(choice, "open", "close"):
        return cast(Transport, choice)
    raise _no_transport(choice, "handle_request")


def make_async_transport(choice: str | object = "httpx", permitted: Permit | None = None) -> AsyncTransport:
    """`make_transport` for asyncio: by name, from an `httpx.AsyncBaseTransport`, or `choice` itself if it is one."""
    if isinstance(choice, str):
        factory = _known(choice, permitted)
        if factory is not None:
            return cast(AsyncTransport, _brought(choice, factory, asynchronous=True))
        if choice == "pyreqwest":
            from byollm.transports.async_fast import AsyncFastTransport

            return AsyncFastTransport()
        from byollm.transports.async_http import AsyncHttpTransport

        return AsyncHttpTransport("httptools" if choice == "httptools" else "h11")
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
