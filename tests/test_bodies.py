"""Bodies for servers that speak somebody else's wire: allowed by the wire's owner, but for the server's own words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import ollama._types
import pytest
from anthropic import types as claude
from openai.types import chat, responses, shared_params
from openai.types.chat import completion_create_params
from openai.types.responses import response_create_params
from pydantic import BaseModel, TypeAdapter, ValidationError

from byollm_conformance.bodies import FIELDS, bodies, consumed, forbid_unknown, without

forbid_unknown(completion_create_params, response_create_params, chat, responses, shared_params)
forbid_unknown(claude, claude.message_create_params)
BODY: dict[str, TypeAdapter[Any]] = {
    "chat": TypeAdapter(completion_create_params.CompletionCreateParams),
    "responses": TypeAdapter(response_create_params.ResponseCreateParams),
    "messages": TypeAdapter(claude.message_create_params.MessageCreateParams),
}
OWN: dict[str, dict[str, Any]] = {
    "baseten": {"top_k": int, "chat_template_args": dict},
    "vllm": {"top_k": int, "chat_template_kwargs": dict, "continue_final_message": bool, "add_generation_prompt": bool},
    "llamacpp": {"top_k": int, "chat_template_kwargs": dict, "cache_prompt": bool},
    "lmstudio": {"top_k": int},
    "tgi": {"top_k": int},
    "ollama": {"top_k": int},
}
"""Members beside OpenAI's, with their types."""
SAMPLING: dict[str, Any] = {"temperature": int | float, "top_p": int | float, "top_k": int}
"""Members of Messages that Anthropic's types of 2026-11 do not name any more; servers of other models take them."""
OF_TURNS = {"reasoning", "reasoning_content"}
"""Members of a turn beside OpenAI's, all of them texts."""
SURFACES = [
    ("baseten", "chat"),
    *[(name, api) for name in ("vllm", "llamacpp", "lmstudio", "ollama") for api in ("chat", "responses", "messages")],
    ("tgi", "chat"),
]
surfaces = pytest.mark.parametrize(("provider", "api"), SURFACES)


def plain(provider: str, api: str, body: dict[str, Any]) -> dict[str, Any]:
    """The body without the server's own members, whose types are checked here."""
    if api == "messages":
        for name in SAMPLING.keys() & body.keys():
            assert isinstance(body[name], SAMPLING[name]), name
        return {name: value for name, value in body.items() if name not in SAMPLING}
    kept = without(body, OWN[provider], OF_TURNS)
    return kept if api == "chat" else {**kept, "input": [_silent(item) for item in kept["input"]]}


def _silent(item: dict[str, Any]) -> dict[str, Any]:
    """An item of Responses without sounds: servers take `input_audio` there, OpenAI's types do not name it."""
    if not isinstance(item.get("content"), list):
        return item
    sounds = [part for part in item["content"] if part.get("type") == "input_audio"]
    assert all({"data", "format"} == part["input_audio"].keys() for part in sounds)
    return {**item, "content": [part for part in item["content"] if part not in sounds]}


@surfaces
def test_every_body_is_allowed(provider: str, api: str) -> None:
    """Each value of each parameter with each value of every other; at least two hundred bodies."""
    count = 0
    for first in FIELDS:
        for made in bodies(provider, ("qwen3",), first, api=api):
            consumed(BODY[api].validate_python(plain(provider, api, made.body)))
            count += 1

    assert count >= 200


def unknown(value: Any, kind: type[BaseModel], at: str = "") -> Iterator[str]:
    """Members that Ollama's own types do not name."""
    yield from (f"{at}.{name}" for name in value.keys() - kind.model_fields.keys())
    inner: dict[str, Any] = {"messages": ollama._types.Message, "options": ollama._types.Options}
    for name, found in inner.items():
        if name in value and name in kind.model_fields:
            for item in value[name] if isinstance(value[name], list) else [value[name]]:
                yield from unknown(item, found, f"{at}.{name}")


OF_OLLAMA = {".truncate", ".shift", ".messages.tool_call_id"}
"""What Ollama's server takes and its Python types do not name (docs/api.md, read on 2026-11-21)."""


def test_ollamas_own_bodies_are_allowed() -> None:
    """The native surface, by Ollama's own types; they ignore what they do not know, so its names are compared."""
    count = 0
    for first in FIELDS:
        for made in bodies("ollama", ("qwen3",), first, api="native"):
            ollama._types.ChatRequest.model_validate(made.body)
            assert not set(unknown(made.body, ollama._types.ChatRequest)) - OF_OLLAMA
            count += 1

    assert count >= 200


def test_the_judges_are_strict() -> None:
    """Unknown members and wrong types are found."""
    right = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}
    consumed(BODY["chat"].validate_python(right))

    for wrong in ({"colour": 1}, {"temperature": "hot"}, {"messages": [{"role": "user", "colour": "a"}]}):
        with pytest.raises(ValidationError):
            consumed(BODY["chat"].validate_python({**right, **wrong}))
    block = {"type": "text", "text": "a", "hue": 2}
    unnamed: list[dict[str, Any]] = [{"seed": 1}, {"messages": [{"role": "user", "content": [block]}]}]
    for more in unnamed:
        with pytest.raises(ValueError, match=r"hue|seed"):
            consumed(BODY["messages"].validate_python({**right, "max_tokens": 5, **more}))
    assert {".colour", ".options.hue"} == set(unknown({"colour": 1, "options": {"hue": 2}}, ollama._types.ChatRequest))
