"""How one host of Gemini differs from another: who is named in opaque state, what goes into the body."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from byollm.plugin import Opaque


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """One host.

    `provider` and `transport` tag the opaque state (thought signatures of one host are refused by the other) and choose
    `request.extra`. `developer`: True for the Gemini API of AI Studio, which knows `store` and `serviceTier` in the
    body and wants to be told when its own tools meet functions; False for Vertex, which reads `gs://` addresses.
    `include_thoughts`: ask for summaries of thoughts (None: not said, the API sends none). `safety_settings`: sent with
    every request as they are.
    """

    provider: str = "google"
    transport: str = "gemini"
    developer: bool = True
    include_thoughts: bool | None = None
    safety_settings: tuple[Mapping[str, Any], ...] = ()

    def owns(self, state: Opaque | None) -> bool:
        """Was this state made here?"""
        return state is not None and state.provider == self.provider and state.transport == self.transport

    def state(self, data: Mapping[str, Any]) -> Opaque:
        """State that goes back here and nowhere else."""
        return Opaque(self.provider, self.transport, data)

    def own(self, state: Opaque | None) -> dict[str, Any]:
        """The data of a state that was made here; nothing of any other."""
        if state is None or not self.owns(state) or not isinstance(state.data, Mapping):
            return {}
        return dict(state.data)
