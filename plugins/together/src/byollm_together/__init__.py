"""Together AI: Chat Completions."""

from byollm_together.plugin import Together, provider

__all__ = ["Together", "provider"]
