"""Every error byollm raises, drawn.

::

    ByollmError
    ├── ConfigError (ValueError)             a configuration, a reference or a parameter value cannot be used
    ├── PluginError                          a plugin is missing, broken, or broke the rules of the border
    ├── UnsupportedFeatureError              the model cannot honour what was asked; nothing was sent
    │   └── UnknownParameterError (TypeError)    no such parameter; the nearest one is named
    ├── OutputInvalidError                   the answer does not fit `output_schema` (.completion, .problems)
    ├── NoRouteError                         no candidate could be tried (.skipped tells why)
    ├── CancelledError                       the caller cancelled (.partial)
    └── ProviderError                        a provider, or the way to it, failed
        ├── AuthenticationError              401: the key is missing, wrong or expired
        ├── PermissionDeniedError            403: the key is known and may not do this
        ├── ModelNotFoundError               404: no such model, or no access to it
        ├── InvalidRequestError              400, 422: the provider refused the request as written
        │   ├── ContextLengthError           the prompt does not fit the model's window
        │   └── RequestTooLargeError         413, or larger than the tier allows: waiting never helps
        ├── ContentFilterError               the request was refused by a safety filter
        ├── RateLimitError                   429: waiting helps
        ├── QuotaExhaustedError              429, 402: only an operator helps
        ├── OverloadedError                  503, 529: the provider is busy or still loading
        ├── ServerError                      5xx: the provider failed
        ├── ProviderTimeoutError (TimeoutError)      no answer in time
        ├── ProviderConnectionError (ConnectionError)    the connection could not be made, or broke
        └── ProtocolError                    the answer breaks the dialect's rules
            └── StreamInterruptedError       the answer ended without its terminal marker (.partial)

Each error pickles and copies. A library's exception never hangs in `__cause__` or `__context__` of one of these:
it could hold a request, and with it a key.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from byollm.types.completion import Attempt, Completion

Sent = Literal["no", "partial", "yes"]
Billed = Literal["no", "unknown", "yes"]


def _blank(kind: type[ByollmError], message: str) -> ByollmError:
    error = kind.__new__(kind)
    Exception.__init__(error, message)
    return error


class ByollmError(Exception):
    """The one base. `message` is the plain sentence, `hint` the line that mends it (may be empty)."""

    def __init__(self, message: str, *, hint: str = "", attempts: Sequence[Attempt] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.attempts: tuple[Attempt, ...] = tuple(attempts)

    def __str__(self) -> str:
        return f"{self.message}\n  {self.hint}" if self.hint else self.message

    def __reduce__(self) -> tuple[Any, ...]:
        # The state comes third, after the object is known: an attempt holds the error that holds the attempts.
        return _blank, (type(self), self.message), dict(self.__dict__)


class ConfigError(ByollmError, ValueError):
    """A configuration, a secret reference or a parameter's value cannot be used.

    `file`, `line` and `column` (both from 1) say where, when it came from a file.
    """

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        file: str | None = None,
        line: int | None = None,
        column: int | None = None,
    ) -> None:
        super().__init__(message, hint=hint)
        self.file = file
        self.line = line
        self.column = column

    def __str__(self) -> str:
        if self.file is None:
            return super().__str__()
        place = ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)
        return f"{place}: {super().__str__()}"


class PluginError(ByollmError):
    """A plugin is missing, cannot be loaded, or broke the rules of the border (ours, not the provider's)."""


class UnsupportedFeatureError(ByollmError):
    """The model cannot honour what was asked, and it is a contract: nothing was sent.

    `field` is the request's parameter.
    """

    def __init__(self, message: str, *, field: str = "", hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.field = field


class UnknownParameterError(UnsupportedFeatureError, TypeError):
    """No such parameter. `nearest` is the one that was probably meant."""

    def __init__(self, message: str, *, field: str = "", hint: str = "", nearest: str | None = None) -> None:
        super().__init__(message, field=field, hint=hint)
        self.nearest = nearest


class OutputInvalidError(ByollmError):
    """The answer does not fit `output_schema`. `completion` is the whole answer, `problems` what is wrong with it."""

    def __init__(self, message: str, *, completion: Completion | None = None, problems: Sequence[str] = ()) -> None:
        super().__init__(message)
        self.completion = completion
        self.problems = tuple(problems)


class NoRouteError(ByollmError):
    """No candidate could be tried. `skipped` maps each deployment to the reason; the text shows the first of them."""

    def __init__(self, message: str, *, skipped: Mapping[str, str] | None = None, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.skipped = dict(skipped or {})

    def __str__(self) -> str:
        shown = [f"  {name}: {reason}" for name, reason in list(self.skipped.items())[:10]]
        return "\n".join([self.message, *shown, *([f"  {self.hint}"] if self.hint else [])])


class CancelledError(ByollmError):
    """The caller cancelled. `partial` is what had arrived, or None; `sent` and `billed` as of a ProviderError."""

    def __init__(
        self,
        message: str = "cancelled by the caller",
        *,
        partial: Completion | None = None,
        sent: Sent = "yes",
        billed: Billed = "unknown",
    ) -> None:
        super().__init__(message)
        self.partial = partial
        self.sent = sent
        self.billed = billed


class ProviderError(ByollmError):
    """A provider, or the way to it, failed.

    `retryable`: the same request may succeed later. `retry_after`: seconds the provider asked for, or None.
    `failover_ok`: another deployment may be tried. `sent`: had the request left (no, partial, yes)?
    `billed`: may it have cost money (no, unknown, yes)? `status`: HTTP status or None. `code`: the provider's own code.
    """

    default_retryable: ClassVar[bool] = False
    default_failover_ok: ClassVar[bool] = True
    default_billed: ClassVar[Billed] = "no"
    default_hint: ClassVar[str] = ""

    def __init__(
        self,
        message: str,
        *,
        status: int | None = None,
        code: str | None = None,
        retryable: bool | None = None,
        retry_after: float | None = None,
        failover_ok: bool | None = None,
        sent: Sent = "yes",
        billed: Billed | None = None,
        provider: str | None = None,
        model: str | None = None,
        deployment: str | None = None,
        request_id: str | None = None,
        hint: str | None = None,
        attempts: Sequence[Attempt] = (),
    ) -> None:
        super().__init__(message, hint=self.default_hint if hint is None else hint, attempts=attempts)
        self.status = status
        self.code = code
        self.retryable = self.default_retryable if retryable is None else retryable
        self.retry_after = retry_after
        self.failover_ok = self.default_failover_ok if failover_ok is None else failover_ok
        self.sent: Sent = sent
        self.billed: Billed = self.default_billed if billed is None else billed
        self.provider = provider
        self.model = model
        self.deployment = deployment
        self.request_id = request_id

    def __str__(self) -> str:
        place = "/".join(part for part in (self.provider, self.model) if part)
        facts = [f"status {self.status}"] if self.status is not None else []
        facts += [f"request {self.request_id}"] if self.request_id else []
        head = f"{place}: {self.message}" if place else self.message
        head = f"{head} ({', '.join(facts)})" if facts else head
        return f"{head}\n  {self.hint}" if self.hint else head


class AuthenticationError(ProviderError):
    """The key is missing, wrong or expired (usually 401)."""

    default_hint = "check the key: `byollm doctor` shows where it was found, `api_key:` in the file names another"


class PermissionDeniedError(ProviderError):
    """The key is known and may not do this (usually 403)."""

    default_hint = "this key may not use this model, region or endpoint: allow it at the provider, or name another key"


class ModelNotFoundError(ProviderError):
    """No such model or deployment, or no access to it (usually 404)."""

    default_hint = "check `model:`; `byollm check` knows retired names and what replaced them"


class InvalidRequestError(ProviderError):
    """The provider refused the request as written (usually 400 or 422)."""

    default_failover_ok = False
    default_hint = "`client.preview(…)` shows what is sent, `client.capabilities()` what the model takes"


class ContextLengthError(InvalidRequestError):
    """The prompt does not fit the model's window. Another model may have a larger one."""

    default_failover_ok = True
    default_hint = "shorten the prompt, or add a deployment with a larger window under `failover:`"


class RequestTooLargeError(InvalidRequestError):
    """413, or larger than the account's tier allows in one request: waiting never helps."""

    default_failover_ok = True
    default_hint = "send less in one request: waiting does not help"


class ContentFilterError(ProviderError):
    """The request was refused by a safety filter. Never retried, never failed over on its own."""

    default_failover_ok = False
    default_hint = "the provider's filter refused this text: change it, or give the task to another provider"


class RateLimitError(ProviderError):
    """Too many requests or tokens for now (429). Waiting helps: `retry_after` seconds, when told."""

    default_retryable = True
    default_hint = "send less at a time, or list another deployment under `failover:`"


class QuotaExhaustedError(ProviderError):
    """The account's credit or limit is used up (429, 402): only an operator helps."""

    default_hint = "the account behind this key is out of credit or over its limit: raise it with the provider"


class OverloadedError(ProviderError):
    """The provider is busy or still loading the model (503, 529)."""

    default_retryable = True
    default_hint = "try again later, or list another deployment under `failover:`"


class ServerError(ProviderError):
    """The provider failed (5xx)."""

    default_retryable = True
    default_hint = "try again later, or list another deployment under `failover:`"


class ProviderTimeoutError(ProviderError, TimeoutError):
    """No answer in time. `phase` is connect, first_byte, idle or total."""

    default_retryable = True
    default_billed = "unknown"
    default_hint = "give it longer with `timeout:`, or list another deployment under `failover:`"

    def __init__(self, message: str, *, phase: str = "total", **details: Any) -> None:
        super().__init__(message, **details)
        self.phase = phase


class ProviderConnectionError(ProviderError, ConnectionError):
    """The connection could not be made, or broke."""

    default_retryable = True
    default_billed = "unknown"
    default_hint = "`byollm doctor` tells which step fails: name, connection, TLS or proxy"


class ProtocolError(ProviderError):
    """The answer breaks the rules of the dialect: not the provider's refusal, but bytes no reader can be held to."""

    default_billed = "unknown"
    default_hint = "check `endpoint:` and `api:`: does this server speak this dialect?"


class StreamInterruptedError(ProtocolError):
    """The answer ended without its terminal marker. `partial` is what had arrived, or None."""

    default_retryable = True
    default_hint = "what had arrived is in `.partial`; an answer is only complete with its terminal marker"

    def __init__(self, message: str, *, partial: Completion | None = None, **details: Any) -> None:
        super().__init__(message, **details)
        self.partial = partial
