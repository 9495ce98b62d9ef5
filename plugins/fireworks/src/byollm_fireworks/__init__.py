"""Fireworks AI: Chat Completions."""

from byollm_fireworks.plugin import Fireworks, provider

__all__ = ["Fireworks", "provider"]
