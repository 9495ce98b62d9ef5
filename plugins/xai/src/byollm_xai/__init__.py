"""xAI: Chat Completions by default, the Responses API by `api: responses`."""

from byollm_xai.plugin import XAI, provider

__all__ = ["XAI", "provider"]
