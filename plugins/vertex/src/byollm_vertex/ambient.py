"""The auth scheme `ambient`: google-auth looks for credentials where Google's own tools do. The extra `ambient`.

Environment (GOOGLE_APPLICATION_CREDENTIALS), gcloud's file, the metadata server. google-auth may read files and, as its
own configuration says, run programs. It asks declared origins only and follows no redirect: what it found may be a file
that names anybody as its token host.
"""

from __future__ import annotations

import os
import time
from calendar import timegm
from collections.abc import Collection
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Final
from urllib.parse import urlsplit

from byollm.plugin import AuthContext, AuthenticationError, AuthFlow, Bearer, HttpRequest, Secret
from byollm_vertex.places import HOSTS
from byollm_vertex.service_account import SCOPE, TOKEN_URL, ServiceAccount

TOKEN_ORIGINS: Final = (
    "https://oauth2.googleapis.com",
    "https://oauth2.mtls.googleapis.com",
    "https://accounts.google.com",
    "https://www.googleapis.com",
    "https://sts.googleapis.com",
    "https://sts.mtls.googleapis.com",
    "https://iamcredentials.googleapis.com",
    "http://metadata.google.internal",
    "http://169.254.169.254",
)
"""Google's token hosts and the metadata server (google-auth 2.62.2, read 2026-11-22)."""
METADATA: Final = ("GCE_METADATA_HOST", "GCE_METADATA_ROOT", "GCE_METADATA_IP")
"""Variables that name another metadata server, with its port: it may be asked, too."""


@dataclass(frozen=True, slots=True)
class Ambient:
    """`authentication: ambient`: the identity of the machine, asked for at the first call.

    In a thread, where the program is async.

    Credentials that are configured go before: `service_account`, then `api_key` (an access token). So an identity of
    the machine is never sent in the place of a tenant's, nor to an endpoint that is not Google's.
    `skew`: seconds before its end at which a token is renewed. `origins`: whom google-auth may ask for it;
    `homes`: the hosts that may get it.
    """

    origins: tuple[str, ...] = TOKEN_ORIGINS
    token_url: str = TOKEN_URL
    scope: str = SCOPE
    skew: float = 300.0
    name: str = "ambient"
    refreshes: bool = True
    searches: bool = True
    homes: tuple[str, ...] = HOSTS

    def flow(self, request: HttpRequest, context: AuthContext) -> AuthFlow:
        """One header, or two with a quota project. Raises AuthenticationError when nothing is found or installed."""
        if context.secrets.get("service_account"):
            given = ServiceAccount(self.token_url, self.scope, self.skew)
            return (yield from given.flow(request, context))
        if context.secrets.get("api_key"):
            return (yield from Bearer().flow(request, context))
        if urlsplit(request.url).hostname not in self.homes:
            raise AuthenticationError("an identity of this machine is sent to Google's own hosts only", sent="no")
        token, quota, expires = context.state.get("token", (None, None, 0.0))
        if token is None or context.forced or context.now() >= expires:
            found = yield lambda: look(self.scope, self.origins)
            assert isinstance(found, Found)
            token, quota = found.token, found.quota_project
            expires = context.now() + max(found.lifetime - self.skew, found.lifetime / 2)
            context.state["token"] = (token, quota, expires)
        headers = {"authorization": f"Bearer {token.reveal()}"}
        return {**headers, "x-goog-user-project": quota} if quota else headers


@dataclass(frozen=True, slots=True)
class Found:
    """An access token, its lifetime in seconds, and the project that is charged where it is not the token's own."""

    token: Secret
    lifetime: float
    quota_project: str | None


def look(scope: str, origins: Collection[str]) -> Found:
    """Find credentials and ask for a token. May block. Raises AuthenticationError."""
    asker = None
    try:
        asker = Asker({*origins, *_metadata_origins()})
        source, _ = import_module("google.auth").default(scopes=[scope], request=asker)
        source.refresh(asker)
        return _found(source)
    except ImportError:
        problem, hint = "google-auth or its HTTP client is not installed", "pip install 'byollm-vertex[ambient]'"
    except ElsewhereError:
        problem, hint = "they want a token from a host that is not Google's", "gcloud auth application-default login"
    except Exception as error:  # google-auth's own; what they say may hold paths and addresses, their kind does not
        problem, hint = f"google-auth failed with {type(error).__name__}", "gcloud auth application-default login"
    finally:
        if asker is not None:
            asker.session.close()
    raise AuthenticationError(f"no ambient credentials of Google: {problem}", sent="no", hint=hint)


class ElsewhereError(Exception):
    """google-auth was about to ask an origin that is not declared."""


class Asker:
    """google-auth's transport, to declared origins only. Raises ElsewhereError before anything else is asked."""

    def __init__(self, origins: Collection[str]) -> None:
        self._origins = origins
        self._ask = import_module("google.auth.transport.requests").Request()
        self.session: Any = self._ask.session
        self.session.max_redirects = 0

    def __call__(self, url: str, *arguments: Any, **named: Any) -> Any:
        """One request of google-auth's."""
        parts = urlsplit(url)
        if f"{parts.scheme}://{parts.netloc}" not in self._origins:
            raise ElsewhereError
        return self._ask(url, *arguments, **named)


def _metadata_origins() -> set[str]:
    named = [os.environ.get(variable) for variable in METADATA]
    return {f"http://{place}" for place in named if place}


def _found(source: Any) -> Found:
    token, expiry = source.token, source.expiry
    if not isinstance(token, str) or not token:
        raise ValueError("no access token")
    # google-auth's `expiry` is in UTC and does not say so.
    lifetime = timegm(expiry.utctimetuple()) - time.time() if expiry is not None else 3600.0
    quota = getattr(source, "quota_project_id", None)
    return Found(Secret(token), max(lifetime, 0.0), quota if isinstance(quota, str) and quota else None)
