"""The dialects that have a twin, and where others are found.

Other distributions bring theirs by an entry point of the group `byollm.dialects`: a class with the methods of
`byollm_sandbox.dialects.Dialect`, under the dialect's name, made without arguments.
"""

from __future__ import annotations

import difflib
from functools import lru_cache
from importlib.metadata import entry_points

from byollm_sandbox.dialects.anthropic_messages import AnthropicMessages
from byollm_sandbox.dialects.azure import AzureChat, AzureResponses
from byollm_sandbox.dialects.base import Call, Dialect, Prompt, Rejection, ToolOffer
from byollm_sandbox.dialects.bedrock_converse import BedrockConverse
from byollm_sandbox.dialects.bedrock_invoke import BedrockInvoke
from byollm_sandbox.dialects.cohere_chat import CohereChat
from byollm_sandbox.dialects.gemini import Gemini
from byollm_sandbox.dialects.mistral_chat import MistralChat
from byollm_sandbox.dialects.ollama import Ollama
from byollm_sandbox.dialects.openai_chat import OpenAIChat
from byollm_sandbox.dialects.openai_responses import OpenAIResponses

ALIASES = {
    "custom": "openai-chat",
    "chat": "openai-chat",
    "responses": "openai-responses",
    "messages": "anthropic-messages",
}
"""Other words for a dialect."""


_broken: dict[str, str] = {}


@lru_cache(maxsize=1)
def dialects() -> dict[str, Dialect]:
    """All dialects by name: those of this package, then what others bring."""
    own: tuple[Dialect, ...] = (
        OpenAIChat(),
        OpenAIResponses(),
        AnthropicMessages(),
        Gemini(),
        Ollama(),
        MistralChat(),
        CohereChat(),
        BedrockConverse(),
        BedrockInvoke(),
        AzureChat(),
        AzureResponses(),
    )
    found = {dialect.name: dialect for dialect in own}
    for entry in entry_points(group="byollm.dialects"):
        if entry.name in found:
            continue
        try:
            made = entry.load()()
            if hasattr(made, "document"):  # else the other end of a wire for conformance: no server can be made of it
                found[entry.name] = made
        except Exception as error:  # a broken distribution breaks its own dialect only
            _broken[entry.name] = f"{type(error).__name__}: {error}"
    return found


def dialect_named(name: str) -> Dialect:
    """The dialect of that name or alias. Raises ValueError naming the nearest."""
    known = dialects()
    canonical = ALIASES.get(name, name)
    if canonical in known:
        return known[canonical]
    if canonical in _broken:
        raise ValueError(f"the dialect {name!r} could not be loaded: {_broken[canonical]}")
    near = difflib.get_close_matches(name, [*known, *ALIASES], n=1, cutoff=0.4)
    hint = f"; did you mean {near[0]!r}?" if near else ""
    raise ValueError(f"no twin speaks {name!r}{hint} Known: {', '.join(known)}")


__all__ = [
    "ALIASES",
    "AnthropicMessages",
    "AzureChat",
    "AzureResponses",
    "BedrockConverse",
    "BedrockInvoke",
    "Call",
    "CohereChat",
    "Dialect",
    "Gemini",
    "MistralChat",
    "Ollama",
    "OpenAIChat",
    "OpenAIResponses",
    "Prompt",
    "Rejection",
    "ToolOffer",
    "dialect_named",
    "dialects",
]
