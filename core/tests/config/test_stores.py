"""`secrets:` of a file: its stores, who may name them, and how they are asked."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from byollm.config.check import reachable_hosts
from byollm.config.llm_config import load
from byollm.errors import AuthenticationError, ByollmError, ConfigError, PluginError
from byollm.providers.discovery import load_provider
from byollm.routing.changes import changes

PLUGIN = """
from byollm.plugin import AuthenticationError, ConfigError, HttpRequest, Secret


class Shelf:
    credentials = {"token": ("BYOLLM_SHELF_TOKEN",)}

    def __init__(self, url, depth=1):
        if depth < 1:
            raise ValueError("`depth` is at least 1")
        self.url = url
        self.hosts = frozenset({"127.0.0.1"})

    def read(self, text, context):
        if text == "code":
            raise RuntimeError("token-0123456789ab")
        if text == "work":
            return (yield lambda: "sk-worked-0123456789")
        if text == "number":
            return 3
        if text == "endless":
            while True:
                yield HttpRequest("GET", self.url)
        if text == "elsewhere":
            yield HttpRequest("GET", "http://localhost:9/")
        if text == "wrong":
            raise ConfigError("this is no shelf mark", hint="shelf:mark")
        answer = yield HttpRequest("GET", f"{self.url}/{text}", (("x-token", context.secret("token")),))
        if answer.status != 200:
            raise AuthenticationError(f"it said {answer.status}: {answer.body.decode()}")
        return Secret(answer.body.decode())


def plain(text):
    return f"sk-plain-{text}-0123456789"
"""


@pytest.fixture(autouse=True)
def plugin(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A distribution that brings two kinds: a store, and a plain function."""
    folder = tmp_path / "byollm_test_shelf-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: byollm-test-shelf\nVersion: 1.0\n")
    lines = ["[byollm.secrets]", "shelf = byollm_test_shelf:Shelf", "plainshelf = byollm_test_shelf:plain"]
    (folder / "entry_points.txt").write_text("\n".join(lines))
    (tmp_path / "byollm_test_shelf.py").write_text(PLUGIN)
    monkeypatch.syspath_prepend(tmp_path)


@pytest.fixture
def library() -> Iterator[Any]:
    """A server that answers a key to whoever has the token, and what it was asked."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            server.asked.append(self.path)  # type: ignore[attr-defined]  # made below
            token = self.headers.get("x-token") or ""
            status, body = (200, "sk-shelved-0123456789\n") if "right" in token else (403, f"no {token}")
            status = 302 if self.path == "/moved" else status
            self.send_response(status)
            self.send_header("location", "http://127.0.0.1:9/")
            self.end_headers()
            self.wfile.write(body.encode())

        def log_message(self, format: str, *arguments: Any) -> None:
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.asked = []  # type: ignore[attr-defined]  # what the handler notes
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


Read = Callable[..., str]


@pytest.fixture
def read(library: Any) -> Read:
    """The key that a reference finds with a store of these settings."""

    def ask(reference: str, **store: Any) -> str:
        settings = {
            "url": f"http://127.0.0.1:{library.server_port}",
            "credentials": {"token": "literal:right-0123456789ab"},
            **store,
        }
        config = load({"provider": "openai", "model": "m", "api_key": reference, "secrets": {"shelf": settings}})
        return config.deployments["default"].secrets["api_key"].resolve().reveal()

    return ask


def refused(read: Callable[..., Any], *arguments: Any, **more: Any) -> ByollmError:
    with pytest.raises(ByollmError) as raised:
        read(*arguments, **more)
    return raised.value


def test_a_store_reads_with_credentials_of_its_own(read: Read, library: Any):
    """The core sends for it, and cuts the line end."""
    assert "sk-shelved-0123456789" == read("shelf:a/b")
    assert ["/a/b"] == library.asked


def test_a_function_is_enough_for_a_plugin():
    """Text in, text out; it takes no settings."""
    one = {"provider": "openai", "model": "m", "api_key": "plainshelf:x"}

    assert "sk-plain-x-0123456789" == load(one).deployments["default"].secrets["api_key"].resolve().reveal()
    with pytest.raises(ConfigError, match="take no settings"):
        load({**one, "secrets": {"plainshelf": {"url": "u"}}}).deployments["default"].secrets["api_key"].resolve()


def test_a_store_may_work_for_itself(read: Read):
    """What may block it yields as a function."""
    assert "sk-worked-0123456789" == read("shelf:work")


@pytest.mark.parametrize(
    "text, told",
    [
        ("number", "it answered int, not str"),
        ("endless", "it asks without end"),
        ("code", "it failed (RuntimeError)"),
        ("elsewhere", "does not answer (refused: localhost is not among the declared hosts"),
        ("moved", "it said 302"),
    ],
)
def test_a_store_that_misbehaves_sends_nothing_to_a_provider(read: Read, text: str, told: str):
    """An AuthenticationError of the reference; hosts it did not name are not reached, redirects not followed."""
    error = refused(read, f"shelf:{text}")

    assert isinstance(error, AuthenticationError)
    assert ("no", True) == (error.sent, told in error.message)
    assert "0123456789ab" not in error.message


def test_what_a_store_repeats_is_masked(read: Read):
    """Servers echo tokens."""
    error = refused(read, "shelf:x", credentials={"token": "literal:wrong-0123456789ab"})

    assert "it said 403: no [redacted]" in error.message


def test_a_text_that_is_no_reference_is_a_mistake_in_the_file(read: Read):
    """With the store's own example."""
    error = refused(read, "shelf:wrong")

    assert isinstance(error, ConfigError)
    assert ("`api_key`: this is no shelf mark", "shelf:mark") == (error.message, error.hint)


@pytest.mark.parametrize(
    "store, told", [({"depth": 0}, "`depth` is at least 1"), ({"dept": 1}, "did you mean `depth`?")]
)
def test_settings_are_checked_when_it_is_first_asked(read: Read, store: dict[str, Any], told: str):
    """Loading imports no plugin."""
    assert told in str(refused(read, "shelf:x", **store))


def test_a_plugin_that_the_file_does_not_list_is_not_loaded():
    """The allow-list holds for kinds of secrets, too."""
    config = load({"provider": "openai", "model": "m", "api_key": "plainshelf:x", "plugins": ["byollm-openai"]})

    with pytest.raises(PluginError, match="byollm-test-shelf brings 'plainshelf' and is not in `plugins:`"):
        config.deployments["default"].secrets["api_key"].resolve()


@pytest.mark.parametrize(
    "text, line, told",
    [
        ("secrets: {shelf: 3}\na: x/y\n", 1, "`shelf` is not a key of `secrets`"),
        ("secrets: {env: {url: u}}\na: x/y\n", 1, "`env` cannot be a store's name"),
        ("secrets:\n  shelf: {credentials: {token: 'other:x'}}\na: x/y\n", 2, "cannot come from a store"),
        ("secrets:\n  shelf: {timeout: 0}\na: x/y\n", 2, "must be more than 0"),
        ("secrets: {max_age: -1}\na: x/y\n", 1, "`max_age"),
        ("secrets:\n  shelf: {max_age: soon}\na: x/y\n", 2, "`max_age"),
        (
            "secrets:\n  shelf:\n    tenants: [acne]\na: x/y\ntenants: {acme: {credentials: {x: k}}}\n",
            3,
            "no tenant `acne`",
        ),
    ],
)
def test_a_wrong_line_is_refused_at_load(tmp_path: Path, text: str, line: int, told: str):
    """With its place."""
    path = tmp_path / "llm.yaml"
    path.write_text(text)

    with pytest.raises(ConfigError) as raised:
        load(path)
    assert (line, True) == (raised.value.line, told in str(raised.value))


TENANTED = """
secrets:
  acme-shelf:
    type: shelf
    url: https://shelf.acme.example
    credentials: {token: env:ACME}
    tenants: [acme]
deployments:
  one: {provider: openai, model: m, api_key: "%s:platform"}
tasks: {chat: one}
tenants:
  acme: {credentials: {openai: "acme-shelf:key"}}
  other: {credentials: {openai: "%s:key"}}
"""


@pytest.mark.parametrize("platform, other, line", [("acme-shelf", "env", 9), ("env", "acme-shelf", 13)])
def test_nobody_else_names_a_tenants_store(tmp_path: Path, platform: str, other: str, line: int):
    """Not the platform, not another tenant: refused at load, with both lines."""
    path = tmp_path / "llm.yaml"
    path.write_text(TENANTED % (platform, other))

    with pytest.raises(ConfigError, match=r"holds secrets of other tenants \(line 7\)") as raised:
        load(path)
    assert line == raised.value.line


def test_the_tenant_itself_names_it(tmp_path: Path):
    """And its reference says where it is looked for."""
    path = tmp_path / "llm.yaml"
    path.write_text(TENANTED % ("env", "env"))

    assert "acme-shelf:key" == load(path).tenants["acme"].credentials["openai"]["api_key"].source


def test_references_that_say_the_same_share_one_value(library: Any):
    """Two deployments and one rotation: the second finds what the first read."""
    store = {"url": f"http://127.0.0.1:{library.server_port}", "credentials": {"token": "literal:right-0123456789ab"}}
    target = {"provider": "openai", "model": "m", "api_key": "shelf:a"}
    config = load({"deployments": {"a": target, "b": target}, "secrets": {"shelf": store}})
    first, second = (config.deployments[name].secrets["api_key"] for name in "ab")
    old = first.resolve()
    second.resolve()
    assert ["/a"] == library.asked

    first.refused(old)
    second.refused(old)
    first.resolve()
    second.resolve()

    assert ["/a", "/a"] == library.asked


def test_a_stores_host_is_one_that_the_file_can_reach(library: Any):
    """`byollm check --hosts` tells it."""
    store = {"url": "https://127.0.0.1", "credentials": {"token": "literal:right"}}
    config = load({"provider": "openai", "model": "m", "api_key": "shelf:a", "secrets": {"shelf": store}})
    found = reachable_hosts(config, lambda name: load_provider(name).manifest)

    assert ("secrets: shelf",) == found["127.0.0.1"]


def test_a_change_of_a_store_is_told_and_no_key_with_it():
    """`byollm diff`: where keys will be asked for, and whose store it becomes."""

    def config(**store: Any) -> Any:
        tenants = {"acme": {"credentials": {"openai": "env:ACME"}}}
        return load({"provider": "openai", "model": "m", "secrets": {"shelf": store}, "tenants": tenants})

    old = config(url="https://a.example", credentials={"token": "literal:first-0123456789ab"})
    new = config(url="https://b.example", tenants=["acme"], note="hvs.CAESIJ0123456789abcdefghij")
    hosts: dict[str, frozenset[str]] = {"default": frozenset()}
    told = [str(change) for change in changes(old, new, hosts, hosts)]

    assert [
        "~ keys: store shelf: shelf, url `https://a.example` → "
        "shelf, note `<hidden>`, url `https://b.example`, for acme",
        "- keys: store shelf: token: a key in the file itself",
    ] == told


def test_a_store_that_hangs_is_given_up_after_its_timeout(read: Read):
    """It takes the connection and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        error = refused(read, "shelf:x", url=f"http://127.0.0.1:{silent.getsockname()[1]}", timeout=0.2)

    assert isinstance(error, AuthenticationError)
    assert "does not answer (timeout_first_byte" in error.message or "does not answer (deadline" in error.message
