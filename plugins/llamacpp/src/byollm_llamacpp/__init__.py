"""llama.cpp's own server."""

from byollm_llamacpp.plugin import provider

__all__ = ["provider"]
