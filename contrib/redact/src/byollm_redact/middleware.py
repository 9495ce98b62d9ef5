"""The middleware: placeholders go out, values come back.

middleware:
  - redact: {kinds: [email, phone, iban], patterns: {EMPLOYEE: 'E-[0-9]{6}'}}
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from byollm.config.option_words import sentence_of
from byollm.errors import ByollmError, ConfigError
from byollm.plugin import Run, Steps, map_events
from byollm_redact.answers import Restorer
from byollm_redact.kinds import KINDS, Kind, by_pattern
from byollm_redact.presidio import Presidio, recognizers
from byollm_redact.requests import redacted, size_of
from byollm_redact.session import Session

if TYPE_CHECKING:
    from byollm.plugin import Call, Request
    from byollm.types.completion import Completion

    Next = Callable[[Request], Steps[Completion]]

LARGE: Final = 50_000
"""Letters of a request from which on an event loop is not made to wait for them."""
_NAME: Final = re.compile(r"[A-Z][A-Z0-9]{0,23}")


class Settings(BaseModel):
    """`kinds`: which of email, iban, card, ip, ssn, tax_id, birth_date, phone (default: all). `patterns`: more of your
    own, a name of capital letters and digits with its regular expression; a group named `value` is what is replaced.
    `media`: `pass` (default) or `refuse` what has no text. `presidio`: true, or its options; an extra.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)
    kinds: tuple[str, ...] = tuple(KINDS)
    patterns: dict[str, str] = {}
    media: Literal["pass", "refuse"] = "pass"
    presidio: Presidio | None = None

    @field_validator("kinds")
    @classmethod
    def _known(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        for name in value:
            if name not in KINDS:
                raise ValueError(f"a kind is one of {', '.join(KINDS)}")
        return value

    @field_validator("patterns")
    @classmethod
    def _usable(cls, value: dict[str, str]) -> dict[str, str]:
        for name, pattern in value.items():
            if not _NAME.fullmatch(name):
                raise ValueError("a name is capital letters and digits, at most 24 of them")
            try:
                empty = re.compile(pattern).match("")
            except (re.error, OverflowError) as error:
                raise ValueError(f"{name} is no regular expression ({error})") from None
            if empty:
                raise ValueError(f"{name} matches nothing at all")
        return value

    @field_validator("presidio", mode="before")
    @classmethod
    def _switch(cls, value: Any) -> Any:
        return {} if value is True else None if value is False else value


class Redact:
    """Stands around a call, before routing: nothing that is sent, counted or recorded holds what it found.

    The options are those of `Settings`. Raises ConfigError for bad ones, PluginError where presidio is missing.
    """

    position = "operation"

    def __init__(self, **options: Any) -> None:
        self.settings = settings = _read(options)
        own = [_own(name, pattern) for name, pattern in settings.patterns.items()]
        self.kinds: list[Kind] = [*own, *(kind for word, kind in KINDS.items() if word in settings.kinds)]
        if settings.presidio is not None:
            self.kinds += recognizers(settings.presidio)

    def around(self, call: Call, request: Request, next: Next) -> Steps[Completion]:
        """Send placeholders; put the values back into what comes, whole or in part."""
        session = Session(self.kinds)

        def work() -> Request:
            return redacted(session, request, refuse_media=self.settings.media == "refuse")

        changed: Request = (yield Run(work)) if size_of(request) > LARGE else work()
        if not session:
            return (yield from next(changed))
        call.notes["redact"] = session.counts
        restorer = Restorer(session, structured=request.output_schema is not None)
        try:
            return (yield from map_events(next(changed), restorer))
        except ByollmError as error:
            partial: Completion | None = getattr(error, "partial", None) or getattr(error, "completion", None)
            if partial is not None:
                partial.parts = tuple([restorer.part(part) for part in partial.parts])
            raise


def _own(name: str, pattern: str) -> Kind:
    compiled = re.compile(pattern)
    return by_pattern(name, compiled, group=compiled.groupindex.get("value", 0), sign="")


def _read(options: dict[str, Any]) -> Settings:
    try:
        return Settings(**options)
    except ValidationError as error:
        problem = f"redact: {sentence_of(error, Settings)}"
    raise ConfigError(problem, hint="- redact: {kinds: [email, phone], patterns: {EMPLOYEE: 'E-[0-9]{6}'}}")
