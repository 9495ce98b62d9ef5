"""What leaves is worked out once for requests that differ in nothing but their body, and never once too few."""

from dataclasses import dataclass, replace
from typing import Any

import pytest
from core_driving import KEY, Acme, Fixed, Script, line, refused, run, run_async, said

from byollm.engine.credentials import Credentials
from byollm.plugin import AuthContext, HttpRequest, NoAuth
from byollm.transports.base import Kept, Outgoing, TlsFiles

ASK: Any = pytest.mark.parametrize("ask", [run, run_async])
OTHER = "sk-acme-other-Zq3vB7wWm9Lk2"


@dataclass(frozen=True)
class Counting:
    """A scheme that counts how often it runs; what it answers depends on the request."""

    runs: list[str]
    name: str = "counting"
    refreshes: bool = False

    def flow(self, request: HttpRequest, context: AuthContext) -> Any:
        self.runs.append(request.url)
        return {"x-signature": str(len(self.runs))}
        yield


class Lasting(Counting):
    """The same, but it says that the secrets alone decide."""

    fixed = True


def answers(times: int) -> Script:
    return Script(*[said("hello") for _ in range(times)])


def asked(script: Script) -> list[Outgoing]:
    return script.requests


def header(outgoing: Outgoing, name: str) -> str | None:
    return dict(outgoing.headers).get(name)


@ASK
def test_the_same_headers_leave_again(ask: Any):
    """Two requests of one kind share headers, URL and what a transport keeps; the bodies are their own."""
    one, script = line(), answers(2)

    for text in ("first", "second"):
        ask(one, script, text)

    first, second = asked(script)
    assert first.headers is second.headers
    assert first.kept is second.kept is not None
    assert b"first" in first.body
    assert b"second" in second.body


@ASK
def test_a_scheme_that_signs_runs_each_time(ask: Any):
    """Only one that says so is asked once."""
    runs: dict[type, list[str]] = {Counting: [], Lasting: []}
    sent = {}
    for kind, seen in runs.items():
        one, script = line(auth=kind(seen)), answers(3)
        for _ in range(3):
            ask(one, script)
        sent[kind] = [header(it, "x-signature") for it in asked(script)]

    assert {Counting: ["1", "2", "3"], Lasting: ["1", "1", "1"]} == sent


@ASK
def test_a_new_key_is_used_at_once(ask: Any):
    """A key that the provider refused is read anew, and what was made of the old one is not sent again."""
    reference = Fixed(KEY)
    one = line(credentials=Credentials({"api_key": reference}))
    script = Script(said("a"), refused(401), said("b"), said("c"))
    ask(one, script)

    reference.text = OTHER
    ask(one, script)
    ask(one, script)

    assert [KEY, KEY, OTHER, OTHER] == [
        str(header(it, "authorization")).removeprefix("Bearer ") for it in asked(script)
    ]


@ASK
def test_two_lines_share_nothing(ask: Any):
    """Another deployment, tenant or key has headers of its own, though the plugin's are the same object."""
    plugin, script = Acme(), answers(2)
    for one in (line(plugin), line(plugin, key=OTHER)):
        ask(one, script)

    assert [f"Bearer {KEY}", f"Bearer {OTHER}"] == [header(it, "authorization") for it in asked(script)]
    assert asked(script)[0].kept is not asked(script)[1].kept


@ASK
def test_another_way_is_another_request(ask: Any):
    """What a transport kept for one way out is not used for another."""
    one, script = line(), answers(2)
    ask(one, script)

    one.way = replace(one.place, tls=TlsFiles(ca="/another"))
    ask(one, script)

    assert asked(script)[0].kept is not asked(script)[1].kept


def test_no_credentials_are_as_good_as_any():
    """A target without a key is sealed too."""
    one, script = line(auth=NoAuth()), answers(2)

    for _ in range(2):
        run(one, script)

    assert asked(script)[0].headers is asked(script)[1].headers
    assert header(asked(script)[0], "authorization") is None


def test_what_is_kept_does_not_show_itself():
    """Neither headers nor what a transport made of them."""
    one, script = line(), answers(1)
    run(one, script)
    kept = Kept()
    kept.value = KEY

    shown = f"{one.sealed!r} {asked(script)[0].kept!r} {kept!r} {one.credentials.ready(Acme().auth)!r}"

    assert KEY not in shown
