"""References to secrets: every kind, what is missing, and that nothing shows."""

from __future__ import annotations

import copy
import logging
import os
import pickle
import sys
import threading
from pathlib import Path

import pytest

from byollm.config.llm_config import load
from byollm.config.places import Where
from byollm.config.secrets import SecretReference, ambient, is_placeholder, parse_reference
from byollm.errors import AuthenticationError, ConfigError
from byollm.wire.redact import Secret

KEY = "sk-Zx81kQ0aPq7rT5vN"


def reference(value, **more) -> SecretReference:
    return parse_reference("api_key", value, Where("llm.yaml", 3, 12), **more)


@pytest.mark.parametrize("text", ["${BYOLLM_TEST_KEY}", "env:BYOLLM_TEST_KEY"])
def test_a_variable_is_read_at_first_use(monkeypatch, text):
    """Making the reference reads nothing; resolving does, without the blanks around it."""
    found = reference(text)
    monkeypatch.setenv("BYOLLM_TEST_KEY", f" {KEY}\n")

    assert KEY == found.resolve().reveal()


def test_a_missing_variable_is_named_with_the_line_that_asks(monkeypatch):
    """The error says which variable, and its last line is what to type."""
    monkeypatch.delenv("BYOLLM_TEST_KEY", raising=False)

    with pytest.raises(AuthenticationError) as raised:
        reference("${BYOLLM_TEST_KEY}").resolve()

    assert "no" == raised.value.sent
    assert str(raised.value).splitlines() == [
        "no api_key: the environment variable BYOLLM_TEST_KEY is not set",
        "  export BYOLLM_TEST_KEY=…   (llm.yaml:3:12 asks for it)",
    ]


def test_an_empty_variable_is_a_missing_one(monkeypatch):
    """`export KEY=` is not a key."""
    monkeypatch.setenv("BYOLLM_TEST_KEY", "")

    with pytest.raises(AuthenticationError, match="BYOLLM_TEST_KEY is not set"):
        reference("env:BYOLLM_TEST_KEY").resolve()


def test_a_secret_is_kept_until_it_is_refreshed(monkeypatch):
    """After a 401 `refresh` forgets it, and the next use reads it anew: keys rotate without restart."""
    monkeypatch.setenv("BYOLLM_TEST_KEY", "first-key")
    found = reference("env:BYOLLM_TEST_KEY")
    found.resolve()
    monkeypatch.setenv("BYOLLM_TEST_KEY", "second-key")

    assert "first-key" == found.resolve().reveal()
    found.refresh()
    assert "second-key" == found.resolve().reveal()


def test_variables_may_stand_inside_a_text(monkeypatch):
    """`Bearer ${X}` is for headers and proxies; every variable in it is needed."""
    monkeypatch.setenv("BYOLLM_A", "a")
    monkeypatch.delenv("BYOLLM_B", raising=False)

    assert "Bearer a." == reference("Bearer ${BYOLLM_A}.").resolve().reveal()
    with pytest.raises(AuthenticationError, match="BYOLLM_B is not set"):
        reference("${BYOLLM_A}${BYOLLM_B}").resolve()


def test_a_file_is_read_and_stripped(tmp_path: Path):
    """`file:` starts at the configuration's folder."""
    (tmp_path / "key").write_text(f"{KEY}\n")
    (tmp_path / "key").chmod(0o600)

    assert KEY == reference("file:key", base=str(tmp_path)).resolve().reveal()
    assert KEY == reference(tmp_path / "key").resolve().reveal()
    assert KEY == reference(f"file:{tmp_path}/key").resolve().reveal()
    assert KEY == reference(f"file://{tmp_path}/key").resolve().reveal()


def test_a_file_that_everybody_can_read_is_warned_about(tmp_path: Path, caplog):
    """It works, and the log says what to do, without the key."""
    (tmp_path / "key").write_text(KEY)
    (tmp_path / "key").chmod(0o644)
    with caplog.at_level(logging.WARNING, "byollm.config"):
        reference(f"file:{tmp_path}/key").resolve()

    assert "chmod 600" in caplog.text
    assert KEY not in caplog.text


@pytest.mark.parametrize(
    "content, told",
    [(None, "cannot be read"), (b"", "is empty"), (b"\xff\xfe", "is not UTF-8"), (b"x" * 70_000, "more than")],
)
def test_a_file_that_holds_no_key_is_an_authentication_error(tmp_path: Path, content, told):
    """Missing, empty, binary and huge files each say so; nothing was sent."""
    if content is not None:
        (tmp_path / "key").write_bytes(content)

    with pytest.raises(AuthenticationError, match=told) as raised:
        reference(f"file:{tmp_path}/key").resolve()

    assert "no" == raised.value.sent


def test_a_command_prints_the_key():
    """`cmd:` runs a program without a shell, only where it is allowed."""
    command = f"cmd:{sys.executable} -c \"print('{KEY}')\""

    assert KEY == reference(command, allow_cmd=True).resolve().reveal()
    with pytest.raises(ConfigError, match="does not allow it"):
        reference(command)


def test_no_shell_sees_a_command(tmp_path: Path):
    """A semicolon is an argument like any other."""
    marker = tmp_path / "ran"

    with pytest.raises(AuthenticationError):
        reference(f"cmd:cat /nonexistent ; touch {marker}", allow_cmd=True).resolve()

    assert not marker.exists()


def test_a_failing_command_shows_nothing_of_what_it_said():
    """Its exit status is told; its output could hold a key."""
    command = f"cmd:{sys.executable} -c \"import sys; print('{KEY}'); print('{KEY}', file=sys.stderr); sys.exit(3)\""

    with pytest.raises(AuthenticationError) as raised:
        reference(command, allow_cmd=True).resolve()

    assert "ended with status 3" in str(raised.value)
    assert KEY not in str(raised.value)


def test_a_program_that_does_not_exist_is_an_authentication_error():
    """No library exception comes out."""
    with pytest.raises(AuthenticationError, match="cannot be run"):
        reference("cmd:no-such-program-of-byollm", allow_cmd=True).resolve()


def test_cmd_is_allowed_by_the_root(read):
    """`secrets: {allow_cmd: true}` stands beside the tasks."""
    config = read("secrets: {allow_cmd: true}\na: {provider: x, model: y, api_key: 'cmd:echo key-from-echo'}\n")

    assert "key-from-echo" == config.deployments["a"].secrets["api_key"].resolve().reveal()


def test_a_callable_is_asked_once_until_refreshed():
    """Whoever has a vault of their own passes a function."""
    answers = iter(["one", Secret("two")])
    found = reference(lambda: next(answers))

    assert ["one", "one"] == [found.resolve().reveal(), found.resolve().reveal()]
    found.refresh()
    assert "two" == found.resolve().reveal()


@pytest.mark.parametrize("function", [lambda: 1 / 0, lambda: None, lambda: b"bytes", lambda: ""])
def test_a_callable_that_gives_no_key_is_an_authentication_error(function):
    """Its exception is named by class only and hangs nowhere."""
    with pytest.raises(AuthenticationError) as raised:
        reference(function).resolve()

    assert raised.value.__context__ is None


def test_threads_ask_a_slow_source_once():
    """Eight threads at the same instant are one question."""
    asked = []
    gate = threading.Barrier(8)

    def slow() -> str:
        asked.append(1)
        return "key"

    found = reference(slow)

    def use() -> None:
        gate.wait()
        found.resolve()

    threads = [threading.Thread(target=use) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert [1] == asked


def test_the_keyring_needs_its_package(monkeypatch):
    """Without the package `keyring` the error is how to get it."""
    monkeypatch.setitem(sys.modules, "keyring", None)

    with pytest.raises(ConfigError) as raised:
        reference("keyring:byollm/openai").resolve()

    assert str(raised.value).endswith("pip install keyring")


def test_the_keyring_is_asked_for_service_and_name(monkeypatch, tmp_path: Path):
    """`keyring:service/name`, whatever backend stands behind the package."""
    (tmp_path / "keyring.py").write_text(
        "def get_password(service, name):\n    return f'{service}+{name}' if name == 'me' else None\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "keyring", raising=False)

    assert "my/service+me" == reference("keyring:my/service/me").resolve().reveal()
    with pytest.raises(AuthenticationError, match="the keyring has no my/service/you"):
        reference("keyring:my/service/you").resolve()
    monkeypatch.delitem(sys.modules, "keyring")


def test_a_plugin_brings_a_kind_of_its_own(monkeypatch, tmp_path: Path):
    """Entry point group `byollm.secrets`: the scheme's name, and a callable from text to text."""
    folder = tmp_path / "byollm_test_vault-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: byollm-test-vault\nVersion: 1.0\n")
    (folder / "entry_points.txt").write_text("[byollm.secrets]\ntestvault = byollm_test_vault:read\n")
    (tmp_path / "byollm_test_vault.py").write_text("def read(text):\n    return f'key at {text}'\n")
    monkeypatch.syspath_prepend(tmp_path)

    assert "key at team/openai" == reference("testvault:team/openai").resolve().reveal()


def test_an_unknown_kind_gets_the_nearest():
    """`evn:` means `env:`; it is found out at first use, because plugins may bring kinds."""
    with pytest.raises(ConfigError) as raised:
        reference("evn:KEY").resolve()

    assert "llm.yaml:3:12: `api_key`: there is no kind of secret called `evn`\n  write `env:…`" == str(raised.value)


def test_a_literal_works_and_is_noted():
    """A key in the file works; a warning without the key is kept."""
    config = load({"provider": "openai", "model": "gpt-4", "api_key": KEY})
    [warning] = config.warnings

    assert KEY == config.deployments["default"].secrets["api_key"].resolve().reveal()
    assert ("warning", "the api_key itself is written here", "api_key: ${OPENAI_API_KEY}") == (
        warning.level,
        warning.sentence,
        warning.mend,
    )


@pytest.mark.parametrize("value", [Secret(KEY), lambda: KEY])
def test_a_secret_or_callable_from_python_is_no_literal(value):
    """Whoever passes one did the right thing: nothing is noted."""
    config = load({"provider": "openai", "model": "gpt-4", "api_key": value})

    assert KEY == config.deployments["default"].secrets["api_key"].resolve().reveal()
    assert () == config.warnings


def test_pydantics_secret_text_is_taken():
    """Programs with settings of their own have a SecretStr at hand."""
    from pydantic import SecretStr

    config = load({"provider": "openai", "model": "gpt-4", "api_key": SecretStr(KEY)})

    assert KEY == config.deployments["default"].secrets["api_key"].resolve().reveal()


def test_a_key_with_a_colon_is_written_with_literal():
    """`literal:` keeps what looks like a reference from being read as one."""
    assert "id:secret" == reference("literal:id:secret").resolve().reveal()


@pytest.mark.parametrize("key, told", [("sk-“abc”", "not ASCII"), ("sk-a\nb", "line break")])
def test_a_key_that_no_header_can_carry_is_found_before_sending(key, told):
    """A typographic quote that was copied along is told, not sent."""
    with pytest.raises(AuthenticationError, match=told) as raised:
        reference(lambda: key).resolve()

    assert "abc" not in str(raised.value)


def test_a_service_account_may_have_lines(tmp_path: Path):
    """Other credentials are no header: a JSON file keeps its lines."""
    (tmp_path / "account.json").write_text('{\n"a": 1\n}')
    (tmp_path / "account.json").chmod(0o600)
    found = parse_reference("service_account", "file:account.json", base=str(tmp_path))

    assert '{\n"a": 1\n}' == found.resolve().reveal()


def test_ambient_variables_are_tried_in_order(monkeypatch):
    """The first that is set wins; the error names all."""
    monkeypatch.delenv("BYOLLM_FIRST", raising=False)
    monkeypatch.setenv("BYOLLM_SECOND", "key-two")
    found = ambient("api_key", ("BYOLLM_FIRST", "BYOLLM_SECOND"), optional=False)

    assert "key-two" == found.resolve().reveal()
    monkeypatch.delenv("BYOLLM_SECOND")
    found.refresh()
    with pytest.raises(AuthenticationError, match="BYOLLM_FIRST or BYOLLM_SECOND is not set"):
        found.resolve()


def test_an_optional_ambient_variable_is_empty_when_unset(monkeypatch):
    """A session token that nobody set stops nothing."""
    monkeypatch.delenv("BYOLLM_FIRST", raising=False)

    assert not ambient("session_token", ("BYOLLM_FIRST",), optional=True).resolve()


@pytest.mark.parametrize(
    "text, kind",
    [
        ("http://u:p@proxy.example.com", "literal"),
        ("http://u:${P}@proxy.example.com", "template"),
        ("Bearer ${A}", "template"),
        ("env://A", "env"),
        ("sk-proj:x", "sk-proj"),
        ("literal://x", "literal"),
        ("ID:SECRET", "literal"),
    ],
)
def test_what_counts_as_a_kind(text, kind):
    """A lower-case word and a colon; a URL is none."""
    assert kind == reference(text).kind


@pytest.mark.parametrize(
    "text", ["cmd: ", "env:", "keyring:x", "file: ", "", " ", 5, 1.5, True, [], {}, b"x", "x" * 70_000]
)
def test_what_is_no_reference_is_refused_when_it_is_read(text):
    """At load, with the place."""
    with pytest.raises(ConfigError) as raised:
        reference(text, allow_cmd=True)

    assert ("llm.yaml", 3, 12) == (raised.value.file, raised.value.line, raised.value.column)


def test_nothing_shows_a_secret():
    """Not repr, str or format; and a reference is never pickled or copied."""
    found = reference(Secret(KEY))
    found.resolve()

    assert KEY not in f"{found!r} {found} {found.source}"
    for copying in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            copying(found)


@pytest.mark.parametrize(
    "text",
    [
        "your-openai-key",
        "sk-...",
        "sk-…",
        "<key>",
        "changeme",
        "xxx",
        "sk-xxxx",
        "YOUR_API_KEY",
        "[your key]",
        "insert-key-here",
        "TODO",
        "***",
        "replace_me",
    ],
)
def test_placeholders_are_recognised(text):
    """What stands in examples is no key."""
    assert is_placeholder(text)


@pytest.mark.parametrize(
    "text", [KEY, "gsk_9d8f7s9d8f7", "3f2504e0-4f89-11d3-9a0c-0305e82c3301", "local", "mykey-93jd93jd", "hunter2"]
)
def test_real_keys_are_no_placeholders(text):
    """Nor is a short password of a local server."""
    assert not is_placeholder(text)


def test_resolution_reads_the_environment_only_of_its_variable(monkeypatch):
    """No other variable is looked at."""
    seen = []

    class Watched(dict):
        def get(self, key, default=None):
            seen.append(key)
            return super().get(key, default)

    monkeypatch.setattr(os, "environ", Watched(BYOLLM_TEST_KEY="k" * 8))
    reference("${BYOLLM_TEST_KEY}").resolve()

    assert ["BYOLLM_TEST_KEY"] == seen
