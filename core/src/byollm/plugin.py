"""The door for plugin authors: everything a provider plugin needs, and nothing else.

A translator never opens a socket, sleeps, reads a clock, an environment variable or a key. It answers with values.
"""

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
from byollm.providers.hooks import Provider, hookimpl
from byollm.providers.manifest import ModelNote, Manifest
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
from byollm.wire.urls import join_url, path_segment
