"""One question to a model, in neutral terms."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

from byollm.errors import ConfigError, UnknownParameterError
from byollm.types.messages import Message
from byollm.types.parts import PART_TYPES, Text, as_parts
from byollm.types.tools import ProviderTool, Tool, ToolChoice, as_tool, as_tool_choice

EFFORTS: Final = ("none", "minimal", "low", "medium", "high", "xhigh", "max")
"""The neutral words for `reasoning_effort`, weakest first."""

_RENAMED: Final = {
    "response_format": "output_schema",
    "response_model": "output_schema",
    "response_schema": "output_schema",
    "json_schema": "output_schema",
    "max_output_tokens": "max_tokens",
    "max_completion_tokens": "max_tokens",
    "max_new_tokens": "max_tokens",
    "stop_sequences": "stop",
    "effort": "reasoning_effort",
    "reasoning": "reasoning_effort",
    "thinking": "reasoning_effort",
    "functions": "tools",
    "function_call": "tool_choice",
    "instructions": "system",
    "system_prompt": "system",
    "user": "end_user_id",
    "safety_identifier": "end_user_id",
    "prompt_cache_key": "cache_key",
    "extra_body": "extra",
}
"""What other libraries call our parameters."""

_OTHER_WORDS: Final = {
    "stream": "call client.stream(…) instead",
    "model": "the configuration names the model; choose with task=… or deployment=…",
    "base_url": "set `endpoint:` of the target in the configuration",
    "api_base": "set `endpoint:` of the target in the configuration",
    "api_key": "set `api_key:` of the target in the configuration",
    "fallbacks": "list them under `failover:` in the configuration",
    "drop_params": "set `on_unsupported: adapt` in the configuration",
    "num_retries": "set `retries:` in the configuration",
    "max_retries": "set `retries:` in the configuration",
    "request_timeout": "pass timeout=… (seconds for the whole call), or set `timeout:` in the configuration",
    "extra_headers": "set `headers:` of the target in the configuration",
    "headers": "set `headers:` of the target in the configuration",
    "provider": "the program does not name providers; the configuration does",
    "messages": "pass the messages as the first argument",
    "prompt": "pass the text as the first argument",
}


@dataclass(frozen=True, kw_only=True, init=False, repr=False, eq=False)
class _Parameters:
    """The parameters by name, in the order in which they are shown."""

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


@dataclass(frozen=True, init=False)
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
    - `extra`: `{"provider name": {…}}`, put verbatim into that provider's body and into no other's: who has no share of
      it reports that as an adjustment.
    - `n`, `logprobs`, `logit_bias`: reserved; refused with UnsupportedFeatureError where they cannot be kept.

    Raises UnknownParameterError, naming the nearest word, for any other parameter, and ConfigError for unusable values.
    """

    messages: tuple[Message, ...]

    def __init__(self, messages: Any = (), **parameters: Any) -> None:
        # The instance holds what was asked, the class the defaults. Written to its dictionary, because 27 guarded
        # assignments of a frozen dataclass cost a third of a whole translation.
        values = self.__dict__
        values["messages"] = as_messages(messages)
        if parameters:
            values.update(_read(parameters))

    @property
    def asked(self) -> Mapping[str, Any]:
        """`messages` and the parameters that were named when this was made; all others are None, the default."""
        return self.__dict__

    @classmethod
    def from_openai(cls, body: Mapping[str, Any]) -> Request:
        """An OpenAI Chat Completions body as a Request; what has no neutral name goes to `extra["openai"]`."""
        from byollm.types.openai_style import request_from_openai

        return request_from_openai(body)

    def with_(self, **changes: Any) -> Request:
        """A copy with some parameters changed."""
        copy = object.__new__(type(self))
        values = copy.__dict__
        values.update(self.__dict__)
        if "messages" in changes:
            values["messages"] = as_messages(changes.pop("messages"))
        if changes:
            values.update(_read(changes))
        return copy

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


PARAMETERS: Final = frozenset(field.name for field in fields(_Parameters))
"""The names of all parameters of a request."""


def _read(parameters: Mapping[str, Any]) -> dict[str, Any]:
    if not PARAMETERS.issuperset(parameters):
        raise unknown_parameter(min(parameters.keys() - PARAMETERS))
    return {name: value if value is None else _READERS[name](value) for name, value in parameters.items()}


def unknown_parameter(name: str, also: Sequence[str] = ()) -> UnknownParameterError:
    """The error for a parameter nobody knows, naming the nearest one that exists."""
    if name in _OTHER_WORDS:
        return UnknownParameterError(f"unknown parameter {name!r}", field=name, hint=_OTHER_WORDS[name])
    import difflib

    known = sorted({*PARAMETERS, *also} - {"stream"})
    nearest = _RENAMED.get(name) or next(iter(difflib.get_close_matches(name, known, n=1, cutoff=0.5)), None)
    hint = f"did you mean {nearest}?" if nearest else f"known: {', '.join(known)}"
    if nearest == "extra":
        hint = 'did you mean extra={"provider": {…}}?'
    elif name in _RENAMED:
        hint = f"the parameter is called {nearest}"
    return UnknownParameterError(f"unknown parameter {name!r}", field=name, hint=hint, nearest=nearest)


def as_messages(value: Any) -> tuple[Message, ...]:
    """A string, a Message, a part, or a sequence of messages and OpenAI-style dicts, as messages."""
    if type(value) is str:
        return (Message("user", (Text(value),)),)
    if isinstance(value, Message):
        return (value,)
    if isinstance(value, (str, *PART_TYPES)):
        return (Message("user", as_parts(value)),)
    if isinstance(value, Request):
        raise ConfigError("this is a whole Request already", hint="change it with request.with_(…)")
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
    words = (value,) if isinstance(value, str) else tuple(value) if isinstance(value, list | tuple) else (None,)
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
    if isinstance(value, str):
        return value
    texts = value if isinstance(value, list | tuple) else (value,)
    if not all(isinstance(text, str | Text) for text in texts):
        raise ConfigError(f"system must be a text or a list of texts, not {value!r}")
    return as_parts(texts) or None


def _kind(name: str, kind: type, what: str) -> Any:
    def read(value: Any) -> Any:
        if not isinstance(value, kind):
            raise ConfigError(f"{name} must be {what}, not {value!r}")
        return value

    return read


def _mapping(name: str, fits: Callable[[Any], bool], what: str) -> Any:
    def read(value: Any) -> Any:
        if not isinstance(value, Mapping) or not all(isinstance(key, str) and fits(value[key]) for key in value):
            raise ConfigError(f"{name} must be {what}")
        return value

    return read


def _finite(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


def _number(name: str) -> Any:
    def read(value: Any) -> Any:
        if not (math.isfinite(value) if type(value) is float else _finite(value)):
            raise ConfigError(f"{name} must be a finite number, not {value!r}")
        return value

    return read


def _whole(name: str, least: int | None = None) -> Any:
    def read(value: Any) -> Any:
        if type(value) is int and (least is None or value >= least):
            return value
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
    **{name: _kind(name, bool, "True or False") for name in ("parallel_tool_calls", "store", "prefill", "stream")},
    **{name: _kind(name, str, "a text") for name in ("verbosity", "service_tier", "cache_key", "end_user_id")},
    "logit_bias": _mapping("logit_bias", _finite, "a mapping from token to number"),
    "metadata": _mapping("metadata", lambda value: isinstance(value, str), "a mapping from text to text"),
    "extra": _mapping("extra", lambda value: isinstance(value, Mapping), 'a mapping {"provider": {…}}'),
}
