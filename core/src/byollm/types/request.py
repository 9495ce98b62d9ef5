"""One question to a model, in neutral terms."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

from byollm.errors import ConfigError, UnknownParameterError
from byollm.types.messages import Message
from byollm.types.parts import PART_TYPES, Text, as_parts
from byollm.types.tools import ProviderTool, Tool, ToolChoice, as_tool, as_tool_choice

EFFORTS: Final = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
"""The neutral words for `reasoning_effort`, weakest first."""

_OTHER_WORDS: Final = {
    "stream": "call client.stream(…) instead",
    "response_format": "the parameter is called output_schema",
    "max_output_tokens": "the parameter is called max_tokens",
    "max_completion_tokens": "the parameter is called max_tokens",
    "stop_sequences": "the parameter is called stop",
    "effort": "the parameter is called reasoning_effort",
    "thinking": "the parameter is called reasoning_effort",
    "functions": "the parameter is called tools",
    "user": "the parameter is called end_user_id",
    "base_url": "set `endpoint:` of the target in the configuration",
    "api_base": "set `endpoint:` of the target in the configuration",
    "api_key": "set `api_key:` of the target in the configuration",
    "fallbacks": "list them under `failover:` in the configuration",
    "drop_params": "set `on_unsupported: adapt` in the configuration",
    "num_retries": "set `retries:` in the configuration",
    "extra_body": 'the parameter is called extra: extra={"provider": {…}}',
    "provider": "the program does not name providers; the configuration does",
    "messages": "pass the messages as the first argument",
    "prompt": "pass the text as the first argument",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Parameters:
    system: str | tuple[Text, ...] | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    max_tokens: int | None = None
    stop: tuple[str, ...] | None = None
    seed: int | None = None
    frequency_penalty: float | None = None
    presence_penalty: float | None = None
    logit_bias: Mapping[str, float] | None = None
    logprobs: int | None = None
    n: int | None = None
    tools: tuple[Tool | ProviderTool, ...] | None = None
    tool_choice: ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    output_schema: Any = None
    reasoning_effort: str | None = None
    verbosity: str | None = None
    service_tier: str | None = None
    cache_key: str | None = None
    end_user_id: str | None = None
    metadata: Mapping[str, str] | None = None
    store: bool | None = None
    prefill: bool | None = None
    extra: Mapping[str, Mapping[str, Any]] | None = None
    stream: bool = False


@dataclass(frozen=True, slots=True, init=False)
class Request(_Parameters):
    """What to ask. `Request(messages, **parameters)`; None means: the provider's default.

    `messages`: a string, a Message, or a sequence of messages (OpenAI-style dicts are accepted). Parameters:

    - `system`: text put before the messages.
    - `temperature` 0 to 2, `top_p` 0 to 1, `top_k`, `seed`, `frequency_penalty` and `presence_penalty` −2 to 2: hints.
    - `max_tokens`: the most tokens the answer may have, reasoning included.
    - `stop`: strings that end the answer and are not part of it. Where a provider has no such thing, the core cuts.
    - `tools`: functions, Tools or dicts; `tool_choice`: auto, none, required or a name; `parallel_tool_calls`.
    - `output_schema`: a JSON schema (mapping) or a pydantic model class; the answer is then in `reply.parsed`.
    - `reasoning_effort`: none, minimal, low, medium, high, xhigh, max; `verbosity`: low, medium, high.
    - `service_tier`, `cache_key`, `end_user_id`, `metadata`: hints.
    - `store`: may the provider keep the exchange? A contract.
    - `prefill`: True says that the last message, an assistant's, is the beginning of the answer.
    - `extra`: `{"provider name": {…}}`, put verbatim into that provider's body and into no other's.
    - `n`, `logprobs`, `logit_bias`: reserved; refused with UnsupportedFeatureError where they cannot be kept.

    Raises UnknownParameterError, naming the nearest word, for any other parameter, and ConfigError for unusable values.
    """

    messages: tuple[Message, ...]

    def __init__(self, messages: Any = (), **parameters: Any) -> None:
        unknown = parameters.keys() - PARAMETERS
        if unknown:
            raise unknown_parameter(sorted(unknown)[0])
        set_field = object.__setattr__
        set_field(self, "messages", as_messages(messages))
        for name, default in _DEFAULTS.items():
            value = parameters.get(name, default)
            if value is not None and name in _READERS:
                value = _READERS[name](value)
            set_field(self, name, value)

    @classmethod
    def from_openai(cls, body: Mapping[str, Any]) -> Request:
        """An OpenAI Chat Completions body as a Request; what has no neutral name goes to `extra["openai"]`."""
        from byollm.types.openai_style import request_from_openai

        return request_from_openai(body)

    def with_(self, **changes: Any) -> Request:
        """A copy with some parameters changed."""
        values = {name: getattr(self, name) for name in _DEFAULTS}
        messages = changes.pop("messages", self.messages)
        return Request(messages, **{**values, **changes})

    @property
    def conversation(self) -> tuple[Message, ...]:
        """The messages with `system` put in front as a system message: what a plugin translates."""
        if self.system is None or self.system == "":
            return self.messages
        return (Message("system", as_parts(self.system)), *self.messages)

    @property
    def json_schema(self) -> Mapping[str, Any] | None:
        """`output_schema` as a JSON schema, made from the pydantic class if it is one."""
        schema = self.output_schema
        if schema is None or isinstance(schema, Mapping):
            return schema
        result: Mapping[str, Any] = schema.model_json_schema()
        return result


_DEFAULTS: Final[dict[str, Any]] = {field.name: field.default for field in fields(_Parameters)}
PARAMETERS: Final = frozenset(_DEFAULTS)
"""The names of all parameters of a request."""


def unknown_parameter(name: str, also: Sequence[str] = ()) -> UnknownParameterError:
    """The error for a parameter nobody knows, naming the nearest one that exists."""
    known = sorted({*PARAMETERS, *also} - {"stream"})
    nearest = next(iter(difflib.get_close_matches(name, known, n=1, cutoff=0.5)), None)
    hint = _OTHER_WORDS.get(name) or (f"did you mean {nearest}?" if nearest else f"known: {', '.join(known)}")
    return UnknownParameterError(f"unknown parameter {name!r}", field=name, hint=hint, nearest=nearest)


def as_messages(value: Any) -> tuple[Message, ...]:
    """A string, a Message, a part, or a sequence of messages and OpenAI-style dicts, as messages."""
    if isinstance(value, Message):
        return (value,)
    if isinstance(value, (str, *PART_TYPES)):
        return (Message("user", as_parts(value)),)
    if isinstance(value, Request):
        return value.messages
    if not isinstance(value, Sequence) or isinstance(value, bytes):
        raise ConfigError(f"messages must be a string or a list of messages, not {type(value).__name__}")
    if all(isinstance(item, Message) for item in value):
        return tuple(value)
    from byollm.types.openai_style import messages_from_openai

    return messages_from_openai(value)


def replace_request(request: Request, **changes: Any) -> Request:
    """`Request.with_`, but the same object when nothing changes."""
    if all(getattr(request, name) == value for name, value in changes.items()):
        return request
    return request.with_(**changes)


def _stop(value: Any) -> tuple[str, ...] | None:
    words = (value,) if isinstance(value, str) else tuple(value)
    if not all(isinstance(word, str) and word for word in words):
        raise ConfigError("stop must be a non-empty string or a list of them")
    return words or None


def _tools(value: Any) -> tuple[Tool | ProviderTool, ...] | None:
    values = value if isinstance(value, Sequence) else (value,)
    return tuple(as_tool(item) for item in values) or None


def _schema(value: Any) -> Any:
    if isinstance(value, Mapping) or hasattr(value, "model_json_schema"):
        return value
    raise ConfigError(f"output_schema must be a JSON schema or a pydantic model, not {type(value).__name__}")


def _effort(value: Any) -> str:
    if value not in EFFORTS:
        raise ConfigError(f"reasoning_effort {value!r} is not one of {', '.join(EFFORTS)}")
    return str(value)


def _system(value: Any) -> Any:
    return value if isinstance(value, str) else as_parts(value)


def _number(name: str) -> Any:
    def read(value: Any) -> Any:
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or value != value
            or abs(value) == float("inf")
        ):
            raise ConfigError(f"{name} must be a finite number, not {value!r}")
        return value

    return read


def _whole(name: str, least: int | None = None) -> Any:
    def read(value: Any) -> Any:
        if isinstance(value, bool) or not isinstance(value, int) or (least is not None and value < least):
            bound = f" of at least {least}" if least is not None else ""
            raise ConfigError(f"{name} must be a whole number{bound}, not {value!r}")
        return value

    return read


_READERS: Final[dict[str, Any]] = {
    "system": _system,
    "stop": _stop,
    "tools": _tools,
    "tool_choice": as_tool_choice,
    "output_schema": _schema,
    "reasoning_effort": _effort,
    **{name: _number(name) for name in ("temperature", "top_p", "frequency_penalty", "presence_penalty")},
    **{name: _whole(name, 0) for name in ("max_tokens", "top_k", "logprobs")},
    "seed": _whole("seed"),
    "n": _whole("n", 1),
}
