"""Opaque state: what is sent back as it came, over the surface it came from, and to nobody else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from byollm.plugin import Opaque

PROVIDER: Final = "bedrock"
CONVERSE: Final = "converse"
INVOKE: Final = "invoke"


@dataclass(frozen=True, slots=True)
class Home:
    """One surface of this provider, named in the state that is made over it."""

    transport: str = CONVERSE

    def state(self, data: Mapping[str, Any]) -> Opaque:
        """State that goes back here and nowhere else."""
        return Opaque(PROVIDER, self.transport, data)

    def own(self, held: Opaque | None) -> dict[str, Any]:
        """The data of a state that was made here; nothing of any other."""
        mine = held is not None and (held.provider, held.transport) == (PROVIDER, self.transport)
        return dict(held.data) if held is not None and mine and isinstance(held.data, Mapping) else {}


HOME: Final = Home()
