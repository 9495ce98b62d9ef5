"""A judge: what Google's own SDK reads from the twin, and that the twin takes what the SDK sends."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from google import genai
from google.genai import types
from google.genai.errors import APIError

from byollm import errors
from byollm.types.parts import Citation, Opaque, Reasoning, Text, ToolCall
from byollm.types.usage import Usage
from byollm_sandbox import Answer, Twins, serve

MODEL = "gemini-3.8-flash"
CALLS = (ToolCall("c1", "add", '{"n": 1}'), ToolCall("c2", "sub", "{}"))
USAGE = Usage(100, 50, 20, 0, 5)
SIGNED = Opaque("google", "gemini", {"thoughtSignature": "c2ln"})

ANSWERS: dict[str, tuple[Answer, str]] = {
    "text": (Answer(parts=(Text("Grüße, 世界 🌍\n\nand more"),), usage=USAGE), "STOP"),
    "parallel tools": (Answer(parts=CALLS, usage=USAGE), "STOP"),
    "text and tools": (Answer(parts=(Text("let me see"), *CALLS), usage=USAGE), "STOP"),
    "thinking": (Answer(parts=(Reasoning("first this"), Text("done", state=SIGNED)), usage=USAGE), "STOP"),
    "refusal": (Answer(refusal="not that", usage=USAGE), "PROHIBITED_CONTENT"),
    "length": (Answer(parts=(Text("cut in the mid"),), finish_reason="length", usage=USAGE), "MAX_TOKENS"),
    "its own word": (Answer(parts=(Text("w"),), raw_finish_reason="RECITATION", usage=USAGE), "RECITATION"),
}


@pytest.fixture
def client(twin: Twins) -> Iterator[genai.Client]:
    opened = made(twin.url("gemini"))
    yield opened
    opened.close()


def made(url: str, key: str = "AQ.any") -> genai.Client:
    return genai.Client(api_key=key, vertexai=False, http_options=types.HttpOptions(base_url=url, api_version="v1beta"))


@pytest.fixture(params=list(ANSWERS))
def case(request: pytest.FixtureRequest) -> tuple[Answer, str]:
    return ANSWERS[request.param]


def seen(chunks: list[types.GenerateContentResponse]) -> dict[str, Any]:
    candidates = [candidate for chunk in chunks for candidate in chunk.candidates or ()]
    parts = [part for item in candidates for part in (item.content and item.content.parts) or ()]
    usage = chunks[-1].usage_metadata
    reason = candidates[-1].finish_reason if candidates else None
    return {
        "text": "".join(part.text for part in parts if part.text and not part.thought),
        "reasoning": "".join(part.text for part in parts if part.text and part.thought),
        "tools": [
            (part.function_call.id, part.function_call.name, part.function_call.args)
            for part in parts
            if part.function_call
        ],
        "reason": reason.value if reason else None,
        "usage": usage
        and (
            usage.prompt_token_count,
            usage.cached_content_token_count,
            usage.candidates_token_count,
            usage.thoughts_token_count,
            usage.total_token_count,
        ),
    }


def told(answer: Answer, reason: str) -> dict[str, Any]:
    return {
        "text": answer.text or answer.refusal or "",
        "reasoning": answer.reasoning,
        "tools": [(call.id, call.name, call.args) for call in answer.tool_calls],
        "reason": reason,
        "usage": (100, 20, 45, 5, 150),
    }


def test_a_document_is_read_to_what_was_scripted(twin: Twins, client: genai.Client, case: tuple[Answer, str]) -> None:
    """The SDK reads a whole answer to the scripted value, and its types know every member."""
    answer, reason = case
    twin.script(answer)

    reply = client.models.generate_content(model=MODEL, contents="hello")

    assert told(answer, reason) == seen([reply])


def test_a_stream_is_read_to_what_was_scripted(twin: Twins, client: genai.Client, case: tuple[Answer, str]) -> None:
    """The SDK reads the chunks to the same value."""
    answer, reason = case
    twin.script(answer)

    chunks = list(client.models.generate_content_stream(model=MODEL, contents="hello"))

    assert told(answer, reason) == seen(chunks)


def test_a_filtered_prompt_has_no_candidate(twin: Twins, client: genai.Client) -> None:
    """Blocked: promptFeedback and nothing else."""
    twin.script(Answer(finish_reason="content_filter"))

    reply = client.models.generate_content(model=MODEL, contents="hello")

    assert reply.candidates is None
    assert reply.prompt_feedback is not None
    assert types.BlockedReason.SAFETY is reply.prompt_feedback.block_reason


def test_citations_are_grounding(twin: Twins, client: genai.Client) -> None:
    """A citation is a chunk and a support whose offsets count bytes."""
    twin.script(Answer(parts=(Text("Grüße all"), Citation("Grüße", "https://a.example", "A", 0, 5))))

    reply = client.models.generate_content(model=MODEL, contents="hello")
    metadata: Any = (reply.candidates or [])[0].grounding_metadata

    assert (0, 7) == (
        metadata.grounding_supports[0].segment.start_index,
        metadata.grounding_supports[0].segment.end_index,
    )
    assert "https://a.example" == metadata.grounding_chunks[0].web.uri


@pytest.mark.parametrize(
    ("error", "status", "word"),
    [
        (errors.AuthenticationError(""), 400, "INVALID_ARGUMENT"),
        (errors.ModelNotFoundError(""), 404, "NOT_FOUND"),
        (errors.RateLimitError("", retry_after=3.5), 429, "RESOURCE_EXHAUSTED"),
        (errors.OverloadedError(""), 503, "UNAVAILABLE"),
        (errors.ServerError(""), 500, "INTERNAL"),
    ],
)
def test_errors_are_the_vendors(
    twin: Twins, client: genai.Client, error: errors.ProviderError, status: int, word: str
) -> None:
    """The SDK raises its own error with the vendor's status and word."""
    twin.script(error)

    with pytest.raises(APIError) as found:
        client.models.generate_content(model=MODEL, contents="hello")
    assert (status, word) == (found.value.code, found.value.status)


def test_keys_are_judged() -> None:
    """A wrong key is a 400 with its reason, as at Google."""
    with serve(key="AQ.right") as guarded:
        guarded.script("hi")
        wrong, right = (made(guarded.url("gemini"), key) for key in ("AQ.wrong", "AQ.right"))
        with pytest.raises(APIError) as found:
            wrong.models.generate_content(model=MODEL, contents="hello")
        good = right.models.generate_content(model=MODEL, contents="hello")
        wrong.close()
        right.close()

    details: Any = found.value.details
    assert (400, "API_KEY_INVALID") == (found.value.code, details["error"]["details"][0]["reason"])
    assert "hi" == good.text


def test_counting_and_the_models(client: genai.Client) -> None:
    """countTokens and the list of models are read by the SDK."""
    counted = client.models.count_tokens(model=MODEL, contents="hello")
    model = client.models.get(model=MODEL)

    assert counted.total_tokens
    assert ("models/gemini-3.8-flash", 1_048_576) == (model.name, model.input_token_limit)
    assert len(list(client.models.list())) >= 3


CONFIGS: dict[str, dict[str, Any]] = {
    "sampling": {"temperature": 0.5, "top_p": 0.9, "top_k": 3, "seed": 1, "max_output_tokens": 9},
    "stop": {"stop_sequences": ["E"]},
    "system": {"system_instruction": "be kind"},
    "schema": {"response_mime_type": "application/json", "response_json_schema": {"type": "object"}},
    "thinking": {"thinking_config": {"thinking_level": "LOW", "include_thoughts": True}},
    "tools": {"tools": [{"function_declarations": [{"name": "f", "parameters_json_schema": {"type": "object"}}]}],
              "tool_config": {"function_calling_config": {"mode": "ANY", "allowed_function_names": ["f"]}}},
    "search": {"tools": [{"google_search": {}}]},
    "safety": {"safety_settings": [{"category": "HARM_CATEGORY_HARASSMENT", "threshold": "BLOCK_NONE"}]},
    "tier": {"service_tier": "flex"},
}  # fmt: skip


@pytest.mark.parametrize("config", list(CONFIGS))
def test_what_the_sdk_sends_is_taken(twin: Twins, client: genai.Client, config: str) -> None:
    """Every kind of configuration is accepted as the SDK writes it."""
    twin.script("ok")
    wanted = types.GenerateContentConfig.model_validate(CONFIGS[config])

    assert "ok" == client.models.generate_content(model=MODEL, contents="hello", config=wanted).text
