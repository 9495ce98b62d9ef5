"""Checks AWS Signature Version 4, as a service does: the headers named as signed, the path once more encoded."""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import Final
from urllib.parse import quote

from byollm_sandbox.requests import Recorded

_FORM: Final = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8}/[a-z0-9-]+/[a-z0-9-]+/aws4_request), ?"
    r"SignedHeaders=([a-z0-9;-]+), ?Signature=([0-9a-f]{64})"
)
_NEEDED: Final = ("host", "x-amz-date")


def key_id(request: Recorded) -> str | None:
    """The access key id that a request is signed with; None when it is not signed."""
    found = _FORM.fullmatch(request.headers.get("authorization", ""))
    return found[1] if found else None


def rightly_signed(request: Recorded, secret: str) -> bool:
    """Does the signature fit the request and the secret access key? Its age is not judged: tests bring their clocks."""
    found = _FORM.fullmatch(request.headers.get("authorization", ""))
    moment = request.headers.get("x-amz-date", "")
    if found is None or not moment.startswith(found[2][:8]):
        return False
    names = found[3].split(";")
    required = [*_NEEDED, *[name for name in ("x-amz-security-token",) if name in request.headers]]
    if names != sorted(names) or any(name not in names for name in required):
        return False
    headers = "".join(f"{name}:{' '.join(request.headers.get(name, '').split())}\n" for name in names)
    query = "&".join(sorted(pair if "=" in pair else f"{pair}=" for pair in request.query.split("&") if pair))
    hashed = hashlib.sha256(request.body).hexdigest()
    canonical = "\n".join([request.method, quote(request.path, safe="/~"), query, headers, found[3], hashed])
    text = "\n".join(["AWS4-HMAC-SHA256", moment, found[2], hashlib.sha256(canonical.encode()).hexdigest()])
    key = b"AWS4" + secret.encode()
    for part in found[2].split("/"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return hmac.compare_digest(hmac.new(key, text.encode(), hashlib.sha256).hexdigest(), found[4])
