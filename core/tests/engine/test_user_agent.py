"""Who asks: every request says that it comes from byollm, unless somebody says otherwise."""

from importlib.metadata import version
from typing import Any

import pytest

from byollm import Client, __version__
from byollm.transports.replay import ReplayTransport

BODY = b'{"object": "chat.completion", "choices": [{"message": {"content": "hi"}, "finish_reason": "stop"}]}'
TARGET = {"provider": "custom", "model": "m", "endpoint": "http://127.0.0.1:9", "authentication": "none"}


@pytest.mark.parametrize(
    "more, sent",
    [
        ({}, [f"byollm/{__version__}"]),
        ({"headers": {"User-Agent": "acme/7"}}, ["acme/7"]),
    ],
)
def test_a_request_says_who_asks(more: dict[str, Any], sent: list[str]) -> None:
    """`user-agent` is byollm and its version; the file's own wins."""
    transport = ReplayTransport(200, {"content-type": "application/json"}, [BODY])

    Client({**TARGET, **more}, transport=transport).complete("hi")

    assert sent == [value for name, value in transport.requests[0].headers if name.lower() == "user-agent"]


def test_the_preview_shows_it() -> None:
    """What a preview shows is what is sent."""
    assert f"byollm/{__version__}" == Client(TARGET).preview("hi").headers["user-agent"]


def test_the_version_is_the_distributions() -> None:
    """What is said of byollm is what is installed."""
    assert version("byollm") == __version__
