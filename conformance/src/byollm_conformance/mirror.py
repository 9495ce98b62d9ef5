"""The proof of a declared `unsupported`: the feature is asked for, and nothing of it leaves.

A contract (tools, media, a schema, …) must be refused with UnsupportedFeatureError before any byte is sent. A hint
(temperature, seed, …) must be left out, and the caller told by an Adjustment.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from byollm.errors import UnsupportedFeatureError
from byollm.types.messages import Message, assistant, user
from byollm.types.parts import Audio, Document, Image, Text, ToolCall, ToolResult
from byollm.types.request import Request
from byollm.types.tools import ProviderTool, Tool
from byollm_conformance.model import Broken
from byollm_conformance.subject import Subject

PNG: Final = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010806000000"
    "1f15c4890000000d49444154789c6360f8cfc0000003010100c9fe92ef0000000049454e44ae426082"
)
"""A picture of one pixel."""
PDF: Final = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
"""The smallest document that says it is a PDF."""
WAV: Final = b"RIFF$\0\0\0WAVEfmt \x10\0\0\0\x01\0\x01\0@\x1f\0\0\x80>\0\0\x02\0\x10\0data\0\0\0\0"
"""A sound without samples."""
TOOL: Final = Tool(
    "look_up", "Look a word up", {"type": "object", "properties": {"word": {"type": "string"}}, "required": ["word"]}
)
SCHEMA: Final[Mapping[str, Any]] = {
    "type": "object",
    "properties": {"answer": {"type": "string"}},
    "required": ["answer"],
    "additionalProperties": False,
}

Made = Callable[[Subject], Request]


def _tools(**more: Any) -> Made:
    return lambda subject: Request("hi", tools=[TOOL], **more)


def _said(**parameters: Any) -> Made:
    return lambda subject: Request("hi", **parameters)


def _shown(*parts: Any) -> Made:
    return lambda subject: Request([user("look", *parts)])


def _answered(result: ToolResult) -> Request:
    call = ToolCall("call_1", TOOL.name, '{"word": "tea"}')
    return Request([user("hi"), Message("assistant", (call,)), Message("tool", (result,))], tools=[TOOL])


CONTRACTS: Final[Mapping[str, Made]] = {
    "streaming": _said(stream=True),
    "system": _said(system="be brief"),
    "tools": _tools(),
    "tool_choice_required": _tools(tool_choice="required"),
    "tool_choice_named": _tools(tool_choice=TOOL.name),
    "parallel_tool_calls_off": _tools(parallel_tool_calls=False),
    "tools_while_reasoning": _tools(reasoning_effort="high"),
    "tool_result_media": lambda subject: _answered(ToolResult("call_1", (Image(PNG),))),
    "strict_tools": lambda subject: Request("hi", tools=[Tool(TOOL.name, None, TOOL.parameters, True)]),
    "structured_output": _said(output_schema=SCHEMA),
    "images": _shown(Image(PNG)),
    "image_urls": _shown(Image("https://example.com/a.png")),
    "documents": _shown(Document(PDF)),
    "document_urls": _shown(Document("https://example.com/a.pdf")),
    "audio": _shown(Audio(WAV)),
    "prefill": lambda subject: Request([user("hi"), assistant("Well,")], prefill=True),
    "logit_bias": _said(logit_bias={"50256": -100}),
    "logprobs": _said(logprobs=2),
    "n": _said(n=2),
    "store": _said(store=True),
    "provider_tools": lambda subject: Request("hi", tools=[ProviderTool("nobody", {"type": "search"})]),
}
"""Capability → a request that needs it, and must be refused."""

HINTS: Final[Mapping[str, tuple[str, Made]]] = {
    "temperature": ("temperature", _said(temperature=0.3)),
    "top_p": ("top_p", _said(top_p=0.4)),
    "top_k": ("top_k", _said(top_k=7)),
    "seed": ("seed", _said(seed=11)),
    "frequency_penalty": ("frequency_penalty", _said(frequency_penalty=0.5)),
    "presence_penalty": ("presence_penalty", _said(presence_penalty=0.5)),
    "verbosity": ("verbosity", _said(verbosity="low")),
    "cache_key": ("cache_key", _said(cache_key="a-cache-key")),
    "end_user_id": ("end_user_id", _said(end_user_id="an-end-user")),
    "metadata": ("metadata", _said(metadata={"colour": "blue"})),
    "reasoning_effort": ("reasoning_effort", _said(reasoning_effort="high")),
    "reasoning": ("reasoning_effort", _said(reasoning_effort="high")),
    "max_tokens": ("max_tokens", _said(max_tokens=77)),
    "stop": ("stop", _said(stop=["STOP-HERE"])),
    "service_tier": ("service_tier", _said(service_tier="default")),
    "parallel_tool_calls": ("parallel_tool_calls", _tools(parallel_tool_calls=True)),
    "cache_hints": ("cache", lambda subject: Request([user(Text("a long text", cache="default"))])),
    "message_names": ("name", lambda subject: Request([Message("user", (Text("hi"),), "ada")])),
    "tool_error_flag": (
        "is_error",
        lambda subject: _answered(ToolResult("call_1", (Text("no"),), is_error=True)),
    ),
}
"""Capability → the field of its Adjustment, and a request that hints at it."""

SILENT: Final = ("count_tokens", "citations")
"""Nothing can be asked for that would have to be refused: a count is then the core's estimate."""


def prove(subject: Subject, capability: str) -> None:
    """Raises Broken when a feature that is declared unsupported is not refused, or leaves the house all the same."""
    if capability == "tools_while_reasoning" and subject.support("reasoning_effort").refused:
        return  # a model that cannot be told to reason is not asked to call tools while it does
    if capability in CONTRACTS:
        _refused(subject, capability, suited(subject, CONTRACTS[capability](subject)))
    elif capability in HINTS:
        field, made = HINTS[capability]
        _left_out(subject, capability, field, suited(subject, made(subject)))
    elif capability == "recordings":
        if subject.wire is not None and subject.wire.source == "recorded":
            raise Broken("a recorded wire without recordings")
    elif capability in ("wire", "local"):
        _always_the_same(subject)
    elif capability == "batch":
        _never_any(subject)
    elif capability not in SILENT:
        raise Broken(f"nobody knows how to prove that {capability} is unsupported")


def suited(subject: Subject, request: Request) -> Request:
    """The request, told not to reason where the model calls no tools while it does."""
    silent = request.reasoning_effort is not None or not request.tools
    if silent or not subject.support("tools_while_reasoning").refused:
        return request
    efforts = subject.capabilities.reasoning_efforts or ()
    return request.with_(reasoning_effort="none") if "none" in efforts else request


def _refused(subject: Subject, capability: str, request: Request) -> None:
    error = subject.refusal(request, stream=request.stream)
    if error is None:
        raise Broken(f"{capability} is declared unsupported, and a request that needs it was sent", request=request)
    if not isinstance(error, UnsupportedFeatureError):
        raise Broken(
            f"{capability} is declared unsupported, and was refused with {type(error).__name__} instead of "
            "UnsupportedFeatureError",
            request=request,
            error=str(error),
        )


def _left_out(subject: Subject, capability: str, field: str, request: Request) -> None:
    if subject.local:
        return
    try:
        sent = subject.translate(request)
    except UnsupportedFeatureError:
        return  # what it is a hint to (tools) is refused as well
    if field not in {item.field for item in sent.adjustments}:
        raise Broken(
            f"{capability} is declared unsupported, and the caller is not told that it was left out",
            request=request,
            adjustments=[str(item) for item in sent.adjustments],
        )
    if subject.wire is not None:
        seen = subject.seen(sent)
        if field in seen.parameters:
            raise Broken(
                f"{capability} is declared unsupported, and {field} was sent all the same",
                request=request,
                body=sent.body,
            )


def _always_the_same(subject: Subject) -> None:
    """In-process or over a wire: never the one now and the other then."""
    for request in (Request("hi"), Request("hi", stream=True), Request([user("hi"), assistant("yes"), user("go on")])):
        sent = subject.call((500, {}, b""), request=request, stream=request.stream, auth=False)
        if bool(sent.requests) == subject.local:
            raise Broken("the plugin answers now with a LocalCall and then with an Exchange", request=request)


def _never_any(subject: Subject) -> None:
    """No batches: not now, not for a copy of the plugin, not when asked again."""
    for other in (subject, subject.copied(), subject):
        if other.line.deployment.batches() is not None:
            raise Broken("the plugin says now that it has batches, and then that it has none")
