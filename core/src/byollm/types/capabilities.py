"""What a model can do, and how we know. Absent means unknown, never guessed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields, replace
from enum import Enum
from typing import Any, Literal


class Support(Enum):
    """Five answers to "can it?".

    `unknown`: nobody said; the request is sent as it stands. `unsupported`: the provider cannot. `not_implemented`: the
    provider can, the plugin not yet. `partial`: accepted, but not enforced or not everywhere. `full`: yes.
    """

    unknown = "unknown"
    unsupported = "unsupported"
    not_implemented = "not_implemented"
    partial = "partial"
    full = "full"

    refused: bool
    """Nothing of the kind may be sent."""

    def __init__(self, word: str) -> None:
        self.refused = word in ("unsupported", "not_implemented")


UNKNOWN, UNSUPPORTED, PARTIAL, FULL = Support.unknown, Support.unsupported, Support.partial, Support.full


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What one model of one deployment takes.

    Limits: `context_window` (tokens, prompt and answer), `max_output_tokens`, `default_max_tokens` (what the plugin
    sends when the caller set none and the wire needs one), `temperature_range`, `stop_limit` (how many strings),
    `reasoning_efforts` (neutral words it takes, weakest first), `default_effort` (what it does when not told; None is
    unknown, "none" is off), `service_tiers`. `sampling_needs_no_reasoning`: temperature and its kin are refused
    while the model reasons. `truncates_silently`: an overlong prompt is cut by the server without a word.
    `vocabulary`: which of OpenAI's public vocabularies ("o200k_base", "cl100k_base") the model's is or is like; with it
    byollm's own bounds of a count are closer.
    Every other field is a Support. `sources` names, by field, where the answer comes from; `notes` what to know.
    """

    context_window: int | None = None
    max_output_tokens: int | None = None
    default_max_tokens: int | None = None
    temperature_range: tuple[float, float] | None = None
    stop_limit: int | None = None
    reasoning_efforts: tuple[str, ...] | None = None
    default_effort: str | None = None
    service_tiers: tuple[str, ...] | None = None
    sampling_needs_no_reasoning: bool = False
    temperature_xor_top_p: bool = False
    truncates_silently: bool = False
    vocabulary: Literal["o200k_base", "cl100k_base"] | None = None

    streaming: Support = UNKNOWN
    system: Support = UNKNOWN
    tools: Support = UNKNOWN
    tool_choice_required: Support = UNKNOWN
    tool_choice_named: Support = UNKNOWN
    parallel_tool_calls: Support = UNKNOWN
    parallel_tool_calls_off: Support = UNKNOWN
    tools_while_reasoning: Support = UNKNOWN
    tool_error_flag: Support = UNKNOWN
    tool_result_media: Support = UNKNOWN
    strict_tools: Support = UNKNOWN
    structured_output: Support = UNKNOWN
    images: Support = UNKNOWN
    image_urls: Support = UNKNOWN
    documents: Support = UNKNOWN
    document_urls: Support = UNKNOWN
    audio: Support = UNKNOWN
    prefill: Support = UNKNOWN
    reasoning: Support = UNKNOWN
    citations: Support = UNKNOWN
    temperature: Support = UNKNOWN
    top_p: Support = UNKNOWN
    top_k: Support = UNKNOWN
    max_tokens: Support = UNKNOWN
    stop: Support = UNKNOWN
    seed: Support = UNKNOWN
    frequency_penalty: Support = UNKNOWN
    presence_penalty: Support = UNKNOWN
    logit_bias: Support = UNKNOWN
    logprobs: Support = UNKNOWN
    n: Support = UNSUPPORTED
    reasoning_effort: Support = UNKNOWN
    verbosity: Support = UNKNOWN
    service_tier: Support = UNKNOWN
    cache_hints: Support = UNKNOWN
    cache_key: Support = UNKNOWN
    end_user_id: Support = UNKNOWN
    metadata: Support = UNKNOWN
    store: Support = UNKNOWN
    message_names: Support = UNKNOWN
    provider_tools: Support = UNKNOWN
    count_tokens: Support = UNKNOWN

    sources: Mapping[str, str] = field(default_factory=dict)
    notes: Mapping[str, str] = field(default_factory=dict)
    refine: Any = field(default=None, compare=False, repr=False)

    def merged(self, later: Mapping[str, Any], source: str) -> Capabilities:
        """A copy in which `later` wins, field by field, each with its `source`.

        Raises KeyError for unknown fields, ValueError for what is no Support.
        """
        unknown = later.keys() - FIELDS
        if unknown:
            raise KeyError(sorted(unknown)[0])
        values = {name: _read(name, value) for name, value in later.items()}
        return replace(self, **values, sources={**self.sources, **dict.fromkeys(values, source)})

    def supports(self, name: str) -> Support:
        """The Support of a feature by its name. Raises KeyError for a name that is not a feature."""
        if name not in FEATURES:
            raise KeyError(name)
        support: Support = getattr(self, name)
        return support


FIELDS = frozenset(item.name for item in fields(Capabilities)) - {"sources", "notes", "refine"}
"""All names a capability may be set by."""
FEATURES = tuple(item.name for item in fields(Capabilities) if item.type == "Support")
"""The names whose value is a Support."""


_COUNTS = ("context_window", "max_output_tokens", "default_max_tokens", "stop_limit")


def mistakes(found: Capabilities) -> Iterator[str]:
    """What is no answer in a plugin's own Capabilities, which the engine could only stumble over later."""
    for name in FEATURES:
        if not isinstance(getattr(found, name), Support):
            yield f"{name}={getattr(found, name)!r}, which is no Support"
    for name in _COUNTS:
        value = getattr(found, name)
        if value is not None and (type(value) is not int or value < 0):
            yield f"{name}={value!r}, which is no number of things"
    ends: Any = found.temperature_range
    if ends is not None and not _is_range(ends):
        yield f"temperature_range={ends!r}, which is no range"


def _is_range(ends: Any) -> bool:
    numbers = isinstance(ends, tuple) and [type(end) in (int, float) for end in ends] == [True, True]
    return numbers and bool(ends[0] <= ends[1])


def _read(name: str, value: Any) -> Any:
    if name in FEATURES and not isinstance(value, Support):
        if isinstance(value, bool):
            return FULL if value else UNSUPPORTED
        return Support(value)
    if name == "vocabulary" and value not in ("o200k_base", "cl100k_base", None):
        raise ValueError("vocabulary is o200k_base or cl100k_base")
    if name in ("temperature_range", "reasoning_efforts", "service_tiers") and isinstance(value, list):
        return tuple(value)
    return value


Exactness = Literal["exact", "upper_bound", "estimate"]


@dataclass(frozen=True, slots=True)
class TokenCount:
    """How many tokens a request has. `tokens` is the best figure, `exactness` says what it is worth.

    `lower` and `upper` bound the true number; for an exact count both equal `tokens`. None means unbounded.
    `template`: so many tokens more may come from a template or instructions that the server puts around any
    conversation of its own accord; 0 where the count knows them.
    """

    tokens: int
    exactness: Exactness = "estimate"
    lower: int | None = None
    upper: int | None = None
    source: str = ""
    template: int = 0

    def __post_init__(self) -> None:
        if self.exactness == "exact":
            object.__setattr__(self, "lower", self.tokens)
            object.__setattr__(self, "upper", self.tokens)
