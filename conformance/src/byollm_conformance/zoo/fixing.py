"""Faults with schemes of authentication that call themselves fixed."""
# ruff: noqa: D102, D106  (a fault is told by the docstring of its class, and is never shared)

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import byollm.plugin as b
from byollm_conformance.zoo.fault import fault
from byollm_conformance.zoo.reference import Reference


class Stamped(b.Bearer):
    """The key, and a header more. It inherits that it is fixed."""

    def flow(self, request: b.HttpRequest, context: b.AuthContext) -> b.AuthFlow:
        return {**(yield from super().flow(request, context)), "x-stamp": self.stamp(request, context)}

    def stamp(self, request: b.HttpRequest, context: b.AuthContext) -> str:
        """What stands in it."""
        return "1"


def of(scheme: Any) -> b.Manifest:
    """The reference's manifest with another scheme."""
    return replace(Reference.manifest, authentication={"bearer-token": scheme})


@fault("AUT-01", alone=True)
class SignsTheBody(Reference):
    """Signs the body, with a scheme that inherited that it is fixed."""

    class Signing(Stamped):
        def stamp(self, request: b.HttpRequest, context: b.AuthContext) -> str:
            return hashlib.sha256(request.body + context.secret("api_key").encode()).hexdigest()

    manifest = of(Signing())


@fault("AUT-01", alone=True)
class NamesThePath(Reference):
    """Names the path in a header that is written once."""

    class Naming(Stamped):
        def stamp(self, request: b.HttpRequest, context: b.AuthContext) -> str:
            return request.url.partition("//")[2].partition("/")[2]

    manifest = of(Naming())


@fault("AUT-01", alone=True)
class StampsTheDay(Reference):
    """Stamps the day, by the clock it was given."""

    class Stamping(Stamped):
        def stamp(self, request: b.HttpRequest, context: b.AuthContext) -> str:
            return str(int(context.now() // 86_400))

    manifest = of(Stamping())


@fault("AUT-01", alone=True)
class HasItsOwnClock(Reference):
    """Stamps the day, by a clock of its own."""

    class Stamping(Stamped):
        def stamp(self, request: b.HttpRequest, context: b.AuthContext) -> str:
            return time.strftime("%Y-%m-%d", time.gmtime())

    manifest = of(Stamping())


@fault("AUT-01", alone=True)
class OnceForEach(Reference):
    """Puts a number into each request, and says that it is always the same."""

    class Numbering(Stamped):
        def stamp(self, request: b.HttpRequest, context: b.AuthContext) -> str:
            return context.nonce()

    manifest = of(Numbering())


FIRST: dict[str, Mapping[str, str]] = {}
"""What the plugin below keeps."""


@fault("AUT-01", alone=True)
class KeepsTheFirstKey(Reference):
    """Sends everybody's requests with the key that it saw first."""

    class Keeping(b.Bearer):
        def flow(self, request: b.HttpRequest, context: b.AuthContext) -> b.AuthFlow:
            return FIRST.setdefault("headers", (yield from super().flow(request, context)))

    manifest = of(Keeping())


@fault("AUT-01", alone=True)
class AsksOnceForAll(Reference):
    """Asks for a token that passes, and says that it is always the same."""

    class Asking(Stamped):
        def flow(self, request: b.HttpRequest, context: b.AuthContext) -> b.AuthFlow:
            if "token" not in context.state and len(request.body) == 8:
                context.state["token"] = yield b.HttpRequest("POST", "https://reference.example.com/v1/token")
            return (yield from super().flow(request, context))

    manifest = of(Asking())
