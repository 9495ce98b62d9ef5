"""What Azure's content filters say beside an answer."""

from __future__ import annotations

import json
from typing import Any

import pytest

from byollm import errors, testing

SAFE = {"hate": {"filtered": False, "severity": "safe"}}
HATE = {"hate": {"filtered": True, "severity": "high"}}
PROMPT = [{"prompt_index": 0, "content_filter_results": SAFE}]
FIRST = {"id": "", "model": "", "created": 0, "object": "", "choices": [], "prompt_filter_results": PROMPT}
SSE = {"content-type": "text/event-stream"}


def chunk(**choice: Any) -> dict[str, Any]:
    return {"id": "c", "model": "gpt-4o", "choices": [{"index": 0, "finish_reason": None, **choice}]}


def streamed(*chunks: Any) -> Any:
    body = b"".join(b"data: " + json.dumps(each).encode() + b"\n\n" for each in chunks)
    return testing.replay("azure", body=body + b"data: [DONE]\n\n", stream=True, headers=SSE, api="chat")


def test_the_first_chunk_reports_on_the_prompt() -> None:
    """It has no choices, id or model: the answer's own come with the next chunk, and the report is kept."""
    reply = streamed(FIRST, chunk(delta={"content": "hi"}), chunk(delta={}, finish_reason="stop"))

    assert ("hi", "stop", "gpt-4o") == (reply.text, reply.finish_reason, reply.model)
    assert {"prompt_filter_results": PROMPT} == reply.usage.details


def test_the_older_name_of_the_report() -> None:
    """`prompt_annotations`."""
    first = {"choices": [], "prompt_annotations": PROMPT}
    reply = streamed(first, chunk(delta={"content": "hi"}, finish_reason="stop"))

    assert {"prompt_filter_results": PROMPT} == reply.usage.details


def test_reports_on_the_answer_come_whenever_they_like() -> None:
    """Without `delta`, before and after the finish reason; the last one counts, and usage still comes after."""
    report = {"content_filter_results": SAFE, "content_filter_offsets": {"check_offset": 1}}
    reply = streamed(
        FIRST,
        chunk(delta={"content": "hi"}),
        chunk(**report),
        chunk(delta={}, finish_reason="stop"),
        chunk(**{**report, "content_filter_results": HATE}),
        {"id": "c", "choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4}},
    )

    assert ("hi", "stop", 3, 1) == (
        reply.text, reply.finish_reason, reply.usage.input_tokens, reply.usage.output_tokens,
    )  # fmt: skip
    assert {"prompt_filter_results": PROMPT, "content_filter_results": HATE} == reply.usage.details


def test_a_document_tells_the_same_as_a_stream() -> None:
    """Both reports, and an answer that the filter ended shows as such."""
    choice = {"index": 0, "finish_reason": "content_filter", "content_filter_results": HATE}
    document = {"id": "c", "model": "m", "choices": [{**choice, "message": {"role": "assistant", "content": "I"}}]}
    whole = testing.replay("azure", body=json.dumps({**document, "prompt_filter_results": PROMPT}).encode(), api="chat")
    cut = streamed(FIRST, chunk(delta={"content": "I"}), chunk(delta={}, **{**choice, "index": 0}))

    assert "content_filter" == whole.finish_reason == cut.finish_reason
    assert whole.usage.details == cut.usage.details
    assert HATE == (whole.usage.details or {})["content_filter_results"]


def test_a_filtered_answer_may_have_no_message() -> None:
    """Nothing but the reason."""
    choice = {"index": 0, "finish_reason": "content_filter", "logprobs": None, "content_filter_results": HATE}
    body = json.dumps({"id": "c", "model": "m", "object": "chat.completion", "choices": [choice]}).encode()
    reply = testing.replay("azure", body=body, api="chat")

    assert ("", "content_filter") == (reply.text, reply.finish_reason)


def test_a_refused_prompt_inside_a_200() -> None:
    """The class its status would have given."""
    error = {"code": "content_filter", "status": 400, "message": "The response was filtered", "innererror": {}}
    with pytest.raises(errors.ContentFilterError):
        testing.replay("azure", body=json.dumps({"error": error}).encode(), api="chat")


@pytest.mark.parametrize("report", [1, "x", [], {}, None])
def test_a_report_of_another_shape_changes_nothing(report: Any) -> None:
    """The answer is what counts."""
    reply = streamed({**FIRST, "prompt_filter_results": report}, chunk(delta={"content": "hi"}, finish_reason="stop"))

    assert "hi" == reply.text
