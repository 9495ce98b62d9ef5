"""The benchmark is honest: its yardstick is short, its server sends what it says, its answers are checked."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.benchmarks.contenders import Byollm
from tests.benchmarks.cost import CORE, modules_of_plugins
from tests.benchmarks.frames import STREAMS, client_of, text_of
from tests.benchmarks.server import DOCUMENT, EVENTS, MARKER, PIECE, TEXT, USAGE, stream_bytes

HERE = Path(__file__).parent / "benchmarks"


def test_the_hand_written_caller_is_at_most_forty_lines() -> None:
    """One file, one pooled client."""
    assert len((HERE / "hand_written.py").read_text().splitlines()) <= 40


def test_the_canned_answers_hold_what_is_checked() -> None:
    """The text and the usage are in the bytes."""
    document = json.loads(DOCUMENT)

    assert (TEXT, USAGE) == (document["choices"][0]["message"]["content"], document["usage"])
    assert EVENTS == stream_bytes(EVENTS).count(PIECE.encode())


def test_byollm_reads_the_benchmarks_answers() -> None:
    """The contender's three ways of asking give what the server sends."""
    server = subprocess.Popen([sys.executable, str(HERE / "server.py")], stdout=subprocess.PIPE, text=True)
    try:
        assert server.stdout is not None
        byollm = Byollm(f"http://127.0.0.1:{server.stdout.readline().strip()}")
        prompt = MARKER.decode()

        assert (TEXT, USAGE["completion_tokens"]) == byollm.call("bench-whole", prompt)
        assert PIECE * EVENTS == "".join(byollm.stream("bench-burst", prompt))
        assert PIECE * 10 == "".join(byollm.stream("bench-paced", prompt))[: len(PIECE) * 10]
    finally:
        server.terminate()
        server.wait(10)
        if server.stdout is not None:
            server.stdout.close()


def test_both_framings_of_a_stream_give_the_same_text() -> None:
    """As many pieces as the server's own stream has."""
    assert [PIECE * EVENTS] * 2 == [text_of(client_of(name)) for name in STREAMS]


ADDED = """
before = set(sys.modules)
assert not [name for name in before if name.startswith("byollm_")]
import {}
packages = {{name.partition(".")[0] for name in set(sys.modules) - before}}
print(*sorted(name for name in packages - sys.stdlib_module_names if not name.startswith("byollm")))
"""


def added(module: str) -> str:
    """The packages of others that importing a module brings into a fresh process of core."""
    code = CORE + ADDED.format(module)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("module", modules_of_plugins().values())
def test_a_plugin_brings_no_package_of_others(module: str) -> None:
    """No vendor's SDK, no HTTP library, nothing that core does not use: what it builds on is byollm's."""
    assert "" == added(module)


def test_a_vendors_sdk_would_be_seen() -> None:
    """The look at what is imported can fail."""
    assert "groq" in added("groq").split()
