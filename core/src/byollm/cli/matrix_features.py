"""The rows of `byollm capabilities --matrix`: each feature, the request that needs it, and the checks that hold it.

Core knows no conformance suite: the checks are named here, and a test keeps the names equal to what `spec/checks.toml`
says each check needs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from byollm.types.capabilities import Capabilities
from byollm.types.messages import Message, assistant, tool_results, user
from byollm.types.parts import Audio, Document, Image, Part, Text, ToolCall, ToolResult
from byollm.types.request import Request
from byollm.types.tools import ProviderTool, Tool

PNG: Final = b"\x89PNG\r\n\x1a\n" + bytes(24)
PDF: Final = b"%PDF-1.4\n%%EOF\n"
WAV: Final = b"RIFF\x24\x00\x00\x00WAVEfmt " + bytes(24)
TOOL: Final = Tool("look_up", "Looks a word up.", {"type": "object", "properties": {"word": {"type": "string"}}})
STRICT: Final = Tool(TOOL.name, TOOL.description, TOOL.parameters, True)
_PLACE: Final = "https://example.com/a"
SCHEMA: Final = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}

Make = Callable[[str, Capabilities], Request | None]
"""(provider, what the model takes) → a request that needs the feature; None: only the plugin's word is known."""


@dataclass(frozen=True, slots=True)
class Feature:
    """A row. `checks` hold where it works; `contract`: what cannot keep it is refused, never left out."""

    name: str
    title: str
    group: str
    make: Make
    checks: tuple[str, ...]
    contract: bool = False


def _said(**parameters: Any) -> Make:
    return lambda provider, can: Request("hi", **parameters)


def _messages(*messages: Message, **parameters: Any) -> Make:
    return lambda provider, can: Request(messages, **parameters)


def _shown(part: Part) -> Make:
    return _messages(user("look", part))


def _tools(**parameters: Any) -> Make:
    return _said(tools=[TOOL], **parameters)


def _answered(*parts: Part, error: bool = False) -> Make:
    call = ToolCall("call_1", TOOL.name, '{"word": "tea"}')
    result = ToolResult("call_1", parts, is_error=error)
    return _messages(user("hi"), assistant(call), tool_results(result), tools=[TOOL])


def _effort(provider: str, can: Capabilities) -> Request:
    """The strongest effort that the model takes: that it reasons is the question, not how much."""
    efforts = [word for word in can.reasoning_efforts or ("high",) if word != "none"]
    return Request("hi", reasoning_effort=efforts[-1] if efforts else "high")


def _effort_and_tools(provider: str, can: Capabilities) -> Request:
    return _effort(provider, can).with_(tools=[TOOL])


def _own_tool(provider: str, can: Capabilities) -> Request:
    return Request("hi", tools=[ProviderTool(provider, {"type": "a-tool-of-its-own"})])


def _tier(provider: str, can: Capabilities) -> Request:
    return Request("hi", service_tier=(can.service_tiers or ("flex",))[-1])


def _nothing(provider: str, can: Capabilities) -> None:
    return None


_SCHEMA: Final = ("STC-01", "STC-02", "STC-03")
_TOOLS: Final = ("TOL-01", "TOL-02", "TOL-03", "TOL-04", "TOL-05", "TOL-06", "TOL-07", "TOL-08", "TOL-09", "TOL-10",
                 "TOL-11", "TOL-12")  # fmt: skip
_STREAM: Final = ("STR-01", "STR-02", "STR-03", "STR-04", "STR-06", "STR-08", "STR-09", "STR-10", "STR-11", "STR-12",
                  "STR-13", "STR-14", "STR-15", "STR-17", "STR-18", "STR-19", "STR-21", "LAW-08", "TOL-05")  # fmt: skip

_F = Feature
FEATURES: Final[tuple[Feature, ...]] = (
    _F("streaming", "streaming", "answers", _said(stream=True), _STREAM, True),
    _F("structured_output", "held to a schema", "answers", _said(output_schema=SCHEMA), _SCHEMA, True),
    _F("citations", "citations", "answers", _nothing, ()),
    _F("count_tokens", "counting tokens", "answers", _nothing, ("USE-05",)),
    _F("system", "system prompt", "messages", _said(system="be brief"), ("REQ-03",), True),
    _F("message_names", "speakers' names", "messages", _messages(Message("user", (Text("hi"),), "ada")), ()),
    _F("prefill", "its beginning given", "messages", _messages(user("hi"), assistant("Well,"), prefill=True), (), True),
    _F("images", "images", "media", _shown(Image(PNG)), ("VIS-01a", "VIS-02", "VIS-03"), True),
    _F("image_urls", "images by address", "media", _shown(Image(_PLACE + ".png")), ("VIS-02",), True),
    _F("documents", "documents", "media", _shown(Document(PDF)), ("VIS-01b",), True),
    _F("document_urls", "documents by address", "media", _shown(Document(_PLACE + ".pdf")), ("VIS-02",), True),
    _F("audio", "audio", "media", _shown(Audio(WAV)), ("VIS-01c",), True),
    _F("tools", "tools", "tools", _tools(), _TOOLS, True),
    _F("tool_choice_required", "some tool forced", "tools", _tools(tool_choice="required"), ("TOL-03",), True),
    _F("tool_choice_named", "one tool forced", "tools", _tools(tool_choice=TOOL.name), ("TOL-03",), True),
    _F("parallel_tool_calls", "several calls at once", "tools", _tools(parallel_tool_calls=True), ("TOL-05",)),
    _F("parallel_tool_calls_off", "one call at a time", "tools", _tools(parallel_tool_calls=False), ("TOL-12",), True),
    _F("tools_while_reasoning", "tools while reasoning", "tools", _effort_and_tools, (), True),
    _F("strict_tools", "arguments by schema", "tools", _said(tools=[STRICT]), ("TOL-01",), True),
    _F("tool_error_flag", "failed tools", "tools", _answered(Text("no"), error=True), ("TOL-09",)),
    _F("tool_result_media", "media in results", "tools", _answered(Image(PNG)), ("TOL-09",), True),
    _F("provider_tools", "the provider's own", "tools", _own_tool, (), True),
    _F("reasoning", "reasoning", "reasoning", _effort, ("RSN-01", "RSN-02")),
    _F("reasoning_effort", "its effort", "reasoning", _effort, ("RSN-03",)),
    _F("temperature", "temperature", "sampling", _said(temperature=0.3), ("REQ-07a",)),
    _F("top_p", "top_p", "sampling", _said(top_p=0.4), ("REQ-07b",)),
    _F("top_k", "top_k", "sampling", _said(top_k=7), ("REQ-07c",)),
    _F("seed", "seed", "sampling", _said(seed=11), ("REQ-07d",)),
    _F("frequency_penalty", "frequency_penalty", "sampling", _said(frequency_penalty=0.5), ("REQ-07g",)),
    _F("presence_penalty", "presence_penalty", "sampling", _said(presence_penalty=0.5), ("REQ-07f",)),
    _F("logit_bias", "logit_bias", "sampling", _said(logit_bias={"50256": -100}), ("REQ-07h",), True),
    _F("logprobs", "logprobs", "sampling", _said(logprobs=2), (), True),
    _F("n", "several answers", "sampling", _said(n=2), ("REQ-07i",), True),
    _F("max_tokens", "max_tokens", "limits", _said(max_tokens=1024), ("REQ-08",)),
    _F("stop", "stop", "limits", _said(stop=["STOP-HERE"]), ("REQ-07e",)),
    _F("verbosity", "verbosity", "hints", _said(verbosity="low"), ()),
    _F("service_tier", "service tier", "hints", _tier, ()),
    _F("cache_hints", "cache marks", "hints", _messages(user(Text("a long text", cache="default"))), ("CCH-01",)),
    _F("cache_key", "cache key", "hints", _said(cache_key="a-cache-key"), ()),
    _F("end_user_id", "end user's id", "hints", _said(end_user_id="an-end-user"), ()),
    _F("metadata", "metadata", "hints", _said(metadata={"colour": "blue"}), ()),
    _F("store", "storing", "hints", _said(store=True), (), True),
)
"""Every feature that a model may have, in the order of the rows."""

WORKS: Final = ("CAP-01",)
"""What is declared full works on the wire."""
PARTLY: Final = ("CAP-05",)
"""What is declared partial is sent."""
ADAPTED: Final = ("CAP-04", "CAP-05")
"""What is left out or mapped is told; nothing is lost unseen."""
CLAMPED: Final = ("CAP-06",)
REFUSED: Final = ("CAP-04",)
CONTRACT: Final = ("CAP-08",)
"""What is refused, the translator does not write either."""
UNKNOWN: Final = ("CAP-05", "LAW-01")
"""Nobody said: it is sent as it stands, and arrives as it was asked."""
SILENT: Final = ("citations",)
"""Nothing can be asked for that would show it: the declaration alone is checked."""
DECLARED: Final = ("MET-06",)
DEFAULTS: Final[Mapping[str, Mapping[str, Any]]] = {
    "openai": {"model": "gpt-6.1-sol"},
    "anthropic": {"model": "claude-sonnet-5-5"},
    "google": {"model": "gemini-3.8-flash"},
    "vertex": {"model": "gemini-3.8-flash", "project": "a-project", "region": "global"},
    "azure": {"model": "gpt-5.6", "endpoint": "https://a-resource.openai.azure.com"},
    "bedrock": {"model": "global.anthropic.claude-sonnet-5-5", "region": "us-east-1"},
    "groq": {"model": "openai/gpt-oss-120b"},
    "baseten": {"model": "zai-org/GLM-5.3"},
    "ollama": {"model": "qwen3:8b"},
    "openrouter": {"model": "anthropic/claude-sonnet-4.6"},
    "mistral": {"model": "mistral-medium-latest"},
    "deepseek": {"model": "deepseek-v4-flash"},
    "xai": {"model": "grok-4.3"},
    "together": {"model": "openai/gpt-oss-120b"},
    "fireworks": {"model": "accounts/fireworks/models/kimi-k3"},
    "cohere": {"model": "command-a-03-2025"},
}
"""A model to look at, for each provider that has models of its own, and what else its target needs."""
A_MODEL: Final = {"model": "a-model"}
"""For servers whose models nobody knows before they are asked."""
