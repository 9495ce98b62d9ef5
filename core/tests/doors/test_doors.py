"""The doors: what stands on the sign is inside, and nothing is touched before it is used."""

import ast
import importlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import byollm
import byollm.plugin
import byollm.testing
from byollm import errors

HEAVY = (
    "httpx",
    "httpcore",
    "pydantic",
    "yaml",
    "pluggy",
    "stevedore",
    "importlib.metadata",
    "asyncio",
    "ssl",
    "socket",
)

AUDIT = """
import sys, os
events = []
def hook(event, arguments):
    if event.startswith("socket.") or event in ("subprocess.Popen", "os.system", "os.exec", "os.fork"):
        events.append(event)
    if event == "open" and not str(arguments[0]).endswith((".py", ".pyc", ".so", ".pth", ".zip")):
        events.append(f"open {arguments[0]}")
class Watched(dict):
    def __getitem__(self, key): events.append(f"environ {key}"); return dict.__getitem__(self, key)
    def get(self, key, default=None): events.append(f"environ {key}"); return dict.get(self, key, default)
    def __contains__(self, key): events.append(f"environ {key}"); return dict.__contains__(self, key)
before = set(sys.modules)
"""
WATCH = """
os.environ = Watched(os.environ)
os.getenv = os.environ.get
sys.addaudithook(hook)
"""


def fresh(code: str, *options: str) -> Any:
    """What a fresh interpreter says: the last line it prints, as JSON."""
    done = subprocess.run(
        [sys.executable, "-W", "error", *options, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_the_sign_names_what_is_inside():
    """`__all__` is the homes' names and the three modules, in order; `dir` shows them."""
    promised = {name for names in byollm._HOMES.values() for name in names} | set(byollm._MODULES)

    assert sorted(promised) == byollm.__all__
    assert promised <= set(dir(byollm))


@pytest.mark.parametrize("name", byollm.__all__)
def test_everything_on_the_sign_is_there(name: str):
    """Each name resolves to the thing of its home, and only once."""
    thing = getattr(byollm, name)
    home = byollm._WHERE.get(name, f"byollm.{name}")

    assert thing is (
        getattr(importlib.import_module(home), name) if name in byollm._WHERE else importlib.import_module(home)
    )
    assert thing is getattr(byollm, name)


def test_the_types_checker_sees_the_same_names():
    """What is imported for type checkers is what is promised to everybody."""
    tree = ast.parse(Path(byollm.__file__).read_text())
    (block,) = [node for node in tree.body if isinstance(node, ast.If)]
    seen = {alias.name: node.module for node in block.body if isinstance(node, ast.ImportFrom) for alias in node.names}

    assert {**byollm._WHERE, **dict.fromkeys(byollm._MODULES, "byollm")} == seen


def test_a_name_that_is_not_there_is_an_attribute_error():
    """And says so like any module."""
    with pytest.raises(AttributeError, match="has no attribute 'nothing'"):
        byollm.nothing


SECTION_8 = [
    "complete",
    "stream",
    "acomplete",
    "astream",
    "Client",
    "AsyncClient",
    "system",
    "user",
    "assistant",
    "tool_results",
    "dump_messages",
    "load_messages",
    "Message",
    "Text",
    "Image",
    "Document",
    "Audio",
    "ToolCall",
    "ToolResult",
    "Reasoning",
    "Opaque",
    "Citation",
    "Tool",
    "ProviderTool",
    "Request",
    "Started",
    "TextDelta",
    "ReasoningDelta",
    "ToolCallStarted",
    "ToolCallDelta",
    "PartAdded",
    "StateAttached",
    "UsageReported",
    "Finished",
]
SECTION_8_ERRORS = [
    "ByollmError",
    "ConfigError",
    "PluginError",
    "UnsupportedFeatureError",
    "OutputInvalidError",
    "NoRouteError",
    "ProviderError",
    "AuthenticationError",
    "PermissionDeniedError",
    "ModelNotFoundError",
    "InvalidRequestError",
    "ContextLengthError",
    "RequestTooLargeError",
    "ContentFilterError",
    "RateLimitError",
    "QuotaExhaustedError",
    "OverloadedError",
    "ServerError",
    "ProviderTimeoutError",
    "ProviderConnectionError",
    "ProtocolError",
    "StreamInterruptedError",
]
SECTION_8_PLUGIN = [
    "hookimpl",
    "Provider",
    "Manifest",
    "Exchange",
    "HttpRequest",
    "LocalCall",
    "Target",
    "Capabilities",
    "Support",
    "TokenCount",
    "NoAuth",
    "Bearer",
    "HeaderKey",
    "OAuthClientCredentials",
    "Started",
    "TextDelta",
    "ReasoningDelta",
    "ToolCallStarted",
    "ToolCallDelta",
    "PartAdded",
    "StateAttached",
    "UsageReported",
    "Finished",
]


def test_the_fixed_names_are_there():
    """Acceptance checks and users call them."""
    assert set(SECTION_8) <= set(byollm.__all__)
    assert all(hasattr(errors, name) for name in SECTION_8_ERRORS)
    assert set(SECTION_8_PLUGIN) <= set(byollm.plugin.__all__)
    assert {"translate", "replay", "scripted"} <= set(byollm.testing.__all__)


@pytest.mark.parametrize("door", [byollm.plugin, byollm.testing])
def test_a_door_shows_what_it_lists(door: Any):
    """Nothing is listed that is not there, and nothing is there twice."""
    assert all(hasattr(door, name) for name in door.__all__)
    assert sorted(set(door.__all__), key=door.__all__.index) == list(door.__all__)


def test_the_plugin_door_lists_what_it_imports():
    """A name that is imported there is meant for plugin authors, and is on the list."""
    tree = ast.parse(Path(byollm.plugin.__file__).read_text())
    nodes = [*tree.body, *(inner for node in tree.body if isinstance(node, ast.If) for inner in node.body)]
    imported = {alias.name for node in nodes if isinstance(node, ast.ImportFrom) for alias in node.names}

    assert imported == set(byollm.plugin.__all__)
    assert sorted(byollm.plugin.__all__) == byollm.plugin.__all__


def test_importing_byollm_imports_nothing_heavy():
    """No HTTP library, no pydantic, no YAML, no plugin machinery."""
    found = fresh(f"{AUDIT}\nimport byollm, json\nprint(json.dumps(sorted(set(sys.modules) - before)))")

    assert [] == [name for name in found if name.startswith(HEAVY)]
    assert {"byollm", "byollm.types", "byollm.types.version"} >= {name for name in found if name.startswith("byollm")}


def test_importing_byollm_touches_nothing():
    """No socket, no process, no file but code, no environment variable."""
    assert [] == fresh(f"{AUDIT}\nimport json\n{WATCH}\nimport byollm\nprint(json.dumps(events))", "-B")


@pytest.mark.parametrize("name", ["Client", "AsyncClient", "Request", "errors", "plugin", "complete", "Capabilities"])
def test_naming_a_thing_opens_no_socket_and_starts_no_process(name: str):
    """Nor does it import an HTTP library: that happens at the first send."""
    code = f"{AUDIT}\nimport json\nsys.addaudithook(hook)\nimport byollm\nbyollm.{name}\n"
    code += "print(json.dumps([events, [it for it in ('httpx', 'httpcore', 'httpx2') if it in sys.modules]]))"
    events, modules = fresh(code, "-B")

    assert ([], []) == ([it for it in events if not it.startswith("open")], modules)


def test_making_a_client_sends_nothing_and_reads_no_key():
    """Cheap to make: no network, no key, no plugin."""
    code = f"""{AUDIT}
import json
sys.addaudithook(hook)
import byollm
client = byollm.Client({{"provider": "openai", "model": "gpt-4"}})
touched = [it for it in events if not it.startswith("open")]
print(json.dumps([touched, [it for it in sys.modules if "byollm_" in it]]))"""

    assert [[], []] == fresh(code, "-B")
