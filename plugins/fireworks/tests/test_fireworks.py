"""Fireworks: what goes out, and what its refusals become. All bytes are our own: nothing was recorded."""

from __future__ import annotations

import json
from typing import Any

import pytest

import byollm
from byollm import errors, testing
from byollm.plugin import Message, Request, Support, Target, Text, Tool, ToolResult
from byollm_fireworks import provider
from byollm_fireworks.models import ACCOUNT, MODELS, NOTES
from byollm_fireworks.plugin import ENDPOINT

KIMI = f"{ACCOUNT}kimi-k3"
CURRENT = (KIMI, "kimi-k3", "glm-5p3", f"{ACCOUNT}deepseek-v4p1-flash", "gpt-oss-20b")
SSE = {"content-type": "text/event-stream"}


def translated(request: Any, model: str = KIMI, **target: Any) -> testing.Translation:
    return testing.translate("fireworks", request, model=model, **target)


def body(request: Any, model: str = KIMI, **target: Any) -> dict[str, Any]:
    return dict(translated(request, model, **target).body)


def told(request: Any, model: str = KIMI, **target: Any) -> set[str]:
    return {note.field for note in translated(request, model, **target).adjustments}


def stream(*chunks: Any) -> bytes:
    return b"".join(b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks)


def refused(status: int, document: Any, **fields: Any) -> errors.ProviderError:
    with pytest.raises(errors.ProviderError) as caught:
        testing.replay(
            "fireworks", status=status, body=json.dumps(document).encode(), retries={"attempts": 1}, **fields
        )
    return caught.value


def test_where_it_goes() -> None:
    """To Fireworks' own address."""
    assert "https://api.fireworks.ai/inference/v1/chat/completions" == translated("hi").url


@pytest.mark.parametrize(
    ("named", "sent"), [("kimi-k3", KIMI), (KIMI, KIMI), ("accounts/me/models/mine", "accounts/me/models/mine")]
)
def test_a_bare_name_gets_its_path(named: str, sent: str) -> None:
    """A name of the table; everything else is sent as it stands."""
    assert sent == body("hi", named)["model"]


def test_an_overlong_prompt_is_to_be_refused() -> None:
    """Fireworks would cut it without a word; `extra` may ask for that."""
    cut = Request("hi", extra={"fireworks": {"context_length_exceeded_behavior": "truncate"}})

    assert "error" == body("hi")["context_length_exceeded_behavior"]
    assert "truncate" == body(cut)["context_length_exceeded_behavior"]


def test_one_name_for_the_cap() -> None:
    """`max_tokens`, never both."""
    sent = body(Request("hi", max_tokens=9))

    assert (9, None) == (sent["max_tokens"], sent.get("max_completion_tokens"))


def test_thoughts_go_back_with_calls() -> None:
    """In `reasoning_content`."""
    message = {"role": "assistant", "content": "", "reasoning_content": "hm", "tool_calls": [
        {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}]}  # fmt: skip
    document = {"id": "c", "choices": [{"index": 0, "message": message, "finish_reason": "tool_calls"}]}
    reply = testing.replay("fireworks", body=json.dumps(document).encode())
    answered = Message("tool", (ToolResult("call_1", (Text("c"),)),))
    tool = Tool("f", None, {"type": "object", "properties": {}})

    sent = body(Request([byollm.user("a"), reply.message, answered], tools=[tool]))["messages"][1]

    assert "hm" == sent["reasoning_content"]


def said(message: str, code: str | None = None) -> dict[str, Any]:
    return {"error": {"object": "error", "type": "invalid_request_error", "message": message, "code": code}}


@pytest.mark.parametrize(
    ("status", "document", "kind"),
    [
        (400, said("The prompt is too long: 140000, model maximum context length: 131071"), errors.ContextLengthError),
        (401, said("unauthorized"), errors.AuthenticationError),
        (402, said("no credit"), errors.QuotaExhaustedError),
        (404, said("Model not found, inaccessible, and/or not deployed", "NOT_FOUND"), errors.ModelNotFoundError),
        (429, said("rate limit exceeded"), errors.RateLimitError),
        (500, said("failed"), errors.ServerError),
        (503, said("overloaded"), errors.OverloadedError),
    ],
)
def test_errors(status: int, document: Any, kind: type[errors.ProviderError]) -> None:
    """By words and status."""
    assert kind is type(refused(status, document))


def test_retired_names_are_told() -> None:
    """By either name, with the day of their end."""
    assert "2026-11-07" == NOTES["gpt-oss-120b"].retired == NOTES[f"{ACCOUNT}gpt-oss-120b"].retired


def test_every_row_is_told_with_its_source() -> None:
    """And of a model in no row only what all of them share is known."""
    for model, facts in MODELS.items():
        known = provider.capabilities(Target(provider="fireworks", model=model, endpoint=ENDPOINT, api="chat"))
        assert set(facts) <= set(known.sources), model
    new = provider.capabilities(Target(provider="fireworks", model="new", endpoint=ENDPOINT, api="chat"))
    assert new.context_window is None


@pytest.mark.parametrize("model", CURRENT)
def test_the_basics_of_current_models_are_known(model: str) -> None:
    """Window, longest answer, tools, streams, schemas and temperatures."""
    known = provider.capabilities(Target(provider="fireworks", model=model, endpoint=ENDPOINT, api="chat"))

    assert None not in (known.context_window, known.max_output_tokens, known.temperature_range)
    assert Support.unknown not in (known.tools, known.streaming, known.structured_output)
