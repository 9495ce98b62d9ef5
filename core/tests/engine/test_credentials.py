"""Secrets of a line: read at first use, renewed after a 401, one refresh for all who wait."""

import asyncio
import json
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from core_driving import KEY, Answer, Fixed, Script, line, refused, run, run_async, said

from byollm.engine.call import Call
from byollm.engine.credentials import Credentials
from byollm.engine.waiting import Waiting
from byollm.errors import AuthenticationError, ConfigError, PluginError, ServerError
from byollm.plugin import Bearer, HttpRequest, HttpResponse, NoAuth, OAuthClientCredentials
from byollm.transports.base import Broken, Outgoing
from byollm.wire.redact import Secret

OK = said("hello")
ASK: Any = pytest.mark.parametrize("ask", [run, run_async])
OAUTH = OAuthClientCredentials("http://one.example/token")
CLIENT = {"client_id": Fixed("client-0123456789"), "client_secret": Fixed("secret-0123456789")}


class Turning:
    """A reference whose secret was changed meanwhile, as a file or a vault's may be."""

    def __init__(self, *texts: str) -> None:
        self.texts = list(texts)
        self.reads = 0

    def resolve(self) -> Secret:
        self.reads += 1
        return Secret(self.texts[0])

    def refresh(self) -> None:
        if len(self.texts) > 1:
            self.texts.pop(0)


def keys_of(script: Script) -> list[str]:
    return [dict(it.headers).get("authorization", "").removeprefix("Bearer ") for it in script.requests]


@ASK
def test_secrets_are_read_at_first_use_and_once(ask: Any):
    """A line that is never called reads nothing."""
    reference = Turning("key-0123456789ab")
    target = line(credentials=Credentials({"api_key": reference}))
    assert 0 == reference.reads

    for _ in range(3):
        ask(target, Script(OK))

    assert 1 == reference.reads


@ASK
def test_a_key_that_was_changed_is_read_again_after_a_401(ask: Any):
    """One more try with the new one, as part of the same attempt."""
    script = Script(refused(401), OK)

    done = ask(line(credentials=Credentials({"api_key": Turning("old-0123456789", "new-0123456789")})), script)

    assert (["old-0123456789", "new-0123456789"], 1) == (keys_of(script), len(done.reply.attempts))


@ASK
def test_a_key_that_is_wrong_is_not_tried_twice(ask: Any):
    """Nothing changed, so nothing would."""
    script = Script(refused(401), OK)

    done = ask(line(), script)

    assert (AuthenticationError, 1) == (type(done.error), len(script.requests))


@ASK
def test_a_key_that_was_changed_for_another_wrong_one_ends_there(ask: Any):
    """One renewal a call."""
    script = Script(refused(401))

    ask(
        line(credentials=Credentials({"api_key": Turning("one-0123456789", "two-0123456789", "three-012345678")})),
        script,
    )

    assert 2 == len(script.requests)


def token(text: str = "tok-1-0123456789") -> Answer:
    body = json.dumps({"access_token": text, "expires_in": 3600}).encode()
    return Answer(200, [body], {"content-type": "application/json"})


@ASK
def test_a_token_is_got_first_and_kept(ask: Any):
    """The token's request goes over the same way out, and to declared hosts only."""
    target = line(credentials=Credentials(CLIENT), auth=OAUTH)
    script = Script(token(), OK, OK)

    for _ in range(2):
        ask(target, script)

    assert ["http://one.example/token", *["http://one.example/chat"] * 2] == [it.url for it in script.requests]
    assert ["tok-1-0123456789"] * 2 == keys_of(script)[1:]
    assert all(it.place.hosts == {"one.example"} for it in script.requests)


@ASK
def test_a_refused_token_is_renewed_once(ask: Any):
    """And the call goes on with the new one."""
    script = Script(token(), refused(401), token("tok-2-0123456789"), OK)

    done = ask(line(credentials=Credentials(CLIENT), auth=OAUTH), script)

    assert ["", "tok-1-0123456789", "", "tok-2-0123456789"] == keys_of(script)
    assert "hello" == done.reply.text


@ASK
def test_a_token_that_is_refused_again_is_an_authentication_error(ask: Any):
    """Not for ever."""
    script = Script(token(), refused(401), token("tok-2-0123456789"), refused(401))

    done = ask(line(credentials=Credentials(CLIENT), auth=OAUTH), script)

    assert (AuthenticationError, 4) == (type(done.error), len(script.requests))


@ASK
@pytest.mark.parametrize("fault", [refused(503), Broken("connect", "no"), refused(500)])
def test_a_token_endpoint_that_is_busy_is_asked_again(ask: Any, fault: Any):
    """Nothing was sent to the model, so nothing can be billed twice."""
    done = ask(line(credentials=Credentials(CLIENT), auth=OAUTH), Script(fault, token(), OK))

    assert ("hello", "no", "no") == (done.reply.text, done.reply.attempts[0].sent, done.reply.attempts[0].billed)


@ASK
def test_a_token_endpoint_that_refuses_goes_to_another(ask: Any):
    """Its own class when there is none."""
    alone = ask(line(credentials=Credentials(CLIENT), auth=OAUTH), Script(refused(401)))
    both = ask([line(credentials=Credentials(CLIENT), auth=OAUTH), line(name="d1")], Script(refused(401), OK))

    assert (AuthenticationError, "d1") == (type(alone.error), both.reply.deployment)


@ASK
def test_a_token_endpoint_without_end_is_cut_off(ask: Any):
    """A megabyte is no token."""
    endless = Answer(200, [b"x" * 1024 * 64] * 40)

    assert ask(line(credentials=Credentials(CLIENT), auth=OAUTH), Script(endless)).error.message.startswith(
        "the answer"
    )


def test_sixteen_threads_get_one_token():
    """One refresh is in flight; the others wait and then find it."""
    asked: list[str] = []

    def answer(outgoing: Outgoing) -> Answer:
        asked.append(outgoing.url)
        return token() if outgoing.url.endswith("/token") else OK

    target, script = line(credentials=Credentials(CLIENT), auth=OAUTH), Script(answer)
    with ThreadPoolExecutor(16) as pool:
        replies = list(pool.map(lambda _: run(target, script).reply.text, range(64)))

    assert (["hello"] * 64, 1) == (replies, asked.count("http://one.example/token"))


def test_many_tasks_get_one_token_and_two_loops_may_follow_each_other():
    """A lock of a loop that is gone holds nobody up."""
    credentials, asked = Credentials(CLIENT), list[str]()

    async def send(hidden: Any) -> Any:
        asked.append(hidden.value.url)
        await asyncio.sleep(0)
        return type(hidden)(HttpResponse(200, {}, b'{"access_token": "tok-0123456789", "expires_in": 3600}'))

    async def go() -> list[Any]:
        request, waiting = HttpRequest("POST", "http://one.example/chat"), Waiting(Call(), None)
        many = [credentials.async_headers(OAUTH, request, waiting, send) for _ in range(20)]
        return await asyncio.gather(*many)

    for _ in range(2):
        headers = asyncio.run(go())
        assert 20 == len([it for it in headers if dict(it)["authorization"] == "Bearer tok-0123456789"])
    assert 1 == len(asked)


def test_those_refused_together_renew_once():
    """Ten calls that meet the same stale token ask for one new one."""
    barrier = threading.Barrier(10, timeout=10)
    asked: list[str] = []
    known = {"tok-0-0123456789"}

    def answer(outgoing: Outgoing) -> Answer:
        if outgoing.url.endswith("/token"):
            asked.append(outgoing.url)
            return token(f"tok-{len(asked) - 1}-0123456789")
        if dict(outgoing.headers)["authorization"].removeprefix("Bearer ") in known:
            barrier.wait()
            return refused(401)
        return OK

    target, script = line(credentials=Credentials(CLIENT), auth=OAUTH), Script(answer)
    with ThreadPoolExecutor(10) as pool:
        replies = list(pool.map(lambda _: run(target, script).reply.text, range(10)))

    assert (["hello"] * 10, 2) == (replies, len(asked))


def test_secret_headers_go_beside_the_key():
    """A gateway's own header is a secret like the key, and as little shown."""
    credentials = Credentials({"api_key": Fixed(KEY)}, {"x-gateway": Fixed("gateway-0123456789")})
    script = Script(refused(500, "no gateway-0123456789"))

    error = run(line(credentials=credentials), script).error

    assert "gateway-0123456789" == dict(script.requests[0].headers)["x-gateway"]
    assert (["x-gateway"], "no [redacted]") == (credentials.header_names, error.message)


def test_the_credentials_win_over_whatever_the_file_says():
    """One header of a name, and it is the scheme's."""
    script = Script(OK)

    run(line(headers=(("Authorization", "mine"), ("X-Own", "1"))), script)

    names = [name.lower() for name, _ in script.requests[0].headers]
    assert 1 == names.count("authorization")
    assert (f"Bearer {KEY}", "1") == (
        dict(script.requests[0].headers)["authorization"], dict(script.requests[0].headers)["X-Own"],
    )  # fmt: skip


def test_without_authentication_no_dummy_key_is_sent():
    """Nothing is invented."""
    script = Script(OK)

    run(line(auth=NoAuth()), script)

    assert "authorization" not in dict(script.requests[0].headers)


@ASK
def test_a_reference_that_is_gone_after_a_401_is_its_own_error(ask: Any):
    """And what the old key was is still masked."""

    class Gone(Turning):
        def refresh(self) -> None:
            self.texts = []

        def resolve(self) -> Secret:
            if not self.texts:
                raise ConfigError("the file is gone")
            return super().resolve()

    target = line(credentials=Credentials({"api_key": Gone(KEY)}))

    assert ConfigError is type(ask(target, Script(refused(401))).error)
    assert KEY not in target.credentials.redactor.text(f"late: {KEY}")


class Seeing:
    """A scheme that works for itself, and keeps what it was asked to sign."""

    name = "seeing"
    refreshes = False

    def __init__(self, work: Any) -> None:
        self.work = work
        self.asked: list[HttpRequest] = []
        self.threads: list[Any] = []

    def flow(self, request: HttpRequest, context: Any) -> Any:
        self.asked.append(request)
        made = yield self._work
        return {"authorization": made}

    def _work(self) -> Any:
        self.threads.append(threading.current_thread())
        return self.work()


@ASK
def test_a_schemes_own_work_may_block(ask: Any):
    """Another thread does it where the program is async, so that nobody else waits."""
    scheme = Seeing(lambda: "made-0123456789")
    script = Script(OK)

    ask(line(auth=scheme), script)

    assert "made-0123456789" == dict(script.requests[0].headers)["authorization"]
    assert [ask is run] == [thread is threading.current_thread() for thread in scheme.threads]


@ASK
@pytest.mark.parametrize("known", [True, False])
def test_work_that_fails_sends_nothing_and_shows_nothing(ask: Any, known: bool):
    """An error of the model goes on as it is; of any other only the name is told."""
    failure = AuthenticationError("signed out", sent="no") if known else OSError("secret-0123456789")
    script = Script(OK)

    def work() -> Any:
        raise failure

    done = ask(line(auth=Seeing(work)), script)

    assert [] == script.requests
    assert (AuthenticationError if known else PluginError) is type(done.error)
    assert "secret-0123456789" not in repr(done.error)


@ASK
def test_a_scheme_sees_the_request_as_it_is_sent(ask: Any):
    """With what the file adds to it: a signature covers that, too."""
    scheme = Seeing(lambda: "made-0123456789")
    script = Script(OK)

    ask(line(auth=scheme, query={"a": "b c"}, headers=(("X-Mine", "1"),)), script)

    (asked,), (sent,) = scheme.asked, script.requests
    assert (asked.method, asked.url, asked.body) == (sent.method, sent.url, sent.body)
    assert asked.url.endswith("?a=b+c")
    assert {"authorization": "made-0123456789", **dict(asked.headers)} == dict(sent.headers)


def test_two_credentials_do_not_share_state():
    """Tokens belong to one deployment and one tenant."""
    first, second = line(credentials=Credentials(CLIENT), auth=OAUTH), line(credentials=Credentials(CLIENT), auth=OAUTH)
    script = Script(token(), OK, token("tok-2-0123456789"), OK)

    run(first, script)
    run(second, script)

    assert ["tok-1-0123456789", "tok-2-0123456789"] == keys_of(script)[1::2]


def test_errors_of_the_model_keep_their_class():
    """A 500 of the model is not the token's."""
    script = Script(token(), refused(500))

    assert ServerError is type(run(line(credentials=Credentials(CLIENT), auth=OAUTH), script).error)


def test_a_call_and_its_credentials_say_nothing_in_a_repr():
    """Whatever prints them."""
    credentials = Credentials({"api_key": Fixed(KEY)})
    credentials.headers(Bearer(), HttpRequest("POST", "http://a"), Waiting(Call(), None), lambda hidden: hidden)

    assert "Credentials(…)" == repr(credentials)
    assert KEY not in repr(Call())


class Ageing(Turning):
    """A reference whose value is always due to be read again; it turns by itself."""

    due = 0.0

    def resolve(self) -> Secret:
        found = super().resolve()
        self.refresh()
        return found


@ASK
def test_a_key_that_grew_old_is_read_again_without_a_refusal(ask: Any):
    """Where the provider takes both for a while, nobody meets a 401; what the old one was stays masked."""
    target = line(credentials=Credentials({"api_key": Ageing("old-0123456789", "new-0123456789")}))
    script = Script(OK, OK)

    for _ in range(2):
        ask(target, script)

    assert ["old-0123456789", "new-0123456789"] == keys_of(script)
    assert "[redacted]" == target.credentials.redactor.text("old-0123456789")


@ASK
def test_a_token_that_was_got_with_an_old_secret_is_dropped_with_it(ask: Any):
    """A client secret that changed asks for a token of its own."""
    own: dict[str, Any] = {
        "client_id": Fixed("client-0123456789"),
        "client_secret": Ageing("old-0123456789", "new-0123456789"),
    }
    script = Script(token(), OK, token("tok-2-0123456789"), OK)

    target = line(credentials=Credentials(own), auth=OAUTH)
    for _ in range(2):
        ask(target, script)

    assert ["tok-1-0123456789", "tok-2-0123456789"] == keys_of(script)[1::2]


@ASK
@pytest.mark.parametrize("status", [400, 403])
def test_a_refused_key_is_read_again_whatever_status_says_so(ask: Any, status: int):
    """AWS answers 403 and Google 400 to a key that is no longer one: the plugin knows."""
    script = Script(refused(status, "bad key"), OK)
    target = line(credentials=Credentials({"api_key": Turning("old-0123456789", "new-0123456789")}))

    done = ask(target, script)

    assert ("hello", ["old-0123456789", "new-0123456789"]) == (done.reply.text, keys_of(script))


def test_headers_made_with_an_old_key_never_bear_a_new_stamp():
    """Else the refusal of an old key would be taken for one of the new."""
    turning = Turning("old-0123456789", "new-0123456789")
    credentials = Credentials({"api_key": turning})

    class Slow:
        name, refreshes = "slow", False

        def flow(self, request: HttpRequest, context: Any) -> Any:
            key = context.secret("api_key")
            credentials.renew(Bearer(), 0)  # another call meets the 401 meanwhile
            return {"authorization": f"Bearer {key}"}
            yield

    headers: Any = credentials.headers(
        Slow(), HttpRequest("POST", "http://a"), Waiting(Call(), None), lambda hidden: hidden
    )

    assert ("Bearer old-0123456789", 0) == (dict(headers)["authorization"], headers.stamp)
    assert credentials.renew(Bearer(), headers.stamp)


class Raced(Credentials):
    """Another call renews the key between the look at the stamp and the look at the secrets."""

    def _snapshot(self) -> Any:
        _, stamp = super()._snapshot()
        if stamp == 0:
            self.renew(Bearer(), stamp)
        return self.resolve(), stamp


def test_headers_that_are_kept_bear_the_stamp_of_their_secrets():
    """Else no later refusal of them would be taken for one of the key in use."""
    credentials = Raced({"api_key": Turning("old-0123456789", "new-0123456789")})
    scheme, request, waiting = Bearer(), HttpRequest("POST", "http://a"), Waiting(Call(), None)
    made: Any = credentials.headers(scheme, request, waiting, lambda hidden: hidden)
    assert ("Bearer new-0123456789", 0) == (dict(made)["authorization"], made.stamp)
    assert None is credentials.ready(scheme)

    credentials.headers(scheme, request, waiting, lambda hidden: hidden)
    kept: Any = credentials.ready(scheme)
    assert 1 == kept.stamp
