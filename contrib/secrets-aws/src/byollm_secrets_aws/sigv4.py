"""AWS Signature Version 4 of one POST to the root of a service, by the standard library.

The provider plugin for Bedrock signs other requests with code of its own: the two share no code, because neither is to
be installed for the other, and both are judged by botocore. Read 2026-11-22.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from byollm.plugin import HttpRequest, Secret

ALGORITHM: Final = "AWS4-HMAC-SHA256"
SERVICE: Final = "secretsmanager"
_PORTS: Final = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class Keys:
    """One identity. `session_token` belongs to keys that expire; empty for those that do not."""

    access_key_id: Secret
    secret_access_key: Secret
    session_token: Secret


def signed(request: HttpRequest, keys: Keys, region: str, now: float) -> HttpRequest:
    """The request with its date, token and signature."""
    moment = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
    url = urlsplit(request.url)
    added = [("x-amz-date", moment)]
    if keys.session_token:
        added.append(("x-amz-security-token", keys.session_token.reveal()))
    covered = dict(sorted([("host", _host(url.scheme, url.hostname or "", url.port)), *request.headers, *added]))
    names = ";".join(covered)
    lines = [f"{name}:{' '.join(value.split())}" for name, value in covered.items()]
    digest = hashlib.sha256(request.body).hexdigest()
    canonical = "\n".join([request.method, url.path or "/", "", *lines, "", names, digest])
    scope = f"{moment[:8]}/{region}/{SERVICE}/aws4_request"
    text = "\n".join([ALGORITHM, moment, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = f"AWS4{keys.secret_access_key.reveal()}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    words = f"Credential={keys.access_key_id.reveal()}/{scope}, SignedHeaders={names}, Signature={signature}"
    headers = (*request.headers, *added, ("authorization", f"{ALGORITHM} {words}"))
    return HttpRequest(request.method, request.url, headers, request.body)


def _host(scheme: str, host: str, port: int | None) -> str:
    host = f"[{host}]" if ":" in host else host
    return host if port in (None, _PORTS.get(scheme)) else f"{host}:{port}"
