"""Whatever is handed in: it loads, or it is a ConfigError, and nothing shows a key."""

from __future__ import annotations

import os
import subprocess
import sys
import traceback
from collections import UserDict
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from byollm.config.llm_config import load
from byollm.config.reading import read as read_document
from byollm.config.schema import COMMON, SETTINGS
from byollm.config.yaml import parse_yaml
from byollm.errors import ConfigError

KEY = "sk-Zx81kQ0aPq7rT5vNw3Ym"
WORDS = sorted(
    COMMON
    | SETTINGS
    | {"llm_config", "base_url", "type", "token_url", "client_id", "total", "connect", "ca", "a", "b", "route"}
)
TEXTS = [
    "openai",
    "openai/gpt-4",
    "a",
    "b",
    "",
    "${X}",
    "${",
    "env:X",
    "cmd:x",
    "https://x.example.com",
    "none",
    "oauth",
    "strict",
    "\ud800",
]
keys = st.sampled_from(WORDS) | st.text(max_size=5)
leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(TEXTS)
    | st.text(max_size=8)
    | st.binary(max_size=3)
)
junk = st.recursive(
    leaves, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=6), max_leaves=20
)
targets = st.dictionaries(keys, junk, max_size=5).map(lambda more: {"provider": "openai", "model": "gpt-4", **more})


def refusal(function, *arguments) -> ConfigError | None:
    """What was refused, or None when it went well; any other exception fails the test."""
    try:
        function(*arguments)
    except ConfigError as error:
        return error
    return None


def loads_or_refuses(function, *arguments) -> None:
    error = refusal(function, *arguments)
    if error is not None:
        assert error.__context__ is None
        assert 1 <= len(str(error).splitlines()) <= 20


@given(st.dictionaries(keys | st.integers(), junk, max_size=6) | targets | st.dictionaries(keys, targets, max_size=3))
@settings(max_examples=400, deadline=None)
def test_any_mapping_loads_or_is_a_config_error(mapping):
    """Nothing but ConfigError comes out of `load`, on one screen, with no library exception hanging in it."""
    loads_or_refuses(load, mapping)


@given(junk)
@settings(max_examples=200, deadline=None)
def test_any_value_loads_or_is_a_config_error(value):
    """Not only mappings."""
    loads_or_refuses(load, value if not isinstance(value, str) else value[:50])


@given(st.binary(max_size=200) | st.text(alphabet="{}[]:,-&*!|>'\"%@`#?~ \n\tab01.${}\\", max_size=80).map(str.encode))
@settings(max_examples=500, deadline=None)
def test_any_bytes_are_a_document_or_a_config_error(data):
    """YAML from anywhere: a placed error or a mapping, never anything else."""
    error = refusal(parse_yaml, data, "f")
    if error is None:
        document = parse_yaml(data, "f")
        assert isinstance(document.value, dict)
        loads_or_refuses(read_document, document)
    else:
        assert (error.line or 0) >= 1
        assert (error.column or 0) >= 1


@given(targets)
@settings(max_examples=100, deadline=None)
def test_loading_changes_nothing_it_was_given(mapping):
    """The caller's mapping is copied, not taken over."""
    before = repr(mapping)
    loads_or_refuses(load, mapping)

    assert before == repr(mapping)


def test_a_mapping_that_contains_itself_is_refused():
    """No recursion without end."""
    mapping: dict[str, object] = {}
    mapping["a"] = mapping

    with pytest.raises(ConfigError, match="contains itself"):
        load(mapping)


def test_a_mapping_need_not_be_a_dict():
    """Any Mapping will do; keys are texts."""
    assert "default" in load(UserDict(provider="x", model="y")).deployments
    with pytest.raises(ConfigError, match="keys are texts"):
        load({"a": {1: "x"}})


ODD = {
    "huge": 10**5000,
    "negative": -(10**5000),
    "nan": float("nan"),
    "object": object(),
    "set": {1, 2},
    "bytes": b"x",
    "long": "x" * 10**6,
}


@pytest.mark.parametrize("value", ODD.values(), ids=ODD)
@pytest.mark.parametrize(
    "key", ["model", "timeout", "api_key", "tags", "failover", "capabilities", "on_unsupported", "headers", "pricing"]
)
def test_odd_values_are_config_errors(key, value):
    """Numbers too long to print, sets, bytes, a megabyte of text: told on one screen."""
    with pytest.raises(ConfigError) as raised:
        load({"provider": "openai", "model": "gpt-4", key: value})

    assert len(str(raised.value)) < 1000


LEAKS = [
    "provider: openai\nmodel: gpt-4\napi_key: {key}\nbase_url: x\n",
    "provider: openai\nmodel: gpt-4\napikey: {key}\n",
    "provider: openai\nmodel: gpt-4\napi_key: {key}\ntimeout: x\n",
    "provider: openai\nmodel: gpt-4\napi_key: '{key}\n",
    "provider: openai\nmodel: gpt-4\napi_key: {key}\nno: x\n",
    "provider: openai\nmodel: gpt-4\napi_key: [{key}]\n",
    "provider: openai\nmodel: gpt-4\n{key}: x\n{key}: y\n",
    "{key}: x\n",
    "provider: openai\nmodel: gpt-4\nheaders: {{Authorization: Bearer {key}, Host: x}}\n",
    "provider: openai\nmodel: gpt-4\ncredentials: {{api_key: {key}}}\ntags: x\n",
    "provider: openai\nmodel: gpt-4\nproxy: socks5://u:{key}@x:1\n",
    "provider: openai\nmodel: gpt-4\nendpoint: https://{key}@x.example.com\n",
    "provider: openai\nmodel: gpt-4\napi_key: ${{{key}}}\n",
    "provider: openai\nmodel: gpt-4\ntls: {{cert: a, key_password: {key}, x: y}}\n",
    "a: openai/x\ndefault: {key}\n",
    "a: openai/x\ntenants: {{t: {{credentials: {{openai: {{api_key: {key}}}, zzz: {key}}}}}}}\n",
    "provider: openai\nmodel: [{key}]\n",
    "provider: openai\nmodel: x\non_unsupported: {key}\n",
]


@pytest.mark.parametrize("text", LEAKS)
def test_no_error_shows_a_key(text, tmp_path: Path):
    """Not in the message, not in a traceback with locals, not in anything that hangs on the error."""
    path = tmp_path / "llm.yaml"
    path.write_text(text.format(key=KEY))
    del text
    with pytest.raises(ConfigError) as raised:
        load(path)
    error = raised.value
    shown = "".join(traceback.TracebackException.from_exception(error, capture_locals=True).format())

    assert [] == [piece for start in range(len(KEY) - 11) if (piece := KEY[start : start + 12]) in shown]


def test_a_loaded_configuration_shows_no_key(tmp_path: Path):
    """Its repr is safe wherever it ends up."""
    path = tmp_path / "llm.yaml"
    path.write_text(f"""\
provider: openai
model: gpt-4
api_key: {KEY}
credentials: {{other: {KEY}}}
headers: {{Authorization: Bearer {KEY}, X-Auth-Token: {KEY}}}
proxy: http://u:{KEY}@proxy.example.com
tls: {{cert: a.pem, key_password: {KEY}}}
tenants: {{acme: {{credentials: {{openai: {KEY}}}}}}}
""")

    assert KEY not in repr(load(path))


def test_loading_reads_no_variable_and_no_key(tmp_path: Path):
    """Loading opens the file itself and looks at nothing else."""
    path = tmp_path / "llm.yaml"
    text = "provider: openai\nmodel: gpt-4\napi_key: ${OPENAI_API_KEY}\nproxy: ${P}\n"
    path.write_text(text + "tls: {ca: ~/x}\nheaders: {A: '${B}'}\n")
    program = f"""
import os, sys
seen = set()
class Watched(type(os.environ)):
    def __getitem__(self, key):
        seen.add(key)
        return super().__getitem__(key)
os.environ.__class__ = Watched
from byollm.config.llm_config import load
load({str(path)!r})  # the libraries look for their own switches once, when they are first used
seen.clear()
files = []
watched = ("open", "socket.connect", "subprocess.Popen")
sys.addaudithook(lambda event, arguments: files.append(arguments[0]) if event in watched else None)
load({str(path)!r})
print(sorted(seen), [name for name in files if name != {str(path)!r}])
"""
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        env={**os.environ, "OPENAI_API_KEY": KEY},
    )

    assert "[] []\n" == done.stdout


def test_nothing_of_configuration_is_imported_with_the_rest():
    """pydantic and yaml wait until something is loaded: `import byollm` stays quick."""
    program = """
import sys, byollm, byollm.config.records, byollm.config.llm_config
print(sorted({"pydantic", "yaml", "difflib", "subprocess"} & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)

    assert "[]\n" == done.stdout
