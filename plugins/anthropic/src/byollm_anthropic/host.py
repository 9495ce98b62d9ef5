"""How one host of Claude differs from Anthropic's own API: who is named in opaque state, what goes into the body."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from byollm.plugin import Opaque

FIRST: Final = "2023-06-01"
SECOND: Final = "2026-10-21"


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """One host.

    `provider` and `transport` tag the opaque state and choose `request.extra`. `version` decides which rules hold:
    2026-10-21 takes no sampling parameters. `version_in_body`: sent in the body as `anthropic_version` (Vertex
    `vertex-2023-10-16`, Bedrock `bedrock-2023-05-31`); None: it goes as a header. `model_in_body`, `stream_in_body`:
    hosts that say them in the URL leave them out. `betas`: sent in the body as `anthropic_beta` where `betas_in_body`.
    `region` is said as `inference_geo` where `geo` is True. `thinking_display`: summarized, omitted, or None.
    """

    provider: str = "anthropic"
    transport: str = "messages"
    version: str = FIRST
    version_in_body: str | None = None
    model_in_body: bool = True
    stream_in_body: bool = True
    betas: tuple[str, ...] = ()
    betas_in_body: bool = False
    geo: bool = True
    thinking_display: str | None = None

    @property
    def samples(self) -> bool:
        """Does this version know temperature, top_p and top_k at all?"""
        return self.version != SECOND

    def owns(self, state: Opaque | None) -> bool:
        """Was this state made here?"""
        return state is not None and state.provider == self.provider and state.transport == self.transport

    def state(self, data: Mapping[str, Any]) -> Opaque:
        """State that goes back here and nowhere else."""
        return Opaque(self.provider, self.transport, data)


def sorted_betas(betas: object) -> tuple[str, ...]:
    """Each word once, sorted: the same header every time."""
    return tuple(sorted(set(betas))) if isinstance(betas, list | tuple) else ()
