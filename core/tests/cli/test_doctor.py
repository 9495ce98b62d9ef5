"""`byollm doctor`, against twins that fail one by one: each line says ok or fail, and a failure says its mend."""

from __future__ import annotations

import datetime
import json
import socket

import pytest

KEY = "twin-key-0123456789abcdef"


def states(ran):
    return {name: check["state"] for name, check in ran.checks.items()}


def test_everything_is_right(run, twin, config):
    """A target that works: every line is ok, with plugin, version, endpoint and where the key was found."""
    config(twin.url())

    ran = run("doctor", "--live", "--json")

    assert ran.code == 0
    assert set(states(ran).values()) == {"ok"}
    assert ran.checks["plugin"]["detail"].startswith("byollm-openai-compatible ")
    assert ran.checks["endpoint"]["detail"] == f"{twin.url()} (chat)"
    assert ran.checks["key"]["detail"].startswith("found in ${CUSTOM_API_KEY} (sha256 ")


def test_versions(run, twin, config):
    """The versions of byollm, Python, OpenSSL and the HTTP library are told."""
    config(twin.url())

    found = run("doctor", "--json").json["versions"]

    assert {"byollm", "python", "openssl", "httpx", "h11"} <= found.keys()


def test_without_live_nothing_is_asked(run, twin, config):
    """Without --live no request is sent: the connection is looked at, and closed."""
    config(twin.url())

    ran = run("doctor")

    assert ran.code == 0
    assert "1 target, 0 failures; --live asks" in ran.out
    assert twin.requests == []


def test_the_key_is_never_shown(run, twin, config):
    """Of a key only four digits of its digest are shown, in no output a piece of it."""
    config(twin.url())

    ran = run("doctor", "--live")

    assert KEY[:8] not in ran.out + ran.err
    assert "(sha256 " in ran.out


def test_a_missing_plugin(run, yaml, absent):
    """A provider without its plugin: the line that installs it, and nothing after it is looked at."""
    yaml(f"llm_config: {{provider: {absent}, model: m}}")

    ran = run("doctor", "--json")

    assert ran.code == 1
    assert states(ran)["plugin"] == "fail"
    assert ran.checks["plugin"]["mend"].startswith(f"pip install byollm-{absent}")
    assert states(ran)["tcp"] == "skip"


def test_a_missing_endpoint(run, yaml):
    """`custom` without an endpoint is told which line is missing."""
    yaml("llm_config: {provider: custom, model: m}")

    ran = run("doctor", "--json")

    assert states(ran)["endpoint"] == "fail"
    assert "endpoint:" in ran.checks["endpoint"]["mend"]


def test_a_missing_key(run, twin, config, monkeypatch):
    """A key that is not there: the variable is named, and the provider is not asked."""
    monkeypatch.delenv("CUSTOM_API_KEY")
    config(twin.url())

    ran = run("doctor", "--live", "--json")

    assert ran.code == 1
    assert states(ran)["key"] == "fail"
    assert ran.checks["key"]["mend"].startswith("export CUSTOM_API_KEY=")
    assert states(ran)["accepted"] == "skip"
    assert twin.requests == []


CHAIN = """
from dataclasses import dataclass
from byollm.plugin import Manifest, hookimpl, Capabilities

@dataclass(frozen=True)
class Chain:
    name: str = "chain"
    refreshes: bool = True
    searches: bool = SEARCHES
    def flow(self, request, context):
        return {}
        yield

class Plugin:
    manifest = Manifest(name="acme", credentials={"api_key": ("ACME_KEY",)}, authentication={"chain": Chain()},
                        hosts=("127.0.0.1",), default_endpoint="http://127.0.0.1:9")
    @hookimpl
    def capabilities(self, target):
        return Capabilities()

provider = Plugin()
"""


@pytest.mark.parametrize("searches, state", [(True, "ok"), (False, "fail")])
def test_a_scheme_that_finds_its_own_credentials(run, yaml, distribution, searches, state):
    """No key is missed where the machine's own identity is asked for; elsewhere it is."""
    code = CHAIN.replace("SEARCHES", str(searches))
    distribution(f"acme_{state}", "byollm.providers", {"acme": f"acme_{state}:provider"}, code)
    yaml("llm_config: {provider: acme, model: m, authentication: chain}")

    assert states(run("doctor", "--json"))["key"] == state


@pytest.mark.parametrize("value", ["your-openai-key", "changeme", "<key>"])
def test_a_placeholder_in_the_environment(run, twin, config, monkeypatch, value):
    """A variable that holds a placeholder is found before the provider is asked."""
    monkeypatch.setenv("CUSTOM_API_KEY", value)
    config(twin.url())

    ran = run("doctor", "--live", "--json")

    assert states(ran)["key"] == "fail"
    assert "placeholder" in ran.checks["key"]["detail"]
    assert twin.requests == []


def test_a_key_in_a_file(run, twin, config, tmp_path):
    """A key from a file is told with its file."""
    (tmp_path / "key").write_text(KEY)
    (tmp_path / "key").chmod(0o600)
    config(twin.url(), api_key="file:key")

    ran = run("doctor", "--live", "--json")

    assert ran.code == 0
    assert "file:" in ran.checks["key"]["detail"]


def test_a_key_in_the_configuration(run, twin, config):
    """A literal key works and is warned about."""
    config(twin.url(), api_key=KEY)

    ran = run("doctor", "--json")

    assert (ran.code, states(ran)["key"]) == (0, "warn")
    assert "${NAME}" in ran.checks["key"]["mend"]
    assert KEY[:8] not in ran.out


def test_no_key_needed(run, twin, config):
    """`authentication: none` needs no key, and none is asked about."""
    config(twin.url(), authentication="none")

    ran = run("doctor", "--json")

    assert ran.checks["key"]["detail"] == "none needed"


def test_the_wrong_key(run, twin, config, monkeypatch):
    """A key that the provider refuses fails as `accepted`; everything before is ok."""
    monkeypatch.setenv("CUSTOM_API_KEY", "wrong-key-0123456789abcdef")
    config(twin.url())

    ran = run("doctor", "--live", "--json")

    found = states(ran)
    assert ran.code == 1
    assert (found["tcp"], found["key"], found["accepted"], found["model"]) == ("ok", "ok", "fail", "skip")
    assert ran.checks["accepted"]["mend"] != ""
    assert "wrong-key-0123" not in ran.out


def test_an_unknown_model(run, twin, config):
    """A model that the provider does not know fails as `model`; its answer proves the key."""
    config(twin.url(), model="gpt-0")

    ran = run("doctor", "--live", "--json")

    assert (states(ran)["accepted"], states(ran)["model"]) == ("ok", "fail")
    assert "model:" in ran.checks["model"]["mend"]


def test_a_provider_that_is_down(run, twin, config):
    """A provider that answers with its own failure proves neither key nor model."""
    config(twin.url(), retries={"attempts": 1})
    twin.fault("status", status=500, times=None)

    ran = run("doctor", "--live", "--json")

    found = states(ran)
    assert (found["accepted"], found["model"], found["answer"]) == ("skip", "skip", "fail")


def test_a_busy_provider(run, twin, config):
    """A rate limit is a warning: the key is accepted, nothing has to be mended."""
    from byollm.errors import RateLimitError

    config(twin.url(), retries={"attempts": 1})
    twin.script(RateLimitError("slow down"))

    ran = run("doctor", "--live", "--json")

    assert (ran.code, states(ran)["accepted"], states(ran)["answer"]) == (0, "ok", "warn")


def test_a_closed_port(run, config, closed_port):
    """A port that nobody listens on fails as `tcp`, after the name and before TLS."""
    config(f"https://127.0.0.1:{closed_port}", authentication="none")

    ran = run("doctor", "--json")

    found = states(ran)
    assert (found["dns"], found["tcp"], found["tls"]) == ("ok", "fail", "skip")
    assert "connection refused" in ran.checks["tcp"]["detail"]
    assert "nothing listens there" in ran.checks["tcp"]["mend"]


def test_a_broken_way_is_not_asked(run, config, closed_port):
    """With --live a target that cannot be reached is not asked."""
    config(f"https://127.0.0.1:{closed_port}", authentication="none")

    assert "first mend tcp" in run("doctor", "--live", "--json").checks["model"]["detail"]


def test_a_name_that_nobody_knows(run, config):
    """A host without an address fails as `dns`."""
    config("https://llm.no-such-host.invalid/v1", authentication="none")

    ran = run("doctor", "--json")

    assert (states(ran)["dns"], states(ran)["tcp"]) == ("fail", "skip")
    assert "llm.no-such-host.invalid" in ran.checks["dns"]["detail"]
    assert "endpoint:" in ran.checks["dns"]["mend"]


def test_a_forbidden_address(run, config):
    """A metadata address is refused, as a call would be."""
    config("http://169.254.169.254/v1", authentication="none")

    ran = run("doctor", "--json")

    assert states(ran)["dns"] == "fail"
    assert "metadata" in ran.checks["dns"]["mend"]


def test_a_server_that_says_nothing(run, config, server):
    """A server that takes the connection and is silent fails as `tls` within the timeout."""
    silent = server(lambda connection: connection.recv(1) and connection.recv(65536) and connection.recv(65536))
    config(f"https://127.0.0.1:{silent.port}", authentication="none")

    ran = run("doctor", "--timeout", "0.2", "--json")

    assert (states(ran)["tcp"], states(ran)["tls"]) == ("ok", "fail")
    assert "no answer in time" in ran.checks["tls"]["detail"]


def test_a_trusted_certificate(run, twin, config, tls):
    """With its authority named, a private certificate is ok; its subject, issuer and end are told."""
    front = tls(twin)
    config(f"https://localhost:{front.port}/openai/v1", tls={"ca": front.ca})

    ran = run("doctor", "--live", "--json")

    assert ran.code == 0
    assert "twin issued by Test Authority, until " in ran.checks["tls"]["detail"]


def test_an_untrusted_certificate(run, twin, config, tls):
    """A certificate of an unknown authority fails as `tls`; who issued it is told, and where to name it."""
    front = tls(twin)
    config(f"https://localhost:{front.port}/openai/v1")

    ran = run("doctor", "--json")

    assert states(ran)["tls"] == "fail"
    assert "twin issued by Test Authority" in ran.checks["tls"]["detail"]
    assert "tls: {ca: company.pem}" in ran.checks["tls"]["mend"]
    assert twin.requests == []


def test_a_certificate_for_another_name(run, twin, config, tls):
    """A certificate for another host fails as `tls`, and the mend speaks of names."""
    front = tls(twin, "other.example.com")
    config(f"https://localhost:{front.port}/openai/v1", tls={"ca": front.ca})

    ran = run("doctor", "--json")

    assert states(ran)["tls"] == "fail"
    assert "name of the certificate" in ran.checks["tls"]["mend"]


def test_an_expired_certificate(run, twin, config, tls):
    """A certificate past its end fails as `tls`, and the mend is to renew it."""
    yesterday = datetime.datetime.now(datetime.UTC) - datetime.timedelta(days=1)
    front = tls(twin, not_after=yesterday, not_before=yesterday - datetime.timedelta(days=9))
    config(f"https://localhost:{front.port}/openai/v1", tls={"ca": front.ca})

    ran = run("doctor", "--json")

    assert states(ran)["tls"] == "fail"
    assert "renew" in ran.checks["tls"]["mend"]


def test_a_certificate_that_ends_soon(run, twin, config, tls):
    """A certificate that ends within two weeks works, and is warned about."""
    soon = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=5, hours=1)
    front = tls(twin, not_after=soon)
    config(f"https://localhost:{front.port}/openai/v1", tls={"ca": front.ca})

    ran = run("doctor", "--json")

    assert (ran.code, states(ran)["tls"]) == (0, "warn")
    assert "5 days left" in ran.checks["tls"]["detail"]


def test_plain_http_where_tls_was_meant(run, config, server):
    """An https endpoint on a plain port is told that the server speaks http there."""

    def plain(connection):
        connection.recv(65536)
        connection.sendall(b"HTTP/1.1 400 Bad Request\r\nconnection: close\r\ncontent-length: 0\r\n\r\n")

    config(f"https://127.0.0.1:{server(plain).port}", authentication="none")

    ran = run("doctor", "--json")

    assert states(ran)["tls"] == "fail"
    assert "http://" in ran.checks["tls"]["mend"]


def test_an_authority_that_cannot_be_read(run, twin, config):
    """A `tls.ca` that is no certificate fails as `tls`, and the mend speaks of its path."""
    config(f"https://localhost:{twin.port}", tls={"ca": "nowhere.pem"})

    ran = run("doctor", "--json")

    assert states(ran)["tls"] == "fail"
    assert "tls:" in ran.checks["tls"]["mend"]


def test_through_a_proxy(run, twin, config, tls, proxy):
    """Through a proxy: its tunnel is told, and TLS is checked inside it; the question goes the same way."""
    front = tls(twin)
    through = proxy()
    config(f"https://localhost:{front.port}/openai/v1", tls={"ca": front.ca}, proxy=f"http://127.0.0.1:{through.port}")

    ran = run("doctor", "--live", "--json")

    assert ran.code == 0
    assert f"through http://127.0.0.1:{through.port}" in ran.checks["proxy"]["detail"]
    assert (states(ran)["tunnel"], states(ran)["tls"], states(ran)["model"]) == ("ok", "ok", "ok")


def test_a_proxy_that_refuses(run, twin, config, tls, proxy):
    """A proxy that refuses the host fails as `tunnel`; the mend names the ways out."""
    front = tls(twin)
    through = proxy("HTTP/1.1 403 Forbidden")
    config(f"https://localhost:{front.port}/openai/v1", tls={"ca": front.ca}, proxy=f"http://127.0.0.1:{through.port}")

    ran = run("doctor", "--json")

    assert (states(ran)["tcp"], states(ran)["tunnel"], states(ran)["tls"]) == ("ok", "fail", "skip")
    assert "status 403" in ran.checks["tunnel"]["detail"]
    assert "proxy: none" in ran.checks["tunnel"]["mend"]


def test_a_proxy_that_wants_a_password(run, twin, config, tls, proxy):
    """A proxy that wants a password is told how to get one; the one that was sent is not shown."""
    front = tls(twin)
    through = proxy("HTTP/1.1 407 Proxy Authentication Required")
    url = f"http://user:proxy-password-0123456789@127.0.0.1:{through.port}"
    config(f"https://localhost:{front.port}/openai/v1", tls={"ca": front.ca}, proxy=url)

    ran = run("doctor", "--json")

    assert states(ran)["tunnel"] == "fail"
    assert "${PROXY_PASSWORD}" in ran.checks["tunnel"]["mend"]
    assert "proxy-password" not in ran.out + ran.err


def test_a_proxy_that_is_none(run, twin, config, server):
    """What does not speak HTTP is no proxy."""
    chatty = server(lambda connection: connection.sendall(b"SSH-2.0-OpenSSH\r\n\r\n"))
    config("https://llm.example.com", proxy=f"http://127.0.0.1:{chatty.port}")

    ran = run("doctor", "--json")

    assert "does not speak HTTP" in ran.checks["tunnel"]["detail"]


def test_a_proxy_that_is_down(run, twin, config, closed_port):
    """A proxy that cannot be reached fails as `tcp`, and the mend speaks of the proxy."""
    config("https://llm.example.com", proxy=f"http://127.0.0.1:{closed_port}")

    ran = run("doctor", "--json")

    assert states(ran)["tcp"] == "fail"
    assert "`proxy:`" in ran.checks["tcp"]["mend"]


def test_the_environments_proxy(run, twin, config, closed_port, monkeypatch):
    """HTTPS_PROXY is the proxy of a target that names none, as it is for a call."""
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{closed_port}")
    config("https://llm.example.com")

    assert f"127.0.0.1:{closed_port}" in run("doctor", "--json").checks["proxy"]["detail"]


def test_a_retired_model(run, yaml):
    """A retired model is warned about, with what replaced it."""
    yaml(
        "llm_config: {provider: anthropic, model: claude-3-opus, endpoint: 'http://127.0.0.1:9', authentication: none}"
    )

    found = run("doctor", "--json").checks["model name"]

    assert found["state"] == "warn"
    assert "was retired on" in found["detail"]
    assert "model:" in found["mend"]


def test_every_target_is_looked_at(run, twin, yaml, closed_port):
    """One target's failure hides no other's; --deployment looks at one."""
    good = json.dumps({"provider": "custom", "model": "gpt-4o", "endpoint": twin.url()})
    bad = json.dumps({"provider": "custom", "model": "gpt-4o", "endpoint": f"http://127.0.0.1:{closed_port}"})
    yaml(f"llm_config: {{good: {good}, bad: {bad}}}")

    both, one = run("doctor", "--json"), run("doctor", "--deployment", "good", "--json")

    assert [(target["deployment"], target["ok"]) for target in both.json["targets"]] == [("good", True), ("bad", False)]
    assert (both.code, one.code) == (1, 0)


OBSERVER = """
class Failing:
    def finished(self, call, attempt):
        raise ValueError("secret-of-an-observer")
"""


def test_an_observer_that_fails(run, twin, yaml, distribution):
    """An observer that fails while a question is asked is counted, and its failure is shown."""
    distribution("acme_observer", "byollm.observers", {"failing": "acme_observer:Failing"}, OBSERVER)
    target = json.dumps({"provider": "custom", "model": "gpt-4o", "endpoint": twin.url()})
    yaml(f"llm_config: {{observers: [failing], deployments: {{a: {target}}}, tasks: {{ask: a}}}}")

    ran = run("doctor", "--live", "--json")

    told = [check["detail"] for check in ran.json["extensions"] if check["state"] == "fail"]
    assert ran.code == 1
    assert told == ["Failing failed once"]


LOCAL = """
from byollm.plugin import Finished, LocalCall, Manifest, NoAuth, Started, TextDelta, hookimpl

class Here:
    manifest = Manifest(name="here", default_endpoint="", authentication={"none": NoAuth()})

    @hookimpl
    def complete(self, request, target):
        return LocalCall(lambda request, call: iter([Started(), TextDelta(0, "yes"), Finished("stop")]))

provider = Here()
"""


def test_a_model_in_this_process(run, yaml, distribution):
    """There is no endpoint to look at; it is asked all the same."""
    distribution("acme_here", "byollm.providers", {"here": "acme_here:provider"}, LOCAL)
    yaml("llm_config: {provider: here, model: m}")

    ran = run("doctor", "--live", "--json")

    assert ran.code == 0
    assert ran.checks["endpoint"]["detail"] == "none: the model runs in this process"
    assert {name for name, state in states(ran).items() if state == "skip"} == {"proxy", "dns", "tcp", "tls"}


def test_an_observer_that_is_missing(run, twin, yaml):
    """An observer that nobody brings is told; the targets are looked at all the same."""
    target = json.dumps({"provider": "custom", "model": "gpt-4o", "endpoint": twin.url()})
    yaml(f"llm_config: {{observers: [nobody], deployments: {{a: {target}}}, tasks: {{ask: a}}}}")

    ran = run("doctor", "--json")

    assert ran.code == 1
    assert "nobody" in ran.json["extensions"][0]["detail"]
    assert ran.checks["tcp"]["state"] == "ok"


def test_the_table(run, config, closed_port):
    """For people: one line each, its state first, the mend below."""
    config(f"https://127.0.0.1:{closed_port}", authentication="none")

    lines = run("doctor").out.splitlines()

    at = next(number for number, line in enumerate(lines) if line.startswith("fail  tcp"))
    assert lines[at + 1].strip().startswith("nothing listens there")
    assert lines[-1].startswith("1 target, 1 failure")


def test_in_a_process_of_its_own(fresh, twin, config, closed_port):
    """The exit codes hold in a fresh process, and no traceback is shown."""
    config(twin.url())
    assert fresh("doctor", "--live").code == 0
    config(f"http://127.0.0.1:{closed_port}")
    ran = fresh("doctor")
    assert (ran.code, ran.err) == (1, "")


@pytest.mark.parametrize("seconds", ["0", "-1", "soon", "nan"])
def test_a_timeout_that_is_none(run, twin, config, seconds):
    """A timeout that is no number of seconds is wrong usage."""
    config(twin.url())

    assert run("doctor", "--timeout", seconds).code == 2


def test_a_socket_that_closes_in_the_handshake(run, config, server):
    """A server that hangs up in the handshake fails as `tls`."""
    rude = server(lambda connection: connection.recv(16) and connection.shutdown(socket.SHUT_RDWR))
    config(f"https://127.0.0.1:{rude.port}", authentication="none")

    assert states(run("doctor", "--json"))["tls"] == "fail"


SURPRISING = """
from byollm.plugin import Bearer, Manifest, hookimpl


class Surprising:
    manifest = Manifest(name="surprising", default_endpoint="https://x.example", hosts=("x.example",))
    object.__setattr__(manifest, "default_endpoint", 7)  # nobody looks at it a second time

provider = Surprising()
"""


def test_a_surprise_hides_no_other_target(run, twin, yaml, distribution):
    """A plugin that breaks the doctor's own reading fails its target; the other one is looked at."""
    distribution("acme_surprising", "byollm.providers", {"surprising": "acme_surprising:provider"}, SURPRISING)
    good = json.dumps({"provider": "custom", "model": "gpt-4o", "endpoint": twin.url()})
    yaml(f"llm_config: {{odd: {{provider: surprising, model: m}}, good: {good}}}")

    ran = run("doctor", "--json")

    assert ran.code == 1
    assert [target["ok"] for target in ran.json["targets"]] == [False, True]
    assert "doctor" in ran.checks
