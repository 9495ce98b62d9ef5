"""Who calls: the file's own credentials first, then the environment's, then, where asked for, botocore's chain."""

import asyncio
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from bedrock_driving import CLAUDE, NOVA, context, exchange, headers_of, target

from byollm import AsyncClient, Client
from byollm.engine.build import line_from
from byollm.engine.call import Call
from byollm.engine.waiting import Waiting
from byollm.errors import AuthenticationError, ConfigError
from byollm.plugin import HttpRequest
from byollm.testing import ManualClock
from byollm_bedrock import chain
from byollm_bedrock.auth import Aws, Chain
from byollm_bedrock.manifest import MANIFEST
from byollm_sandbox import Twins, serve
from byollm_sandbox.aws_signature import rightly_signed
from byollm_sandbox.requests import Recorded

AT_ONCE = Waiting(Call(clock=ManualClock(0.0)), None)
REQUEST = HttpRequest("POST", "https://bedrock-runtime.us-east-1.amazonaws.com/model/a/converse", (), b"{}")
KEYS = {"access_key_id": "AKIDFILE", "secret_access_key": "file-secret-0123456789"}
PAIR = "AKIDFILE:file-secret-0123456789"
AMBIENT = {
    "AWS_BEARER_TOKEN_BEDROCK": "ambient-bearer-0123456789",
    "AWS_ACCESS_KEY_ID": "AKIDAMBIENT",
    "AWS_SECRET_ACCESS_KEY": "ambient-secret-0123456789",
    "AWS_SESSION_TOKEN": "ambient-session-0123456789",
}


KEYS_AROUND = {name: value for name, value in AMBIENT.items() if name != "AWS_BEARER_TOKEN_BEDROCK"}


def sent(keys: dict[str, Any], monkeypatch: pytest.MonkeyPatch, **ambient: str) -> dict[str, str]:
    """The credentials that a target with these keys sends, with these variables set and no others."""
    for name in AMBIENT:
        monkeypatch.delenv(name, raising=False)
    for name, value in ambient.items():
        monkeypatch.setenv(name, value)
    line = line_from("bedrock", {"model": NOVA, **keys})
    assert line.auth is not None
    found = line.credentials.headers(line.auth, REQUEST, AT_ONCE, lambda asked: asked)
    if isinstance(found, Exception):
        raise found
    return dict(found)  # type: ignore[arg-type]  # pairs of headers


def test_a_bearer_key_is_sent_as_it_is(monkeypatch: pytest.MonkeyPatch):
    """Without a signature."""
    assert {"authorization": "Bearer my-own-key-0123456789"} == sent({"api_key": "my-own-key-0123456789"}, monkeypatch)


@pytest.mark.parametrize(
    "keys, ambient, begins",
    [
        ({"credentials": KEYS}, AMBIENT, "AWS4-HMAC-SHA256 Credential=AKIDFILE/"),
        ({"api_key": "my-own-key-0123456789"}, AMBIENT, "Bearer my-own-key"),
        ({}, AMBIENT, "Bearer ambient-bearer"),
        ({"authentication": "sigv4"}, AMBIENT, "AWS4-HMAC-SHA256 Credential=AKIDAMBIENT/"),
        ({"authentication": "chain"}, AMBIENT, "Bearer ambient-bearer"),
        ({"authentication": "chain"}, KEYS_AROUND, "AWS4-HMAC-SHA256 Credential=AKIDAMBIENT/"),
        ({"authentication": "chain", "api_key": "my-own-key-0123456789"}, AMBIENT, "Bearer my-own-key"),
        ({"authentication": "chain", "credentials": KEYS}, AMBIENT, "AWS4-HMAC-SHA256 Credential=AKIDFILE/"),
    ],
)
def test_the_file_goes_before_the_environment(
    keys: dict[str, Any], ambient: dict[str, str], begins: str, monkeypatch: pytest.MonkeyPatch
):
    """And a bearer key before a signature; botocore's own order lets the environment's bearer key win over all."""
    made = sent(keys, monkeypatch, **ambient)

    assert made["authorization"].startswith(begins)
    assert ("x-amz-security-token" in made) == ("AKIDAMBIENT" in begins)


@pytest.mark.parametrize("missing", ["access_key_id", "secret_access_key"])
def test_half_an_identity_is_none(missing: str, monkeypatch: pytest.MonkeyPatch):
    """The half that is missing is named, and it is not looked for anywhere else."""
    half = {name: value for name, value in KEYS.items() if name != missing}

    with pytest.raises(AuthenticationError, match=missing):
        sent({"credentials": half}, monkeypatch, **AMBIENT)


def test_without_any_credentials_nothing_is_sent(monkeypatch: pytest.MonkeyPatch):
    """The error says how they are named."""
    with pytest.raises(AuthenticationError, match="no credentials of AWS") as caught:
        sent({}, monkeypatch)

    assert "no" == caught.value.sent
    assert "AWS_BEARER_TOKEN_BEDROCK" in str(caught.value)


@pytest.mark.parametrize(
    "api, region, fields, host, scope",
    [
        ("converse", None, {}, "bedrock-runtime.us-east-1.amazonaws.com", "us-east-1/bedrock/"),
        ("converse", "eu-west-1", {}, "bedrock-runtime.eu-west-1.amazonaws.com", "eu-west-1/bedrock/"),
        ("invoke", "us-gov-west-1", {}, "bedrock-runtime.us-gov-west-1.amazonaws.com", "us-gov-west-1/bedrock/"),
        ("invoke", "eusc-de-east-1", {}, "bedrock-runtime.eusc-de-east-1.amazonaws.eu", "eusc-de-east-1/bedrock/"),
        ("messages", "us-west-2", {}, "bedrock-mantle.us-west-2.api.aws", "us-west-2/bedrock-mantle/"),
        ("responses", "us-west-2", {}, "bedrock-mantle.us-west-2.api.aws", "us-west-2/bedrock-mantle/"),
        ("chat", "us-west-2", {}, "bedrock-runtime.us-west-2.amazonaws.com", "us-west-2/bedrock/"),
        ("chat", "us-west-2", {"options": {"service": "mantle"}}, "bedrock-mantle.us-west-2.api.aws",
         "us-west-2/bedrock-mantle/"),
    ],
)  # fmt: skip
def test_region_and_service_choose_host_and_scope(api: str, region: Any, fields: Any, host: str, scope: str):
    """A signature is good for one region and one service only."""
    asked = target("openai.gpt-oss-120b-1:0", api=api, region=region, **fields)
    made = headers_of(Aws().at(asked), REQUEST, context(**KEYS))
    url = exchange("hi", "openai.gpt-oss-120b-1:0", api=api, region=region, **fields).request.url

    assert f"https://{host}/" == url[: len(host) + 9]
    assert f"/{scope}aws4_request" in made["authorization"]


def test_a_private_endpoint_tells_its_region():
    """By its name, where the file does not say one."""
    asked = target(endpoint="https://vpce-1.bedrock-runtime.eu-north-1.vpce.amazonaws.com")

    assert "eu-north-1/bedrock/" in headers_of(Aws().at(asked), REQUEST, context(**KEYS))["authorization"]


@pytest.mark.parametrize(
    "model, region, hint",
    [
        ("eu.amazon.nova-pro-v1:0", None, "eu-central-1"),
        ("apac.amazon.nova-pro-v1:0", None, "region"),
        ("arn:aws:bedrock:eu-west-1:123456789012:application-inference-profile/a", None, "eu-west-1"),
        ("arn:aws:bedrock:eu-west-1:123456789012:inference-profile/eu.amazon.nova-pro-v1:0", "us-east-1", "eu-west-1"),
        (NOVA, "somewhere", "eu-central-1"),
    ],
)
def test_no_model_is_asked_for_in_a_place_it_is_not(model: str, region: Any, hint: str):
    """Nothing is sent: a region is never guessed for a model that belongs elsewhere."""
    with pytest.raises(ConfigError) as caught:
        exchange("hi", model, region=region)

    assert hint in str(caught.value)


def test_mantle_wants_a_region():
    """It is another host than the default."""
    with pytest.raises(ConfigError, match="needs `region:`"):
        exchange("hi", "anthropic.claude-opus-5", api="messages")


def test_keys_of_the_environment_go_to_bedrock_only():
    """Hosts are listed one by one: nobody else's host at AWS is among them."""
    with pytest.raises(ConfigError, match="not one of bedrock's hosts"):
        line_from("bedrock", {"model": NOVA, "endpoint": "https://bucket.s3.us-east-1.amazonaws.com"})
    assert all("bedrock-" in host for host in MANIFEST.hosts)


@pytest.fixture(scope="module")
def guarded() -> Iterator[Twins]:
    with serve(key=PAIR) as running:
        yield running


@pytest.mark.parametrize(
    "model",
    [
        CLAUDE,
        "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/a1b2",
        "global.amazon.nova-2-lite-v1:0",
    ],
)
@pytest.mark.parametrize("query", [{}, {"b c": "1", "a": "ü"}])
def test_a_server_that_checks_signatures_takes_ours(guarded: Twins, model: str, query: dict[str, str]):
    """Over a real connection, the file's own query and headers included."""
    keys = {"credentials": {**KEYS, "session_token": "session/+="}, "query": query, "headers": {"x-team": "blue"}}
    with Client({"provider": "bedrock", "model": model, "endpoint": guarded.url("bedrock-converse"), **keys}) as client:
        guarded.script("signed")
        assert "signed" == client.complete("hi").text

    assert rightly_signed(guarded.requests[-1], KEYS["secret_access_key"])


def test_a_server_that_checks_signatures_refuses_others(guarded: Twins):
    """A wrong secret, a wrong id, no key at all: each is an AuthenticationError."""
    for wrong in ({**KEYS, "secret_access_key": "another-secret-0123"}, {**KEYS, "access_key_id": "AKIDOTHER"}):
        asked = {
            "provider": "bedrock",
            "model": NOVA,
            "endpoint": guarded.url("bedrock-converse"),
            "credentials": wrong,
        }
        with Client(asked) as client, pytest.raises(AuthenticationError):
            client.complete("hi")
    anonymous = {"provider": "bedrock", "model": NOVA, "endpoint": guarded.url("bedrock-converse")}
    with Client({**anonymous, "authentication": "none"}) as client, pytest.raises(AuthenticationError):
        client.complete("hi")


class TokenHost(BaseHTTPRequestHandler):
    """A container's token host: gives keys to whoever has the right token."""

    asked: list[str]

    def do_GET(self) -> None:
        """Keys that expire, a new pair each time."""
        type(self).asked.append(self.headers.get("Authorization", ""))
        number = len(type(self).asked)
        keys = {
            "AccessKeyId": f"AKIDCONTAINER{number}",
            "SecretAccessKey": "container-secret-0123",
            "Token": "container-token",
            "Expiration": "2099-01-01T00:00:00Z",
        }
        answer = json.dumps(keys).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Nothing is printed."""


@pytest.fixture
def token_host(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> Iterator[list[str]]:
    """The host's requests; botocore looks for credentials nowhere else."""
    TokenHost.asked = []
    server = HTTPServer(("127.0.0.1", 0), TokenHost)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    for name in (*AMBIENT, "AWS_PROFILE", "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"http://127.0.0.1:{server.server_port}/keys")
    monkeypatch.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "container-authorization")
    yield TokenHost.asked
    server.shutdown()
    server.server_close()


def test_the_chain_gets_its_keys_from_a_token_host(token_host: list[str]):
    """botocore asks it once; every signature is good; nothing of it is a secret in the open."""
    given = context()
    made = [headers_of(Chain().at(target()), REQUEST, given) for _ in range(3)]

    assert ["container-authorization"] == token_host
    assert all("Credential=AKIDCONTAINER1/" in headers["authorization"] for headers in made)
    assert "container-token" == made[0]["x-amz-security-token"]
    signed = Recorded(
        "POST", "/model/a/converse", {"host": "bedrock-runtime.us-east-1.amazonaws.com", **made[0]}, b"{}"
    )
    assert rightly_signed(signed, "container-secret-0123")
    assert "container-secret" not in repr(given.state)


def test_a_refused_token_is_asked_for_anew(token_host: list[str]):
    """After a 401 the source is asked again."""
    given = context()
    headers_of(Chain(), REQUEST, given)
    given.forced = True
    headers_of(Chain(), REQUEST, given)

    assert 1 <= len(token_host) <= 2


def test_the_chain_is_asked_in_a_thread(token_host: list[str], monkeypatch: pytest.MonkeyPatch):
    """The event loop of an async program stays free while botocore waits for its host."""
    line = line_from("bedrock", {"model": NOVA, "authentication": "chain"})
    assert line.auth is not None
    threads: list[threading.Thread] = []
    really = chain.look

    def noting(*arguments: Any) -> chain.Found:
        threads.append(threading.current_thread())
        return really(*arguments)

    monkeypatch.setattr(chain, "look", noting)
    found: Any = asyncio.run(line.credentials.async_headers(line.auth, REQUEST, AT_ONCE, no_one))

    assert "Credential=AKIDCONTAINER1/" in dict(found)["authorization"]
    assert [False] == [thread is threading.main_thread() for thread in threads]


async def no_one(asked: Any) -> Any:
    """Nothing is sent by this scheme itself."""
    raise AssertionError(asked)


def test_a_profile_of_the_shared_configuration(monkeypatch: pytest.MonkeyPatch, tmp_path: Any):
    """`profile:` of the target names it."""
    for name in AMBIENT:
        monkeypatch.delenv(name, raising=False)
    shared = tmp_path / "credentials"
    shared.write_text("[dev]\naws_access_key_id = AKIDPROFILE\naws_secret_access_key = profile-secret\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(shared))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    scheme = Chain().at(target(options={"profile": "dev"}))

    assert "Credential=AKIDPROFILE/" in headers_of(scheme, REQUEST, context())["authorization"]


def test_a_profile_that_the_file_names_goes_before_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Any):
    """As with botocore itself; a key that stands in the file goes before both."""
    shared = tmp_path / "credentials"
    shared.write_text("[dev]\naws_access_key_id = AKIDPROFILE\naws_secret_access_key = profile-secret\n")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(shared))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    named: dict[str, Any] = {"authentication": "chain", "profile": "dev"}

    assert "Credential=AKIDPROFILE/" in sent(named, monkeypatch, **AMBIENT)["authorization"]
    assert "Bearer own" == sent({**named, "api_key": "own"}, monkeypatch, **AMBIENT)["authorization"]
    assert "Credential=AKIDFILE/" in sent({**named, "credentials": KEYS}, monkeypatch, **AMBIENT)["authorization"]


def test_what_the_chain_finds_goes_to_bedrocks_own_hosts_only(token_host: list[str]):
    """A signature of this machine's, and its session's token, are nobody else's affair; the chain is not even asked."""
    for url in ("https://gateway.example/model/a/converse", "https://bedrock-runtime.us-east-1.amazonaws.com.example/"):
        with pytest.raises(AuthenticationError, match="Bedrock's own hosts"):
            headers_of(Chain(), replace(REQUEST, url=url), context())

    private = "https://vpce-1.bedrock-runtime.us-east-1.vpce.amazonaws.com/model/a/converse"
    assert "AWS4-HMAC" in headers_of(Chain(), replace(REQUEST, url=private), context())["authorization"]
    assert 1 == len(token_host)


@pytest.mark.parametrize("profile", ["no-such-profile", None])
def test_a_chain_that_finds_nothing_is_told(profile: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Any):
    """As an AuthenticationError that shows no path and no address."""
    for name in (*AMBIENT, "AWS_CONTAINER_CREDENTIALS_FULL_URI", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")

    with pytest.raises(AuthenticationError, match="no credentials of AWS: botocore") as caught:
        headers_of(Chain(profile=profile), REQUEST, context())
    assert str(tmp_path) not in str(caught.value)


def test_without_botocore_the_chain_says_what_to_install(monkeypatch: pytest.MonkeyPatch):
    """It is an extra."""
    monkeypatch.setitem(__import__("sys").modules, "botocore.session", None)

    with pytest.raises(AuthenticationError, match="not installed") as caught:
        headers_of(Chain(), REQUEST, context())
    assert "byollm-bedrock[chain]" in str(caught.value)


def test_async_clients_sign_alike(guarded: Twins):
    """The same scheme, the other driver."""

    async def asked() -> str:
        target = {
            "provider": "bedrock",
            "model": NOVA,
            "endpoint": guarded.url("bedrock-converse"),
            "credentials": KEYS,
        }
        async with AsyncClient(target) as client:
            return (await client.complete("hi")).text

    guarded.script("signed")
    assert "signed" == asyncio.run(asked())
