"""Presidio's patterns beside ours: on a blank pipeline, with every way to a network shut."""

from __future__ import annotations

import json
import subprocess
from typing import Any

import pytest

from tests.servers.apart import environment, variables
from tools.environment import ROOT
from tools.lock import APART

PROGRAM = """
import json, socket, sys

WAYS = ("socket.connect", "socket.getaddrinfo", "socket.gethostbyname", "socket.sendto", "socket.sendmsg")
tried = []

def shut(event, arguments):
    if event in WAYS:
        tried.append(event)
        raise RuntimeError(f"{event}{arguments}")

sys.addaudithook(shut)
from byollm.errors import PluginError
from byollm_redact import Redact, Session

text = "mail bob@example.co.uk, pay 1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2 or 4111111111111111"
told = {
    "alone": Session(Redact(kinds=[], presidio=True).kinds).redact(text),
    "beside": Session(Redact(presidio={"entities": ["EMAIL_ADDRESS", "CRYPTO"]}).kinds).redact(text),
}
try:
    Redact(presidio={"entities": ["PERSON"]})
except PluginError as error:
    told["person"] = error.message
told["tried"] = list(tried)
try:
    socket.create_connection(("127.0.0.1", 9))
except RuntimeError as error:
    told["shut"] = str(error)
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """In a fresh process with an empty home: nothing may be fetched, nothing was kept from before."""
    python = environment(APART["byollm-redact[presidio]"])
    home = tmp_path_factory.mktemp("home")
    sources = [ROOT / "core" / "src", ROOT / "contrib" / "redact" / "src"]
    known = {**variables(sources, home), "TLDEXTRACT_CACHE": str(home)}
    done = subprocess.run([python, "-c", PROGRAM], capture_output=True, text=True, timeout=120, env=known, check=False)
    assert 0 == done.returncode, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_its_patterns_find_without_any_network(told: dict[str, Any]) -> None:
    """An address by the public suffixes that come with it, a wallet, a card; and no socket was so much as tried."""
    assert "mail [EMAILADDRESS_1], pay [CRYPTO_1] or [CREDITCARD_1]" == told["alone"]
    assert [] == told["tried"]


def test_every_way_out_was_shut(told: dict[str, Any]) -> None:
    """What would have tried is stopped, even towards this machine."""
    assert told["shut"].startswith("socket.")


def test_ours_go_first(told: dict[str, Any]) -> None:
    """Where both find something, it has our name."""
    assert "mail [EMAIL_1], pay [CRYPTO_1] or [CARD_1]" == told["beside"]


def test_an_entity_that_it_has_no_pattern_for_is_named(told: dict[str, Any]) -> None:
    """People's names need a language model."""
    assert "presidio has no pattern for PERSON" == told["person"]
