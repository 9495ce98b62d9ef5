"""Faults with refusals, keys, logs and in-process models."""
# ruff: noqa: D102, D106, RUF012  (a fault is told by the docstring of its class, and is never shared)

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import byollm.plugin as b
from byollm_conformance.zoo.fault import fault
from byollm_conformance.zoo.local import LocalReference
from byollm_conformance.zoo.reference import CODES, Reference


class Refuses(Reference):
    """Reads the code of a refusal otherwise."""

    codes = CODES

    def refusal(self, document: Any, status: int | None) -> b.ProviderError | None:
        """By the codes above."""
        error = super().refusal(document, status)
        kind = self.codes.get(str(error.code)) if error is not None else None
        words = error.message if error is not None else ""
        return error if kind is None or type(error) is b.RequestTooLargeError else kind(words, status=status)


@fault("ERR-01")
class NotFoundIsInvalid(Reference):
    """Takes a model that is not there for a faulty request."""

    def refusal(self, document: Any, status: int | None) -> b.ProviderError | None:
        return (
            b.InvalidRequestError("no such model", status=404) if status == 404 else super().refusal(document, status)
        )


@fault("ERR-02")
class RateLimitsAreFinal(Reference):
    """Says that another try does not help against a rate limit."""

    def refusal(self, document: Any, status: int | None) -> b.ProviderError | None:
        error = super().refusal(document, status)
        if type(error) is b.RateLimitError:
            error.retryable = False
        return error


@fault("ERR-03")
class WaitsAnything(Reference):
    """Waits as long as the header says, whatever it says."""

    @b.hookimpl
    def complete(self, request: b.Request, target: b.Target) -> b.Exchange[b.Event]:
        def fail(failure: b.Failure) -> b.ProviderError | None:
            error = self.refusal(failure.document, failure.status)
            waits = failure.headers.get("retry-after", "")
            if error is not None and waits.lstrip("-").isdigit():
                error.retry_after = float(waits)
            return error

        return replace(super().complete(request, target), fail=fail)


@fault("ERR-04")
class TrustsItsEnvelope(Reference):
    """Believes that every refusal is an object in an object."""

    def refusal(self, document: Any, status: int | None) -> b.ProviderError | None:
        document["error"]["message"]
        return super().refusal(document, status)


@fault("ERR-05")
class LongPromptsAreInvalid(Refuses):
    """Takes a prompt that is too long for a faulty request."""

    codes = {**CODES, "context_length_exceeded": b.InvalidRequestError}


@fault("ERR-06")
class QuotasAreRateLimits(Refuses):
    """Takes an exhausted quota for a rate limit."""

    codes = {**CODES, "insufficient_quota": b.RateLimitError}


@fault("ERR-10")
class OverloadIsServerError(Refuses):
    """Takes an overloaded server for a broken one."""

    codes = {**CODES, "server_is_overloaded": b.ServerError}


@fault("ERR-07")
class OwnWordsOnly(Reference):
    """Says what it thinks in place of what the provider said."""

    def refusal(self, document: Any, status: int | None) -> b.ProviderError | None:
        error = super().refusal(document, status)
        return None if error is None else type(error)("the provider refused", status=status)

    def error(self, document: Any, status: int | None) -> b.ProviderError:
        return self.refusal(document, status) or b.ServerError("the provider failed")


@fault("ERR-08", alone=True)
class HangsOnToThings(Reference):
    """Hangs a function on its errors."""

    def refusal(self, document: Any, status: int | None) -> b.ProviderError | None:
        error = super().refusal(document, status)
        if error is not None:
            error.again = lambda: self.refusal(document, status)  # type: ignore[attr-defined]  # its point
        return error


@fault("SEC-01", alone=True)
class KeepsTheBody(Reference):
    """Hangs the bytes of a refusal on its error."""

    @b.hookimpl
    def complete(self, request: b.Request, target: b.Target) -> b.Exchange[b.Event]:
        exchange = super().complete(request, target)

        def fail(failure: b.Failure) -> b.ProviderError | None:
            error = self.refusal(failure.document, failure.status) or b.AuthenticationError("no", status=failure.status)
            error.body = failure.body  # type: ignore[attr-defined]  # its point
            return error if failure.status == 401 else self.refusal(failure.document, failure.status)

        return replace(exchange, fail=fail)


@fault("SEC-02", alone=True)
class KeyTwice(Reference):
    """Sends the key in a second header, too."""

    class Twice(b.Bearer):
        def flow(self, request: b.HttpRequest, context: b.AuthContext) -> b.AuthFlow:
            headers = yield from super().flow(request, context)
            return {**headers, "x-api-key": context.secret(self.secret)}

    manifest = replace(Reference.manifest, authentication={"bearer-token": Twice()})


@fault("SEC-03")
class OneHostForAll(Reference):
    """Sends to its own host, whatever endpoint is named."""

    def url(self, target: b.Target) -> str:
        return "https://reference.example.com/v1/chat/completions"


@fault("SEC-07", alone=True)
class LogsPrompts(Reference):
    """Logs what is asked."""

    def body(self, request: b.Request, target: b.Target) -> dict[str, Any]:
        logging.getLogger("zoo").info("asking %s", [message.text for message in request.messages])
        return super().body(request, target)


@fault("LOC-01")
class NeverFinishes(LocalReference):
    """Ends without saying that it is finished."""

    def events(self, words: list[str]) -> Iterator[b.Event]:
        yield from list(super().events(words))[:-1]


@fault("LOC-02", alone=True)
class NeverStops(LocalReference):
    """Goes on when the caller gave up."""

    patient = False


@fault("LOC-03", alone=True)
class LastWordWhole(LocalReference):
    """Gives its last word as a whole part."""

    def events(self, words: list[str]) -> Iterator[b.Event]:
        *said, usage, finished = super().events(words)
        yield from (*said, b.PartAdded(1, b.Text("Done.")), usage, finished)
