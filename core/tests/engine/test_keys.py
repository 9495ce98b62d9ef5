"""A key appears nowhere, even when a provider sends it back: in no error, context, traceback, log or pickle."""

import asyncio
import base64
import copy
import json
import logging
import pickle
import traceback
from collections.abc import Callable
from dataclasses import asdict
from typing import Any
from urllib.parse import quote

import core_driving
import pytest
from core_driving import KEY, SSE, Acme, Answer, AsyncScript, Fixed, Script, events_in, line, run, run_async, said, sse
from hypothesis import given, settings
from hypothesis import strategies as st

from byollm import Request
from byollm.engine.async_driver import AsyncDriver
from byollm.engine.call import Call
from byollm.engine.credentials import Credentials
from byollm.engine.operation import Operation
from byollm.engine.sync_driver import SyncDriver
from byollm.errors import AuthenticationError, ByollmError, PluginError, ProviderError
from byollm.plugin import AuthContext, Finished, HeaderKey, HttpRequest, OAuthClientCredentials
from byollm.testing import ManualClock
from byollm.transports.base import Broken, Outgoing, Place
from byollm.types.events import UsageReported
from byollm.types.usage import Usage
from byollm.wire.redact import MASK, PIECE


def plain(lines: Any, script: Script, **details: Any) -> Any:
    """Under the sync driver, with no frame of a test between."""
    return run(lines, script, traced=False, **details)


def plain_async(lines: Any, script: Script, **details: Any) -> Any:
    """Under the async driver."""
    return run_async(lines, script, traced=False, **details)


ASK: Any = pytest.mark.parametrize("ask", [plain, plain_async])
OURS = (__file__, core_driving.__file__)
WRITTEN: dict[str, Callable[[str], str]] = {
    "raw": str,
    "its end": lambda key: key[-PIECE:],
    "its middle": lambda key: key[4 : 4 + PIECE],
    "base64": lambda key: base64.b64encode(key.encode()).decode(),
    "a basic pair": lambda key: base64.b64encode(b"api:" + key.encode()).decode(),
    "URL": lambda key: quote(key, safe=""),
    "escaped twice": lambda key: json.dumps(json.dumps(key)),
    "reversed": lambda key: key[::-1],
}


def pieces(text: str) -> set[str]:
    return {text[at : at + PIECE] for at in range(len(text) - PIECE + 1)}


def traces(key: str = KEY) -> set[str]:
    """Every twelve characters of the key, in the ways it is written here."""
    coded = base64.b64encode(key.encode()).decode().rstrip("=")[:-1]
    paired = base64.b64encode(b"api:" + key.encode()).decode().rstrip("=")[6:-1]
    return pieces(key) | pieces(coded) | pieces(paired) | pieces(quote(key, safe="")) | pieces(key[::-1])


def frames_of(error: BaseException) -> str:
    """The frames of byollm with their locals; a test's own frames hold what it compares with."""
    frames = traceback.walk_tb(error.__traceback__)
    return "\n".join(repr(it.f_locals) for it, _ in frames if it.f_code.co_filename not in OURS)


def everything(error: BaseException, *more: Any) -> str:
    """All that an error reporter could print: the chain, the frames with their locals, what hangs on the error."""
    shown, seen, waiting = [], set[int](), [error]
    while waiting:
        one = waiting.pop()
        if id(one) in seen:
            continue
        seen.add(id(one))
        shown += [frames_of(one), str(one), repr(one), repr(vars(one)), repr(one.args)]
        shown += [repr(getattr(one, "partial", None)), repr(getattr(one, "attempts", None))]
        waiting += [it for it in (one.__cause__, one.__context__) if it is not None]
        waiting += [it.error for it in getattr(one, "attempts", ()) if it.error is not None]
    if isinstance(error, ByollmError):
        shown += [repr(pickle.dumps(error)), repr(vars(copy.deepcopy(error)))]
    return "\n".join([*shown, *map(repr, more)])


def echo(status: int, way: Callable[[str], str], envelope: str) -> Callable[[Outgoing], Answer]:
    """A provider that sends the credential back."""

    def answer(outgoing: Outgoing) -> Answer:
        sent = dict(outgoing.headers).get("authorization", "").removeprefix("Bearer ")
        said_ = way(sent)
        body = said_ if envelope == "text" else json.dumps({"error": {"message": f"bad key {said_}", "key": said_}})
        headers = {"x-request-id": f"req-{said_}", "x-echo": said_, "content-type": "application/json"}
        if status == 200:
            return Answer(200, [sse({"id": "a"}), sse({"error": f"bad key {said_}"})], {**headers, **SSE})
        return Answer(status, [body.encode()[:30], body.encode()[30:]], headers)

    return answer


@ASK
@pytest.mark.parametrize("way", sorted(WRITTEN))
@pytest.mark.parametrize("status", [200, 400, 401, 403, 429, 500])
@pytest.mark.parametrize("envelope", ["text", "document"])
def test_a_key_that_comes_back_is_masked(
    ask: Any, way: str, status: int, envelope: str, caplog: pytest.LogCaptureFixture
):
    """In a body, a header, a request id or a stream, whole or in part, in any writing."""
    with caplog.at_level(logging.DEBUG, "byollm"):
        done = ask(line(), Script(echo(status, WRITTEN[way], envelope)))

    shown = everything(done.error, done.call.attempts, done.call)
    logged = "\n".join([*(record.getMessage() for record in caplog.records), *(repr(it.args) for it in caplog.records)])

    assert isinstance(done.error, ProviderError)
    assert not traces() & pieces(shown)
    assert not traces() & pieces(logged)


@ASK
def test_a_plugin_may_keep_words_of_the_answer_in_its_error(ask: Any):
    """Whatever it hangs on it is masked too: code, details, hint, request id."""

    def fail(failure: Any) -> ProviderError:
        words = failure.document["error"]["message"]
        error = AuthenticationError(words, code=words, hint=words, request_id=words)
        error.__dict__["details"] = {"raw": [words, {words: 1}]}
        return error

    class Talkative(Acme):
        def complete(self, request: Any, target: Any) -> Any:
            from dataclasses import replace

            return replace(super().complete(request, target), fail=fail)

        complete.byollm_impl = Acme.complete.byollm_impl  # type: ignore[attr-defined]  # it is the same hook

    done = ask(line(Talkative()), Script(echo(401, str, "document")))

    assert {"raw", "details"} <= {*vars(done.error), *done.error.details}
    assert not traces() & pieces(everything(done.error))


@ASK
@pytest.mark.parametrize("broken", ["reader", "fail", "then", "order", "headers"])
def test_a_plugin_that_breaks_over_an_echo_shows_nothing(ask: Any, broken: str):
    """Its exception, which may hold the bytes, does not hang on ours; nor do its frames."""
    plugin = Acme()

    def breaks(frame: Any) -> Any:
        raise ValueError(f"cannot read {frame}")

    if broken == "reader":
        plugin.read = breaks
    elif broken == "then":
        plugin.then = breaks
    elif broken == "order":
        plugin.read = lambda frame: [*events_in(frame), *events_in(frame)]
    elif broken == "headers":
        plugin.reader = breaks  # type: ignore[method-assign, assignment]  # that is the test
    echoed = Answer(200, [sse({"id": KEY, "t": "hi"}, {"f": "stop"})], {**SSE, "x-echo": KEY})

    done = ask(line(plugin), Script(Answer(400, [b'{"x": 1}'], {"x-echo": KEY}) if broken == "fail" else echoed))

    assert isinstance(done.error, ProviderError | PluginError)
    assert not traces() & pieces(frames_of(done.error))
    assert (None, None) == (done.error.__cause__, done.error.__context__)


@settings(max_examples=80, deadline=None)
@given(
    st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=PIECE, max_size=60),
    st.sampled_from(["raw", "its end", "base64", "URL", "reversed"]),
    st.sampled_from([200, 401, 500]),
)
def test_any_key_that_comes_back_is_masked(key: str, way: str, status: int):
    """Whatever a key looks like."""
    done = plain(line(key=key), Script(echo(status, WRITTEN[way], "document")))

    assert not pieces(key) & pieces(str(done.error))
    assert not pieces(key) & pieces(json.dumps(vars(done.error), default=str))


@ASK
def test_nothing_that_belongs_to_a_call_shows_its_key(ask: Any):
    """Lines, credentials, requests on their way."""
    target, script = line(), Script(said("hello"))
    done = ask(target, script)

    assert f"Bearer {KEY}" == dict(script.requests[0].headers)["authorization"]
    shown = [target, target.credentials, target.deployment, script.requests[0], script.requests[0].headers, done.call]
    assert not traces() & pieces("\n".join(map(repr, [*shown, done.reply])))


def named_by(key: str) -> Callable[[Outgoing], Answer]:
    """An answer that gives a key as its own name, the model's, the reason it ended, and a detail of its usage."""
    ends = [{"t": "hello"}, {"out": 1, "tier": key}, {"f": key}]
    return lambda outgoing: Answer(200, [sse({"id": key, "model": key}, *ends)], SSE)


def with_tiers(frame: Any) -> Any:
    """A reader that keeps the tier, and the provider's word for the end."""
    for event in events_in(frame):
        if isinstance(event, UsageReported):
            yield UsageReported(Usage(1, 1, details={"tier": frame.data["tier"]}))
        else:
            yield Finished("other", event.raw) if isinstance(event, Finished) else event


@pytest.mark.parametrize("ask", [run, run_async])
def test_an_answer_that_bears_the_key_as_a_name_is_masked(ask: Any):
    """Programs print an answer's id and model, and the trail and the books keep them for years."""
    plugin = Acme()
    plugin.read = with_tiers
    done = ask(line(plugin), Script(named_by(KEY)))

    assert ["Started", "TextDelta", "UsageReported", "Finished"] == [type(event).__name__ for event in done.events]
    told = [event for event in done.events if not isinstance(event, UsageReported)]
    assert not traces() & pieces(repr([asdict(done.reply), told]))
    assert (MASK, MASK, MASK) == (done.reply.id, done.reply.model, done.reply.raw_finish_reason)
    assert {"tier": MASK} == done.reply.usage.details


@ASK
def test_a_key_that_is_a_word_leaves_names_alone(ask: Any):
    """Servers at home are often given `ollama` for a key: the models' names, and their prices, stand."""
    frames = [sse({"id": "a1", "model": "llama-3.3-70b"}, {"t": "hello"}, {"f": "stop"})]
    done = ask(line(key="llama"), Script(Answer(200, frames, SSE)))

    assert "llama-3.3-70b" == done.reply.model


@ASK
def test_an_exception_of_a_transport_shows_no_key(ask: Any):
    """Even a mistake of ours, with all frames and their locals."""

    def burst(outgoing: Outgoing) -> Any:
        raise RuntimeError("a mistake in a transport")

    with pytest.raises(RuntimeError) as raised:
        ask(line(), Script(burst))

    assert not traces() & pieces(everything(raised.value))


SECRETS = {"client_id": Fixed("client-0123456789abcdef"), "client_secret": Fixed("s3cr3t-0123456789-abcdefgh")}
TOKEN = "tok-abcdefghijklmnopqrstuvwxyz"


def granted(text: str = TOKEN) -> Answer:
    body = json.dumps({"access_token": text, "expires_in": 3600}).encode()
    return Answer(200, [body[:20], body[20:]], {"content-type": "application/json"})


def oauth_line() -> Any:
    return line(credentials=Credentials(SECRETS), auth=OAuthClientCredentials("http://one.example/token"))


OAUTH_TRACES = pieces(TOKEN) | pieces("s3cr3t-0123456789-abcdefgh")


@ASK
@pytest.mark.parametrize(
    "answers",
    [
        [Answer(401, [b'{"error": "bad s3cr3t-0123456789-abcdefgh"}'])],
        [Answer(500, [b"oops: client_secret=s3cr3t-0123456789-abcdefgh"])],
        [granted(), Answer(400, [f'{{"error": "no {TOKEN}"}}'.encode()])],
        [granted(), Answer(401, [TOKEN.encode()]), granted("tok-second-abcdefghijk"), Answer(403, [TOKEN.encode()])],
        [Broken("reset", "yes", "while sending")],
    ],
)
def test_neither_token_nor_client_secret_is_shown(ask: Any, answers: list[Any]):
    """Not those of now, nor those that were just replaced."""
    done = ask(oauth_line(), Script(*answers))

    assert isinstance(done.error, ProviderError)
    assert not OAUTH_TRACES & pieces(everything(done.error, done.call))


def test_a_task_cancelled_while_it_gets_a_token_shows_nothing():
    """The frames between hold the client's secret and the token's bytes; none of them shows it."""
    waiting = asyncio.Event()

    class Slow(AsyncScript):
        async def open(self, outgoing: Outgoing) -> Any:
            opened = await super().open(outgoing)
            read = opened.read

            async def slow() -> Any:
                piece = await read()
                if not piece or b"expires" in piece:
                    waiting.set()
                    await asyncio.sleep(60)
                return piece

            opened.read = slow
            return opened

    async def go() -> BaseException:
        call = Call(clock=ManualClock())
        steps = Operation().run(call, Request("hi"), [oauth_line()])
        task = asyncio.create_task(AsyncDriver(steps, call, Slow(Script(granted()))).run())
        await waiting.wait()
        task.cancel()
        try:
            await task
        except asyncio.CancelledError as error:
            return error
        raise AssertionError("it was not cancelled")

    assert not OAUTH_TRACES & pieces(everything(asyncio.run(go())))


@ASK
def test_a_scheme_that_breaks_says_only_how(ask: Any):
    """What it raised may hold the secret it was given."""

    class Clumsy(HeaderKey):
        def flow(self, request: HttpRequest, context: AuthContext) -> Any:
            raise ValueError(f"cannot use {context.secret('api_key')}")
            yield

    done = ask(line(auth=Clumsy()), Script(said("hello")))

    assert (PluginError, "acme: the auth scheme failed (ValueError); nothing was sent") == (
        type(done.error),
        done.error.message,
    )
    assert not traces() & pieces(everything(done.error))


@ASK
@pytest.mark.parametrize(
    "key", ["sk-abc\r\nx-evil: 1", "sk-abcdefghijkl\n", "sk-abcdefghijkl ", "“sk-abcdefghijkl”", "sk-\0abcdefghijkl"]
)
def test_a_key_that_no_header_can_carry_is_refused(ask: Any, key: str):
    """Line breaks and typographic quotes are what pasting leaves behind: said before anything is sent."""
    script = Script(said("hello"))

    done = ask(line(key=key), script)

    assert (AuthenticationError, []) == (type(done.error), script.requests)
    assert "pasted" in done.error.hint
    assert not pieces(key) & pieces(everything(done.error))


@ASK
def test_a_reference_that_breaks_says_only_how(ask: Any):
    """A vault's own exception may hold what it was asked with."""

    class Vault:
        def resolve(self) -> Any:
            raise OSError(f"vault said: {KEY}")

    done = ask(line(credentials=Credentials({"api_key": Vault()})), Script(said("hello")))

    assert PluginError is type(done.error)
    assert not traces() & pieces(everything(done.error))


def test_a_driver_forgets_what_it_read_last():
    """After an error no local of it holds the provider's bytes."""
    call = Call(clock=ManualClock())
    driver = SyncDriver(
        Operation().run(call, Request("hi"), [line()]), call, Script(Answer(200, [sse({"error": f"bad {KEY}"})]))
    )
    with pytest.raises(ProviderError) as raised:
        driver.run()

    assert "self" in frames_of(raised.value)
    assert not traces() & pieces(frames_of(raised.value))


def test_a_proxys_password_is_hidden_too():
    """Over plain http a proxy may send it back, as it does with a page of its own."""
    target = line()
    target.way = lambda: Place(frozenset({"one.example"}), "http://me:pass%2Fword-0123456789@proxy.example:3128")
    assert target.place.proxy is not None

    sent = base64.b64encode(b"me:pass/word-0123456789").decode()
    assert f"denied Basic {sent[:4]}{MASK}=" == target.credentials.redactor.text(f"denied Basic {sent}")


class Hasty(HeaderKey):
    """Answers at once, where a flow yields."""

    def flow(self, request: HttpRequest, context: AuthContext) -> Any:
        return {"authorization": context.secret("api_key")}


class Texting(HeaderKey):
    """Asks for an address, where a flow asks with a request."""

    def flow(self, request: HttpRequest, context: AuthContext) -> Any:
        yield "https://login.example/"
        return {}


@ASK
@pytest.mark.parametrize(
    ("scheme", "words"),
    [(Hasty(), "a flow that does not yield"), (Texting(), "it yielded a str")],
    ids=["hasty", "text"],
)
def test_a_scheme_that_is_no_flow_is_a_plugin_error(ask: Any, scheme: Any, words: str):
    """And nothing of what it made is sent or shown."""
    script = Script(said("hello"))
    done = ask(line(auth=scheme), script)

    assert PluginError is type(done.error)
    assert words in done.error.message
    assert not script.requests
    assert not traces() & pieces(everything(done.error))
