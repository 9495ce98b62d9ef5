"""Mistral: Chat Completions in Mistral's own dialect."""

from byollm_mistral.plugin import Mistral, provider

__all__ = ["Mistral", "provider"]
