"""Auth schemes: the one thing that sees a secret.

A scheme is separate from the translator and is named in the plugin's manifest. Its `flow` runs when the body is bytes
and the URL is final. It yields requests (to hosts of the manifest only), gets their answers, and returns the headers
to add. Work that may block it yields as a function without arguments: it runs in a thread where the program is async.
The core keeps its state per deployment, tenant and secret digest, lets one refresh run at a time, and forces one
refresh after a 401. A scheme may have a method `at(target)` that answers itself for one deployment: its region goes
into a signature.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Protocol, runtime_checkable

from byollm.errors import AuthenticationError
from byollm.wire.exchange import HttpRequest, HttpResponse
from byollm.wire.redact import Secret

AuthFlow = Generator[HttpRequest | Callable[[], Any], Any, Mapping[str, str]]


@dataclass(slots=True)
class AuthContext:
    """What a scheme is given: `secrets` by name, `now()` (Unix seconds), `nonce()`, `state` that it may keep things in.

    `forced` is True when the provider answered 401 to the credentials made before.
    """

    secrets: Mapping[str, Secret]
    now: Callable[[], float]
    nonce: Callable[[], str]
    state: MutableMapping[str, Any] = field(default_factory=dict)
    forced: bool = False

    def secret(self, name: str) -> str:
        """The secret's text. Raises AuthenticationError when there is none."""
        found = self.secrets.get(name)
        if not found:
            mend = "api_key:" if name == "api_key" else f"credentials: {{{name}: …}}"
            raise AuthenticationError(
                f"no {name} is configured for this deployment", sent="no", hint=f"set `{mend}` in the configuration"
            )
        return found.reveal()


@runtime_checkable
class AuthScheme(Protocol):
    """A way to prove who calls. `name` is its word in the configuration; `refreshes` tells that a 401 may be cured.

    A scheme may also have `at(target)`, itself for one deployment; `secret`, the name of the one it cannot do without;
    `token_url`, where it asks for tokens; `searches`, true where it finds credentials that no file names; and `fixed`,
    true where its headers depend on nothing but the secrets: its flow then runs once for them, not for each request.
    """

    @property
    def name(self) -> str:
        """Its word in the configuration."""
        ...

    @property
    def refreshes(self) -> bool:
        """A 401 may be cured by asking for a new token."""
        ...

    def flow(self, request: HttpRequest, context: AuthContext) -> AuthFlow:
        """Yield requests, get answers, return the headers to add. Raises ProviderError when no token is to be had."""
        ...


@dataclass(frozen=True, slots=True)
class NoAuth:
    """No credentials at all. A dummy key is never sent."""

    name: str = "none"
    refreshes: bool = False
    fixed: ClassVar[bool] = True

    def flow(self, request: HttpRequest, context: AuthContext) -> AuthFlow:
        """No headers."""
        return {}
        yield  # a generator, like every flow


@dataclass(frozen=True, slots=True)
class Bearer:
    """`Authorization: Bearer <key>`; `secret` names the credential, `scheme` another word for Bearer (`Api-Key`)."""

    secret: str = "api_key"
    scheme: str = "Bearer"
    name: str = "bearer-token"
    refreshes: bool = False
    fixed: ClassVar[bool] = True

    def flow(self, request: HttpRequest, context: AuthContext) -> AuthFlow:
        """One header. Raises AuthenticationError without a key."""
        return {"authorization": f"{self.scheme} {context.secret(self.secret)}"}
        yield  # a generator, like every flow


@dataclass(frozen=True, slots=True)
class HeaderKey:
    """The key in a header of its own, e.g. `x-api-key`."""

    header: str = "api-key"
    secret: str = "api_key"
    name: str = "api-key"
    refreshes: bool = False
    fixed: ClassVar[bool] = True

    def flow(self, request: HttpRequest, context: AuthContext) -> AuthFlow:
        """One header. Raises AuthenticationError without a key."""
        return {self.header: context.secret(self.secret)}
        yield  # a generator, like every flow


@dataclass(frozen=True, slots=True)
class OAuthClientCredentials:
    """RFC 6749 section 4.4: a client id and secret for a token, kept until `skew` seconds before it expires.

    Credentials: `client_id`, `client_secret`. `token_url` must be on a host of the manifest or of the deployment.
    """

    token_url: str
    scope: str | None = None
    skew: float = 300.0
    name: str = "oauth"
    refreshes: bool = True

    def flow(self, request: HttpRequest, context: AuthContext) -> AuthFlow:
        """Ask for a token when there is none, it is about to expire, or it was refused.

        Raises AuthenticationError when the token endpoint refuses, ProtocolError when its answer is no token, and
        what its status stands for otherwise.
        """
        token, expires = context.state.get("token", (None, 0.0))
        if token is None or context.forced or context.now() >= expires:
            answer = yield token_request(self.token_url, self.scope, context)
            token, lifetime = read_token(answer)
            expires = context.now() + max(lifetime - self.skew, lifetime / 2)
            context.state["token"] = (token, expires)
        return {"authorization": f"Bearer {token.reveal()}"}


def token_request(url: str, scope: str | None, context: AuthContext) -> HttpRequest:
    """The form-encoded token request of the client-credentials grant."""
    from urllib.parse import urlencode

    form = {
        "grant_type": "client_credentials",
        "client_id": context.secret("client_id"),
        "client_secret": context.secret("client_secret"),
    }
    if scope:
        form["scope"] = scope
    headers = (("content-type", "application/x-www-form-urlencoded"), ("accept", "application/json"))
    return HttpRequest("POST", url, headers, urlencode(form).encode())


def read_token(answer: HttpResponse) -> tuple[Secret, float]:
    """The access token of an OAuth answer, and its lifetime in seconds (3600 when not told)."""
    from byollm.wire.classify import class_for
    from byollm.wire.json import parse_json

    try:
        document = parse_json(answer.body)
    except ValueError:
        document = None
    token = document.get("access_token") if isinstance(document, dict) else None
    if answer.status != 200 or not isinstance(token, str) or not token:
        problem = document.get("error") if isinstance(document, dict) else None
        kind = AuthenticationError if answer.status in (400, 401, 403) else class_for(answer.status)
        detail = problem if isinstance(problem, str) else f"status {answer.status}"
        raise kind(f"the token endpoint gave no token: {detail}", status=answer.status, sent="no", billed="no")
    return Secret(token), _lifetime(document.get("expires_in"))


def _lifetime(told: Any) -> float:
    try:
        seconds = float(told)
    except (TypeError, ValueError, OverflowError):
        return 3600.0
    return seconds if 0 < seconds < 10**9 else 3600.0
