"""The recorded traffic of this dialect, of AI Studio and of Vertex: every answer is read, whole and in pieces.

Expected values come from google-genai's own types, fed with the same bytes.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from functools import cache
from typing import Any

from google.genai import types
from google_driving import Recording, completion, failed, recordings

from byollm.plugin import Frame, Head
from byollm_google.dialect import count_reader

NUMBERS = "enum-encoding"
"""In the query of answers whose enums are numbers: the SDK's types read none of them, the replay lane judges them."""


@cache
def everything() -> list[Recording]:
    return list(recordings())


def answers() -> Iterator[Recording]:
    """Answers with status 200; creating a cached content is another endpoint that the recorder named wrongly."""
    for recording in everything():
        asked = recording.verb in ("generateContent", "streamGenerateContent") and recording.status == 200
        if asked and b'"cachedContents/' not in recording.answer[:200]:
            yield recording


def read(recording: Recording, *pieces: bytes) -> Any:
    return completion(pieces or recording.answer, stream=recording.streamed)


def chunks(recording: Recording) -> list[dict[str, Any]]:
    if recording.streamed:
        lines = recording.answer.decode().splitlines()
        return [json.loads(line[5:]) for line in lines if line.startswith("data:")]
    found = json.loads(recording.answer)
    return found if isinstance(found, list) else [found]


def expected(recording: Recording) -> dict[str, Any]:
    """Text, thoughts, calls, reason and counts, as the SDK's types hold them."""
    parts: list[Any] = []
    counts: dict[str, Any] = {}
    reason: Any = None
    for chunk in chunks(recording):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # enums that the SDK does not know yet
            response = types.GenerateContentResponse._from_response(response=chunk, kwargs={})
        for candidate in response.candidates or []:
            parts += (candidate.content and candidate.content.parts) or []
            reason = candidate.finish_reason or reason
        if response.prompt_feedback and response.prompt_feedback.block_reason and not response.candidates:
            reason = response.prompt_feedback.block_reason
        told = response.usage_metadata.model_dump(exclude_none=True) if response.usage_metadata else {}
        counts.update(told)
    used = counts.get("tool_use_prompt_token_count") or 0
    answered = (counts.get("candidates_token_count") or 0) + (counts.get("thoughts_token_count") or 0)
    return {
        "text": "".join(part.text for part in parts if part.text and not part.thought),
        "reasoning": "".join(part.text for part in parts if part.text and part.thought),
        "calls": [(part.function_call.name, part.function_call.args or {}) for part in parts if part.function_call],
        "reason": str(getattr(reason, "value", reason)),
        "input": counts["prompt_token_count"] + used if "prompt_token_count" in counts else None,
        "output": answered or None,
        "cached": counts.get("cached_content_token_count"),
    }


def told(reply: Any) -> dict[str, Any]:
    """The same, out of our completion."""
    return {
        "text": reply.text,
        "reasoning": reply.reasoning,
        "calls": [(call.name, call.args) for call in reply.tool_calls],
        "reason": str(reply.raw_finish_reason),
        "input": reply.usage.input_tokens,
        "output": reply.usage.output_tokens or None,
        "cached": reply.usage.cached_tokens,
    }


def test_every_recorded_answer_is_what_the_vendors_types_hold():
    """Text, thought, calls, reason and usage of every answer with status 200 whose enums are words."""
    worded = [recording for recording in answers() if NUMBERS not in recording.query]
    found = {recording.name: (expected(recording), told(read(recording))) for recording in worded}

    assert {} == {name: pair for name, pair in found.items() if pair[0] != pair[1]}
    assert len(found) >= 285


def test_numbers_for_enums_are_read():
    """`enum-encoding=int`: every such answer has a finish reason that is known."""
    found = [read(recording) for recording in answers() if NUMBERS in recording.query]

    assert {"stop", "tool_calls", "length"} >= {reply.finish_reason for reply in found}
    assert len(found) >= 9


def test_every_cut_of_a_recorded_stream_is_the_same_answer():
    """Byte by byte, and in pieces of seven and of a thousand."""
    found = 0
    for recording in answers():
        if recording.streamed and len(recording.answer) < 60_000:
            whole, body = read(recording), recording.answer
            for size in (1, 7, 1000):
                pieces = [body[at : at + size] for at in range(0, len(body), size)]
                again = read(recording, *pieces)
                assert (whole.parts, whole.finish_reason, whole.usage) == (
                    again.parts,
                    again.finish_reason,
                    again.usage,
                )
            found += 1
    assert found >= 50


def test_recorded_signatures_are_kept_byte_exact():
    """Every thought signature of an answer stands in the state of a part, as it came."""
    found = 0
    for recording in answers():
        sent = [
            part["thoughtSignature"]
            for chunk in chunks(recording)
            for candidate in chunk.get("candidates") or ()
            for part in (candidate.get("content") or {}).get("parts") or ()
            if part.get("thoughtSignature")
        ]
        states = [getattr(part, "state", part) for part in read(recording).parts]
        kept = [state.data["thoughtSignature"] for state in states if state and "thoughtSignature" in state.data]
        assert sent == kept, recording.name
        found += len(sent)
    assert found >= 100


def test_every_recorded_error_has_the_class_of_its_case():
    """400 invalid or a key, 403 permission, 404 model, 429 rate: none is left to the status alone."""
    names = {
        400: {"InvalidRequestError", "AuthenticationError"},
        403: {"PermissionDeniedError"},
        404: {"ModelNotFoundError"},
        429: {"RateLimitError"},
    }
    seen: set[str] = set()
    for recording in everything():
        if recording.status in names and recording.answer.lstrip()[:1] in (b"{", b"["):
            kind = type(failed(recording.status, json.loads(recording.answer))).__name__
            assert kind in names[recording.status], recording.name
            seen.add(kind)
    assert set().union(*names.values()) == seen


def test_every_recorded_count_is_read():
    """The figure is the recorded one, and exact."""
    found = [recording for recording in everything() if recording.verb == "countTokens" and recording.status == 200]

    for recording in found:
        document = json.loads(recording.answer)
        (count,) = count_reader(Head(200, {}))(Frame("", document))
        assert (count.tokens, count.exactness) == (document["totalTokens"], "exact")
    assert len(found) == 13
