"""The auth scheme `chain`: azure-identity looks for credentials where Azure's own tools do. The extra `entra`.

Environment, workload identity, managed identity, developers' tools. It may read files, run programs and ask the token
hosts that the environment of the process names, as its own configuration (AZURE_TOKEN_CREDENTIALS) says.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from importlib import import_module
from typing import Final
from urllib.parse import urlsplit

from byollm.plugin import AuthContext, AuthenticationError, AuthFlow, HeaderKey, HttpRequest, Secret
from byollm_azure.entra import SCOPE, Entra

HOMES: Final = (".openai.azure.com", ".services.ai.azure.com", ".cognitiveservices.azure.com")
"""Endings of the hosts that a token of the machine's may be sent to."""


@dataclass(frozen=True, slots=True)
class Chain:
    """`authentication: chain`: azure-identity's DefaultAzureCredential, asked at the first call.

    In a thread, where the program is async.

    Credentials that are configured go before: `api_key`, then `client_secret` with its `tenant_id` and `client_id`. So
    an identity of the machine is never sent in the place of a tenant's, nor to an endpoint that is not Azure's.
    `skew`: seconds before its end at which a token is renewed. `homes`: endings of the hosts that may get it.
    """

    scope: str = SCOPE
    skew: float = 300.0
    name: str = "chain"
    refreshes: bool = True
    searches: bool = True
    homes: tuple[str, ...] = HOMES

    def flow(self, request: HttpRequest, context: AuthContext) -> AuthFlow:
        """One header. Raises AuthenticationError when the chain finds nothing, or is not installed."""
        if context.secrets.get("api_key"):
            return (yield from HeaderKey("api-key").flow(request, context))
        if context.secrets.get("client_secret"):
            return (yield from Entra(self.scope, self.skew).flow(request, context))
        if not (urlsplit(request.url).hostname or "").endswith(self.homes):
            raise AuthenticationError("an identity of this machine is sent to Azure's own hosts only", sent="no")
        token, expires = context.state.get("token", (None, 0.0))
        if token is None or context.forced or context.now() >= expires:
            found = yield lambda: look(self.scope)
            assert isinstance(found, Found)
            token, expires = found.token, context.now() + max(found.lifetime - self.skew, found.lifetime / 2)
            context.state["token"] = (token, expires)
        return {"authorization": f"Bearer {token.reveal()}"}


@dataclass(frozen=True, slots=True)
class Found:
    """An access token and its lifetime in seconds."""

    token: Secret
    lifetime: float


def look(scope: str) -> Found:
    """Ask the sources of the chain one after the other. May block. Raises AuthenticationError."""
    try:
        with import_module("azure.identity").DefaultAzureCredential() as sources:
            given = sources.get_token(scope)
        return Found(Secret(given.token), max(given.expires_on - time.time(), 0.0))
    except ImportError:
        problem, hint = "azure-identity is not installed", "pip install 'byollm-azure[entra]'"
    except Exception as error:  # azure-identity's own; what they say may hold paths and addresses, their kind does not
        problem, hint = f"azure-identity failed with {type(error).__name__}", "az account get-access-token"
    raise AuthenticationError(f"no credentials of Azure: {problem}", sent="no", hint=hint)
