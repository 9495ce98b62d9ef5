"""Mistral: what goes out, what comes back, and what its refusals become."""

from __future__ import annotations

import json
from typing import Any

import pytest

import byollm
from byollm import errors, testing
from byollm.plugin import (
    Audio,
    Document,
    Image,
    Message,
    Reasoning,
    Request,
    Support,
    Target,
    Text,
    Tool,
    ToolCall,
    ToolResult,
)
from byollm_mistral import provider
from byollm_mistral.models import MODELS
from byollm_mistral.plugin import ENDPOINT

MEDIUM, LARGE, VOICE = "mistral-medium-latest", "mistral-large-latest", "voxtral-small-latest"
CURRENT = (MEDIUM, LARGE, VOICE, "mistral-small-latest", "ministral-3b-latest", "magistral-medium-latest")
CITY = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
TOOL = Tool("f", None, CITY)
CALLED = (
    Message("user", (Text("a"),)),
    Message("assistant", (ToolCall("call_1", "f", "{}"), ToolCall("call_2", "f", "{}"))),
    Message("tool", (ToolResult("call_2", (Text("d"),)), ToolResult("call_1", (Text("c"),)))),
)
SSE = {"content-type": "text/event-stream"}


def translated(request: Any, model: str = MEDIUM, **target: Any) -> testing.Translation:
    return testing.translate("mistral", request, model=model, **target)


def body(request: Any, model: str = MEDIUM, **target: Any) -> dict[str, Any]:
    return dict(translated(request, model, **target).body)


def told(request: Any, model: str = MEDIUM, **target: Any) -> set[str]:
    return {note.field for note in translated(request, model, **target).adjustments}


def stream(*chunks: Any) -> bytes:
    return b"".join(b"data: " + json.dumps(chunk).encode() + b"\n\n" for chunk in chunks)


def refused(status: int, document: Any, **fields: Any) -> errors.ProviderError:
    with pytest.raises(errors.ProviderError) as caught:
        testing.replay("mistral", status=status, body=json.dumps(document).encode(), retries={"attempts": 1}, **fields)
    return caught.value


def test_where_it_goes() -> None:
    """To Mistral's own address, with a bearer token."""
    sent = translated("hi", api_key="k-123456789")

    assert "https://api.mistral.ai/v1/chat/completions" == sent.url
    assert "authorization" in sent.headers


def test_its_own_words() -> None:
    """`random_seed`, `max_tokens`, `any`; no word for usage in streams."""
    sent = body(Request("hi", seed=7, max_tokens=9, tools=[TOOL], tool_choice="required", stream=True))

    assert (7, 9, "any", True) == (sent["random_seed"], sent["max_tokens"], sent["tool_choice"], sent["stream"])
    assert {"seed", "stream_options", "store"}.isdisjoint(sent)


def test_ids_of_calls_have_nine_letters_or_digits() -> None:
    """Each its own, results with theirs, the same ones each time; ids of that form stay."""
    first, again = (body(Request(CALLED, tools=[TOOL]))["messages"] for _ in range(2))
    ids = [call["id"] for call in first[1]["tool_calls"]]

    assert first == again
    assert [ids[1], ids[0]] == [turn["tool_call_id"] for turn in first[2:]]
    assert all(len(id) == 9 and id.isalnum() for id in ids)
    assert 2 == len(set(ids))
    own = (CALLED[0], Message("assistant", (ToolCall("abcDEF123", "f", "{}"),)))
    answered = (*own, Message("tool", (ToolResult("abcDEF123", (Text("c"),)),)))
    assert "abcDEF123" == body(Request(answered, tools=[TOOL]))["messages"][1]["tool_calls"][0]["id"]


def test_a_user_right_after_a_tool_is_parted_from_it() -> None:
    """By a word of the model, and the caller is told; in every other order nothing is added."""
    request = Request([*CALLED, Message("user", (Text("e"),))], tools=[TOOL])
    roles = [turn["role"] for turn in body(request)["messages"]]

    assert ["user", "assistant", "tool", "tool", "assistant", "user"] == roles
    assert {"messages"} == told(request)
    assert set() == told(Request(CALLED, tools=[TOOL]))


def test_neighbours_of_one_role_are_one_turn() -> None:
    """Two users in a row are joined by a blank line."""
    sent = body([byollm.user("a"), byollm.user("b"), byollm.assistant("c"), byollm.user("d")])

    assert ["a\n\nb", "c", "d"] == [turn["content"] for turn in sent["messages"]]


def test_documents_and_sound_are_chunks_of_its_own() -> None:
    """`document_url` for bytes and addresses, `input_audio` as bare base64."""
    parts = (Document(b"%PDF-1", name="a.pdf"), Document("https://example.com/b.pdf"))
    documents = body(Request([Message("user", parts)]))["messages"][0]["content"]
    sound = body(Request([Message("user", (Text("a"), Audio(b"RIFF    WAVE")))]), VOICE)["messages"][0]["content"][1]

    places = [block["document_url"] for block in documents]

    assert ["data:application/pdf;base64,JVBERi0x", "https://example.com/b.pdf"] == places
    assert ("a.pdf", None) == (documents[0]["document_name"], documents[1].get("document_name"))
    assert {"type": "input_audio", "input_audio": "UklGRiAgICBXQVZF"} == sound


@pytest.mark.parametrize(("part", "model"), [(Audio(b"RIFF    WAVE"), MEDIUM), (Image(b"\x89PNG\r\n\x1a\n"), VOICE)])
def test_what_a_model_does_not_read_is_refused(part: Any, model: str) -> None:
    """Before a byte leaves, by the translator too."""
    with pytest.raises(errors.UnsupportedFeatureError):
        body(Request([Message("user", (Text("a"), part))]), model)


def test_a_beginning_is_a_prefix() -> None:
    """`prefix: true` on the last turn."""
    request = Request([byollm.user("a"), byollm.assistant("Well,")], prefill=True)

    assert {"role": "assistant", "content": "Well,", "prefix": True} == body(request)["messages"][-1]


@pytest.mark.parametrize(
    ("model", "effort", "sent", "adjusted"),
    [
        (MEDIUM, "none", "none", False),
        (MEDIUM, "low", "high", True),
        (MEDIUM, "high", "high", False),
        (LARGE, "high", None, True),
        ("magistral-small-2509", "high", None, True),
    ],
)
def test_efforts(model: str, effort: Any, sent: str | None, adjusted: bool) -> None:
    """Hybrid models know `none` and `high`; one that always thinks or never does is told nothing, the caller is."""
    request = Request("hi", reasoning_effort=effort)

    assert sent == body(request, model).get("reasoning_effort")
    assert adjusted == ("reasoning_effort" in told(request, model))


@pytest.mark.parametrize("field", ["logprobs", "logit_bias"])
def test_contracts_it_does_not_know_are_refused(field: str) -> None:
    """Before a byte leaves; `logprobs` was refused in recordings."""
    with pytest.raises(errors.UnsupportedFeatureError) as caught:
        body(Request("hi", **{field: 1 if field == "logprobs" else {"1": 2}}))

    assert field == caught.value.field


def test_temperature_is_clamped() -> None:
    """1.5 is the most, and the caller is told."""
    assert 1.5 == body(Request("hi", temperature=1.9))["temperature"]
    assert {"temperature"} == told(Request("hi", temperature=1.9))


THINKING = [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}], "signature": "s1"}]


def test_thoughts_stand_in_a_list_of_chunks_and_go_back_so() -> None:
    """Whole and streamed; the next turn has them as they came, but for a model that does not think."""
    message = {"role": "assistant", "content": [*THINKING, {"type": "text", "text": "4"}]}
    document = {"id": "c", "model": MEDIUM, "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]}
    chunks = [
        {"id": "c", "model": MEDIUM, "choices": [{"index": 0, "delta": {"content": THINKING}}]},
        {"id": "c", "choices": [{"index": 0, "delta": {"content": "4"}, "finish_reason": "stop"}]},
    ]
    whole = testing.replay("mistral", body=json.dumps(document).encode())
    streamed = testing.replay("mistral", body=stream(*chunks), stream=True, headers=SSE)
    history = [byollm.user("2+2"), whole.message, byollm.user("and?")]

    assert ("hm", "4") == (whole.reasoning, whole.text)
    assert whole.parts == streamed.parts
    assert [*THINKING, {"type": "text", "text": "4"}] == body(history)["messages"][1]["content"]
    assert "4" == body(history, LARGE)["messages"][1]["content"]


def test_foreign_thoughts_stay_out_of_models_that_do_not_think() -> None:
    """A thought of another house is no chunk for them."""
    history = [byollm.user("a"), Message("assistant", (Reasoning("hm"), Text("b"))), byollm.user("c")]

    assert "b" == body(history, LARGE)["messages"][1]["content"]


@pytest.mark.parametrize(("raw", "reason"), [("model_length", "length"), ("error", "error"), ("length", "length")])
def test_finish_reasons(raw: str, reason: str) -> None:
    """Mistral's own two words beside OpenAI's."""
    choice = {"index": 0, "message": {"role": "assistant", "content": "a"}, "finish_reason": raw}
    reply = testing.replay("mistral", body=json.dumps({"id": "c", "choices": [choice]}).encode())

    assert (reason, raw) == (reply.finish_reason, reply.raw_finish_reason)


def flat(type_: str, code: str, message: str = "no") -> dict[str, Any]:
    return {"object": "error", "message": message, "type": type_, "param": None, "code": code}


LONG = "Prompt contains 40000 tokens and 0 draft tokens, too large for model with 32768 maximum context length"
SHAPE = {"detail": [{"type": "extra_forbidden", "loc": ["body", "x"], "msg": "Extra inputs are not permitted"}]}


@pytest.mark.parametrize(
    ("status", "document", "kind"),
    [
        (400, flat("invalid_model", "1500", "Invalid model: x"), errors.ModelNotFoundError),
        (400, flat("invalid_request_message_order", "3230"), errors.InvalidRequestError),
        (400, flat("invalid_request_prompt", "3051", LONG), errors.ContextLengthError),
        (401, {"detail": "Invalid API Key"}, errors.AuthenticationError),
        (402, flat("payment_required", "1200"), errors.QuotaExhaustedError),
        (422, SHAPE, errors.InvalidRequestError),
        (429, flat("rate_limited", "1300", "Requests rate limit exceeded"), errors.RateLimitError),
        (429, flat("service_tier_capacity_exceeded", "3505"), errors.OverloadedError),
        (500, flat("internal_server_error", "1000"), errors.ServerError),
        (503, flat("overloaded", "3500"), errors.OverloadedError),
    ],
)
def test_errors(status: int, document: Any, kind: type[errors.ProviderError]) -> None:
    """Flat, as a list of places, or as a bare detail."""
    assert kind is type(refused(status, document))


def test_a_wrong_member_is_named() -> None:
    """FastAPI's list of places becomes a sentence."""
    assert "body.x: Extra inputs are not permitted" in str(refused(422, SHAPE))


def test_every_row_is_told_with_its_source() -> None:
    """And of a model in no row only what all of them share is known."""
    for model, facts in MODELS:
        known = provider.capabilities(Target(provider="mistral", model=model, endpoint=ENDPOINT, api="chat"))
        assert set(facts) <= set(known.sources), model
    new = provider.capabilities(Target(provider="mistral", model="new", endpoint=ENDPOINT, api="chat"))
    assert new.context_window is None


@pytest.mark.parametrize("model", CURRENT)
def test_the_basics_of_current_models_are_known(model: str) -> None:
    """Window, longest answer, tools, streams, schemas and temperatures."""
    known = provider.capabilities(Target(provider="mistral", model=model, endpoint=ENDPOINT, api="chat"))

    assert None not in (known.context_window, known.max_output_tokens, known.temperature_range)
    assert Support.unknown not in (known.tools, known.streaming, known.structured_output)
