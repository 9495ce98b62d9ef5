"""DeepSeek: Chat Completions by default, the Responses API by `api: responses`."""

from byollm_deepseek.plugin import DeepSeek, provider

__all__ = ["DeepSeek", "provider"]
