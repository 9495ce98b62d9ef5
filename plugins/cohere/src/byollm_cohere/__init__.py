"""Cohere: the Chat API, version 2."""

from byollm_cohere.plugin import provider

__all__ = ["provider"]
