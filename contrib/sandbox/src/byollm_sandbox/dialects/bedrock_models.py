"""What the models of Bedrock take, as far as requests are refused for it.

After the wire notes (litellm 1.109, pydantic-ai 2.68, vercel/ai) and recorded refusals, read 2026-11-21. Ids of vendors
nobody knows are refused; ARNs, which hide their model, are taken with everything.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from byollm_sandbox.dialects import claude_models as claude

_GEOGRAPHY: Final = re.compile(r"(us-gov|us|eu|apac|jp|au|ca|in|kr|global)\.")
_ARN: Final = re.compile(r"arn:aws(?:-[a-z-]+)?:(?:bedrock|sagemaker):[a-z0-9-]*:\d*:([a-z-]+)/(.+)")
_VENDORS: Final = (
    "ai21", "amazon", "anthropic", "cohere", "deepseek", "google", "meta", "minimax", "mistral", "moonshot",
    "moonshotai", "nvidia", "openai", "qwen", "stability", "twelvelabs", "writer", "xai", "zai",
)  # fmt: skip
_NAME: Final = re.compile(rf"(?:{'|'.join(_VENDORS)})\.[a-z0-9.-]+(?:-v\d+)?(?::\d+(?::\d+k?)?)?")
_NONSENSE: Final = re.compile(r"does-?not-?exist|no-such|not-a-model|unknown-model|fake-model|bogus")
_PROFILE_ONLY: Final = re.compile(
    r"deepseek\.r1|amazon\.nova-(2-|premier)|meta\.llama(3-3|4)|mistral\.pixtral"
    r"|anthropic\.claude-(3-7|opus-[45]|sonnet-[45]|haiku-[45]|fable|mythos)"
)
"""Served through inference profiles only: asked for by their own id they are refused."""


@dataclass(frozen=True, slots=True)
class Family:
    """One family. `effort`: the model's own fields that are taken; None takes any.

    `first`: an assistant's turn may come first. `alone`: tool results stand alone in their turn. `output`: tokens.
    """

    system: bool = True
    tools: bool = True
    sampling: bool = True
    stop: bool = True
    images: bool = True
    documents: bool = True
    cache: bool = False
    schema: bool = True
    first: bool = False
    alone: bool = False
    status: bool = True
    short_ids: bool = False
    fields: tuple[str, ...] | None = None
    output: int = 1_000_000
    counts: bool = False


_CLAUDE_FIELDS: Final = (
    "thinking", "output_config", "top_k", "tool_choice", "anthropic_beta", "anthropic_version", "tools", "metadata",
    "context_management", "speed", "reasoning_config", "performance_config", "cache_control",
)  # fmt: skip
_FAMILIES: Final[tuple[tuple[str, Family], ...]] = (
    (r"anthropic\.claude-(v\d|instant)",
     Family(tools=False, images=False, first=True, fields=("top_k",), output=8_191)),
    (r"anthropic\.", Family(cache=True, first=True, fields=_CLAUDE_FIELDS, counts=True)),
    (r"amazon\.nova-2", Family(cache=True, fields=("inferenceConfig", "reasoningConfig"), output=65_535)),
    (r"amazon\.nova-micro",
     Family(cache=True, images=False, documents=False, fields=("inferenceConfig",), output=10_000)),
    (r"amazon\.nova", Family(cache=True, fields=("inferenceConfig",), output=10_000)),
    (r"amazon\.titan", Family(system=False, tools=False, images=False, fields=(), output=32_000, schema=False)),
    (r"ai21\.j2", Family(system=False, tools=False, images=False, fields=(), output=8_191, schema=False)),
    (r"meta\.llama2|meta\.llama3-(8b|70b)", Family(tools=False, images=False, fields=(), output=8_192, schema=False)),
    (r"meta\.", Family(alone=True, fields=(), output=8_192, schema=False)),
    (r"mistral\.(mistral-7b|mixtral)", Family(system=False, tools=False, images=False, output=8_192, schema=False)),
    (r"mistral\.", Family(alone=True, output=40_000, short_ids=True)),
    (r"deepseek\.r1", Family(tools=False, images=False, fields=(), output=32_768, schema=False)),
    (r"deepseek\.", Family(images=False, fields=("reasoning_effort",))),
    (r"qwen\.", Family(first=True, fields=("reasoning_config", "reasoning_effort"))),
    (r"openai\.gpt-oss", Family(images=False, documents=False, fields=("reasoning_effort",))),
    (r"openai\.", Family(sampling=False, stop=False, fields=("reasoning",))),
    (r"xai\.", Family(sampling=False, stop=False, fields=("reasoning",), schema=False)),
    (r"writer\.", Family(alone=True, status=False, schema=False)),
    (r"zai\.|moonshot", Family(first=True, documents=False, fields=("reasoning_effort",))),
)  # fmt: skip
_COMPILED: Final = tuple((re.compile(pattern), family) for pattern, family in _FAMILIES)
OPEN: Final = Family(cache=True, first=True, counts=True)
"""Whatever is behind an ARN that hides its model."""


def base(name: str) -> str:
    """The foundation model's id, without ARN and geography; "" for an ARN that hides its model."""
    arn = _ARN.fullmatch(name)
    if arn is not None:
        name = arn[2] if arn[1] in ("inference-profile", "foundation-model") else ""
    return _GEOGRAPHY.sub("", name, count=1) if _GEOGRAPHY.match(name) else name


def exists(name: str) -> bool:
    """Could this be a model's id or ARN?"""
    if _NONSENSE.search(name):
        return False
    if name.startswith("arn:"):
        return _ARN.fullmatch(name) is not None
    return _NAME.fullmatch(base(name)) is not None


def wants_profile(name: str) -> bool:
    """An id of a model that only inference profiles serve, without one."""
    return not name.startswith("arn:") and _GEOGRAPHY.match(name) is None and _PROFILE_ONLY.match(name) is not None


@lru_cache(maxsize=512)
def family_of(name: str) -> Family:
    """The family of a model."""
    plain = base(name)
    return next((family for pattern, family in _COMPILED if pattern.match(plain)), OPEN)


def claude_of(name: str) -> claude.Family | None:
    """What the model takes as a Claude; None for any other."""
    plain = base(name)
    return claude.family_of(plain.partition(".")[2]) if plain.startswith("anthropic.claude-") else None
