"""Signatures: the same as botocore's, whatever the model, the body and the keys."""

from datetime import UTC, datetime
from typing import Any
from unittest import mock

import botocore.auth
import pytest
from bedrock_driving import NOW
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import example, given, settings
from hypothesis import strategies as st

from byollm.errors import ConfigError
from byollm.plugin import HttpRequest, Secret, path_segment
from byollm_bedrock.sigv4 import Keys, sign

MOMENT = datetime.fromtimestamp(NOW, UTC).replace(tzinfo=None)
JSON = (("content-type", "application/json"),)
OPERATIONS = ("converse", "converse-stream", "invoke", "invoke-with-response-stream", "count-tokens")
ids = st.one_of(
    st.sampled_from(
        [
            "us.anthropic.claude-haiku-4-5-20251001-v1:0",
            "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc",
            "arn:aws:bedrock:eu-west-1:123456789012:inference-profile/eu.amazon.nova-pro-v1:0",
        ]
    ),
    st.text(alphabet="abcXYZ019.-_:/~ +@é%;,=&?#[]", min_size=1, max_size=40).filter(
        lambda name: name not in (".", "..")
    ),
)
hosts = st.sampled_from(
    ["bedrock-runtime.us-east-1.amazonaws.com", "bedrock-mantle.eu-west-1.api.aws", "127.0.0.1:8123"]
)
queries = st.sampled_from(["", "?b=2&a=1", "?a=x%20y&A=&a=", "?api-version=2026-01-01"])


def botocores(request: HttpRequest, keys: tuple[str, str, str], region: str, service: str) -> dict[str, str]:
    """What botocore adds to the request."""
    asked = AWSRequest(method=request.method, url=request.url, headers=dict(request.headers), data=request.body)
    signer = botocore.auth.SigV4Auth(Credentials(keys[0], keys[1], keys[2] or None), service, region)
    with mock.patch.object(botocore.auth, "get_current_datetime", return_value=MOMENT):
        signer.add_auth(asked)
    return {name.lower(): value for name, value in asked.headers.items() if name.lower() != "content-type"}


def ours(request: HttpRequest, keys: tuple[str, str, str], region: str, service: str) -> dict[str, str]:
    """What we add."""
    return sign(request, Keys(*map(Secret, keys)), region=region, service=service, now=NOW)


@settings(max_examples=5_000, deadline=None)
@given(
    ids, st.sampled_from(OPERATIONS), hosts, queries, st.binary(max_size=200),
    st.sampled_from(["", "TOKEN/+=", "x" * 900]), st.sampled_from(["us-east-1", "eu-central-1", "us-gov-west-1"]),
    st.sampled_from(["bedrock", "bedrock-mantle"]), st.text(alphabet="abcdefghijAZ09/+=", min_size=1, max_size=40),
)  # fmt: skip
@example("a:b/c", "converse", "127.0.0.1:8123", "", b"", "", "us-east-1", "bedrock", "secret")
def test_signatures_are_botocores(
    model: str, operation: str, host: str, query: str, body: bytes, token: str, region: str, service: str, secret: str
):
    """Five thousand requests: ids and ARNs in the path, queries, ports, bodies, keys with and without a token."""
    request = HttpRequest("POST", f"https://{host}/model/{path_segment(model)}/{operation}{query}", JSON, body)
    keys = ("AKIDEXAMPLE", secret, token)

    assert botocores(request, keys, region, service) == ours(request, keys, region, service)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.com",
        "https://EXAMPLE.com:443/",
        "http://example.com:80/a",
        "https://[::1]:9/a",
        "http://h:8080/a~b",
    ],
)
def test_hosts_are_signed_as_they_are_sent(url: str):
    """Without the usual port, with any other, in lower case, in brackets."""
    request = HttpRequest("GET", url)
    keys = ("AKID", "secret", "")

    assert botocores(request, keys, "us-east-1", "bedrock") == ours(request, keys, "us-east-1", "bedrock")


@pytest.mark.parametrize("model", ["", ".", ".."])
def test_what_would_leave_its_segment_is_no_model(model: str):
    """Such ids are normalised away on the way: another route, another signature."""
    with pytest.raises(ConfigError):
        path_segment(model)


def test_only_what_no_proxy_touches_is_signed():
    """Other headers may be added and changed on the way."""
    headers: Any = (*JSON, ("accept", "application/json"), ("user-agent", "byollm"))
    made = ours(HttpRequest("POST", "https://h/a", headers, b"{}"), ("AKID", "secret", "token"), "us-east-1", "bedrock")

    assert "SignedHeaders=content-type;host;x-amz-date;x-amz-security-token, " in made["authorization"]
    assert {"authorization", "x-amz-date", "x-amz-security-token"} == made.keys()
    assert "hidden-key" not in repr(Keys(Secret("a"), Secret("hidden-key"), Secret("token")))
