"""The store: a login where one is asked for, then one GET."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
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
    path_segment,
)

SERVICE_ACCOUNT: Final = "/var/run/secrets/kubernetes.io/serviceaccount/token"
LOGINS: Final = ("token", "approle", "kubernetes")
KEPT: Final = 2 / 3
"""The share of a token's lease after which a new one is got."""
MAX_TOKEN_FILE: Final = 64 * 1024
_LOOPBACK = re.compile(r"localhost|.*\.localhost|::1|127(?:\.[0-9]{1,3}){3}")
_SEALED: Final[Mapping[int, str]] = {
    307: "it sends on to another node: name the active node, or what stands before all of them, as `address:`",
    429: "it asks to wait, or is a standby node",
    472: "it is a standby of disaster recovery",
    473: "it is a performance standby",
    501: "it is not initialised",
    503: "it is sealed, or in maintenance",
}
"""What Vault's own statuses say (sys/health and the HTTP API, read 2026-11-22)."""


class Vault:
    """One Vault. `address` is its URL, https except on this machine; `mount` and `version` are the KV engine's.

    `login`: `token`, `approle` (credentials `role_id`, `secret_id`) or `kubernetes` (`role`, and the service account's
    token in `token_file`); `login_mount` is where the auth method is mounted, by default under its own name.
    Raises ValueError for what cannot be.
    """

    credentials: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "token": ("VAULT_TOKEN",), "role_id": ("VAULT_ROLE_ID",), "secret_id": ("VAULT_SECRET_ID",),
    }  # fmt: skip

    def __init__(
        self,
        address: str,
        mount: str = "secret",
        version: int = 2,
        namespace: str | None = None,
        login: str = "token",
        login_mount: str | None = None,
        role: str | None = None,
        token_file: str = SERVICE_ACCOUNT,
    ) -> None:
        self._address = _checked(address)
        if version not in (1, 2):
            raise ValueError("`version` is that of the KV engine: 1 or 2")
        if login not in LOGINS:
            raise ValueError(f"`login` is one of {', '.join(LOGINS)}")
        if login == "kubernetes" and not role:
            raise ValueError("`login: kubernetes` needs `role:`")
        self._mount = _path(mount, "mount")
        self._version = version
        self._namespace = namespace
        self._login = login
        self._login_mount = _path(login_mount or login, "login_mount")
        self._role = role
        self._token_file = token_file

    def __repr__(self) -> str:
        return f"Vault({self._address})"

    @property
    def hosts(self) -> frozenset[str]:
        """The one of the address."""
        return frozenset({urlsplit(self._address).hostname or ""})

    @property
    def searches(self) -> bool:
        """It shows the service account of this machine."""
        return self._login == "kubernetes"

    def read(self, text: str, context: AuthContext) -> StoreFlow:
        """The field of a secret. A token that is refused is got anew once, where it can be got."""
        path, _, field = text.partition("#")
        try:
            plain = _path(path, "path")
        except ValueError as error:
            raise ConfigError(f"`vault:` names a path and a field: {error}", hint="vault:llm/openai#api_key") from None
        middle = "data/" if self._version == 2 else ""
        token, fresh = yield from self._token(context)
        answer = yield self._get(f"{self._mount}/{middle}{plain}", token)
        if answer.status == 403 and not fresh:
            context.state.clear()
            token, _ = yield from self._token(context)
            answer = yield self._get(f"{self._mount}/{middle}{plain}", token)
        return _field(self._data(answer), field)

    def _token(self, context: AuthContext) -> Any:
        """A token, and whether it was given or made just now, so that no other can be better."""
        if self._login == "token":
            return context.secret("token"), True
        token, expires = context.state.get("token"), context.state.get("expires", 0.0)
        if token is not None and context.now() < expires:
            return token.reveal(), False
        body = yield from self._proof(context)
        answer = yield HttpRequest(
            "POST", f"{self._address}/v1/auth/{self._login_mount}/login",
            (("content-type", "application/json"), *self._headers()), dump_json(body),
        )  # fmt: skip
        told = _document(answer).get("auth")
        found: dict[str, Any] = told if answer.status == 200 and isinstance(told, dict) else {}
        made = found.get("client_token")
        if not isinstance(made, str) or not made:
            raise _refused(answer, f"the login by {self._login} failed")
        lease = found.get("lease_duration")
        seconds = float(lease) if isinstance(lease, int) and not isinstance(lease, bool) and lease > 0 else 10.0**9
        context.state["token"] = Secret(made)
        context.state["expires"] = context.now() + KEPT * seconds
        return made, True

    def _proof(self, context: AuthContext) -> Any:
        if self._login == "approle":
            found = {"role_id": context.secret("role_id")}
            return found | ({"secret_id": context.secret("secret_id")} if context.secrets.get("secret_id") else {})
        account = yield _read_file(self._token_file)
        return {"role": self._role, "jwt": account.reveal()}

    def _get(self, path: str, token: str) -> HttpRequest:
        return HttpRequest("GET", f"{self._address}/v1/{path}", (("x-vault-token", token), *self._headers()))

    def _headers(self) -> tuple[tuple[str, str], ...]:
        asked = (("x-vault-request", "true"),)
        return asked if self._namespace is None else (*asked, ("x-vault-namespace", self._namespace))

    def _data(self, answer: HttpResponse) -> Mapping[str, Any]:
        document = _document(answer)
        data = document.get("data")
        if self._version == 2 and isinstance(data, dict):
            if data.get("data") is None and isinstance(data.get("metadata"), dict):
                raise AuthenticationError("its newest version was deleted", sent="no")
            data = data.get("data")
        if answer.status != 200:
            raise _refused(answer, "there is no such secret" if answer.status == 404 else "it refused")
        if not isinstance(data, dict):
            raise AuthenticationError("the answer is none of a KV engine", sent="no", hint="is `version:` right?")
        return data


def _checked(address: str) -> str:
    parts = urlsplit(address) if isinstance(address, str) else None
    if parts is None or parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("`address` is a URL: https://vault.example.com:8200")
    if parts.username is not None:
        raise ValueError("`address` holds a user or password")
    if parts.scheme == "http" and not _LOOPBACK.fullmatch(parts.hostname):
        raise ValueError("`address` begins with https://: a token and keys would travel in clear")
    return address.rstrip("/")


def _path(text: str, what: str) -> str:
    steps = text.strip("/").split("/")
    if not all(steps) or any(step in (".", "..") for step in steps) or not text.isprintable():
        raise ValueError(f"`{what}` is a path like team/openai")
    return "/".join(map(path_segment, steps))


def _read_file(path: str) -> Callable[[], Secret]:
    def work() -> Secret:
        try:
            with open(path, encoding="utf-8") as file:
                return Secret(file.read(MAX_TOKEN_FILE).strip())
        except (OSError, UnicodeDecodeError) as error:
            problem = getattr(error, "strerror", None) or type(error).__name__
        raise AuthenticationError(f"the service account's token cannot be read from {path} ({problem})", sent="no")

    return work


def _document(answer: HttpResponse) -> dict[str, Any]:
    try:
        found = parse_json(answer.body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _refused(answer: HttpResponse, words: str) -> AuthenticationError:
    told = _document(answer).get("errors")
    first = next((item for item in told if isinstance(item, str)), "") if isinstance(told, list) else ""
    detail = _SEALED.get(answer.status) or first.strip() or f"status {answer.status}"
    return AuthenticationError(f"{words} ({detail})", status=answer.status, sent="no")


def _field(data: Mapping[str, Any], field: str) -> Secret:
    if not field and len(data) == 1:
        field = next(iter(data))
    if not field:
        raise AuthenticationError(f"it has {len(data)} fields", sent="no", hint="name one: vault:llm/openai#api_key")
    found = data.get(field)
    if not isinstance(found, str):
        what = "is no text" if field in data else "is not there"
        raise AuthenticationError(f"its field `{field}` {what}", sent="no")
    return Secret(found)
