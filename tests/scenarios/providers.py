"""Every provider of this repository and the twin that stands for it: what a file says of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from byollm_sandbox import Twins


class Stand(NamedTuple):
    """One provider: its twin's dialect (`custom` tolerates what other servers of OpenAI's do), model, further keys."""

    provider: str
    dialect: str
    model: str
    keys: Mapping[str, Any] = {}

    def target(self, twin: Twins, key: str, name: str = "default") -> dict[str, Any]:
        """What the file says of it; `name` is the twin's upstream."""
        endpoint = twin.url(self.dialect, name)
        named = {"provider": self.provider, "model": self.model, "endpoint": endpoint, "proxy": "none"}
        return {**named, "api_key": key, **self.keys}


STANDS: Final[Mapping[str, Stand]] = {
    "custom": Stand("custom", "custom", "a-model"),
    "openai": Stand("openai", "openai-responses", "gpt-6-sol"),
    "openai-chat": Stand("openai", "openai-chat", "gpt-4.1", {"api": "chat"}),
    "anthropic": Stand("anthropic", "anthropic-messages", "claude-opus-5"),
    "google": Stand("google", "gemini", "gemini-3.8-flash"),
    "vertex": Stand(
        "vertex", "gemini", "gemini-3.8-flash", {"project": "p1", "region": "global", "authentication": "bearer-token"}
    ),
    "azure": Stand("azure", "azure-responses", "gpt-4.1"),
    "azure-classic": Stand("azure", "azure-chat", "gpt-4.1", {"api": "chat", "api_version": "2024-10-21"}),
    "bedrock": Stand("bedrock", "bedrock-converse", "us.anthropic.claude-haiku-4-5-20251001-v1:0"),
    "bedrock-invoke": Stand(
        "bedrock", "bedrock-invoke", "us.anthropic.claude-haiku-4-5-20251001-v1:0", {"api": "invoke"}
    ),
    "groq": Stand("groq", "custom", "openai/gpt-oss-120b"),
    "baseten": Stand("baseten", "custom", "zai-org/GLM-5.3", {"authentication": "bearer-token"}),
    "mistral": Stand("mistral", "mistral-chat", "mistral-medium-latest"),
    "cohere": Stand("cohere", "cohere-chat", "command-a-plus-05-2026"),
    "deepseek": Stand("deepseek", "custom", "deepseek-v4-flash"),
    "xai": Stand("xai", "custom", "grok-4.3"),
    "openrouter": Stand("openrouter", "custom", "anthropic/claude-sonnet-4.6"),
    "together": Stand("together", "custom", "openai/gpt-oss-120b"),
    "fireworks": Stand("fireworks", "custom", "accounts/fireworks/models/kimi-k3"),
    "ollama": Stand("ollama", "ollama", "qwen3:8b"),
    "vllm": Stand("vllm", "custom", "a-model"),
    "llamacpp": Stand("llamacpp", "custom", "a-model"),
    "lmstudio": Stand("lmstudio", "custom", "a-model"),
    "tgi": Stand("tgi", "custom", "tgi"),
}
"""By the name that a file gives the deployment."""
