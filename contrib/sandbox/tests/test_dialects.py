"""Dialects of other distributions: found by entry point, isolated from each other."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ACME = """
from byollm_sandbox import OpenAIChat

class Acme(OpenAIChat):
    name = "acme"
    base_path = "/acme/v1"

class Wire:
    def read_request(self, method, url, headers, body): ...

def broken():
    raise RuntimeError("not today")
"""
ENTRIES = """[byollm.dialects]
acme = acme_twin:Acme
wire = acme_twin:Wire
broken = acme_twin:broken
openai-chat = acme_twin:broken
"""
PROGRAM = """
import json, sys, urllib.request
sys.path.insert(0, sys.argv[1])
from byollm_sandbox import serve
with serve() as twin:
    body = json.dumps({"model": "m", "messages": [{"role": "user", "content": "hi"}]}).encode()
    for url in (twin.url("acme"), twin.url("openai-chat")):
        urllib.request.urlopen(urllib.request.Request(url + "/chat/completions", body)).read()
    print([request.dialect for request in twin.requests])
    for name in ("broken", "wire"):
        try:
            twin.url(name)
        except ValueError as error:
            print(error)
"""


def test_another_distribution_brings_a_dialect(tmp_path: Path) -> None:
    """A dialect by entry point answers under its base; a broken one breaks only itself; own names cannot be taken.

    The other end of a wire for conformance stands in the same group, and is no server.
    """
    (tmp_path / "acme_twin.py").write_text(ACME)
    metadata = tmp_path / "acme_twin-1.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-twin\nVersion: 1\n")
    (metadata / "entry_points.txt").write_text(ENTRIES)

    words = [sys.executable, "-c", PROGRAM, str(tmp_path)]
    ended = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)

    told = ["['acme', 'openai-chat']", "the dialect 'broken' could not be loaded: RuntimeError: not today"]
    *found, wire = ended.stdout.splitlines()
    assert (told, "") == (found, ended.stderr)
    assert wire.startswith("no twin speaks 'wire'")
