"""Microsoft Entra: a client's id and secret for a token (read 2026-11-21)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from byollm.plugin import AuthContext, AuthenticationError, AuthFlow, HttpRequest, OAuthClientCredentials

TOKEN_HOST: Final = "login.microsoftonline.com"
SCOPE: Final = "https://cognitiveservices.azure.com/.default"
_TENANT: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9.-]{0,127}")


@dataclass(frozen=True, slots=True)
class Entra:
    """Client credentials of an Entra application.

    Credentials: `tenant_id`, `client_id`, `client_secret`. The application needs the role "Cognitive Services OpenAI
    User". The token is kept until `skew` seconds before it expires.
    """

    scope: str = SCOPE
    skew: float = 300.0
    name: str = "entra"
    refreshes: bool = True

    def flow(self, request: HttpRequest, context: AuthContext) -> AuthFlow:
        """One header. Raises AuthenticationError without credentials, for a tenant that is none, or when refused."""
        tenant = context.secret("tenant_id")
        if not _TENANT.fullmatch(tenant):
            raise AuthenticationError(
                "the tenant_id is neither a directory's id nor its domain",
                sent="no",
                hint="tenant_id: env:AZURE_TENANT_ID",
            )
        url = f"https://{TOKEN_HOST}/{tenant}/oauth2/v2.0/token"
        return (yield from OAuthClientCredentials(url, self.scope, self.skew).flow(request, context))
