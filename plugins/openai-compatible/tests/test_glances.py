"""What is read in one glance is what the careful reading comes to."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from byollm.errors import ProviderError
from byollm.plugin import Frame, Head
from byollm_openai_compatible.chat_reader import ChatReader
from byollm_openai_compatible.profile import Quirks

PLAIN: dict[str, Any] = {
    "id": "c1",
    "object": "chat.completion",
    "model": "m",
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": "Hello", "refusal": None, "annotations": []},
            "logprobs": None,
            "finish_reason": "stop",
        }
    ],
    "usage": {"prompt_tokens": 3, "completion_tokens": 5, "total_tokens": 8},
}
ODD: st.SearchStrategy[Any] = st.sampled_from(
    [
        None, "", "x", 0, 1, 7.0, True, [], {}, ["x"], [{}], [{"type": "text", "text": "t"}], {"message": "no"},
        {"prompt_tokens": 1}, [{"index": 1, "message": {"content": "b"}}], "stop", "length", "content_filter",
        [{"id": "a", "function": {"name": "f", "arguments": "{}"}}], "<think>a</think>b",
    ]
)  # fmt: skip
PLACES = [
    ("id",), ("model",), ("object",), ("choices",), ("usage",), ("error",), ("citations",), ("service_tier",),
    ("choices", 0, "index"), ("choices", 0, "message"), ("choices", 0, "delta"), ("choices", 0, "finish_reason"),
    ("choices", 0, "error"), ("choices", 0, "usage"), ("choices", 0, "message", "content"),
    ("choices", 0, "message", "role"), ("choices", 0, "message", "refusal"), ("choices", 0, "message", "tool_calls"),
    ("choices", 0, "message", "reasoning"), ("choices", 0, "message", "annotations"),
    ("choices", 0, "message", "function_call"), ("choices", 0, "message", "audio"), ("usage", "prompt_tokens"),
]  # fmt: skip
CHANGES = st.lists(st.tuples(st.sampled_from(PLACES), ODD | st.just(...)), max_size=3)
QUIRKS = [Quirks(), Quirks(think_tags=True), Quirks(usage_ends_stream=True), Quirks(reasoning_outside_usage=True)]


def changed(document: Any, place: tuple[Any, ...], value: Any) -> Any:
    """A copy with another value in one place; without the place where the value is `...`."""
    first, *rest = place
    if isinstance(document, list) and first == 0:
        return [changed(document[0], tuple(rest), value), *document[1:]] if document else document
    if not isinstance(document, dict):
        return document
    if rest:
        return {**document, first: changed(document[first], tuple(rest), value)} if first in document else document
    return {
        **{name: item for name, item in document.items() if name != first},
        **({} if value is ... else {first: value}),
    }


def outcome(content_type: str, document: Any, quirks: Quirks) -> Any:
    """Events, or the error; only an answer that says it is JSON is glanced at."""
    try:
        events = list(ChatReader(quirks, "acme", Head(200, {"content-type": content_type})).read(Frame("", document)))
    except ProviderError as error:
        return type(error), error.message
    return events


def with_choice(document: Any) -> bool:
    """Without a choice the content type itself decides what an answer is."""
    return isinstance(document, dict) and bool(document.get("choices"))


@settings(max_examples=400)
@given(CHANGES, st.sampled_from(QUIRKS))
def test_a_glance_comes_to_what_careful_reading_comes_to(changes: list[Any], quirks: Quirks):
    """For any document around the usual one: the same events, or the same error."""
    document: Any = PLAIN
    for place, value in changes:
        document = changed(document, place, value)

    if with_choice(document):
        assert outcome("", document, quirks) == outcome("application/json", document, quirks)


CHUNK: dict[str, Any] = {
    "id": "c1",
    "model": "m",
    "choices": [{"index": 0, "delta": {"role": "assistant", "content": "lo"}, "finish_reason": None}],
    "usage": None,
}


def streamed(document: Any, quirks: Quirks, *, careful: bool) -> Any:
    """What a chunk adds to an answer that has begun."""
    reader = ChatReader(quirks, "acme", Head(200, {"content-type": "text/event-stream"}))
    try:
        begun = list(reader.read(Frame("", CHUNK)))
        reader._running = reader._running and not careful
        return [*begun, *reader.read(Frame("", document))]
    except ProviderError as error:
        return type(error), error.message


@settings(max_examples=400)
@given(CHANGES, st.sampled_from(QUIRKS))
def test_a_glance_at_a_chunk_comes_to_the_same(changes: list[Any], quirks: Quirks):
    """For any chunk around the usual one: the same events, or the same error."""
    document: Any = CHUNK
    for place, value in changes:
        document = changed(document, (*place[:2], "delta", *place[3:]) if "message" in place else place, value)

    assert streamed(document, quirks, careful=True) == streamed(document, quirks, careful=False)


def test_the_usual_answer_needs_no_second_look(monkeypatch: Any):
    """Text, its reason and its usage: the careful reading is not asked."""
    monkeypatch.setattr(ChatReader, "_any", lambda *_: [])

    assert 4 == len(outcome("application/json", PLAIN, Quirks()))
