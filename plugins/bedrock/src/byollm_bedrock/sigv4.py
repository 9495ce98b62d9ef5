"""AWS Signature Version 4 for the Authorization header.

The path that is signed is the path on the wire, percent-encoded once more: a model id with a colon, or an ARN, is
encoded twice. Source: AWS's description of the signing process as botocore 1.44.5 carries it out, read 2026-11-21.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, urlsplit

from byollm.plugin import HttpRequest, Secret

ALGORITHM: Final = "AWS4-HMAC-SHA256"
_PORTS: Final = {"https": 443, "http": 80}


@dataclass(frozen=True, slots=True)
class Keys:
    """One identity. `session_token` belongs to keys that expire; empty for those that do not."""

    access_key_id: Secret
    secret_access_key: Secret
    session_token: Secret


def sign(request: HttpRequest, keys: Keys, *, region: str, service: str, now: float) -> dict[str, str]:
    """The headers to add. Signed are host, date, token and content type, so that others may be added on the way."""
    moment = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
    url = urlsplit(request.url)
    added = {"x-amz-date": moment}
    if keys.session_token:
        added["x-amz-security-token"] = keys.session_token.reveal()
    signed = {"host": _host(request.url), **added}
    signed.update({name: " ".join(value.split()) for name, value in request.headers if name == "content-type"})
    names = sorted(signed)
    canonical = "\n".join(
        [
            request.method,
            quote(url.path or "/", safe="/~"),
            "&".join(sorted(pair if "=" in pair else f"{pair}=" for pair in url.query.split("&") if pair)),
            *(f"{name}:{signed[name]}" for name in names),
            "",
            ";".join(names),
            hashlib.sha256(request.body).hexdigest(),
        ]
    )
    scope = f"{moment[:8]}/{region}/{service}/aws4_request"
    text = "\n".join([ALGORITHM, moment, scope, hashlib.sha256(canonical.encode()).hexdigest()])
    key = f"AWS4{keys.secret_access_key.reveal()}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    credential = f"{keys.access_key_id.reveal()}/{scope}"
    words = f"Credential={credential}, SignedHeaders={';'.join(names)}, Signature={signature}"
    return {"authorization": f"{ALGORITHM} {words}", **added}


def _host(url: str) -> str:
    parts = urlsplit(url)
    host = parts.hostname or ""
    host = f"[{host}]" if ":" in host else host
    return host if parts.port in (None, _PORTS.get(parts.scheme)) else f"{host}:{parts.port}"
