"""Ollama: its native chat by default."""

from byollm_ollama.plugin import provider

__all__ = ["provider"]
