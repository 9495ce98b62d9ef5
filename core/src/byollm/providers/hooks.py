"""The three questions a plugin answers, and one that it may. The classes are hookspecs and static types at once.

One pluggy manager is made per deployment, never one for all: a prompt is seen by the plugin it is meant for and by no
other. Hooks may name only the arguments they use, so that hooks can grow.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import pluggy

from byollm.providers.manifest import Manifest
from byollm.providers.target import Target
from byollm.types.capabilities import Capabilities, TokenCount
from byollm.types.events import Event
from byollm.types.request import Request
from byollm.wire.exchange import Exchange, LocalCall

if TYPE_CHECKING:
    from byollm.wire.batches import Batches

PROJECT = "byollm"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)
"""Put it on each hook of your provider: `@hookimpl`."""


class Provider(Protocol):
    """A provider plugin: a manifest and three hooks. All three are pure: same arguments, same answer."""

    manifest: Manifest

    @hookspec(firstresult=True)
    def complete(self, request: Request, target: Target) -> Exchange[Event] | LocalCall | None:
        """Translate a request that already went through `fit()`.

        Called once per attempt. Answer with an Exchange, or a LocalCall for an in-process model. `request.stream`
        tells whether the answer is to be streamed. None means that the plugin has no such surface, and raises
        UnsupportedFeatureError. Raise UnsupportedFeatureError for what the wire cannot say: nothing is sent then.
        """

    @hookspec(firstresult=True)
    def count_tokens(self, request: Request, target: Target) -> TokenCount | Exchange[TokenCount] | None:
        """Count the tokens of exactly the request that `complete` would send.

        Answer with a count, or an Exchange that asks the provider. None: the core estimates with bounds.
        """

    @hookspec(firstresult=True)
    def capabilities(self, target: Target) -> Capabilities | None:
        """What this model takes, from bundled knowledge: a value, at once, and enough to configure and to route.

        `Capabilities.refine` may hold an Exchange that the engine asks at most once per deployment. None: all unknown.
        """


class BatchProvider(Protocol):
    """What a plugin answers beside them when its provider sells batches."""

    @hookspec(firstresult=True)
    def batch(self, target: Target) -> Batches | None:
        """How this deployment's requests are sent in batches. None, or no such hook: they are not."""
