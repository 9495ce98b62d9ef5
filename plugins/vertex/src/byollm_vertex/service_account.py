"""The auth scheme `service-account`: a signed assertion for an access token (RFC 7523), kept until it nears its end.

The file's `token_uri` may be anybody's, so the token is asked for at one declared address only. Signing is
google-auth's (`google.auth.crypt` and `google.auth.jwt`), imported when the first token is needed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from byollm.plugin import (
    AuthContext,
    AuthenticationError,
    AuthFlow,
    HttpRequest,
    HttpResponse,
    ProviderError,
    RateLimitError,
    Secret,
    ServerError,
    parse_json,
)

TOKEN_URL: Final = "https://oauth2.googleapis.com/token"
SCOPE: Final = "https://www.googleapis.com/auth/cloud-platform"
_GRANT: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_LIFETIME: Final = 3600


@dataclass(frozen=True, slots=True)
class ServiceAccount:
    """Credential `service_account`: the text of the key file (`client_email`, `private_key`, `token_uri`).

    `skew`: seconds before its end at which a token is renewed. A file whose `token_uri` is on another host than
    `token_url` is refused: the assertion would go to whoever wrote the file.
    """

    token_url: str = TOKEN_URL
    scope: str = SCOPE
    skew: float = 300.0
    secret: str = "service_account"
    name: str = "service-account"
    refreshes: bool = True

    def flow(self, request: HttpRequest, context: AuthContext) -> AuthFlow:
        """Ask for a token when there is none, it is about to expire, or it was refused.

        Raises AuthenticationError when the file is no key or the token host refuses it, and what its status stands
        for otherwise.
        """
        account = read_account(context.secret(self.secret), self.token_url)
        token, expires = context.state.get("token", (None, 0.0))
        if token is None or context.forced or context.now() >= expires:
            answer = yield self._token_request(account, context)
            token, lifetime = read_token(answer)
            expires = context.now() + max(lifetime - self.skew, lifetime / 2)
            context.state["token"] = (token, expires)
        headers = {"authorization": f"Bearer {token.reveal()}"}
        quota = account.get("quota_project_id")
        return {**headers, "x-goog-user-project": quota} if isinstance(quota, str) and quota else headers

    def _token_request(self, account: Mapping[str, Any], context: AuthContext) -> HttpRequest:
        now = int(context.now())
        claims = {"iss": account["client_email"], "scope": self.scope, "aud": self.token_url}
        assertion = signed(account, {**claims, "iat": now, "exp": now + _LIFETIME})
        form = urlencode({"grant_type": _GRANT, "assertion": assertion})
        headers = (("content-type", "application/x-www-form-urlencoded"), ("accept", "application/json"))
        return HttpRequest("POST", self.token_url, headers, form.encode())


def read_account(text: str, token_url: str) -> Mapping[str, Any]:
    """The key file. Raises AuthenticationError when it is none, or wants its token from somebody else."""
    try:
        found = parse_json(text)
    except ValueError:
        found = None
    if not isinstance(found, Mapping) or not all(isinstance(found.get(key), str) for key in _NEEDED):
        raise AuthenticationError(
            "the service account is no key file",
            sent="no",
            hint="credentials: {service_account: file:/path/to/key.json}",
        )
    asked = found.get("token_uri")
    if isinstance(asked, str) and asked and urlsplit(asked).hostname not in (urlsplit(token_url).hostname, *_GOOGLES):
        raise AuthenticationError("the key file wants its token from a host that is not Google's", sent="no")
    return found


_NEEDED: Final = ("client_email", "private_key")
_GOOGLES: Final = ("oauth2.googleapis.com", "accounts.google.com", "www.googleapis.com")


def signed(account: Mapping[str, Any], claims: Mapping[str, Any]) -> str:
    """The assertion, signed with RS256. Raises AuthenticationError when the private key is none."""
    from google.auth import crypt, jwt

    try:
        signer = crypt.RSASigner.from_string(account["private_key"], account.get("private_key_id"))  # type: ignore[no-untyped-call]  # google-auth has no types
        made: bytes = jwt.encode(signer, dict(claims))  # type: ignore[no-untyped-call]  # google-auth has no types
    except ValueError:
        made = b""
    if not made:
        raise AuthenticationError("the private key of the service account cannot be read", sent="no")
    return made.decode()


def read_token(answer: HttpResponse) -> tuple[Secret, float]:
    """The access token, and its lifetime in seconds. Raises ProviderError when there is none."""
    try:
        document = parse_json(answer.body)
    except ValueError:
        document = None
    token = document.get("access_token") if isinstance(document, Mapping) else None
    if answer.status != 200 or not isinstance(token, str) or not token:
        told = document.get("error") if isinstance(document, Mapping) else None
        detail = told if isinstance(told, str) else f"status {answer.status}"
        kind: type[ProviderError] = ServerError if answer.status >= 500 else AuthenticationError
        if answer.status == 429:
            kind = RateLimitError
        raise kind(f"the token host gave no token: {detail}", status=answer.status, sent="no", billed="no")
    assert isinstance(document, Mapping)
    lifetime = document.get("expires_in")
    return Secret(token), float(lifetime) if isinstance(lifetime, int | float) and lifetime > 0 else float(_LIFETIME)
