"""What the models of Baseten's Model APIs take, by exact name, and names that are gone.

Source: litellm 1.109.0's model table, read 2026-11-21. A dedicated deployment runs whatever its owner put there, so
none of this is said of one.
"""

from __future__ import annotations

from typing import Any, Final

from byollm.plugin import ModelNote

MILLION: Final = 1_048_576
_CALLS: Final = dict.fromkeys(("tools", "tool_choice_required", "tool_choice_named", "reasoning"), "full")


def _row(window: int, output: int, *, sees: bool | None = True, schema: bool = True) -> dict[str, Any]:
    found = {"context_window": window, "max_output_tokens": output, **_CALLS}
    found["structured_output"] = "partial" if schema else "unsupported"
    return found if sees is None else {**found, "images": "partial" if sees else "unsupported"}


MODELS: Final[dict[str, dict[str, Any]]] = {
    **dict.fromkeys(
        ("zai-org/GLM-5.2", "zai-org/GLM-5.2-Fast", "zai-org/GLM-5.3", "zai-org/GLM-5.3-Fast", "moonshotai/Kimi-K3"),
        _row(MILLION, 262_144),
    ),
    "zai-org/GLM-5.3-Flash": _row(MILLION, 131_072),
    **dict.fromkeys(
        (
            "deepseek-ai/DeepSeek-V4.1-Flash",
            "deepseek-ai/DeepSeek-V4.1-Flash-1017",
            "deepseek-ai/DeepSeek-V4.1-Flash-1017-Fast",
        ),
        _row(MILLION, 262_144),
    ),
    "deepseek-ai/DeepSeek-V4.1-Flash-Fast": _row(MILLION, 131_072),
    "deepseek-ai/DeepSeek-V4-Flash-0731": _row(MILLION, 384_000, sees=False),
    "deepseek-ai/DeepSeek-V4-Pro-0813": _row(MILLION, 262_144, sees=False),
    "openai/gpt-oss-120b": _row(128_072, 128_072, sees=False),
    "nvidia/NVIDIA-Nemotron-3-Ultra-550B-A55B": _row(202_800, 202_800, sees=False),
    "nvidia/NVIDIA-Nemotron-3.5-Super-VL-120B-A12B": _row(MILLION, MILLION),
    "meta-models/muse-spark-open": {**_row(MILLION, MILLION, schema=False), "audio": "full"},
    "reflection/Beam-1.0": _row(MILLION, 131_072, sees=None),
}
"""By name. Whether a schema is enforced is told nowhere: `partial`, and the answer is checked."""

GONE: Final = "2026-10-16"

_REPLACED: Final = {
    "zai-org/GLM-5.3": ("zai-org/GLM-5", "zai-org/GLM-4.7", "zai-org/GLM-4.6"),
    "moonshotai/Kimi-K3": (
        "moonshotai/Kimi-K2.7-Code",
        "moonshotai/Kimi-K2.6",
        "moonshotai/Kimi-K2.5",
        "moonshotai/Kimi-K2-Thinking",
        "moonshotai/Kimi-K2-Instruct-0905",
    ),
    "deepseek-ai/DeepSeek-V4-Pro-0813": (
        "deepseek-ai/DeepSeek-V4-Pro",
        "deepseek-ai/DeepSeek-V3.1",
        "deepseek-ai/DeepSeek-V3-0324",
    ),
    "nvidia/NVIDIA-Nemotron-3.5-Super-VL-120B-A12B": ("nvidia/Nemotron-120B-A12B",),
}
_WITHOUT_KIN: Final = ("MiniMaxAI/MiniMax-M2.5", "thinkingmachines/inkling", "thinkingmachines/inkling-small")

NOTES: Final[dict[str, ModelNote]] = {
    **{name: ModelNote(GONE, later) for later, names in _REPLACED.items() for name in names},
    **dict.fromkeys(_WITHOUT_KIN, ModelNote(GONE)),
}
"""Names that litellm 1.109.0 calls retired, with its date. The replacement is our suggestion: the nearest of kin."""
