"""SEC: where the key goes, and where it never shows."""

from __future__ import annotations

import base64
import contextlib
import copy
import io
import json
import pickle
import traceback
import warnings
from collections.abc import Iterator, Mapping
from typing import Any, Final
from urllib.parse import quote, urlsplit

from byollm.errors import ByollmError, ConfigError
from byollm.types.completion import Completion
from byollm.types.request import Request
from byollm.wire.auth import Bearer, HeaderKey, NoAuth
from byollm_conformance.canary import KEY, PLAIN, canaries, is_for_an_answer
from byollm_conformance.checks.hygiene import recorded_logs
from byollm_conformance.effort import Effort
from byollm_conformance.model import Broken, check
from byollm_conformance.subject import Sent, Subject

FORMS: Final[Mapping[str, str]] = {
    "raw": KEY,
    "base64": base64.b64encode(KEY.encode()).decode(),
    "url": quote(KEY, safe=""),
    "json": json.dumps(KEY)[1:-1],
}
"""How a key may show."""
_JSON: Final = {"content-type": "application/json"}


def placements() -> Iterator[tuple[str, tuple[int, Mapping[str, str], bytes], bool]]:
    """Answers that throw the key back at the caller: name, answer, whether a stream was asked for."""
    for form, text in FORMS.items():
        body = json.dumps({"error": {"message": f"bad key {text}", "type": "x", "code": text, "param": text}}).encode()
        yield f"an error that repeats the key ({form})", (401, _JSON, body), False
    yield "a page that repeats it", (502, {"content-type": "text/html"}, f"<p>{KEY}</p>".encode()), False
    yield "a header that repeats it", (429, {**_JSON, "x-request-id": KEY, "request-id": KEY}, b"{}"), False
    yield "a redirect to it", (307, {**_JSON, "location": f"https://x.example.com/?k={KEY}"}, b"{}"), False
    yield "broken JSON with it", (200, _JSON, f'{{"key": "{KEY}'.encode()), False
    events = f'event: error\ndata: {{"type":"error","error":{{"message":"{KEY}","type":"x"}}}}\n\n'.encode()
    yield "an error in a stream", (200, {"content-type": "text/event-stream"}, events), True


@check(
    "SEC-01",
    "MUST",
    "A key never shows: not in errors, their text, pickles, attributes or tracebacks, not in logs of any level, in "
    "warnings, printed output, URLs, bodies, or the repr of anything.",
    spec="spec/security.md#6",
    needs=("wire",),
)
def keys_never_show(subject: Subject, effort: Effort) -> None:
    """A canary key, thrown back by the other end in every way; all sinks are searched, in four spellings."""
    for words, answer, stream in placements():
        if stream and subject.support("streaming").refused:
            continue
        for name, text in _sinks(subject, answer, stream):
            subject.count()
            for form, key in FORMS.items():
                if key in text:
                    raise Broken(f"the key ({form}) shows in {name} after {words}", sink=text.replace(key, "<the key>"))


def _sinks(subject: Subject, answer: tuple[int, Mapping[str, str], bytes], stream: bool) -> Iterator[tuple[str, str]]:
    out, caught = io.StringIO(), []
    with contextlib.ExitStack() as stack:
        records = stack.enter_context(recorded_logs())
        caught = stack.enter_context(warnings.catch_warnings(record=True))
        stack.enter_context(contextlib.redirect_stdout(out))
        stack.enter_context(contextlib.redirect_stderr(out))
        fresh = subject.fresh()
        try:
            sent = fresh.call(answer, stream=stream)
        except Broken:  # a reader that breaks is told by the checks of readers
            sent = Sent((), Completion())
    yield "printed output", out.getvalue()
    yield "a log", "\n".join(f"{item.getMessage()} {vars(item)}" for item in records)
    yield "a warning", "\n".join(str(item.message) for item in caught)
    for name, value in {
        "repr(plugin)": subject.provider,
        "repr(manifest)": subject.manifest,
        "repr(target)": fresh.line.deployment.target,
        "repr(line)": fresh.line,
        "repr(exchange)": fresh.line.deployment.exchange(Request("hi")),
        "repr(outcome)": sent.outcome,
        "the plugin's attributes": getattr(subject.provider, "__dict__", {}),
    }.items():
        yield name, repr(value)
    for request in sent.requests:
        yield "the URL", request.url
        if is_for_an_answer(request, fresh):  # one for a token may hold what it is got with
            yield "the body", request.body.decode("utf-8", "replace")
        yield "repr(request)", repr(request)
    if isinstance(sent.outcome, ByollmError):
        yield from _of_error(sent.outcome)


def _of_error(error: ByollmError) -> Iterator[tuple[str, str]]:
    yield "str(error)", str(error)
    yield "the error's attributes", repr(error.__dict__)
    yield "the error's arguments", repr(error.args)
    yield "a pickled error", pickle.dumps(error).decode("latin-1")
    yield "a copied error", str(copy.deepcopy(error))
    yield "a traceback with locals", _locals_of(error)
    for name in ("__cause__", "__context__"):
        yield f"the error's {name}", repr(getattr(error, name))


def _locals_of(error: BaseException) -> str:
    """As a tool for crash reports shows them. The suite's own frames hold the canary, and are left out."""
    told = traceback.TracebackException.from_exception(error, capture_locals=True)
    frames = [frame for frame in told.stack if "byollm_conformance" not in frame.filename]
    return "".join(traceback.StackSummary.from_list(frames).format())


@check(
    "SEC-02",
    "MUST",
    "The key is sent in the header that the manifest's scheme names, and nowhere else.",
    spec="spec/security.md#7",
    needs=("wire",),
)
def key_has_one_place(subject: Subject, effort: Effort) -> None:
    """Every word of `authentication` that the manifest accepts; a scheme of the plugin's own has its own header."""
    for word, scheme in subject.manifest.authentication.items():
        keys = {name: value for name, value in subject.keys.items() if name not in ("api_key", "credentials")}
        one = subject.fresh(keys={**keys, "authentication": word, **canaries(subject.manifest, word)})
        for stream in (False, True):
            if not (stream and subject.support("streaming").refused):
                subject.count()
                sent = one.call((500, _JSON, b"{}"), stream=stream)
                if isinstance(scheme, PLAIN):
                    _placed(sent, scheme, word)
                else:
                    _nowhere(one, sent, word)


def _nowhere(subject: Subject, sent: Sent, word: str) -> None:
    """What a scheme makes of a secret is its affair. The secret itself is in no URL, nor in the request for an answer:
    the body of a request for a token may hold it."""
    for request in sent.requests:
        if KEY in request.url or (KEY.encode() in request.body and is_for_an_answer(request, subject)):
            raise Broken(f"authentication {word!r} puts the key in the {'URL' if KEY in request.url else 'body'}")


def _placed(sent: Sent, scheme: Any, word: str) -> None:
    for request in sent.requests:
        held = [name.lower() for name, value in request.headers if KEY in value]
        wanted = [] if isinstance(scheme, NoAuth) else [_header(scheme)]
        if held != wanted:
            raise Broken(f"authentication {word!r} puts the key in {held or 'no header'}, due in {wanted or 'none'}")
        if KEY in request.url or KEY.encode() in request.body:
            raise Broken(f"authentication {word!r} puts the key in the {'URL' if KEY in request.url else 'body'}")


def _header(scheme: Bearer | HeaderKey) -> str:
    return "authorization" if isinstance(scheme, Bearer) else scheme.header.lower()


@check(
    "SEC-03",
    "MUST",
    "An endpoint that could send a key astray is refused or kept to its host: plain http to elsewhere, user and "
    "password in it, control characters, a fragment; the plugin's own paths never change the host.",
    spec="spec/security.md#10",
    needs=("wire",),
)
def endpoints_stay_themselves(subject: Subject, effort: Effort) -> None:
    """Endpoints as attackers and mistakes write them."""
    for endpoint in (
        "https://user:password@llm.example.com",
        "https://llm.example.com\r\nx-injected: 1",
        "https://llm.example.com/\x00",
        "https://llm.example.com#fragment",
        "ftp://llm.example.com",
        "https://",
    ):
        subject.count()
        sent = _attempt(subject, endpoint)
        if sent and any(_astray(request.url) for request in sent.requests):
            raise Broken(f"the endpoint {endpoint!r} is taken", url=sent.requests[0].url)
    for endpoint in ("https://llm.example.com", "https://llm.example.com/", "https://llm.example.com/deep/path/"):
        subject.count()
        sent = _attempt(subject, endpoint)
        for request in sent.requests if sent else ():
            if urlsplit(request.url).hostname != "llm.example.com":
                raise Broken(f"with the endpoint {endpoint!r} a request goes elsewhere", url=request.url)


def _attempt(subject: Subject, endpoint: str) -> Sent | None:
    try:
        return subject.fresh(keys={**subject.keys, "endpoint": endpoint, "region": None}).call((500, _JSON, b"{}"))
    except ConfigError:
        return None


def _astray(url: str) -> bool:
    parts = urlsplit(url)
    odd = any(ord(letter) < 33 or ord(letter) == 127 for letter in url)
    return bool(odd or parts.username or parts.fragment or parts.scheme != "https" or not parts.hostname)
