"""What the translator itself had to change, which `fit()` could not see: told to the caller, never hidden."""

from __future__ import annotations

from byollm.plugin import Adjustment, Audio, Document, Image, Request, ToolResult
from byollm_openai_compatible.profile import Quirks
from byollm_openai_compatible.schema import NotStrictError, strict_schema


def adjustments_of(request: Request, quirks: Quirks, api: str, results: bool) -> tuple[Adjustment, ...]:
    """The changes that this dialect makes to this request, beyond names. `results`: it holds what tools answered."""
    made: list[Adjustment] = []
    if request.output_schema is not None and api != "responses" and quirks.schema_form == "json_object":
        reason = "the provider knows no schemas: this one is told in words, and the answer is checked"
        made.append(Adjustment("output_schema", "emulated", "json_schema", "json_object", reason))
    elif request.output_schema is not None and quirks.strict_schemas:
        problem = _unenforceable(request)
        if problem:
            reason = (
                f"the provider cannot enforce this schema ({problem}): it is sent as a wish, and the answer is checked"
            )
            made.append(Adjustment("output_schema", "mapped", "strict", "not strict", reason))
    if results and api != "responses" and quirks.tool_result_media == "user_message" and _has_media(request):
        reason = "a tool's result can only be text here: its files follow in a user message"
        made.append(Adjustment("messages", "mapped", "media in a tool result", "media in a user message", reason))
    if api == "responses" and request.max_tokens is not None and request.max_tokens < quirks.least_output:
        reason = f"this API takes no limit below {quirks.least_output}"
        made.append(Adjustment("max_tokens", "clamped", request.max_tokens, quirks.least_output, reason))
    return tuple(made)


def _unenforceable(request: Request) -> str:
    try:
        strict_schema(request.json_schema or {})
    except NotStrictError as error:
        return str(error)
    return ""


def _has_media(request: Request) -> bool:
    results = [part for message in request.messages for part in message.parts if isinstance(part, ToolResult)]
    return any(isinstance(part, Image | Document | Audio) for result in results for part in result.parts)
