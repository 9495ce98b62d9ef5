"""The provider `ollama`: its native chat, and the surfaces of others that it serves.

Facts: Ollama's sources of 2026-08-21, its docs/api.md and recorded traffic, read 2026-11-21. Ollama cuts a prompt that
is too long, without a word. Over `native` every request forbids it; the other surfaces cannot, so there the smallest
window it ever sets aside counts unless the file says more, and the guard refuses on its estimate.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from byollm.plugin import (
    Capabilities,
    Event,
    Exchange,
    HttpRequest,
    Request,
    Target,
    TokenCount,
    ToolCall,
    dump_json,
)
from byollm_ollama.about import about_reader
from byollm_ollama.body import moved, native_body, takes_levels
from byollm_ollama.reader import native_reader
from byollm_openai_compatible.dialect import LocalServer, Surface, Way

SMALLEST: Final = 4096
"""Tokens that Ollama sets aside on machines with little memory, when nobody says `num_ctx`."""
_JSON: Final = ("content-type", "application/json")
_LACKS: Final = (
    "n", "logit_bias", "verbosity", "service_tier", "cache_hints", "cache_key", "end_user_id", "metadata", "store",
    "message_names", "provider_tools", "documents", "document_urls", "audio", "image_urls", "citations",
    "tool_choice_required", "tool_choice_named", "parallel_tool_calls_off", "strict_tools", "tool_error_flag",
    "prefill", "count_tokens",
)  # fmt: skip
_TAKES: Final = (
    "streaming", "system", "structured_output", "temperature", "top_p", "top_k", "max_tokens", "stop", "seed",
    "frequency_penalty", "presence_penalty", "parallel_tool_calls", "tool_result_media", "reasoning_effort",
)  # fmt: skip
NATIVE: Final[dict[str, Any]] = {
    **dict.fromkeys(_LACKS, "unsupported"),
    **dict.fromkeys(_TAKES, "full"),
    "logprobs": "not_implemented",
}
OPENAI: Final[dict[str, Any]] = {
    **dict.fromkeys(_LACKS, "unsupported"),
    **dict.fromkeys(("max_tokens", "structured_output", "temperature", "top_p", "streaming", "system"), "full"),
    "top_k": "unsupported",
}
"""What `/v1` ignores in silence is never sent there: `tool_choice`, `parallel_tool_calls`, `user`, `strict`."""


class Native:
    """`/api/chat`, as one more surface."""

    def complete(self, request: Request, target: Target, way: Way) -> Exchange[Event]:
        """The exchange of one request."""
        body = native_body(request, target.model, "ollama", target.options)
        calls = (part.id for turn in request.messages for part in turn.parts if isinstance(part, ToolCall))
        accept = "application/x-ndjson" if request.stream else "application/json"
        return Exchange(
            request=HttpRequest("POST", way.root("/api/chat"), (_JSON, ("accept", accept)), dump_json(body)),
            reader=native_reader(way.fail, calls),
            framing="ndjson" if request.stream else "json",
            auth=way.auth,
            fail=way.fail,
            adjustments=moved(request.conversation),
        )

    def count(self, request: Request, target: Target, way: Way) -> Exchange[TokenCount] | None:
        """None: Ollama counts nothing beforehand."""
        return None

    def describe(self, target: Target) -> Capabilities:
        """What every model takes; the efforts are the model's."""
        levels = ("low", "medium", "high") if takes_levels(target.model) else ("none", "high")
        return Capabilities().merged({**NATIVE, "reasoning_efforts": levels}, "docs/api.md, read 2026-11-21")


class Ollama(LocalServer):
    """A row, its native surface, and a window that is never left to chance."""

    def describe(self, target: Target) -> Capabilities:
        """The surface's capabilities, the window as far as it is known, and `refine`: `/api/show`."""
        native, window = target.api == "native", target.options.get("num_ctx")
        known = super().describe(target).merged({"truncates_silently": True}, self.source)
        if window is not None:
            known = known.merged({"context_window": window}, "num_ctx in the file")
        elif not native:
            known = known.merged({"context_window": SMALLEST}, "the least Ollama sets aside; say num_ctx if it is more")
        way = self.way(target)
        asked = HttpRequest("POST", way.root("/api/show"), (_JSON,), dump_json({"model": target.model}))
        refine = Exchange(
            request=asked, reader=about_reader(window, native), framing="json", auth=way.auth, fail=way.fail
        )
        return replace(known, refine=refine)


def messages() -> Surface:
    """Its `/v1/messages`."""
    from byollm_anthropic.dialect import MessagesSurface

    lacks = ("tool_choice_required", "tool_choice_named", "structured_output")
    return MessagesSurface("ollama", **dict.fromkeys(lacks, "unsupported"))


provider = Ollama(
    name="ollama",
    base_url="http://127.0.0.1:11434",
    docs="https://docs.ollama.com/api",
    hosts=("ollama.com",),
    apis=("native", "chat", "responses", "messages"),
    surfaces={"native": Native, "messages": messages},
    options={"num_ctx": int, "keep_alive": str | int, "options": dict[str, Any]},
    capabilities=OPENAI,
    arguments_must_parse=True,
    reasoning_field="reasoning",
    reasoning_replay="tool_turns",
    end_user_field="",
    cache_key_field="",
)
"""The plugin."""
