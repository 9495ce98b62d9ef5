"""OpenAI: the Responses API by default, Chat Completions by `api: chat`."""

from byollm_openai.plugin import OpenAI, provider

__all__ = ["OpenAI", "provider"]
