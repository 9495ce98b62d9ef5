"""Secret stores: what a plugin of the entry point group `byollm.secrets` is, when it is more than a function."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from typing import Any, ClassVar, Protocol

from byollm.wire.auth import AuthContext
from byollm.wire.exchange import HttpRequest
from byollm.wire.redact import Secret

StoreFlow = Generator[HttpRequest | Callable[[], Any], Any, str | Secret]


class SecretStore(Protocol):
    """A place that secrets are read from. Made with the options of the file, as keyword arguments.

    What it cannot use it refuses with ValueError, in a sentence that shows no secret. `credentials` are its own, by
    name, each with its usual environment variables. Like an auth scheme it opens no socket itself: the core sends what
    it yields, to `hosts` alone, and bounds each request. `searches` is true where it shows the identity of this machine
    to whom it asks: no tenant's store may.
    """

    credentials: ClassVar[Mapping[str, tuple[str, ...]]]

    @property
    def hosts(self) -> frozenset[str]:
        """All that it asks: host names, with a port where only that one is meant."""
        ...

    def read(self, text: str, context: AuthContext) -> StoreFlow:
        """Yield requests (or blocking work as a function), get answers, return the secret that `text` names.

        `context` has the store's own credentials, and a `state` that belongs to one store. Raises AuthenticationError
        when there is no such secret, ConfigError when the text is no reference.
        """
        ...
