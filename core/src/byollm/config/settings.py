"""The parts of a target that may be written in several ways, each read into what it means."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import SplitResult, urlsplit

from byollm.config import schema
from byollm.config.kept import Kept
from byollm.config.places import Document, Finding, KeyPath, name, shown
from byollm.config.records import OAuth, Retries
from byollm.config.secrets import PLAIN, SecretReference, parse_reference
from byollm.errors import ConfigError
from byollm.transports.base import Timeouts, TlsFiles
from byollm.wire.redact import Secret

if TYPE_CHECKING:
    from byollm.config.stores import Stores
    from byollm.routing.limits import LimitsConfig

_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+\Z")
_OURS: Final = frozenset(
    {"host", "content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer", "expect"}
)
_SECRET_HEADER = re.compile(r"authorization|cookie|key|token|secret|password")
_REFERENCE = re.compile(r"(?:env|file|keyring|cmd|literal):|.*\$\{", re.DOTALL)


@dataclass(slots=True)
class Context:
    """What reading one configuration needs everywhere. `base` is the folder that relative paths start at."""

    document: Document
    base: str | None = None
    allow_cmd: bool = False
    findings: list[Finding] = field(default_factory=list)
    groups: Mapping[str, LimitsConfig] = field(default_factory=dict)
    stores: Stores | None = None
    max_age: float | Literal[False] | None = None
    """Seconds; None is what a kind usually has, False never."""
    ages: dict[str, float | Literal[False] | None] = field(default_factory=dict)
    """The same for one store."""
    _kept: dict[Any, Kept] = field(default_factory=dict)

    def secret(self, label: str, value: Any, path: KeyPath, example: str) -> SecretReference:
        """A reference; a literal (but no id) is noted, with `example` as its mend: a placeholder can only fail."""
        where = self.document.where(path, value=True)
        reference = self.shared(parse_reference(label, value, where, allow_cmd=self.allow_cmd, base=self.base))
        if reference.is_placeholder:
            self.findings.append(Finding("error", where, f"the {label} is a placeholder", example))
        elif reference.kind == "literal" and isinstance(value, str) and not label.endswith("_id"):
            self.findings.append(Finding("warning", where, f"the {label} itself is written here", example))
        return reference

    def shared(self, reference: SecretReference) -> SecretReference:
        """The reference, with the value that it has in common with those that say the same."""
        kind = reference.kind
        if kind not in PLAIN:
            if self.stores is None:
                from byollm.config.stores import Stores

                self.stores = Stores()
            reference.stores = self.stores
        text = id(reference.given) if kind == "callable" else reference.text
        if kind in ("literal", "template"):
            return reference
        carried = reference.name == "api_key" or reference.name.startswith("header ")
        age = self.ages.get(kind, self.max_age)
        if age is None and (kind == "file" or kind not in PLAIN):
            age = MAX_AGE
        holds = kind not in ("env", "file", "callable")
        reference.kept = self._kept.setdefault((kind, text, carried), Kept(age or None, holds=holds))
        return reference


MAX_AGE: Final = 300.0
"""Seconds after which files and stores are read again, unless `secrets: {max_age: …}` says otherwise."""


def timeouts(context: Context, value: Any, path: KeyPath, base: Timeouts) -> Timeouts:
    """`timeout: 30` is the total; a mapping sets what it names and leaves the rest as it is in `base`."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        if not 0 < value <= 7 * 24 * 3600:
            raise context.document.error(
                path, f"`timeout` is in seconds, more than 0, not {shown(value)}", "timeout: 60"
            )
        value = {"total": value}
    digits = re.match(r"\s*([0-9]+)\s*s(?:ec|econds)?\Z", value) if isinstance(value, str) else None
    _mapping(context, value, path, "timeout", f"timeout: {digits.group(1) if digits else 60}   (seconds)")
    found = schema.validated(schema.TimeoutModel, value, context.document, path, "timeout")
    kept = {key: getattr(base, key) for key in ("connect", "first_byte", "idle", "total")}
    return Timeouts(**(kept | found))


def retries(context: Context, value: Any, path: KeyPath, base: Retries) -> Retries:
    """A mapping that sets what it names; a bare number is refused, because it could count retries or attempts."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 20:
        hint = f"retries: {{attempts: {value + 1}}}   (the first attempt counts)"
        raise context.document.error(path, "`retries` is a mapping", hint, value=True)
    _mapping(context, value, path, "retries", schema.EXAMPLES["retries"])
    found = schema.validated(schema.RetriesModel, value, context.document, path, "retries")
    kept = {key: getattr(base, key) for key in ("attempts", "total", "budget", "on_unknown", "on_cut")}
    return Retries(**(kept | found))


@dataclass(frozen=True, slots=True)
class _Password:
    """Reads the password of a key file when it is needed."""

    reference: SecretReference

    def __call__(self) -> str:
        return self.reference.resolve().reveal()


def tls(context: Context, value: Any, path: KeyPath) -> TlsFiles:
    """Paths start at the configuration's folder; `~` is read when they are used."""
    _mapping(context, value, path, "tls", schema.EXAMPLES["tls"])
    value = {key: str(item) if isinstance(item, os.PathLike) else item for key, item in value.items()}
    found = schema.validated(schema.TlsModel, value, context.document, path, "tls")
    if found.get("key") and not found.get("cert"):
        raise context.document.error((*path, "key"), "`key` needs `cert`", schema.EXAMPLES["tls"])
    password: Callable[[], str] | None = None
    if found.get("key_password") is not None:
        where = (*path, "key_password")
        password = _Password(
            context.secret("key_password", found["key_password"], where, "key_password: ${TLS_PASSWORD}")
        )
    paths = {key: _based(context, found.get(key)) for key in ("ca", "cert", "key")}
    return TlsFiles(**paths, key_password=password)


def _based(context: Context, path: str | None) -> str | None:
    if path is None or context.base is None or path.startswith("~"):
        return path
    return os.path.join(context.base, path)


def authentication(context: Context, value: Any, path: KeyPath) -> tuple[str | OAuth, Mapping[str, SecretReference]]:
    """A scheme's word, or OAuth with the two references it needs."""
    if isinstance(value, str) and value.strip():
        if value == "oauth":
            raise context.document.error(path, "`oauth` needs its token endpoint", schema.EXAMPLES["type"], value=True)
        return value, {}
    _mapping(context, value, path, "authentication", "authentication: bearer-token")
    if "type" in value and value["type"] != "oauth":
        sentence = f"only `type: oauth` is written as a mapping, not {shown(value['type'])}"
        raise context.document.error((*path, "type"), sentence, "authentication: bearer-token", value=True)
    found = schema.validated(schema.OAuthModel, value, context.document, path, "authentication")
    url(context, found["token_url"], (*path, "token_url"), "token_url")
    secrets = {
        key: context.secret(key, found[key], (*path, key), schema.EXAMPLES[key])
        for key in ("client_id", "client_secret")
    }
    return OAuth(found["token_url"], found.get("scope")), secrets


def proxy(context: Context, value: Any, path: KeyPath) -> SecretReference | Literal["none"]:
    """`none` or false: no proxy, whatever the environment says. Otherwise an http(s) URL, or a reference to one."""
    if value is False or value == "none":
        return "none"
    where = context.document.where(path, value=True)
    if isinstance(value, str) and not _REFERENCE.match(value):
        problem = proxy_problem(value)
        if problem:
            raise context.document.error(path, f"`proxy` {problem}", schema.EXAMPLES["proxy"], value=True)
        return SecretReference("proxy", "literal", "", where, given=Secret(value))
    return context.shared(parse_reference("proxy", value, where, allow_cmd=context.allow_cmd, base=context.base))


def proxy_problem(text: str) -> str:
    """Why a text cannot be a proxy; empty when it can."""
    parts = split_url(text)
    if isinstance(parts, str):
        return parts
    if parts.scheme not in ("http", "https"):
        return f"speaks {name(parts.scheme)}; byollm's transports speak to http and https proxies"
    return ""


def split_url(text: str) -> SplitResult | str:
    """The parts of a URL with a scheme, a host and a real port; or why it is none."""
    if any(character <= " " or character == "\x7f" for character in text) or "\\" in text:
        return "holds a character that no URL has"
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return "is not a URL"
    if not parts.scheme or not parts.hostname or port == 0:
        return "is not a whole URL, with `https://` and a host"
    return parts


def url(context: Context, text: str, path: KeyPath, key: str) -> str:
    """An http(s) URL without user, password or fragment. Raises ConfigError."""
    example = schema.EXAMPLES.get(key, "")
    parts = split_url(text)
    if isinstance(parts, str):
        bare = re.match(r"[A-Za-z0-9.-]+(?::[0-9]+)?(?:/[^\s]*)?\Z", text)
        hint = f"{key}: https://{name(text)}" if bare and "." in text else example
        raise context.document.error(path, f"`{key}` {parts}", hint, value=True)
    if parts.scheme not in ("http", "https"):
        raise context.document.error(path, f"`{key}` begins with http:// or https://", example, value=True)
    if parts.username is not None or parts.password is not None:
        raise context.document.error(path, f"`{key}` holds a user or password", "name it under `api_key:`", value=True)
    if parts.fragment:
        raise context.document.error(path, f"`{key}` has a fragment (`#…`), which is never sent", example, value=True)
    return text


def headers(
    context: Context, value: Mapping[str, Any], path: KeyPath
) -> tuple[dict[str, str], dict[str, SecretReference]]:
    """Plain headers, and those that hold a secret, by their names in lower case."""
    plain: dict[str, str] = {}
    secret: dict[str, SecretReference] = {}
    for key, item in value.items():
        here = (*path, key)
        header = key.lower()
        if not _TOKEN.match(key):
            raise context.document.error(here, f"`{name(key)}` cannot be a header's name", schema.EXAMPLES["headers"])
        if header in _OURS:
            raise context.document.error(here, f"the header `{header}` is the transport's own", "remove the line")
        if header in plain or header in secret:
            raise context.document.error(here, f"the header `{header}` stands twice", "keep one of the two")
        _header(context, header, item, here, plain, secret)
    return plain, secret


def _header(
    context: Context, header: str, value: Any, path: KeyPath, plain: dict[str, str], secret: dict[str, SecretReference]
) -> None:
    reference = (
        callable(value) or isinstance(value, Secret) or (isinstance(value, str) and bool(_REFERENCE.match(value)))
    )
    if reference or (isinstance(value, str) and _SECRET_HEADER.search(header)):
        secret[header] = context.secret(f"header {header}", value, path, f'{header}: "${{NAME}}"')
    elif isinstance(value, bool) or not isinstance(value, str | int | float):
        sentence = f"the header `{header}` must be a text, not {shown(value)}"
        raise context.document.error(path, sentence, f'{header}: "text"', value=True)
    else:
        text = str(value)
        if not text.isascii() or any(character < " " or character == "\x7f" for character in text):
            sentence = f"the header `{header}` holds a character that no header can carry"
            raise context.document.error(path, sentence, "use printable ASCII", value=True)
        plain[header] = text


def plugins(context: Context, value: Any, path: KeyPath) -> dict[str, Any]:
    """`plugins:` as LlmConfig has it: distributions that may be loaded, or the lock file that pins them."""
    if isinstance(value, dict):
        found = schema.validated(schema.PluginsModel, value, context.document, path, "plugins")
        return {"lock": _based(context, found["lock"])}
    found = schema.validated(schema.AllowedModel, {"plugins": value}, context.document, path[:-1], "configuration")
    return {"plugins": tuple(found["plugins"])}


def pricing(context: Context, value: Mapping[str, Any], path: KeyPath) -> dict[str, Any]:
    """Prices per million tokens, checked by what will reckon with them."""
    from byollm.providers.pricing import FIELDS, Price

    wrong = next((key for key in value if key not in FIELDS), None)
    if wrong is not None:
        raise schema.unknown_key(context.document, (*path, wrong), FIELDS, "pricing")
    try:
        Price.from_config(value)
    except ConfigError as error:
        problem = error
    else:
        return dict(value)
    here = next(((*path, key) for key in value if problem.message.startswith(f"pricing: {key} ")), path)
    raise context.document.error(here, problem.message, problem.hint or schema.EXAMPLES["pricing"], value=True)


def capabilities(context: Context, value: Mapping[str, Any], path: KeyPath) -> dict[str, Any]:
    """Overrides, each a capability that byollm knows with a value it can have."""
    from byollm.types.capabilities import FEATURES, FIELDS, Support

    for key, item in value.items():
        here = (*path, key)
        if key not in FIELDS:
            raise schema.unknown_key(context.document, here, FIELDS, "capabilities")
        if key in FEATURES and not isinstance(item, bool | Support):
            supports = [support.value for support in Support]
            if item not in supports:
                sentence = f"`{key}` is true, false or one of {', '.join(supports)}"
                raise context.document.error(here, sentence, f"{key}: true", value=True)
        if key not in FEATURES and not _fits(key, item):
            wanted = _WANTED.get(key, "a whole number")
            raise context.document.error(
                here, f"`{key}` is {wanted}, not {shown(item)}", schema.EXAMPLES["capabilities"], value=True
            )
    return dict(value)


_WANTED: Final[Mapping[str, str]] = {
    "sampling_needs_no_reasoning": "true or false",
    "temperature_xor_top_p": "true or false",
    "truncates_silently": "true or false",
    "temperature_range": "a list of two numbers",
    "reasoning_efforts": "a list of texts",
    "service_tiers": "a list of texts",
    "default_effort": "a text",
    "vocabulary": "o200k_base or cl100k_base",
}


def _fits(key: str, value: Any) -> bool:
    wanted = _WANTED.get(key)
    if wanted == "true or false":
        return isinstance(value, bool)
    if wanted == "a list of two numbers":
        return isinstance(value, list) and len(value) == 2 and all(_is_number(item, int | float) for item in value)
    if wanted == "a list of texts":
        return isinstance(value, list) and all(isinstance(item, str) for item in value)
    if wanted in ("a text", "o200k_base or cl100k_base"):
        return isinstance(value, str) and (wanted == "a text" or value in wanted.split(" or "))
    return _is_number(value, int) and value >= 0


def _is_number(value: Any, kind: Any) -> bool:
    return isinstance(value, kind) and not isinstance(value, bool)


def _mapping(context: Context, value: Any, path: KeyPath, key: str, example: str) -> None:
    if not isinstance(value, dict):
        raise context.document.error(path, f"`{key}` must be a mapping, not {shown(value)}", example, value=True)


def no_reference(context: Context, key: str, value: str, path: KeyPath) -> None:
    """Refuse `${…}` where it is not read, so that a file says by itself whom it can reach. Raises ConfigError."""
    if "${" in value:
        sentence = f"`{key}` is read as it stands: `${{…}}` is for keys, headers and proxies"
        raise context.document.error(path, sentence, schema.EXAMPLES.get(key, "write the value itself"), value=True)
