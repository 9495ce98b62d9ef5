"""OpenAI Responses: the twin's face."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from byollm.errors import ModelNotFoundError, ProviderError
from byollm_sandbox.answers import Answer
from byollm_sandbox.dialects import openai_common as common
from byollm_sandbox.dialects import responses_render as render
from byollm_sandbox.dialects.base import Call, Prompt, Rejection, ToolOffer
from byollm_sandbox.dialects.openai_chat import choice_of, text_of
from byollm_sandbox.dialects.openai_responses_rules import validate, validate_count
from byollm_sandbox.requests import Recorded
from byollm_sandbox.tokens import count_messages, count_text, count_tools
from byollm_sandbox.wire import Frame, Reply, dump


class OpenAIResponses:
    """The dialect `openai-responses`."""

    name = "openai-responses"
    base_path = "/openai/v1"

    def operation(self, method: str, path: str) -> str | None:
        """Responses and their counting endpoint; the models are told by the Chat twin of the same base."""
        found = common.operation(method, path, "/responses", "/responses/input_tokens")
        return found if found in ("complete", "count") else None

    def missing_key(self, request: Recorded, expected: frozenset[str]) -> Rejection | None:
        """401 in OpenAI's shape."""
        return common.missing_key(request, expected)

    def validate(self, body: Any, headers: Mapping[str, str], *, compatible: bool = False) -> Rejection | None:
        """What OpenAI refuses."""
        return validate(body, headers)

    def validate_count(self, body: Any, headers: Mapping[str, str]) -> Rejection | None:
        """What the counting endpoint refuses."""
        return validate_count(body, headers)

    def prompt(self, body: Mapping[str, Any]) -> Prompt:
        """A request as the stand-in model reads it."""
        return read_prompt(body)

    def document(self, answer: Answer, call: Call) -> dict[str, Any]:
        """A `response`."""
        return render.document(answer, call)

    def stream(self, answer: Answer, call: Call) -> list[Frame]:
        """`response.created` to `response.completed`."""
        return render.stream(answer, call)

    def reject(self, rejection: Rejection, call: Call) -> Reply:
        """OpenAI's envelope."""
        return common.reject(rejection, call)

    def error(self, error: ProviderError, call: Call) -> Rejection:
        """A neutral error in OpenAI's terms. An unknown model is 400 here and 404 in Chat (both recorded in 2026)."""
        rejection = common.rejection_for(error, call, param="input")
        if isinstance(error, ModelNotFoundError) and error.status is None:
            text = error.message or f"The requested model '{call.body.get('model', 'unknown')}' does not exist."
            return replace(rejection, status=400, message=text)
        return rejection

    def error_frames(self, error: ProviderError, call: Call, *, sent: int = 2) -> list[Frame]:
        """An `error` event with the error wrapped, then `response.failed`: as recorded on 2025-07-04."""
        rejection = self.error(error, call)
        wrapped = common.error_document(rejection)["error"]
        failed = render.failed(rejection.code or rejection.type, rejection.message, call)
        return [
            Frame(dump({"type": "error", "sequence_number": sent, "error": wrapped}), event="error"),
            Frame(
                dump({"type": "response.failed", "sequence_number": sent + 1, "response": failed}),
                event="response.failed",
            ),
        ]

    def ping(self) -> Frame | None:
        """OpenAI has no keep-alive event."""
        return None

    def headers(self, call: Call) -> list[tuple[str, str]]:
        """Request id and rate limits."""
        return common.headers(call)

    def count(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Tokens of input, instructions and tools by the twins' rule."""
        instructions = body.get("instructions") or ""
        total = count_messages(body.get("input")) + count_tools(body.get("tools")) + count_text(instructions)
        return {"object": "response.input_tokens", "input_tokens": total}

    def models(self, names: Sequence[str]) -> dict[str, Any]:
        """The list of models."""
        return common.models_document(names)

    def model(self, name: str) -> dict[str, Any]:
        """One model."""
        return common.model_document(name)


def read_prompt(body: Mapping[str, Any]) -> Prompt:
    """A Responses request as the stand-in model reads it."""
    system = [str(body.get("instructions") or "")]
    said: list[str] = []
    results: list[str] = []
    given = body.get("input")
    for item in [{"role": "user", "content": given}] if isinstance(given, str) else given or []:
        role, kind = item.get("role"), item.get("type", "message")
        if role in ("system", "developer"):
            system.append(text_of(item.get("content")))
        elif role == "user":
            said.append(text_of(item.get("content")))
            results = []
        elif kind == "function_call_output":
            results.append(text_of(item.get("output")))
    format_ = (body.get("text") or {}).get("format") or {}
    tools = [
        ToolOffer(tool["name"], tool.get("parameters") or {})
        for tool in body.get("tools") or []
        if tool.get("type") == "function"
    ]
    return Prompt(
        system="\n".join(text for text in system if text),
        text="\n".join(said),
        tools=tools,
        choice=choice_of(body.get("tool_choice"), "function"),
        schema=format_.get("schema"),
        json=format_.get("type") in ("json_object", "json_schema"),
        results=results,
        max_tokens=body.get("max_output_tokens"),
        parallel=body.get("parallel_tool_calls") is not False,
    )
