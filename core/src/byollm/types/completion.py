"""One answer, in neutral terms, with the record of how it came about."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Literal

from byollm.errors import ByollmError, OutputInvalidError
from byollm.types.events import FinishReason
from byollm.types.frozen import quick
from byollm.types.messages import Message
from byollm.types.parts import Part, Reasoning, Text, ToolCall, read_json
from byollm.types.usage import Usage


@dataclass(frozen=True, slots=True)
class Adjustment:
    """One thing that `fit()` changed so that the model takes the request.

    `field` is the parameter, `action` what was done (dropped, clamped, mapped, emulated), `before` and `after` the
    values, `reason` a sentence for the caller.
    """

    field: str
    action: Literal["dropped", "clamped", "mapped", "emulated"]
    before: Any = None
    after: Any = None
    reason: str = ""

    def __str__(self) -> str:
        change = f"{self.before!r} -> {self.after!r}" if self.action in ("clamped", "mapped") else repr(self.before)
        return f"{self.field} {self.action} ({change}): {self.reason}"


@quick
@dataclass(frozen=True, slots=True)
class Attempt:
    """One try at one deployment. `milliseconds` is wall time; `error` is None for the one that answered.

    `status` is None where there was no HTTP answer. `sent` and `billed` mean what they mean on a ProviderError. `usage`
    and `cost` are as far as the provider told before the attempt ended: those of an answer that was cut are often None.
    `currency` is the ISO code of `cost`, `at` the Unix second when the attempt began, `first_milliseconds` the time
    until a stream's first content (None for whole answers).
    """

    deployment: str
    provider: str
    model: str
    number: int = 1
    status: int | None = None
    milliseconds: float = 0.0
    request_id: str | None = None
    error: ByollmError | None = None
    sent: str = "yes"
    billed: str = "yes"
    usage: Usage | None = None
    cost: Decimal | None = None
    currency: str | None = None
    at: float = 0.0
    first_milliseconds: float | None = None

    def __str__(self) -> str:
        outcome = "answered" if self.error is None else f"{type(self.error).__name__}: {self.error.message}"
        status = f" {self.status}" if self.status is not None else ""
        return f"{self.deployment} ({self.provider}/{self.model}){status} {outcome} after {self.milliseconds:.0f} ms"


@dataclass(slots=True, kw_only=True)
class Completion:
    """The answer. `str(reply)` is its text.

    `parts` are all parts in order; `finish_reason` is neutral (stop, length, tool_calls, content_filter, refusal,
    error, other; None for a partial answer) and `raw_finish_reason` the provider's word. `usage` fields are None where
    the provider did not tell. `cost` is a Decimal or None when no price is known, `cost_currency` the ISO code of its
    currency, and `cost_source` says whose price that is (`configuration`, or a price plugin's own words).
    `adjustments` is what `fit()` changed, `attempts` every try. `raw` is the provider's JSON document; None for
    streams.
    """

    parts: tuple[Part, ...] = ()
    finish_reason: FinishReason | None = None
    raw_finish_reason: str | None = None
    usage: Usage = field(default_factory=Usage)
    cost: Decimal | None = None
    cost_currency: str | None = None
    cost_source: str | None = None
    provider: str | None = None
    model: str | None = None
    deployment: str | None = None
    id: str | None = None
    request_id: str | None = None
    adjustments: tuple[Adjustment, ...] = ()
    attempts: tuple[Attempt, ...] = ()
    raw: Any = field(default=None, repr=False)
    output_schema: Any = field(default=None, repr=False)

    def __str__(self) -> str:
        return self.text

    @property
    def text(self) -> str:
        """All visible text, joined; reasoning is not part of it."""
        return "".join([part.text for part in self.parts if type(part) is Text])

    @property
    def reasoning(self) -> str:
        """What the model thought aloud, joined; empty when it showed nothing."""
        return "".join([part.text for part in self.parts if type(part) is Reasoning])

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """The tools the model asks for, in order."""
        return tuple(part for part in self.parts if type(part) is ToolCall)

    @property
    def message(self) -> Message:
        """The assistant's turn for the next request, opaque state and all."""
        return Message("assistant", self.parts)

    @property
    def parsed(self) -> Any:
        """The text read by `output_schema`: a pydantic object, or plain JSON data.

        Raises OutputInvalidError (with this completion) when the answer was cut, refused, or does not fit; and
        ValueError when the request had no `output_schema`.
        """
        if self.output_schema is None:
            raise ValueError("the request had no output_schema")
        if self.finish_reason not in ("stop", "tool_calls"):
            reason = f"the answer ended with {self.finish_reason}, not with stop"
            raise OutputInvalidError(reason, completion=self, problems=[reason])
        problems, value = _validate(self.text, self.output_schema)
        if problems:
            raise OutputInvalidError("the answer does not fit output_schema", completion=self, problems=problems)
        return value

    def to_openai(self) -> dict[str, Any]:
        """This answer as an OpenAI Chat Completions document."""
        from byollm.types.openai_style import completion_to_openai

        return completion_to_openai(self)


def _validate(text: str, schema: Any) -> tuple[list[str], Any]:
    if isinstance(schema, Mapping):
        from byollm.types.schema import problems_of

        value, problem = read_json(text)
        return ([problem], None) if problem else (problems_of(value, schema), value)
    from pydantic import ValidationError

    try:
        return [], schema.model_validate_json(text)
    except ValidationError as error:
        return [f"{'.'.join(map(str, item['loc'])) or 'answer'}: {item['msg']}" for item in error.errors()], None
