"""Faults with schemas, files, thoughts, cache marks and capabilities."""
# ruff: noqa: D102, D106, RUF012  (a fault is told by the docstring of its class, and is never shared)

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import byollm.plugin as b
from byollm_conformance.generate import deep
from byollm_conformance.zoo.asking import Changes
from byollm_conformance.zoo.fault import fault
from byollm_conformance.zoo.reference import Reference


@fault("STC-01", alone=True)
class LoosensSchemas(Reference):
    """Leaves out of a schema what few servers enforce, and tells nobody."""

    def body(self, request: b.Request, target: b.Target) -> dict[str, Any]:
        def loosened(node: Any) -> Any:
            words = ("minLength", "pattern", "maximum", "minItems")
            return {key: value for key, value in node.items() if key not in words} if isinstance(node, dict) else node

        body = super().body(request, target)
        return {
            **body,
            **({"response_format": deep(body["response_format"], loosened)} if "response_format" in body else {}),
        }


@fault("VIS-01a")
class CallsEverythingPng(Reference):
    """Says image/png of every picture."""

    def block(self, part: Any) -> dict[str, Any]:
        known = isinstance(part, b.Image) and isinstance(part.source, bytes)
        return super().block(replace(part, media_type="image/png") if known else part)


@fault("VIS-01b", alone=True)
class CutsDocuments(Reference):
    """Sends the first bytes of a document only."""

    def block(self, part: Any) -> dict[str, Any]:
        known = isinstance(part, b.Document) and isinstance(part.source, bytes)
        return super().block(replace(part, source=part.source[:150]) if known else part)


@fault("VIS-01c", alone=True)
class CallsEverythingWav(Reference):
    """Says wav of every sound."""

    def block(self, part: Any) -> dict[str, Any]:
        block = super().block(part)
        return {**block, "input_audio": {**block["input_audio"], "format": "wav"}} if "input_audio" in block else block


@fault("VIS-02", alone=True)
class TidiesAddresses(Reference):
    """Leaves the query out of the address of a picture."""

    def block(self, part: Any) -> dict[str, Any]:
        remote = isinstance(part, b.Image) and isinstance(part.source, str) and part.source.startswith("http")
        return super().block(replace(part, source=part.source.partition("?")[0]) if remote else part)


@fault("VIS-03", alone=True)
class SendsAnyPicture(Reference):
    """Sends pictures of every kind, and lets the provider refuse."""

    def block(self, part: Any) -> dict[str, Any]:
        if isinstance(part, b.Image):
            return {"type": "image_url", "image_url": {"url": part.media.data_uri}}
        return super().block(part)


@fault("RSN-01", alone=True)
class TrimsSignatures(Reference):
    """Sends a thought's signature back without its padding."""

    def turn(self, message: b.Message, parts: Any) -> dict[str, Any]:
        turn = super().turn(message, parts)
        signed = turn.get("reasoning_signature", "")
        return {**turn, "reasoning_signature": signed.rstrip("=")} if signed else turn


@fault("RSN-03")
class OneEffortForAll(Changes):
    """Says medium, whatever effort was asked for."""

    def change(self, sent: dict[str, Any]) -> None:
        if "reasoning_effort" in sent:
            sent["reasoning_effort"] = "medium"


@fault("CCH-01", alone=True)
class MarksEverything(Reference):
    """Puts the cache mark on all parts of a turn that has one."""

    def content(self, parts: Any) -> Any:
        marked = next((part.cache for part in parts if part.cache), None)
        return super().content([replace(part, cache=marked) for part in parts])


@fault("CAP-01")
class PromisesAKey(Changes):
    """Declares cache_key full and does not send it."""

    def change(self, sent: dict[str, Any]) -> None:
        sent.pop("prompt_cache_key", None)


@fault("CAP-02")
class ChangesItsMind(Reference):
    """Says full and unknown of documents, as it likes."""

    asked = 0

    @b.hookimpl
    def capabilities(self, target: b.Target) -> b.Capabilities:
        self.asked += 1
        state = "full" if self.asked // 2 % 2 else "unknown"
        return b.Capabilities().merged({**self.can, "documents": state, "temperature_range": (0.0, 2.0)}, "the moon")


@fault("CAP-03", alone=True)
class InventsAWindow(Reference):
    """Gives every model a window of 128,000 tokens."""

    can = {**Reference.can, "context_window": 128_000}


@fault("CAP-04")
class SeedsInSecret(Changes):
    """Declares that it has no seed, and sends one."""

    can = {**Reference.can, "seed": "unsupported"}

    def change(self, sent: dict[str, Any]) -> None:
        sent["seed"] = 42


@fault("CAP-05")
class DropsTheUser(Changes):
    """Drops the end user's id in silence."""

    def change(self, sent: dict[str, Any]) -> None:
        sent.pop("user", None)


@fault("CAP-06")
class StretchesTemperature(Changes):
    """Declares temperatures up to 1 and sends twice the value."""

    can = {**Reference.can, "temperature_range": (0.0, 1.0)}

    def change(self, sent: dict[str, Any]) -> None:
        if sent.get("temperature"):
            sent["temperature"] *= 2


@fault("CAP-08", alone=True)
class ToolsInSecret(Reference):
    """Declares tools unsupported, and writes them when it is handed some."""

    can = {**Reference.can, **{name: "unsupported" for name in Reference.can if "tool" in name}}


@fault("MET-06", alone=True)
class OddCapabilities(Reference):
    """Declares zero tokens as the usual length of answers."""

    can = {**Reference.can, "default_max_tokens": 0}


@fault("MET-12")
class RemembersItsFirst(Reference):
    """Sends to the endpoint that it saw first."""

    seen: Mapping[str, Any] = {}

    def url(self, target: b.Target) -> str:
        self.seen = self.seen or {"target": target}
        return super().url(self.seen["target"])


@fault("MET-13", alone=True)
class KeepsTheKey(Reference):
    """Keeps the key that its scheme of authentication saw."""

    class Keeping(b.Bearer):
        def flow(self, request: b.HttpRequest, context: b.AuthContext) -> b.AuthFlow:
            HELD.append(context.secret(self.secret))
            return super().flow(request, context)

    manifest = replace(Reference.manifest, authentication={"bearer-token": Keeping()})

    def __getstate__(self) -> dict[str, Any]:
        return {"keys": list(HELD)}


HELD: list[str] = []
"""What the plugin above keeps."""


@fault("MET-14")
class GoesElsewhere(Reference):
    """Sends models of another region to a host that nobody declared."""

    def url(self, target: b.Target) -> str:
        there = target.endpoint if target.region is None else f"https://{target.region}.elsewhere.example.net"
        return super().url(replace(target, endpoint=there))


@fault("QRK-02")
class KnowsNoQuirks(Reference):
    """Bears a vendor's name and knows nothing of the vendor's habits."""

    manifest = replace(Reference.manifest, name="openai")

    def body(self, request: b.Request, target: b.Target) -> dict[str, Any]:
        extra = (request.extra or {}).get("openai", {})
        return {**super().body(request, target), **extra}
