"""REQ: what is asked arrives, all of it, as it was asked, and nothing else does."""

from __future__ import annotations

import copy
from typing import Any, Final

from byollm.errors import ByollmError
from byollm.types.messages import Message, user
from byollm.types.parts import Opaque, Text
from byollm.types.request import Request
from byollm_conformance import pools
from byollm_conformance.effort import Effort
from byollm_conformance.judge import alike
from byollm_conformance.model import Broken, Unsaid, check
from byollm_conformance.strategies import requests
from byollm_conformance.subject import Subject, Translation
from byollm_conformance.wire import Seen

WIRE: Final = ("wire",)


def sent_or_refused(subject: Subject, request: Request) -> Translation | None:
    """The translation, or None when the call is refused before a byte leaves."""
    try:
        return subject.translate(request)
    except ByollmError:
        return None


def texts_of(seen: Seen, role: str | None = None) -> list[str]:
    """Every text on the wire in order, or those of one role."""
    turns = [turn for turn in seen.messages if role in (None, turn.role)]
    return [part.text for turn in turns for part in turn.parts if isinstance(part, Text)]


@check("REQ-01", "MUST", "Any text of a user arrives as it was written.", spec="spec/messages.md#1", needs=WIRE)
def text_arrives(subject: Subject, effort: Effort) -> None:
    """White space alone is refused by several providers, so every text has a letter."""
    pool = [text if text.strip() else f"[{text}]" for text in pools.texts()]
    for text in effort.random("REQ-01").sample(pool, min(len(pool), effort.max_examples)):
        subject.count()
        request = Request([user(text)])
        seen = subject.seen(request)
        alike([text], texts_of(seen, "user"), "the text of the user's turn arrived changed", request=request)


@check(
    "REQ-05",
    "MUST",
    "Half a surrogate pair never reaches the wire: the request is refused, or it becomes U+FFFD; NUL arrives or is "
    "refused.",
    spec="spec/messages.md#5",
    needs=WIRE,
)
def surrogates(subject: Subject, effort: Effort) -> None:
    """The body is UTF-8, and holds no escape of a half either."""
    for text in ("a\ud800b", "a\udfffb", "\ude42\ud83d", "a\x00b"):
        subject.count()
        request = Request([user(text)])
        made = sent_or_refused(subject, request)
        if made is None:
            continue
        arrived = texts_of(subject.seen(made), "user")
        clean = "".join("\ufffd" if "\ud800" <= letter <= "\udfff" else letter for letter in text)
        alike([clean], arrived, "what is no text was sent as if it were", request=request, body=made.body)


@check(
    "REQ-06",
    "SHOULD",
    "Text outside ASCII is sent as UTF-8, not as escapes that are three times as long.",
    spec="spec/messages.md#6",
    needs=WIRE,
)
def unescaped(subject: Subject, effort: Effort) -> None:
    """The bytes themselves, wherever plain text stands as its own."""
    made = subject.translate(Request([user("zz-plain 漢字 🙂 é")]))
    if b"zz-plain" not in made.body:
        raise Unsaid("in this dialect no text stands as its own bytes in a request")
    if "漢字 🙂 é".encode() not in made.body:
        raise Broken("non-ASCII text is escaped in the body", body=made.body)


@check(
    "REQ-09",
    "MUST",
    "Translating changes nothing that the caller handed over.",
    spec="spec/messages.md#9",
    needs=WIRE,
)
def not_mutated(subject: Subject, effort: Effort) -> None:
    """Deep copies before, compared after."""

    def test(request: Request) -> None:
        before = copy.deepcopy(request)
        target = copy.deepcopy(subject.line.deployment.target)
        sent_or_refused(subject, request)
        if request != before or repr(request) != repr(before):
            raise Broken("the caller's request was changed", request=before, got=request)
        alike(target, subject.line.deployment.target, "the target was changed")

    for request in _rich(subject):
        test(request)
    effort.each(subject, requests(subject), test, share=0.1)


def _rich(subject: Subject) -> list[Request]:
    """Requests that hold what can be changed: dictionaries and lists."""
    name = subject.manifest.name
    found = [Request("hi", extra={name: {"zz_list": [1], "zz_map": {"a": 1}}}), Request("hi", metadata={"ticket": "1"})]
    if not subject.support("structured_output").refused:
        schema: dict[str, Any] = {"type": "object", "properties": {"a": {"type": "array", "items": {"type": "string"}}}}
        found.append(Request("hi", output_schema=schema))
    state = Opaque(name, subject.api, {"type": "text", "list": [1]})
    return [*found, Request([user("hi"), Message("assistant", (Text("yes", None, state),)), user("go on")])]


@check(
    "REQ-10",
    "MUST",
    "The same request gives the same bytes, from this plugin object and from a copy of it, now and later.",
    spec="spec/messages.md#10",
    needs=WIRE,
)
def deterministic(subject: Subject, effort: Effort) -> None:
    """Twice in one deployment, once in another, once from a copy of the plugin."""
    others = (subject, subject.fresh(), subject.copied())

    def test(request: Request) -> None:
        first = subject.translate(request)
        for other in others:
            again = other.translate(request)
            alike((first.url, first.body), (again.url, again.body), "the same request was translated otherwise")
            alike(dict(first.headers), dict(again.headers), "the same request got other headers")

    effort.each(subject, requests(subject), test, share=0.1)


NAMES: Final = (
    "../../admin", "a/b?x=1#y", "m%2f..%2f", "mödel", "a b", "..", "@evil.example", "//evil.example/x", "a:b", "a\\b",
)  # fmt: skip


@check(
    "REQ-11",
    "MUST",
    "No model name changes the host, the path or the query that a request goes to.",
    spec="spec/messages.md#11",
    needs=WIRE,
)
def model_names(subject: Subject, effort: Effort) -> None:
    """The name is one segment of the path, or stands in the body; or the call is refused."""
    plain = subject.fresh(model="zz-model").translate(Request("hi")).url
    for name in NAMES:
        subject.count()
        other = subject.fresh(model=name)
        made = sent_or_refused(other, Request("hi"))
        if made is None:
            continue
        before, found, after = plain.partition("zz-model")
        inside = made.url[len(before) : len(made.url) - len(after)] if found else ""
        framed = made.url.startswith(before) and made.url.endswith(after)
        if (found and (not framed or not inside or set(inside) & set("/?#\\"))) or (not found and made.url != plain):
            raise Broken(f"the model name {name!r} changed the address", expected=plain, got=made.url)
        told = subject.seen(made).model
        if not found and told != name:
            raise Broken("the model asked for is not the one of the request", expected=name, got=told)


@check(
    "REQ-12",
    "MUST",
    "No value of a request or of the configuration puts a line break or a control character into a header.",
    spec="spec/messages.md#12",
    needs=WIRE,
)
def header_injection(subject: Subject, effort: Effort) -> None:
    """Every text parameter; the target's own text options, which may be refused when the file is read."""
    evil = "a\r\nx-evil: 1\0"
    for name in ("system", "cache_key", "end_user_id", "service_tier", "verbosity"):
        subject.count()
        _clean(subject, Request("hi", **{name: evil}))
    _clean(subject, Request("hi", metadata={"a": evil}))
    _clean(subject, Request([Message("user", (Text("hi"),), evil)]))
    options = getattr(subject.manifest.options, "model_fields", {})
    for name in options:
        for value in (evil, [evil]):
            subject.count()
            try:
                other = subject.fresh(keys={**subject.keys, name: value})
                other.translate(Request("hi"))
            except ByollmError:
                continue
            _clean(other, Request("hi"), f"option {name}")


def _clean(subject: Subject, request: Request, where: str = "") -> None:
    made = sent_or_refused(subject, request)
    for name, value in made.headers if made is not None else ():
        if any(ord(letter) < 32 or letter == "\x7f" for letter in f"{name}{value}"):
            raise Broken(f"a header holds a control character {where}".strip(), request=request, header=[name, value])


@check(
    "REQ-13",
    "MUST",
    "`extra` under the plugin's own name arrives in the body as it was written, and reaches neither headers nor "
    "address; `extra` of others does not arrive.",
    spec="spec/messages.md#13",
    needs=WIRE,
)
def extra(subject: Subject, effort: Effort) -> None:
    """Own words, another's words."""
    plain, value = subject.translate(Request("hi")), {"deep": [1, {"ü": None}]}
    request = Request("hi", extra={subject.manifest.name: {"zz_own": value}, "nobody": {"zz_other": "FOREIGN-WORDS"}})
    made = subject.translate(request)
    alike(value, made.document.get("zz_own"), "the plugin's own extra did not arrive", request=request, body=made.body)
    if b"zz_other" in made.body or b"FOREIGN-WORDS" in made.body:
        raise Broken("extra of another provider was sent", request=request, body=made.body)
    alike((plain.url, plain.headers), (made.url, made.headers), "extra changed the address or a header")


@check(
    "REQ-15",
    "MUST",
    "Nothing reaches the provider that was not asked for: no name of a deployment, no tag, no state of another "
    "provider.",
    spec="spec/messages.md#14",
    needs=WIRE,
)
def nothing_leaks(subject: Subject, effort: Effort) -> None:
    """Canaries in everything that a plugin may see or be handed."""
    keys = {"tags": ["canary-tag"], "data_classes": ["canary-class"]}
    foreign = Opaque("nobody", "chat", {"id": "canary-state"})
    said = Message("assistant", (Text("yes", None, foreign), Opaque("nobody", "chat", {"note": "canary-block"})))
    other = subject.fresh(keys={**subject.keys, **keys})
    target = other.line.deployment.target
    object.__setattr__(target, "deployment", "canary-deployment")
    request = Request([user("hi"), said, user("go on")])
    made = other.translate(request)
    shown = made.url.encode() + made.body + repr(made.headers).encode()
    if b"canary" in shown:
        raise Broken("what is not for the provider was sent", request=request, headers=made.headers, body=made.body)


@check(
    "REQ-16",
    "MUST",
    "The provider takes every request that the plugin makes of a legal one: no unknown member, no wrong type.",
    spec="spec/messages.md#15",
    needs=WIRE,
)
def strict_twin(subject: Subject, effort: Effort) -> None:
    """The twin refuses what its vendor refuses."""

    def test(request: Request) -> None:
        made = subject.translate(request)
        rejection = subject.rejected(made)
        if rejection is not None:
            words = f"the provider would refuse the request ({rejection.status}): {rejection.message}"
            raise Broken(words, request=request, body=made.body)

    effort.each(subject, requests(subject), test, share=0.3)
