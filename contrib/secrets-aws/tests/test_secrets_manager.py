"""Keys from AWS Secrets Manager. moto's server, which is not ours, stands for AWS; botocore judges the signature."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from botocore.session import Session
from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server

from byollm.config.llm_config import load
from byollm.errors import AuthenticationError, ByollmError, ConfigError
from byollm.plugin import HttpRequest, Secret
from byollm_secrets_aws import SecretsManager
from byollm_secrets_aws.sigv4 import Keys, signed

KEY = "sk-managed-0123456789abcdef"
OWN = {"access_key_id": "AKIAEXAMPLE0123456789", "secret_access_key": "wJalrXUtnFEMI0123456789abcdef"}


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """moto's own application on a socket."""
    application = DomainDispatcherApplication(create_backend_app)
    running = make_server("127.0.0.1", 0, application, threaded=True)
    thread = threading.Thread(target=running.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{running.server_port}"
    running.shutdown()
    thread.join(10)
    running.server_close()


@pytest.fixture(scope="module")
def aws(server: str) -> Any:
    """Amazon's own client of the same server."""
    client = Session().create_client(
        "secretsmanager", "eu-central-1", endpoint_url=server,
        aws_access_key_id=OWN["access_key_id"], aws_secret_access_key=OWN["secret_access_key"],
    )  # fmt: skip
    client.create_secret(Name="llm/openai", SecretString=KEY)
    client.create_secret(Name="llm/both", SecretString=json.dumps({"api_key": KEY, "n": 1}))
    client.create_secret(Name="llm/binary", SecretBinary=b"\0\1")
    return client


def config(server: str, reference: str = "aws:llm/openai", **store: Any) -> Any:
    own = {name: f"literal:{value}" for name, value in OWN.items()}
    store = {"region": "eu-central-1", "endpoint": server, "credentials": own, **store}
    return load({"provider": "openai", "model": "gpt-5.4", "api_key": reference, "secrets": {"aws": store}})


def secret(server: str, reference: str = "aws:llm/openai", **store: Any) -> str:
    return str(config(server, reference, **store).deployments["default"].secrets["api_key"].resolve().reveal())


def refused(server: str, reference: str = "aws:llm/openai", **store: Any) -> ByollmError:
    with pytest.raises(ByollmError) as raised:
        secret(server, reference, **store)
    return raised.value


@pytest.mark.parametrize("name, reference", [("llm/openai", "aws:llm/openai"), ("llm/both", "aws:llm/both#api_key")])
def test_amazons_client_reads_the_same_value(server: str, aws: Any, name: str, reference: str):
    """A whole text, or a field of a JSON one."""
    theirs = aws.get_secret_value(SecretId=name)["SecretString"]

    assert KEY == secret(server, reference)
    assert KEY in theirs


def test_an_arn_names_it_too(server: str, aws: Any):
    """With its colons."""
    arn = aws.describe_secret(SecretId="llm/openai")["ARN"]

    assert KEY == secret(server, f"aws:{arn}")


def test_a_stage_is_another_version(server: str, aws: Any):
    """While a rotation is under way the older one still has a name."""
    aws.create_secret(Name="llm/rotated", SecretString="sk-old-0123456789abcdef")
    aws.put_secret_value(SecretId="llm/rotated", SecretString="sk-new-0123456789abcdef")

    assert "sk-new-0123456789abcdef" == secret(server, "aws:llm/rotated")
    assert "sk-old-0123456789abcdef" == secret(server, "aws:llm/rotated", stage="AWSPREVIOUS")


def test_a_key_that_was_rotated_is_read_after_a_refusal(server: str, aws: Any):
    """Until then the value in use stays."""
    aws.create_secret(Name="llm/shared", SecretString="sk-old-0123456789abcdef")
    found = config(server, "aws:llm/shared").deployments["default"].secrets["api_key"]
    old = found.resolve()
    aws.put_secret_value(SecretId="llm/shared", SecretString="sk-new-0123456789abcdef")
    assert old == found.resolve()
    found.refused(old)

    assert "sk-new-0123456789abcdef" == found.resolve().reveal()


@pytest.mark.parametrize(
    "reference, told",
    [
        ("aws:llm/nobody", "ResourceNotFoundException"),
        ("aws:llm/both#nothing", "its field `nothing` is not there"),
        ("aws:llm/both#n", "its field `n` is not there as a text"),
        ("aws:llm/openai#field", "it is no JSON mapping"),
        ("aws:llm/binary", "it holds no text"),
    ],
)
def test_what_is_not_there_is_told(server: str, aws: Any, reference: str, told: str):
    """An AuthenticationError that says where, and AWS's own word."""
    error = refused(server, reference)

    assert isinstance(error, AuthenticationError)
    assert ("no", True) == (error.sent, told in error.message)
    assert KEY not in error.message


def test_a_name_that_is_none_is_refused_before_anything_is_sent():
    """Nobody listens there."""
    assert "names a secret" in refused("http://127.0.0.1:9", "aws:a b").message


def test_a_server_that_does_not_answer_is_told():
    """Its host is named in the file; its kind of trouble is told."""
    assert "the store `aws` does not answer (connect" in refused("http://127.0.0.1:9").message


@pytest.mark.parametrize(
    "store, told",
    [
        ({"region": "Europe"}, "is a region of AWS"),
        ({"endpoint": "http://vpce.example.com"}, "begins with https://"),
        ({"endpoint": "https://vpce.example.com/path"}, "without a path"),
        ({"endpoint": "https://u:p@vpce.example.com"}, "plain URL"),
        ({"login": "sso"}, "`keys` or `chain`"),
        ({"stage": ""}, "a version's label"),
        ({"regoin": "x"}, "did you mean `region`?"),
    ],
)
def test_settings_that_cannot_be_are_refused(server: str, store: dict[str, Any], told: str):
    """When the store is first asked."""
    error = refused(server, **store)

    assert isinstance(error, ConfigError)
    assert told in str(error)


def test_without_an_endpoint_the_regions_own_host_is_asked():
    """No other, and China's has another name."""
    assert {"secretsmanager.eu-central-1.amazonaws.com"} == SecretsManager("eu-central-1").hosts
    assert {"secretsmanager.cn-north-1.amazonaws.com.cn"} == SecretsManager("cn-north-1").hosts


def test_the_usual_variables_hold_its_keys(server: str, aws: Any, monkeypatch: pytest.MonkeyPatch):
    """And without any of them nothing is sent."""
    for variable in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"):
        monkeypatch.delenv(variable, raising=False)
    assert "no credentials of AWS are configured" in refused(server, credentials={}).message
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", OWN["access_key_id"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", OWN["secret_access_key"])

    assert KEY == secret(server, credentials={})


def test_the_chain_finds_what_botocore_finds(server: str, aws: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """A profile of the shared credentials file."""
    lines = [f"aws_{name} = {value}" for name, value in OWN.items()]
    (tmp_path / "credentials").write_text("\n".join(["[work]", *lines]))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "none"))

    assert KEY == secret(server, login="chain", profile="work", credentials={})
    assert "ProfileNotFound" in refused(server, login="chain", profile="play", credentials={}).message


def test_the_chain_needs_its_extra(server: str, monkeypatch: pytest.MonkeyPatch):
    """And says which."""
    monkeypatch.setitem(sys.modules, "botocore.session", None)

    assert "byollm-secrets-aws[chain]" in refused(server, login="chain", credentials={}).hint


@pytest.mark.parametrize("token", ["", "session-0123456789abcdef"])
@pytest.mark.parametrize("url", ["https://secretsmanager.eu-central-1.amazonaws.com/", "http://127.0.0.1:5000/"])
def test_botocore_signs_alike(token: str, url: str):
    """Header by header, byte by byte."""
    headers = (
        ("content-type", "application/x-amz-json-1.1"), ("x-amz-target", "secretsmanager.GetSecretValue"),
    )  # fmt: skip
    body = b'{"SecretId":"llm/openai"}'
    keys = Keys(Secret(OWN["access_key_id"]), Secret(OWN["secret_access_key"]), Secret(token))
    ours = signed(HttpRequest("POST", url, headers, body), keys, "eu-central-1", 1_790_000_000.0)
    theirs = AWSRequest("POST", url, data=body, headers=dict(headers))
    own = Credentials(OWN["access_key_id"], OWN["secret_access_key"], token or None)
    signer = SigV4Auth(own, "secretsmanager", "eu-central-1")
    _sign_at(signer, theirs, dict(ours.headers)["x-amz-date"])

    assert theirs.headers["Authorization"] == dict(ours.headers)["authorization"]


def _sign_at(signer: Any, request: Any, moment: str) -> None:
    """What its `add_auth` does, at another time than now."""
    request.context["timestamp"] = moment
    signer._modify_request_before_signing(request)
    request.headers.replace_header("X-Amz-Date", moment) if "X-Amz-Date" in request.headers else None
    canonical = signer.canonical_request(request)
    signature = signer.signature(signer.string_to_sign(request, canonical), request)
    signer._inject_signature_to_request(request, signature)
