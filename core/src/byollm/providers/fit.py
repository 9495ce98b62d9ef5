"""A request and a model's capabilities into a request that the model takes, and what was changed.

Pure: no clock, no network, and the same object back when nothing changes. Renames are the plugin's and silent. Hints
are mapped to the nearest value or left out, and reported. Ranges are clamped, and reported. Contracts are never
weakened: `UnsupportedFeatureError` before any byte leaves. `unknown` is sent as it stands. `strict` raises on
anything but a rename.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from byollm.errors import UnsupportedFeatureError
from byollm.providers.history import check_pairing, drop_empty_turns, is_plain, keep_own_state, map_parts
from byollm.types.capabilities import Capabilities, Support
from byollm.types.completion import Adjustment
from byollm.types.frozen import quick
from byollm.types.media import is_remote
from byollm.types.messages import Message
from byollm.types.parts import Audio, Document, Image, Opaque, Part, ToolResult
from byollm.types.request import EFFORTS, Request
from byollm.types.tools import ProviderTool, Tool

OnUnsupported = Literal["adapt", "strict"]

HINTS: Final = (
    "temperature", "top_p", "top_k", "seed", "frequency_penalty", "presence_penalty",
    "verbosity", "cache_key", "end_user_id", "metadata",
)  # fmt: skip
"""Left out where unsupported, and reported."""

CONTRACTS: Final = ("logit_bias", "logprobs")
"""Refused where not supported: the caller's code depends on them."""

SAMPLING: Final = ("temperature", "top_p", "top_k", "frequency_penalty", "presence_penalty")

CLASSES: Final[dict[str, str]] = {
    **dict.fromkeys(HINTS, "hint"),
    **dict.fromkeys(CONTRACTS, "contract"),
    "system": "contract", "max_tokens": "range", "stop": "emulated", "n": "contract", "tools": "contract",
    "tool_choice": "contract", "parallel_tool_calls": "contract when False, hint when True",
    "output_schema": "contract",
    "reasoning_effort": "hint", "service_tier": "hint", "store": "contract",
    "prefill": "contract", "extra": "verbatim", "stream": "contract", "messages": "contract for media",
}  # fmt: skip
"""Every parameter and what happens to it where a model lacks it; `spec/` shows it as a table."""


@quick
@dataclass(frozen=True, slots=True)
class Fitted:
    """The request to translate, what was changed, and the stop strings that the core must cut itself."""

    request: Request
    adjustments: tuple[Adjustment, ...] = ()
    cut_at: tuple[str, ...] = ()


def fit(
    request: Request,
    capabilities: Capabilities,
    *,
    provider: str = "",
    transport: str = "",
    model: str = "",
    on_unsupported: OnUnsupported = "adapt",
) -> Fitted:
    """Fit a request to a model. Raises UnsupportedFeatureError for a contract the model cannot keep."""
    fitting = _Fitting(request, capabilities, provider, transport, model or "the model")
    fitting.run()
    if on_unsupported == "strict" and fitting.adjustments:
        first = fitting.adjustments[0]
        raise UnsupportedFeatureError(
            f"{fitting.where} cannot take {first.field} as asked: {first.reason}",
            field=first.field,
            hint="leave it out, or set `on_unsupported: adapt`",
        )
    changes = fitting.changes
    return Fitted(request.with_(**changes) if changes else request, tuple(fitting.adjustments), fitting.cut_at)


class _Fitting:
    def __init__(self, request: Request, capabilities: Capabilities, provider: str, transport: str, model: str) -> None:
        self.request = request
        self.can = capabilities
        self.provider = provider
        self.transport = transport
        self.where = f"{provider}/{model}" if provider else model
        self.adjustments: list[Adjustment] = []
        self.changes: dict[str, Any] = {}
        self.cut_at: tuple[str, ...] = ()

    def run(self) -> None:
        request = self.request
        self.contracts()
        if request.tools or isinstance(request.system, tuple) or not is_plain(request.messages):
            self.messages()
        self.effort()
        asked = [field for field in HINTS if getattr(request, field) is not None]
        if asked:
            self.sampling()
            self.hints(asked)
        self.tier()
        self.limits()
        self.tools()

    # what the model cannot keep

    def refuse(self, field: str, what: str, hint: str = "") -> None:
        raise UnsupportedFeatureError(
            f"{self.where} cannot {what}; nothing was sent",
            field=field,
            hint=hint or "choose another model for this task, or leave the parameter out",
        )

    def contracts(self) -> None:
        request, can = self.request, self.can
        if request.n is not None and request.n != 1:
            self.refuse("n", "answer more than once per request", "call it n times, e.g. with client.map")
        for field in CONTRACTS:
            if getattr(request, field) is not None and can.supports(field) is not Support.full:
                self.refuse(field, f"honour {field}")
        if request.stream and can.streaming.refused:
            self.refuse("stream", "stream", "call client.complete instead")
        if request.output_schema is not None and can.structured_output.refused:
            self.refuse("output_schema", "be held to a schema")
        if request.store is not None and can.store.refused and request.store:
            self.refuse("store", "store the exchange")
        if request.prefill and can.prefill.refused:
            self.refuse("prefill", "continue a beginning of the answer")
        if can.system.refused and any(message.role in ("system", "developer") for message in request.conversation):
            self.refuse("system", "take a system message")

    def messages(self) -> None:
        request = self.request
        check_pairing(request.messages)
        messages, stripped = keep_own_state(request.messages, self.provider, self.transport)
        if isinstance(request.system, tuple):
            (said,), foreign = keep_own_state((Message("system", request.system),), self.provider, self.transport)
            stripped = stripped or foreign
            if foreign:
                self.changes["system"] = said.parts
        if stripped:
            self.adjust("messages", "dropped", None, None, "opaque state of another provider stays with that provider")
        messages = self.message_hints(drop_empty_turns(messages))
        if messages is not request.messages:
            self.changes["messages"] = messages
        last = messages[-1] if messages else None
        # A turn that stopped at a block of the provider's own (a server tool) is sent back to be continued.
        paused = last is not None and last.parts and isinstance(last.parts[-1], Opaque)
        if last is not None and last.role == "assistant" and not request.prefill and not paused:
            self.refuse("messages", "answer after an assistant message", "end with a user message, or set prefill=True")
        for message in messages:
            for part in message.parts:
                self.media(part)

    def message_hints(self, messages: tuple[Message, ...]) -> tuple[Message, ...]:
        """The messages without the hints that the provider has no place for."""
        request, can = self.request, self.can
        names = tuple(message.name for message in messages if message.name is not None)
        if names and can.message_names.refused:
            self.adjust("name", "dropped", names if len(names) > 1 else names[0], None, "no place for speaker names")
            messages = tuple(replace(message, name=None) if message.name else message for message in messages)
        if can.tool_error_flag.refused and any(getattr(part, "is_error", False) for part in _all_parts(messages)):
            self.adjust(
                "is_error", "dropped", True, None, "the provider has no flag for a failed tool; the text is sent"
            )
            messages = map_parts(messages, lambda part: _without(part, "is_error", False))
        tools = request.tools or ()
        system = self.value("system") if isinstance(request.system, tuple) else ()
        hinted = (*_all_parts(messages), *tools, *system) if can.cache_hints.refused else ()
        if any(getattr(part, "cache", None) for part in hinted):
            self.adjust("cache", "dropped", None, None, "the provider takes no cache hints")
            messages = map_parts(messages, lambda part: _without(part, "cache", None))
            if tools:
                self.changes["tools"] = tuple(_without(tool, "cache", None) for tool in tools)
            if system:
                self.changes["system"] = tuple(_without(part, "cache", None) for part in system)
        return messages

    def media(self, part: Part) -> None:
        can = self.can
        if isinstance(part, Image):
            self.need("images", can.images, "read images")
            if is_remote(part.source):
                self.need("images", can.image_urls, "fetch an image from a URL", "pass the bytes: Image(data)")
        elif isinstance(part, Document):
            self.need("documents", can.documents, "read documents")
            if is_remote(part.source):
                self.need(
                    "documents", can.document_urls, "fetch a document from a URL", "pass the bytes: Document(data)"
                )
        elif isinstance(part, Audio):
            self.need("audio", can.audio, "listen to audio")
        elif isinstance(part, ToolResult):
            for inner in part.parts:
                if isinstance(inner, Image | Document | Audio):
                    self.need("messages", can.tool_result_media, "take media in a tool result")
                self.media(inner)

    def need(self, field: str, support: Support, what: str, hint: str = "") -> None:
        if support.refused:
            self.refuse(field, what, hint)

    # what is adapted

    def adjust(self, field: str, action: Any, before: Any, after: Any, reason: str) -> None:
        self.adjustments.append(Adjustment(field, action, before, after, reason))

    def drop(self, field: str, reason: str) -> None:
        self.adjust(field, "dropped", getattr(self.request, field), None, reason)
        self.changes[field] = None

    def effort(self) -> None:
        asked, can = self.request.reasoning_effort, self.can
        if asked is None:
            return
        if can.reasoning_effort.refused or can.reasoning.refused:
            if asked == "none" and can.reasoning.refused:
                self.changes["reasoning_effort"] = None  # asked not to reason, and it does not
            else:
                self.drop("reasoning_effort", "the model has no such setting")
            return
        accepted = can.reasoning_efforts
        if accepted and asked not in accepted:
            nearest = nearest_effort(asked, accepted)
            self.adjust("reasoning_effort", "mapped", asked, nearest, f"the model takes {', '.join(accepted)}")
            self.changes["reasoning_effort"] = nearest

    def reasons(self) -> bool:
        """Will the model reason, as far as is known? Sampling parameters are refused then by some."""
        effort = self.changes.get("reasoning_effort", self.request.reasoning_effort)
        effort = effort if effort is not None else self.can.default_effort
        return effort is not None and effort != "none"

    def sampling(self) -> None:
        request, can = self.request, self.can
        silenced = can.sampling_needs_no_reasoning and self.reasons()
        for field in SAMPLING:
            value = getattr(request, field)
            if value is None:
                continue
            if silenced and not can.supports(field).refused:
                if value == 1 and field in ("temperature", "top_p"):
                    self.changes[field] = None  # the default, said aloud
                else:
                    self.drop(field, "the model takes it only while it does not reason")
        self.clamp("temperature", can.temperature_range)
        self.clamp("top_p", (0.0, 1.0))
        if can.temperature_xor_top_p and self.value("temperature") is not None and self.value("top_p") is not None:
            self.drop("top_p", "the model takes temperature or top_p, not both")

    def value(self, field: str) -> Any:
        return self.changes.get(field, getattr(self.request, field))

    def clamp(self, field: str, bounds: tuple[float, float] | None) -> None:
        value = self.value(field)
        if value is None or bounds is None or self.can.supports(field).refused or bounds[0] <= value <= bounds[1]:
            return
        nearest = bounds[0] if value < bounds[0] else bounds[1]
        self.adjust(field, "clamped", value, nearest, f"the model takes {bounds[0]:g} to {bounds[1]:g}")
        self.changes[field] = nearest

    def hints(self, asked: list[str]) -> None:
        can = self.can
        for field in asked:
            value = self.value(field)
            if value is None or not can.supports(field).refused:
                continue
            if value == 1 and field in ("temperature", "top_p"):
                self.changes[field] = None
            else:
                self.drop(field, "the model takes no such parameter")

    def tier(self) -> None:
        request, can = self.request, self.can
        tier = request.service_tier
        if tier is not None and (can.service_tier.refused or (can.service_tiers and tier not in can.service_tiers)):
            self.drop("service_tier", "the provider has no such tier")

    def limits(self) -> None:
        request, can = self.request, self.can
        most = can.max_output_tokens
        if request.max_tokens is not None:
            if can.max_tokens.refused:
                self.drop("max_tokens", "the model takes no limit")
            elif most is not None and request.max_tokens > most:
                self.adjust("max_tokens", "clamped", request.max_tokens, most, f"the model answers with at most {most}")
                self.changes["max_tokens"] = most
        stop = request.stop
        if stop and (can.stop.refused or (can.stop_limit is not None and len(stop) > can.stop_limit)):
            self.adjust("stop", "emulated", stop, None, "the provider cannot; byollm cuts the answer")
            self.changes["stop"] = None
            self.cut_at = stop

    def tools(self) -> None:
        request, can = self.request, self.can
        if not request.tools:
            for field in ("tool_choice", "parallel_tool_calls"):
                if getattr(request, field) is not None:
                    self.changes[field] = None  # both mean nothing without tools, and several providers refuse them
            if request.tool_choice is not None and request.tool_choice.mode == "required":
                self.refuse("tool_choice", "call a tool without `tools`", "pass tools=[…]")
            return
        self.need("tools", can.tools, "call tools")
        self.tool_list()
        if can.tools_while_reasoning.refused and self.reasons():
            self.refuse("tools", "call tools while it reasons here", 'set reasoning_effort="none", or `api: responses`')
        choice = request.tool_choice
        if choice is not None and choice.name is not None:
            self.need("tool_choice", can.tool_choice_named, "be held to one named tool")
            if choice.name not in [tool.name for tool in request.tools if isinstance(tool, Tool)]:
                self.refuse("tool_choice", f"call {choice.name!r}, which is not among the tools")
        elif choice is not None and choice.mode == "required":
            self.need("tool_choice", can.tool_choice_required, "be made to call a tool")
        if request.parallel_tool_calls is False:
            self.need("parallel_tool_calls", can.parallel_tool_calls_off, "be held to one tool call at a time")
        elif request.parallel_tool_calls and can.parallel_tool_calls.refused:
            self.drop("parallel_tool_calls", "the model calls one tool at a time")

    def tool_list(self) -> None:
        for tool in self.request.tools or ():
            if isinstance(tool, ProviderTool):
                if tool.provider != self.provider:
                    self.refuse("tools", f"run a tool of {tool.provider}")
                self.need("tools", self.can.provider_tools, "run tools of its own")
            if isinstance(tool, Tool) and tool.strict and self.can.strict_tools.refused:
                self.refuse("tools", f"enforce the schema of {tool.name!r} (strict)")


def nearest_effort(asked: str, accepted: tuple[str, ...]) -> str:
    """The weakest accepted effort that is not below the one asked for; the strongest when there is none."""
    rank = EFFORTS.index(asked)
    ordered = sorted((word for word in accepted if word in EFFORTS), key=EFFORTS.index)
    if asked != "none":
        ordered = [word for word in ordered if word != "none"] or ordered
    return next((word for word in ordered if EFFORTS.index(word) >= rank), ordered[-1] if ordered else asked)


def _without(part: Any, field: str, value: Any) -> Any:
    return replace(part, **{field: value}) if getattr(part, field, value) != value else part


def _all_parts(messages: tuple[Any, ...]) -> Iterator[Any]:
    for message in messages:
        for part in message.parts:
            yield part
            yield from part.parts if isinstance(part, ToolResult) else ()
