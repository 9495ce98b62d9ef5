"""The wires that are there: one for each dialect of the sandbox, and those that other distributions bring."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any, Final

from byollm.errors import ConfigError
from byollm_conformance.wire import Wire
from byollm_sandbox.dialects import ALIASES

GROUP: Final = "byollm.dialects"
_METHODS: Final = ("name", "source", "render", "render_error", "read_request", "validate")


def wire_for(
    api: str,
    dialect: str | None = None,
    *,
    model: str = "a-model",
    strict: bool = True,
    words: Mapping[str, str] | None = None,
) -> Wire | None:
    """The wire of a dialect's name, else of an API's name; None when nobody knows it.

    `dialect` may be `module:object`, a Wire of the plugin's author; so may an entry point of the group
    `byollm.dialects`. `strict`: refuse what the vendor itself would (False for servers that merely speak its dialect).
    `words`: members of a body as this server calls them, and as the dialect does. Raises ConfigError for a reference
    that leads to no Wire, and for `words` beside a Wire of somebody's own, which has words of its own.
    """
    from byollm_conformance.wires.generic import DIALECTS, HOSTED, GenericWire

    name = dialect or api
    name = ALIASES.get(name, name)
    points = [EntryPoint("wire", name, GROUP)] if ":" in name else entry_points(group=GROUP, name=name)
    for point in points:
        if words:
            raise ConfigError(f"dialect {name!r} is a wire of its own: `words` are for the dialects that are there")
        return _wire(name, point)
    owner, unwrap = HOSTED.get(name, (name, None))
    if owner in DIALECTS:
        spoken, reader = DIALECTS[owner]
        return GenericWire(spoken, reader, model=model, strict=strict, unwrap=unwrap, words=words or {})
    return None


def _wire(name: str, point: EntryPoint) -> Wire:
    problem = ""
    try:
        found: Any = point.load()
        made: Wire = found() if isinstance(found, type) else found
    except Exception as error:  # the author's code
        problem = f"{type(error).__name__}: {error}"
    else:
        missing = [word for word in _METHODS if not hasattr(made, word)]
        if not missing:
            return made
        problem = f"it has no {missing[0]!r}"
    raise ConfigError(f"dialect {name!r} is no wire: {problem}", hint="byollm_conformance.wire.Wire says what one has")
