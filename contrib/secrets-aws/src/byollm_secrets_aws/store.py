"""The store: one signed request for each secret."""

from __future__ import annotations

import re
from collections.abc import Mapping
from importlib import import_module
from typing import Any, ClassVar, Final
from urllib.parse import urlsplit

from byollm.plugin import (
    AuthContext,
    AuthenticationError,
    ConfigError,
    HttpRequest,
    HttpResponse,
    Secret,
    StoreFlow,
    dump_json,
    parse_json,
)
from byollm_secrets_aws.sigv4 import Keys, signed

_REGION = re.compile(r"[a-z]{2}(?:-[a-z]+)+-[0-9]+\Z")
_NAME = re.compile(r"[A-Za-z0-9/_+=.@!:-]{1,2048}\Z")
_LOOPBACK = re.compile(r"localhost|.*\.localhost|::1|127(?:\.[0-9]{1,3}){3}")
STAGES: Final = ("AWSCURRENT", "AWSPENDING", "AWSPREVIOUS")
_HINT: Final = "credentials: {access_key_id: env:AWS_ACCESS_KEY_ID, secret_access_key: env:AWS_SECRET_ACCESS_KEY}"


class SecretsManager:
    """AWS Secrets Manager in one `region`. `endpoint` is a URL in place of the region's own, for a VPC endpoint.

    `login`: `keys` (credentials `access_key_id`, `secret_access_key`, `session_token`) or `chain`, what botocore finds
    on this machine (extra `chain`). `stage` is the version's label. Raises ValueError for what cannot be.
    """

    credentials: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "access_key_id": ("AWS_ACCESS_KEY_ID",),
        "secret_access_key": ("AWS_SECRET_ACCESS_KEY",),
        "session_token": ("AWS_SESSION_TOKEN",),
    }

    def __init__(
        self,
        region: str,
        endpoint: str | None = None,
        login: str = "keys",
        profile: str | None = None,
        stage: str = "AWSCURRENT",
    ) -> None:
        if not isinstance(region, str) or not _REGION.match(region):
            raise ValueError("`region` is a region of AWS: eu-central-1")
        if login not in ("keys", "chain"):
            raise ValueError("`login` is `keys` or `chain`")
        if not isinstance(stage, str) or not stage:
            raise ValueError(f"`stage` is a version's label: {', '.join(STAGES)}")
        suffix = "amazonaws.com.cn" if region.startswith("cn-") else "amazonaws.com"
        self._url = _checked(endpoint or f"https://secretsmanager.{region}.{suffix}")
        self._region = region
        self._login = login
        self._profile = profile
        self._stage = stage

    def __repr__(self) -> str:
        return f"SecretsManager({self._region})"

    @property
    def hosts(self) -> frozenset[str]:
        """The region's, or the endpoint's."""
        return frozenset({urlsplit(self._url).hostname or ""})

    @property
    def searches(self) -> bool:
        """It looks for credentials on this machine."""
        return self._login == "chain"

    def read(self, text: str, context: AuthContext) -> StoreFlow:
        """The secret's text, or a field of it."""
        name, _, field = text.partition("#")
        if not _NAME.match(name):
            raise ConfigError("`aws:` names a secret and a field of it", hint="aws:llm/openai#api_key")
        keys = (yield self._look) if self._login == "chain" else _given(context)
        body = dump_json({"SecretId": name, "VersionStage": self._stage})
        headers = (
            ("content-type", "application/x-amz-json-1.1"), ("x-amz-target", "secretsmanager.GetSecretValue"),
        )  # fmt: skip
        answer = yield signed(HttpRequest("POST", f"{self._url}/", headers, body), keys, self._region, context.now())
        return _value(answer, field)

    def _look(self) -> Keys:
        """What botocore finds. May block."""
        try:
            source = import_module("botocore.session").Session(profile=self._profile).get_credentials()
            frozen = source.get_frozen_credentials() if source is not None else None
        except ImportError:
            problem, hint = "botocore is not installed", "pip install 'byollm-secrets-aws[chain]'"
        except Exception as error:  # botocore's own; what they say may hold paths and addresses, their kind does not
            problem, hint = f"botocore failed with {type(error).__name__}", "aws sts get-caller-identity shows the same"
        else:
            if frozen is not None and frozen.access_key and frozen.secret_key:
                return Keys(Secret(frozen.access_key), Secret(frozen.secret_key), Secret(frozen.token or ""))
            problem, hint = "botocore found no credentials", "aws configure, or name a `profile:`"
        raise AuthenticationError(f"no credentials of AWS: {problem}", sent="no", hint=hint)


def _given(context: AuthContext) -> Keys:
    found = [context.secrets.get(name) or Secret("") for name in SecretsManager.credentials]
    if not (found[0] and found[1]):
        raise AuthenticationError("no credentials of AWS are configured for it", sent="no", hint=_HINT)
    return Keys(*found)


def _checked(url: str) -> str:
    parts = urlsplit(url) if isinstance(url, str) else None
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/"):
        raise ValueError(
            "`endpoint` is a URL without a path: https://vpce-….secretsmanager.eu-central-1.vpce.amazonaws.com"
        )
    if parts.username is not None or parts.query or parts.fragment:
        raise ValueError("`endpoint` is a plain URL")
    if parts.scheme == "http" and not _LOOPBACK.fullmatch(parts.hostname):
        raise ValueError("`endpoint` begins with https://: keys would travel in clear")
    return url.rstrip("/")


def _value(answer: HttpResponse, field: str) -> Secret:
    try:
        document = parse_json(answer.body)
    except ValueError:
        document = None
    found = document if isinstance(document, dict) else {}
    if answer.status != 200:
        kind = str(found.get("__type", "")).rpartition("#")[2] or f"status {answer.status}"
        told = found.get("message", found.get("Message"))
        raise AuthenticationError(
            f"it refused ({kind}{f': {told}' if isinstance(told, str) and told else ''})",
            status=answer.status, sent="no", hint=_hint(kind),
        )  # fmt: skip
    text = found.get("SecretString")
    if not isinstance(text, str):
        raise AuthenticationError("it holds no text (binary secrets are not read)", sent="no")
    return Secret(text) if not field else _field(text, field)


def _hint(kind: str) -> str:
    if kind == "AccessDeniedException":
        return "allow secretsmanager:GetSecretValue for it, and kms:Decrypt for its key"
    return "aws secretsmanager list-secrets shows the names" if kind == "ResourceNotFoundException" else ""


def _field(text: str, field: str) -> Secret:
    try:
        document: Any = parse_json(text.encode())
    except ValueError:
        document = None
    found = document.get(field) if isinstance(document, dict) else None
    if isinstance(found, str):
        return Secret(found)
    what = "it is no JSON mapping" if not isinstance(document, dict) else f"its field `{field}` is not there as a text"
    raise AuthenticationError(what, sent="no")
