"""For tests of the rules: a client whose contacts are written down, and rules read by somebody else than byollm."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlsplit

from byollm import Client
from byollm.plugin import Head
from byollm.transports.base import Broken, Outgoing
from byollm.transports.egress import destination

Behave = Callable[[str], str]
TODAY = date(2026, 11, 22)


class Clock:
    """Two clocks that are set by hand: the wall's and the steady one. Nobody waits."""

    def __init__(self, day: date = TODAY) -> None:
        self.wall = instant(day)
        self.steady = 1000.0

    def monotonic(self) -> float:
        return self.steady

    def time(self) -> float:
        return self.wall

    def sleep(self, seconds: float, cancellation: Any) -> bool:
        self.wall += seconds
        self.steady += seconds
        return bool(cancellation.cancelled)

    async def async_sleep(self, seconds: float) -> None:
        self.wall += seconds
        self.steady += seconds

    def go_to(self, day: date) -> None:
        """Time passes: both clocks show it."""
        passed = max(0.0, instant(day) - self.wall)
        self.wall += passed
        self.steady += passed


def instant(day: date) -> float:
    return datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()


class Recording:
    """A transport that answers as OpenAI's chat does, or fails as it is told, and writes down who was contacted.

    As the real ones do, it asks the egress rules first: what they refuse was not contacted.
    """

    def __init__(self, behave: Behave = lambda host: "ok") -> None:
        self.behave = behave
        self.hosts: list[str] = []

    def open(self, outgoing: Outgoing) -> Any:
        where = destination(outgoing.url, outgoing.place.hosts)
        if isinstance(where, Broken):
            return where
        host = urlsplit(outgoing.url).hostname or ""
        self.hosts.append(host)
        how = self.behave(host)
        if how == "refused":
            return Broken("connect", "no", "refused")
        if how == "reset":
            return Broken("reset", "yes", "reset")
        if how.isdecimal():
            return _Answer(int(how), b'{"error": {"message": "no"}}', "application/json")
        stream = json.loads(outgoing.body or b"{}").get("stream", False)
        return _Answer(200, *_said(stream, cut=how == "cut"))

    def close(self) -> None:
        """Nothing is idle."""

    async def aclose(self) -> None:
        """Nothing is idle."""


def _said(stream: bool, *, cut: bool) -> tuple[bytes, str]:
    base: dict[str, Any] = {"id": "c1", "model": "m", "created": 1}
    usage = {"prompt_tokens": 3, "completion_tokens": 1, "total_tokens": 4}
    if not stream:
        choice = {"index": 0, "message": {"role": "assistant", "content": "hi"}, "finish_reason": "stop"}
        whole = json.dumps({**base, "object": "chat.completion", "choices": [choice], "usage": usage}).encode()
        return (whole[:20] if cut else whole), "application/json"
    begin = {"index": 0, "delta": {"role": "assistant"}, "finish_reason": None}
    text = {"index": 0, "delta": {"content": "hi"}, "finish_reason": None}
    end = {"index": 0, "delta": {}, "finish_reason": "stop"}
    frames = [begin] if cut else [begin, text, end]
    lines = [json.dumps({**base, "object": "chat.completion.chunk", "choices": [item]}) for item in frames]
    lines += [] if cut else ["[DONE]"]
    return "".join(f"data: {line}\n\n" for line in lines).encode(), "text/event-stream"


class _Answer:
    def __init__(self, status: int, body: bytes, kind: str) -> None:
        self.head = Head(status, {"content-type": kind})
        self.pieces = [body]

    def read(self) -> bytes | Broken:
        return self.pieces.pop() if self.pieces else b""

    def close(self, reuse: bool) -> None:
        """Nothing is kept."""


class Watched(Client):
    """A client that talks to a Recording."""

    def __init__(self, config: Any, clock: Clock | None = None, behave: Behave = lambda host: "ok") -> None:
        self.hand = clock or Clock()
        super().__init__(config, clock=self.hand)
        self.recording = Recording(behave)

    def transport(self) -> Any:
        return self.recording

    @property
    def contacted(self) -> list[str]:
        """The hosts, in order."""
        return self.recording.hosts


def target(host: str, region: str | None = None, **more: Any) -> dict[str, Any]:
    """A deployment of `custom` at https://<host>."""
    found = {"provider": "custom", "model": "m", "endpoint": f"https://{host}/v1", "api_key": "literal:k", **more}
    return {**found, "region": region} if region is not None else found


def attested(tag: str, subject: str, expires: date = TODAY + timedelta(days=100)) -> dict[str, Any]:
    """An attestation with all it needs."""
    return {"tag": tag, "for": subject, "evidence": "a letter", "owner": "legal", "expires": expires}


def may(config: Mapping[str, Any], label: str, day: date, **asked: Any) -> bool:
    """Do the rules, read from the file as it was written, let a deployment answer? No code of byollm takes part.

    `asked`: task, tenant, data_class, region.
    """
    policies = config.get("policies", {})
    entry = config["deployments"][label]
    host = urlsplit(entry["endpoint"]).hostname or ""
    classes = policies.get("data_classes", {})
    rules = [config["tasks"].get(asked.get("task"), {}), config.get("tenants", {}).get(asked.get("tenant"), {})]
    named = [rule["data_class"] for rule in rules if rule.get("data_class")]
    named += [asked["data_class"]] if asked.get("data_class") else []
    named = named or ([policies["default_data_class"]] if "default_data_class" in policies else [])
    rules += [classes[name] for name in named if name in classes]
    if "approved_providers" in policies and entry["provider"] not in policies["approved_providers"]:
        return False
    for name in named:
        if "data_classes" in entry and name not in entry["data_classes"]:
            return False
        if "data_classes" not in entry and name not in classes:
            return False
    if asked.get("region") in policies.get("residency", {}):
        rules.append({"residency": [asked["region"]]})
    elif asked.get("region") and asked["region"] != entry.get("region"):
        return False
    return all(_obeys(policies, entry, label, host, rule, day) for rule in rules)


def _obeys(policies: Any, entry: Any, label: str, host: str, rule: Any, day: date) -> bool:
    if "providers" in rule and entry["provider"] not in rule["providers"]:
        return False
    for tag in rule.get("requires", ()):
        words = [item for item in policies.get("tags", ()) if item["tag"] == tag]
        if not any(item["for"] in (label, entry["provider"]) and day <= item["expires"] for item in words):
            return False
    if not rule.get("residency"):
        return True
    for name in rule["residency"]:
        place = policies["residency"][name]
        ends = tuple(pattern.removeprefix("*") for pattern in place["hosts"])
        if entry.get("region") in place["regions"] and host.endswith(ends):
            return True
    return False
