"""InvokeModel: a request into the body that the model's own family wants.

Claude gets a Messages body (its owner's), Nova the body of Converse, the older families a text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from byollm.plugin import Message, Opaque, Reasoning, Request, Text, UnsupportedFeatureError
from byollm_anthropic import dialect as claude
from byollm_bedrock.body import Built, build_body
from byollm_bedrock.model_ids import ModelId
from byollm_bedrock.notes import Notes
from byollm_bedrock.state import INVOKE, PROVIDER, Home
from byollm_bedrock.text_families import TextFamily, text_family

VERSION: Final = "bedrock-2023-05-31"
"""`anthropic_version`; the API's second version is answered with "Invalid API version" (wire facts, 2026-11-21)."""
_NOVA: Final = "amazon.nova"
_NOVA_KEYS: Final = ("messages", "system", "inferenceConfig", "toolConfig")


def claude_host(options: Mapping[str, Any]) -> claude.Host:
    """Claude's dialect as InvokeModel speaks it: model and stream in the path, version and betas in the body."""
    return claude.Host(
        provider=PROVIDER,
        transport=INVOKE,
        version_in_body=VERSION,
        model_in_body=False,
        stream_in_body=False,
        betas=tuple(sorted(set(options.get("betas") or ()))),
        betas_in_body=True,
        geo=False,
    )


def invoke_body(request: Request, model: ModelId, options: Mapping[str, Any]) -> Built:
    """The body for one model. Raises UnsupportedFeatureError for what the family cannot be asked.

    A model that nobody knows, or that hides behind an ARN, is asked as Claude is: most of what is invoked is one.
    """
    family = text_family(model.base)
    if family is not None:
        if request.stream and not family.streams:
            raise UnsupportedFeatureError("this family does not stream; nothing was sent", field="stream")
        return _text_body(request, family)
    if model.base.startswith(_NOVA):
        made = build_body(request, model, options, Home(INVOKE))
        body = {key: value for key, value in made.body.items() if key in _NOVA_KEYS}
        return Built({"schemaVersion": "messages-v1", **body}, made.adjustments, made.names)
    built = claude.build_body(request, model.base or model.given, claude_host(options))
    return Built(built.body, built.adjustments, built.names)


def _text_body(request: Request, family: TextFamily) -> Built:
    notes = Notes()
    body: dict[str, Any] = dict(family.always)
    texts = [(message.role, _text(message)) for message in request.conversation]
    if family.name == "cohere.command-r":
        _chat(body, texts)
    else:
        body[family.prompt] = _prompt(texts, family)
    if request.max_tokens is None and family.default_max_tokens is not None:
        _put(body, family.fields["max_tokens"], family.default_max_tokens)
    for field in (
        "max_tokens",
        "temperature",
        "top_p",
        "top_k",
        "stop",
        "seed",
        "frequency_penalty",
        "presence_penalty",
    ):
        value = getattr(request, field)
        if value is None:
            continue
        if field in family.fields:
            _put(body, family.fields[field], list(value) if field == "stop" else value)
        else:
            notes.add(field, "dropped", "the model takes no such parameter", value)
    body.update((request.extra or {}).get(PROVIDER, {}))
    return Built(body, tuple(notes), {})


def _text(message: Message) -> str:
    for part in message.parts:
        if not isinstance(part, Text | Reasoning | Opaque):
            what = type(part).__name__.lower()
            raise UnsupportedFeatureError(f"this model reads text, no {what}; nothing was sent", field="messages")
    return message.text


def _prompt(texts: Sequence[tuple[str, str]], family: TextFamily) -> str:
    if family.plain and len(texts) == 1 and texts[0][0] == "user":
        return texts[0][1]
    roles = {"system": 0, "developer": 0, "user": 1, "tool": 1, "assistant": 2}
    said = "".join(family.turns[roles[role]].format(text) for role, text in texts)
    return f"{family.beginning}{said}{family.ending}"


def _chat(body: dict[str, Any], texts: Sequence[tuple[str, str]]) -> None:
    """Command R takes one message, a preamble, and the turns before."""
    system = "\n\n".join(text for role, text in texts if role in ("system", "developer"))
    turns = [(role, text) for role, text in texts if role not in ("system", "developer")]
    if not turns or turns[-1][0] == "assistant":
        raise UnsupportedFeatureError("this model answers a user's message only; nothing was sent", field="messages")
    body["message"] = turns.pop()[1]
    if system:
        body["preamble"] = system
    if turns:
        body["chat_history"] = [
            {"role": "CHATBOT" if role == "assistant" else "USER", "message": text} for role, text in turns
        ]


def _put(body: dict[str, Any], path: str, value: Any) -> None:
    *outer, last = path.split(".")
    for name in outer:
        body = body.setdefault(name, {})
    body[last] = value
