"""Together: what goes out, by family, and what its refusals become."""

from __future__ import annotations

import json
from typing import Any

import pytest

from byollm import errors, testing
from byollm.plugin import Request, Support, Target
from byollm_together import provider
from byollm_together.models import MODELS, NOTES
from byollm_together.plugin import ENDPOINT

GPT_OSS, HYBRID, PLAIN = "openai/gpt-oss-120b", "moonshotai/Kimi-K3", "meta-llama/Llama-3.3-70B-Instruct-Turbo"
CURRENT = (GPT_OSS, HYBRID, PLAIN, "zai-org/GLM-5.3", "deepseek-ai/DeepSeek-V4.1-Flash")
SSE = {"content-type": "text/event-stream"}


def translated(request: Any, model: str = GPT_OSS, **target: Any) -> testing.Translation:
    return testing.translate("together", request, model=model, **target)


def body(request: Any, model: str = GPT_OSS, **target: Any) -> dict[str, Any]:
    return dict(translated(request, model, **target).body)


def told(request: Any, model: str = GPT_OSS, **target: Any) -> set[str]:
    return {note.field for note in translated(request, model, **target).adjustments}


def stream(*chunks: Any) -> bytes:
    return b"".join(b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks)


def refused(status: int, document: Any, **fields: Any) -> errors.ProviderError:
    with pytest.raises(errors.ProviderError) as caught:
        testing.replay("together", status=status, body=json.dumps(document).encode(), retries={"attempts": 1}, **fields)
    return caught.value


def test_where_it_goes() -> None:
    """To Together's own address; the older host may have the key too."""
    assert "https://api.together.ai/v1/chat/completions" == translated("hi").url
    assert "api.together.xyz" in provider.manifest.hosts


def test_logprobs_is_a_number() -> None:
    """How many, not whether."""
    assert 3 == body(Request("hi", logprobs=3))["logprobs"]
    assert 1 == body(Request("hi", logprobs=0))["logprobs"]
    assert "top_logprobs" not in body(Request("hi", logprobs=3))


@pytest.mark.parametrize(
    ("model", "effort", "sent"),
    [
        (GPT_OSS, "high", {"reasoning_effort": "high"}),
        (GPT_OSS, "none", {"reasoning_effort": "low"}),
        (HYBRID, "none", {"reasoning": {"enabled": False}}),
        (HYBRID, "high", {"reasoning": {"enabled": True}}),
    ],
)
def test_efforts(model: str, effort: Any, sent: dict[str, Any]) -> None:
    """Grades for gpt-oss, a switch for hybrid models."""
    found = body(Request("hi", reasoning_effort=effort), model)

    assert sent == {name: found[name] for name in ("reasoning", "reasoning_effort") if name in found}


def test_stop_is_a_list() -> None:
    """Even of one."""
    assert ["END"] == body(Request("hi", stop="END"))["stop"]


def test_eos_is_an_ordinary_end() -> None:
    """Its own word is kept."""
    chunks = [
        {"id": "c", "choices": [{"index": 0, "delta": {"content": "hi"}}]},
        {"id": "c", "choices": [{"index": 0, "delta": {"content": ""}, "finish_reason": "eos"}]},
    ]
    reply = testing.replay("together", body=stream(*chunks), stream=True, headers=SSE)

    assert ("hi", "stop", "eos") == (reply.text, reply.finish_reason, reply.raw_finish_reason)


def test_cached_tokens_stand_beside_the_others() -> None:
    """And are part of the prompt."""
    usage = {"prompt_tokens": 10, "completion_tokens": 2, "total_tokens": 12, "cached_tokens": 8}
    choice = {"index": 0, "message": {"content": "hi"}, "finish_reason": "stop"}
    reply = testing.replay("together", body=json.dumps({"id": "c", "choices": [choice], "usage": usage}).encode())

    assert (10, 8) == (reply.usage.input_tokens, reply.usage.cached_tokens)


def said(message: str, code: str | None = None, type_: str = "invalid_request_error") -> dict[str, Any]:
    return {"id": "x", "error": {"message": message, "type": type_, "param": None, "code": code}}


@pytest.mark.parametrize(
    ("status", "document", "kind"),
    [
        (400, said("wrong"), errors.InvalidRequestError),
        (401, said("Invalid API key provided", "invalid_api_key"), errors.AuthenticationError),
        (402, said("payment required"), errors.QuotaExhaustedError),
        (404, said("Unable to access model", "model_not_available"), errors.ModelNotFoundError),
        (413, said("too large"), errors.RequestTooLargeError),
        (422, said("inputs exceeds maximum context length"), errors.ContextLengthError),
        (429, said("slow down", "rate_limit"), errors.RateLimitError),
        (500, said("failed"), errors.ServerError),
        (503, said("busy"), errors.OverloadedError),
    ],
)
def test_errors(status: int, document: Any, kind: type[errors.ProviderError]) -> None:
    """By code, words and status."""
    assert kind is type(refused(status, document))


def test_retired_names_are_told() -> None:
    """With the day of their end."""
    assert "2026-04-16" == NOTES["mistralai/Mixtral-8x7B-Instruct-v0.1"].retired


def test_every_row_is_told_with_its_source() -> None:
    """And of a model in no row only what all of them share is known."""
    for model, facts in MODELS.items():
        known = provider.capabilities(Target(provider="together", model=model, endpoint=ENDPOINT, api="chat"))
        assert set(facts) <= set(known.sources), model
    new = provider.capabilities(Target(provider="together", model="new", endpoint=ENDPOINT, api="chat"))
    assert new.context_window is None


@pytest.mark.parametrize("model", CURRENT)
def test_the_basics_of_current_models_are_known(model: str) -> None:
    """Window, longest answer, tools, streams, schemas and temperatures."""
    known = provider.capabilities(Target(provider="together", model=model, endpoint=ENDPOINT, api="chat"))

    assert None not in (known.context_window, known.max_output_tokens, known.temperature_range)
    assert Support.unknown not in (known.tools, known.streaming, known.structured_output)
