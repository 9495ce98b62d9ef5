"""Vertex AI for byollm: Gemini and Claude on Google Cloud. `provider` is what the entry point names."""

from byollm_vertex.plugin import Vertex

provider = Vertex()

__all__ = ["Vertex", "provider"]
