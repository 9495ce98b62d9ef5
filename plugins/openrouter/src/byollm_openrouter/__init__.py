"""OpenRouter: Chat Completions by default, the Responses API by `api: responses`."""

from byollm_openrouter.plugin import OpenRouter, provider

__all__ = ["OpenRouter", "provider"]
