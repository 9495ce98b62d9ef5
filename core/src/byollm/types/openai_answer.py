"""An answer as an OpenAI Chat Completions document."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from byollm.types.completion import Completion
from byollm.types.parts import Citation, Image, Opaque, Part


def completion_to_openai(completion: Completion) -> dict[str, Any]:
    """An answer as a Chat Completions document.

    `created` is 0: byollm keeps no such time. finish_reason is OpenAI's word where there is one; `error` and `other`,
    which OpenAI has no words for, stay as they are. A partial answer has null. A refusal is `stop` with a `refusal`.
    """
    message = _answer_message(completion)
    finish = completion.finish_reason
    document: dict[str, Any] = {
        "id": completion.id or completion.request_id or "",
        "object": "chat.completion",
        "created": 0,
        "model": completion.model or "",
        "choices": [
            {
                "index": 0,
                "message": message,
                "finish_reason": "stop" if finish == "refusal" else finish,
                "logprobs": None,
            }
        ],
    }
    usage = _usage(completion)
    return {**document, "usage": usage} if usage else document


def _answer_message(completion: Completion) -> dict[str, Any]:
    parts, refused = completion.parts, _refusal(completion.parts)
    if completion.finish_reason == "refusal" and refused is None:
        refused = completion.text
    spoken = None if refused is not None and completion.finish_reason == "refusal" else completion.text
    message: dict[str, Any] = {"role": "assistant", "content": spoken or (None if completion.tool_calls else spoken)}
    message["refusal"] = refused
    if completion.reasoning:
        message["reasoning_content"] = completion.reasoning
    if completion.tool_calls:
        message["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in completion.tool_calls
        ]
    annotations = [_annotation(part) for part in parts if isinstance(part, Citation) and part.url]
    if annotations:
        message["annotations"] = annotations
    images = [part.media.data_uri for part in parts if isinstance(part, Image)]
    if images:
        message["images"] = [{"type": "image_url", "image_url": {"url": url}} for url in images]
    return message


def _refusal(parts: Iterable[Part]) -> str | None:
    texts = [str(part.data["refusal"]) for part in parts if isinstance(part, Opaque) and _has_refusal(part.data)]
    return "".join(texts) if texts else None


def _has_refusal(data: Any) -> bool:
    return isinstance(data, Mapping) and isinstance(data.get("refusal"), str)


def _annotation(part: Citation) -> dict[str, Any]:
    place = {"start_index": part.start or 0, "end_index": part.end or 0}
    return {"type": "url_citation", "url_citation": {"url": part.url, "title": part.title or "", **place}}


def _usage(completion: Completion) -> dict[str, Any]:
    usage = completion.usage
    if usage.input_tokens is None or usage.output_tokens is None:
        return {}
    into = {"cached_tokens": usage.cached_tokens, "cache_write_tokens": usage.cache_write_tokens}
    out = {"reasoning_tokens": usage.reasoning_tokens}
    return {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.input_tokens + usage.output_tokens,
        "prompt_tokens_details": {name: number for name, number in into.items() if number is not None},
        "completion_tokens_details": {name: number for name, number in out.items() if number is not None},
    }
