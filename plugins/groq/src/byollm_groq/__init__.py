"""Groq: Chat Completions by default, the Responses API by `api: responses`."""

from byollm_groq.plugin import Groq, provider

__all__ = ["Groq", "provider"]
