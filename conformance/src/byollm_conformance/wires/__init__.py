"""The wires that are there: one for each dialect of the sandbox, and those that other distributions bring."""

from __future__ import annotations

from importlib.metadata import entry_points
from typing import Any, Final

from byollm_conformance.wire import Wire
from byollm_sandbox.dialects import ALIASES, dialects

GROUP: Final = "byollm.dialects"


def wire_for(api: str, dialect: str | None = None, *, model: str = "a-model", strict: bool = True) -> Wire | None:
    """The wire of a dialect's name, else of an API's name; None when nobody knows it.

    A distribution's entry point of the group `byollm.dialects` may be a Wire, or a dialect of the sandbox. `strict`:
    refuse what the vendor itself would (False for servers that merely speak its dialect).
    """
    from byollm_conformance.wires.generic import READERS, GenericWire

    name = dialect or api
    name = ALIASES.get(name, name)
    supplied = _supplied(name)
    if supplied is not None:
        return supplied
    if name in READERS and name in dialects():
        return GenericWire(dialects()[name], READERS[name], model=model, strict=strict)
    return None


def _supplied(name: str) -> Wire | None:
    for point in entry_points(group=GROUP):
        if point.name == name:
            found: Any = point.load()
            if hasattr(found, "read_request"):
                return found() if isinstance(found, type) else found  # type: ignore[no-any-return]  # asked above
    return None
