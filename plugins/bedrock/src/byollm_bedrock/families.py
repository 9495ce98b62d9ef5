"""What each family takes on Converse, as data. Claude's rows are their owner's (`byollm_anthropic`).

One row a family; a model id finds the row whose name its own begins with, the longest first. Limits are tokens.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Final, Literal

from byollm.plugin import Support
from byollm_anthropic import dialect as claude
from byollm_bedrock.model_ids import ModelId

FULL, UNSUPPORTED, UNKNOWN = Support.full, Support.unsupported, Support.unknown

CURRENT: Final = "litellm 1.109.1, pydantic-ai 2.68.0, @ai-sdk/amazon-bedrock 4.0.186, botocore 1.44.5; read 2026-11-21"
RETIRED: Final = "litellm 1.109.1 of a model that AWS no longer lists; read 2026-11-21"

Effort = Literal["", "claude", "nova", "flat", "nested", "config"]
_GRADED: Final = ("low", "medium", "high")
_XHIGH: Final = (*_GRADED, "xhigh")
_SWITCH: Final = ("none", "high")


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """One family.

    `effort`: where the wire says it: nowhere, as Claude's own fields, as Nova's `reasoningConfig`, as a flat
    `reasoning_effort`, as `reasoning.effort`, or as `reasoning_config`. `efforts`: the neutral words it takes, weakest
    first. `top_k`: as Claude's field, as Nova's, or not at all. `alone`: what may not stand beside tool results in one
    turn: nothing, documents, or anything. `held`: media that a tool result itself may hold. `first`: may an assistant's
    turn begin a conversation? `status`: may a tool result say that it failed? `short_ids`: Mistral's nine characters.
    """

    name: str
    source: str = CURRENT
    window: int | None = None
    output: int | None = None
    effort: Effort = ""
    efforts: tuple[str, ...] | None = None
    default_effort: str | None = None
    top_k: Literal["", "claude", "nova"] = ""
    system: Support = FULL
    tools: Support = FULL
    forced: Support = UNKNOWN
    structured: Support = UNSUPPORTED
    sampling: Support = FULL
    stop: Support = FULL
    images: Support = UNSUPPORTED
    documents: Support = UNSUPPORTED
    audio: Support = UNSUPPORTED
    cache: Support = UNSUPPORTED
    alone: Literal["", "documents", "anything"] = ""
    held: tuple[str, ...] = ("image",)
    first: bool = False
    status: Support = FULL
    s3: bool = False
    short_ids: bool = False


_NOVA: Final = Family(
    name="", window=300_000, output=10_000, top_k="nova", forced=FULL, images=FULL, documents=FULL, cache=FULL, s3=True,
    structured=UNKNOWN, held=("image",),
)  # fmt: skip
_NOVA_2: Final = replace(_NOVA, window=1_000_000, output=64_000, effort="nova", efforts=("none", *_GRADED))
_TITAN: Final = Family(
    name="", source=RETIRED, window=42_000, output=8_000, system=UNSUPPORTED, tools=UNSUPPORTED, documents=UNKNOWN
)
_JURASSIC: Final = replace(_TITAN, window=8_191, output=8_191)
_LLAMA: Final = Family(
    name="", window=128_000, output=4_096, alone="anything", held=("image", "document"), documents=UNKNOWN,
    forced=UNSUPPORTED,
)  # fmt: skip
_OLD_LLAMA: Final = replace(_LLAMA, source=RETIRED, window=8_192, output=8_192, tools=UNSUPPORTED)
_MISTRAL: Final = Family(
    name="", window=32_000, output=4_096, alone="anything", held=("document",), documents=UNKNOWN, short_ids=True
)
_NEW_MISTRAL: Final = replace(_MISTRAL, window=256_000, output=32_000, structured=FULL, images=FULL)
_COHERE: Final = Family(name="", source=RETIRED, window=128_000, output=4_096, documents=UNKNOWN, images=UNSUPPORTED)
_QWEN: Final = Family(
    name="", window=262_144, output=8_192, effort="config", efforts=_SWITCH, default_effort="none", structured=FULL,
    first=True, held=(), forced=FULL,
)  # fmt: skip
_GPT_OSS: Final = Family(name="", window=128_000, output=16_384, effort="flat", efforts=_GRADED, forced=FULL)
_GPT: Final = Family(
    name="", window=922_000, output=128_000, effort="nested", efforts=(*_XHIGH,), sampling=UNSUPPORTED,
    stop=UNSUPPORTED, images=FULL, forced=FULL,
)  # fmt: skip
_GROK: Final = replace(_GPT, window=500_000, output=500_000)
_GEMMA: Final = Family(name="", window=128_000, output=8_000, structured=FULL, images=FULL)
_KIMI: Final = Family(
    name="", window=256_000, output=16_000, first=True, held=(), structured=FULL, images=FULL, forced=FULL
)
_GLM: Final = Family(
    name="", window=203_000, output=128_000, effort="flat", efforts=_SWITCH, first=True, structured=FULL, forced=FULL
)
_WRITER: Final = Family(name="", window=128_000, output=8_192, alone="anything", status=UNSUPPORTED, documents=FULL)
_NEMOTRON: Final = Family(name="", window=128_000, output=8_000)
_MINIMAX: Final = Family(name="", window=196_000, output=8_000, structured=FULL)
_DEEPSEEK: Final = Family(name="", window=128_000, output=8_000, structured=FULL, forced=FULL)

_ROWS: Final = (
    replace(_NOVA, name="amazon.nova-micro", window=128_000, images=UNSUPPORTED, documents=UNSUPPORTED, s3=False,
            held=()),
    replace(_NOVA, name="amazon.nova-lite"),
    replace(_NOVA, name="amazon.nova-pro"),
    replace(_NOVA, name="amazon.nova-premier", window=1_000_000),
    replace(_NOVA_2, name="amazon.nova-2"),
    replace(_TITAN, name="amazon.titan-text-lite", output=4_000),
    replace(_TITAN, name="amazon.titan-text-express"),
    replace(_TITAN, name="amazon.titan-text-premier", output=32_000),
    replace(_TITAN, name="amazon.titan-tg1"),
    replace(_JURASSIC, name="ai21.j2"),
    replace(_JURASSIC, name="ai21.jamba-instruct", window=70_000, output=4_096, system=FULL),
    replace(_JURASSIC, name="ai21.jamba-1-5", window=256_000, output=4_096, system=FULL, tools=UNKNOWN),
    replace(_OLD_LLAMA, name="meta.llama2", window=4_096, output=4_096),
    replace(_OLD_LLAMA, name="meta.llama3"),
    replace(_LLAMA, name="meta.llama3-1"),
    replace(_LLAMA, name="meta.llama3-2"),
    replace(_LLAMA, name="meta.llama3-2-11b", images=FULL),
    replace(_LLAMA, name="meta.llama3-2-90b", images=FULL),
    replace(_LLAMA, name="meta.llama3-3"),
    replace(_LLAMA, name="meta.llama4-maverick", window=1_000_000, output=8_192, images=FULL),
    replace(_LLAMA, name="meta.llama4-scout", window=10_000_000, output=8_192, images=FULL),
    replace(_MISTRAL, name="mistral.mistral-7b", tools=UNSUPPORTED, system=UNSUPPORTED),
    replace(_MISTRAL, name="mistral.mixtral-8x7b", tools=UNSUPPORTED, system=UNSUPPORTED),
    replace(_MISTRAL, name="mistral.mistral-small-2402"),
    replace(_MISTRAL, name="mistral.mistral-large-2402"),
    replace(_MISTRAL, name="mistral.mistral-large-2407", window=128_000, output=8_191, forced=FULL),
    replace(_NEW_MISTRAL, name="mistral.mistral-large-3"),
    replace(_NEW_MISTRAL, name="mistral.devstral-2", structured=UNKNOWN, images=UNSUPPORTED),
    replace(_NEW_MISTRAL, name="mistral.magistral-small", window=128_000, output=40_000),
    replace(_NEW_MISTRAL, name="mistral.ministral-3", window=128_000, output=8_000),
    replace(_NEW_MISTRAL, name="mistral.voxtral", window=32_768, output=8_192, images=UNSUPPORTED, audio=FULL,
            tools=UNKNOWN),
    replace(_MISTRAL, name="mistral.pixtral-large", window=128_000, output=16_384, images=FULL, documents=FULL),
    replace(_COHERE, name="cohere.command-r"),
    replace(_COHERE, name="cohere.command-text", window=4_096, tools=UNSUPPORTED),
    replace(_COHERE, name="cohere.command-light", window=4_096, tools=UNSUPPORTED),
    replace(_DEEPSEEK, name="deepseek.r1", output=8_192, tools=UNSUPPORTED, structured=UNSUPPORTED, forced=UNKNOWN),
    replace(_DEEPSEEK, name="deepseek.v3-v1"),
    replace(_DEEPSEEK, name="deepseek.v3.2", window=164_000, effort="flat", efforts=_SWITCH, default_effort="none"),
    replace(_QWEN, name="qwen.qwen3"),
    replace(_QWEN, name="qwen.qwen3-32b", window=32_768),
    replace(_QWEN, name="qwen.qwen3-coder", output=16_384, effort="", efforts=None),
    replace(_QWEN, name="qwen.qwen3-next", window=256_000, output=8_000),
    replace(_QWEN, name="qwen.qwen3-vl", window=256_000, output=8_000, images=FULL),
    replace(_GPT_OSS, name="openai.gpt-oss"),
    replace(_GPT, name="openai.gpt-5", stop=UNKNOWN),
    replace(_GPT, name="openai.gpt-5.6"),
    replace(_GPT, name="openai.gpt-6", efforts=("none", *_XHIGH, "max"), cache=UNKNOWN),
    replace(_GPT, name="openai.gpt-6-astra", efforts=(*_XHIGH, "max"), cache=UNKNOWN),
    replace(_GPT, name="openai.gpt-6.1-sol", window=1_000_000, output=131_072, efforts=(*_XHIGH, "max"), cache=UNKNOWN),
    replace(_GROK, name="xai.grok-4.6"),
    replace(_GROK, name="xai.grok-4.7", window=524_288, output=524_288),
    replace(_GEMMA, name="google.gemma-3"),
    replace(_GEMMA, name="google.gemma-3-4b", structured=UNSUPPORTED),
    replace(_KIMI, name="moonshot.kimi-k2-thinking", images=UNSUPPORTED),
    replace(_KIMI, name="moonshotai.kimi-k2.5"),
    replace(_KIMI, name="moonshotai.kimi-k3", window=1_000_000, output=131_072),
    replace(_GLM, name="zai.glm-4.7"),
    replace(_GLM, name="zai.glm-5", window=200_000),
    replace(_GLM, name="zai.glm-5.3", window=1_000_000, efforts=(*_XHIGH, "max")),
    replace(_MINIMAX, name="minimax.minimax-m2"),
    replace(_NEMOTRON, name="nvidia.nemotron-nano-9b", structured=FULL),
    replace(_NEMOTRON, name="nvidia.nemotron-nano-12b", structured=FULL, images=FULL),
    replace(_NEMOTRON, name="nvidia.nemotron-nano-3-30b", window=256_000, structured=FULL),
    replace(_NEMOTRON, name="nvidia.nemotron-super-3", window=256_000, output=32_000),
    replace(_WRITER, name="writer.palmyra-x"),
    replace(_WRITER, name="writer.palmyra-vision", window=4_096, output=4_096, images=FULL, documents=UNSUPPORTED),
)  # fmt: skip
FAMILIES: Final[dict[str, Family]] = {row.name: row for row in _ROWS}
_LONGEST_FIRST: Final = sorted(FAMILIES, key=len, reverse=True)

CLAUDE: Final = Family(
    name="anthropic.claude", effort="claude", top_k="claude", cache=FULL, alone="documents", held=("image", "document"),
    first=True, images=FULL, documents=FULL,
)  # fmt: skip
"""What Claude is on Converse, besides what its owner knows of each model."""
OPAQUE: Final = Family(
    name="", source="", forced=UNKNOWN, structured=UNKNOWN, sampling=UNKNOWN, stop=UNKNOWN, images=UNKNOWN,
    documents=UNKNOWN, audio=UNKNOWN, cache=UNKNOWN, tools=UNKNOWN, system=UNKNOWN, status=UNKNOWN,
    held=("image", "document"), s3=True,
)  # fmt: skip
"""A model nobody knew when this was written, or one behind an ARN that hides it."""


_UNSCHEMED: Final = ("anthropic.claude-opus-4-1", "anthropic.claude-fable-5")
"""Claude models to which Bedrock's runtime gives no structured output (pydantic-ai 2.68.0, read 2026-11-21)."""
_DOUBTED: Final = tuple(f"anthropic.claude-{name}" for name in ("opus-4-7", "opus-4-8", "opus-5", "sonnet-5"))
"""Those of which pydantic-ai 2.68.0, @ai-sdk/amazon-bedrock 4.0.186 and litellm 1.109.1 disagree."""


def schema_support(model: ModelId) -> Support:
    """Can an answer be held to a schema on Bedrock's runtime?"""
    family = family_of(model)
    if family is not CLAUDE:
        return family.structured
    owners = claude.family_of(model.base).structured
    if owners.refused or model.base.startswith(_UNSCHEMED):
        return UNSUPPORTED
    return Support.partial if model.base.startswith(_DOUBTED) else owners


@lru_cache(maxsize=256)
def family_of(model: ModelId) -> Family:
    """The row of a model."""
    if model.base.startswith(CLAUDE.name):
        return CLAUDE
    return next((FAMILIES[name] for name in _LONGEST_FIRST if model.base.startswith(name)), OPAQUE)
