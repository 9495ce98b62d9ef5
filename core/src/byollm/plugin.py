"""The door for plugin authors: everything a provider plugin needs, and what a middleware is written with.

A translator never opens a socket, sleeps, reads a clock, an environment variable or a key. It answers with values.
A middleware's `around(call, request, next)` is a generator of `Steps`: `completion = yield from next(request)`,
`yield Run(function)` for blocking work, `map_events(next(request), function)` to rewrite what comes back: `function`
answers each event with a list of events.

Other entry point groups: `byollm.middleware` and `byollm.observers` (`byollm.engine.middleware` says what both are),
`byollm.secrets` (`SecretStore`), `byollm.prices` (`PriceSource`), `byollm.transports` (a function that takes
`asynchronous` and makes a `Transport` or an `AsyncTransport` of `byollm.transports.base`).
"""

import typing

from byollm.engine.call import Call
from byollm.engine.middleware import Middleware, map_events
from byollm.engine.steps import Run, Steps
from byollm.errors import (
    AuthenticationError,
    ByollmError,
    ConfigError,
    ContentFilterError,
    ContextLengthError,
    InvalidRequestError,
    ModelNotFoundError,
    OverloadedError,
    PermissionDeniedError,
    PluginError,
    ProtocolError,
    ProviderConnectionError,
    ProviderError,
    ProviderTimeoutError,
    QuotaExhaustedError,
    RateLimitError,
    RequestTooLargeError,
    ServerError,
    StreamInterruptedError,
    UnsupportedFeatureError,
)
from byollm.providers.counting import most_tokens
from byollm.providers.hooks import BatchProvider, Provider, hookimpl
from byollm.providers.manifest import Manifest, ModelNote
from byollm.providers.pricing import Cost, PriceSource, Sale
from byollm.providers.target import Target
from byollm.types.capabilities import Capabilities, Support, TokenCount
from byollm.types.completion import Adjustment
from byollm.types.events import (
    Event,
    Finished,
    FinishReason,
    PartAdded,
    ReasoningDelta,
    Started,
    StateAttached,
    TextDelta,
    ToolCallDelta,
    ToolCallStarted,
    UsageReported,
)
from byollm.types.messages import Message
from byollm.types.parts import Audio, Citation, Document, Image, Opaque, Part, Reasoning, Text, ToolCall, ToolResult
from byollm.types.request import Request
from byollm.types.tools import ProviderTool, Tool, ToolChoice
from byollm.types.usage import Usage
from byollm.wire import checked
from byollm.wire.auth import AuthContext, AuthFlow, AuthScheme, Bearer, HeaderKey, NoAuth, OAuthClientCredentials
from byollm.wire.exchange import (
    Exchange,
    Failure,
    Frame,
    Head,
    HttpRequest,
    HttpResponse,
    LocalCall,
    LocalContext,
    Reader,
)
from byollm.wire.json import dump_json, parse_json
from byollm.wire.redact import Secret
from byollm.wire.stores import SecretStore, StoreFlow
from byollm.wire.urls import join_url, path_segment

if typing.TYPE_CHECKING:
    from byollm.wire.batches import BatchAnswer, Batches, BatchItem, BatchJob

_OF_BATCHES = ("BatchAnswer", "BatchItem", "BatchJob", "Batches")

__all__ = [
    "Adjustment",
    "Audio",
    "AuthContext",
    "AuthFlow",
    "AuthScheme",
    "AuthenticationError",
    "BatchAnswer",
    "BatchItem",
    "BatchJob",
    "BatchProvider",
    "Batches",
    "Bearer",
    "ByollmError",
    "Call",
    "Capabilities",
    "Citation",
    "ConfigError",
    "ContentFilterError",
    "ContextLengthError",
    "Cost",
    "Document",
    "Event",
    "Exchange",
    "Failure",
    "FinishReason",
    "Finished",
    "Frame",
    "Head",
    "HeaderKey",
    "HttpRequest",
    "HttpResponse",
    "Image",
    "InvalidRequestError",
    "LocalCall",
    "LocalContext",
    "Manifest",
    "Message",
    "Middleware",
    "ModelNotFoundError",
    "ModelNote",
    "NoAuth",
    "OAuthClientCredentials",
    "Opaque",
    "OverloadedError",
    "Part",
    "PartAdded",
    "PermissionDeniedError",
    "PluginError",
    "PriceSource",
    "ProtocolError",
    "Provider",
    "ProviderConnectionError",
    "ProviderError",
    "ProviderTimeoutError",
    "ProviderTool",
    "QuotaExhaustedError",
    "RateLimitError",
    "Reader",
    "Reasoning",
    "ReasoningDelta",
    "Request",
    "RequestTooLargeError",
    "Run",
    "Sale",
    "Secret",
    "SecretStore",
    "ServerError",
    "Started",
    "StateAttached",
    "Steps",
    "StoreFlow",
    "StreamInterruptedError",
    "Support",
    "Target",
    "Text",
    "TextDelta",
    "TokenCount",
    "Tool",
    "ToolCall",
    "ToolCallDelta",
    "ToolCallStarted",
    "ToolChoice",
    "ToolResult",
    "UnsupportedFeatureError",
    "Usage",
    "UsageReported",
    "checked",
    "dump_json",
    "hookimpl",
    "join_url",
    "map_events",
    "most_tokens",
    "parse_json",
    "path_segment",
]


def __getattr__(name: str) -> typing.Any:
    """Most programs send no batches, and need none of their words."""
    if name not in _OF_BATCHES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from byollm.wire import batches

    return getattr(batches, name)
