"""A deployment and its plugin's manifest into what the engine needs: target, auth scheme, references, place.

Binding reads no environment variable and no secret; `Bound.place` does, for proxies, when it is first asked for.

**Ambient keys stay home.** When the file names no key, the provider's usual variables are used, but only towards hosts
of the plugin's manifest. Another `endpoint` needs its key in the file. When the file names any key of a deployment, its
environment is not looked at: two halves of different identities never meet.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import urlsplit

from byollm.config.llm_config import has_key, no_search, resolve_tenant, secrets_for
from byollm.config.places import Finding, name, shown
from byollm.config.proxies import environment_proxy, is_private
from byollm.config.records import DeploymentConfig, LlmConfig, OAuth, TenantConfig
from byollm.config.secrets import SecretReference, ambient, refused
from byollm.config.words import OF_A_TARGET, OF_THE_CALL, as_called, listing, nearest
from byollm.errors import AuthenticationError, ConfigError, PluginError
from byollm.providers.manifest import Manifest
from byollm.providers.target import Target
from byollm.transports.base import Place, TlsFiles
from byollm.wire.auth import AuthScheme, Bearer, HeaderKey, NoAuth, OAuthClientCredentials

CORE_SCHEMES: Final[Mapping[str, AuthScheme]] = {"bearer-token": Bearer(), "api-key": HeaderKey(), "none": NoAuth()}
"""The words of `authentication:` that every provider takes; a manifest's own meaning of a word goes before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Bound:
    """A deployment ready to be asked, for one tenant or for none.

    `hosts` are the only host names its requests may go to. `headers` are plain; `secrets` and `secret_headers` are
    still references. A tenant without a key of its own has a reference that raises AuthenticationError (`sent="no"`).
    """

    deployment: DeploymentConfig
    target: Target
    auth: AuthScheme
    secrets: Mapping[str, SecretReference]
    headers: tuple[tuple[str, str], ...] = ()
    secret_headers: Mapping[str, SecretReference] = field(default_factory=dict)
    hosts: frozenset[str]
    tenant: str | None = None
    warnings: tuple[Finding, ...] = ()

    @property
    def place(self) -> Place:
        """How to get there, by the proxy of the file or of the environment: see `place_of`."""
        return place_of(self)


def place_of(bound: Bound, environ: Mapping[str, str] | None = None) -> Place:
    """How to get there. Reads the proxy: its reference, or the environment's variables; may block.

    Raises ConfigError when what stands there is no proxy, AuthenticationError when its reference finds nothing.
    """
    deployment = bound.deployment
    parts = urlsplit(bound.target.endpoint)
    proxy: str | None = None
    if isinstance(deployment.proxy, SecretReference):
        proxy = _proxy(deployment.proxy, deployment)
    elif deployment.proxy is None:
        proxy = environment_proxy(parts.scheme, parts.hostname or "", parts.port, environ)
    tls = deployment.tls
    if tls is not None:
        ca, cert, private = (path and os.path.expanduser(path) for path in (tls.ca, tls.cert, tls.key))
        tls = TlsFiles(ca, cert, private, tls.key_password)
    key = deployment.name if bound.tenant is None else f"{deployment.name}\0{bound.tenant}"
    return Place(bound.hosts, proxy, tls, key)


def bind(config: LlmConfig, deployment: DeploymentConfig, manifest: Manifest, tenant: str | None = None) -> Bound:
    """Bind a deployment of `config` to its plugin, for the tenant of that name when one is given.

    Raises ConfigError (placed) for what the plugin does not know, for a missing endpoint, for an unknown tenant, and
    for an ambient key that would leave home.
    """
    endpoint = deployment.endpoint or manifest.default_endpoint
    if endpoint is None:
        hint = f"endpoint: https://…   ({manifest.docs})" if manifest.docs else "endpoint: https://api.example.com/v1"
        raise _error(deployment, "provider", f"provider `{name(manifest.name)}` needs `endpoint:`", hint)
    host = (urlsplit(endpoint).hostname or "").rstrip(".")
    customer = resolve_tenant(config, tenant)
    auth = _scheme(deployment, manifest, has_key(deployment, customer))
    secrets = _secrets(deployment, manifest, auth, endpoint, customer)
    target = Target(
        provider=manifest.name,
        model=deployment.model,
        endpoint=endpoint,
        api=_api(deployment, manifest),
        region=deployment.region,
        deployment=deployment.name,
        authentication=auth.name,
        options=check_options(deployment, manifest),
    )
    at = getattr(auth, "at", None)
    return Bound(
        deployment=deployment,
        target=target,
        auth=auth if at is None else at(target),
        secrets=secrets,
        headers=tuple(deployment.headers.items()),
        secret_headers=deployment.secret_headers if customer is None else {},
        hosts=frozenset({host, *_token_hosts(auth, manifest), *_own_hosts(deployment, manifest)} - {""}),
        tenant=tenant,
        warnings=_warnings(deployment, endpoint, auth, bool(secrets)),
    )


def _error(deployment: DeploymentConfig, key: str, message: str, hint: str = "") -> ConfigError:
    file, line, column = deployment.places.get(key, deployment.where)
    sentence = message if line is not None else f"deployment `{name(deployment.name)}`: {message}"
    return ConfigError(sentence, hint=hint, file=file, line=line, column=column)


def _api(deployment: DeploymentConfig, manifest: Manifest) -> str:
    if deployment.api is None:
        return manifest.apis[0] if manifest.apis else ""
    if deployment.api in manifest.apis:
        return deployment.api
    sentence = f"`{name(manifest.name)}` has no `api` {shown(deployment.api)}"
    if not manifest.apis:
        raise _error(deployment, "api", f"{sentence}: it has one surface only", "remove `api:`")
    meant = nearest(deployment.api, manifest.apis)
    raise _error(deployment, "api", f"{sentence}; it has {listing(manifest.apis)}", f"api: {meant or manifest.apis[0]}")


def _scheme(deployment: DeploymentConfig, manifest: Manifest, keyed: bool) -> AuthScheme:
    word = deployment.authentication
    if isinstance(word, OAuth):
        return OAuthClientCredentials(word.token_url, word.scope)
    if word is None:
        return _usual_scheme(deployment, manifest, keyed)
    found = manifest.authentication.get(word) or CORE_SCHEMES.get(word)
    if found is not None:
        return found
    known = {*manifest.authentication, *CORE_SCHEMES, "oauth"}
    meant = nearest(word, known, {"bearer": "bearer-token", "token": "bearer-token", "header": "api-key", "no": "none"})
    sentence = f"`authentication` is one of {listing(known)}, not {shown(word)}"
    raise _error(deployment, "authentication", sentence, f"authentication: {meant or 'bearer-token'}")


def _usual_scheme(deployment: DeploymentConfig, manifest: Manifest, keyed: bool) -> AuthScheme:
    """`keyed`: the file names a key for it."""
    schemes = [*manifest.authentication.values(), Bearer()]
    usual = NoAuth() if deployment.provider.strip().lower() == "local" else schemes[0]
    if keyed and isinstance(usual, NoAuth):
        return next(scheme for scheme in schemes if not isinstance(scheme, NoAuth))
    header = usual.header.lower() if isinstance(usual, HeaderKey) else "authorization"
    if not deployment.secrets and header in deployment.secret_headers:
        return NoAuth()  # the key stands in `headers:` already
    return usual


def _secrets(
    deployment: DeploymentConfig, manifest: Manifest, auth: AuthScheme, endpoint: str, tenant: TenantConfig | None
) -> Mapping[str, SecretReference]:
    required = _required(auth)
    if tenant is not None:
        return _tenant_secrets(deployment, auth, required, tenant)
    if isinstance(auth, NoAuth):
        return {}
    if deployment.secrets or not manifest.credentials:
        return deployment.secrets
    if not may_go_to(manifest, urlsplit(endpoint).hostname or ""):
        usual = {label: f"${{{next(iter(names), label.upper())}}}" for label, names in manifest.credentials.items()}
        first, variable = next(iter(usual.items()))
        pairs = ", ".join(f'{label}: "{reference}"' for label, reference in usual.items())
        mend = f"api_key: {variable}" if first == "api_key" else f"credentials: {{{pairs}}}"
        sentence = f"endpoint {endpoint} is not one of {manifest.name}'s hosts: name the key to send there, e.g. {mend}"
        raise _error(deployment, "endpoint", sentence, f"in a file, below `endpoint:`   {mend}")
    return {
        label: ambient(label, tuple(variables), optional=label not in required)
        for label, variables in manifest.credentials.items()
    }


def _required(auth: AuthScheme) -> tuple[str, ...]:
    """The secrets without which a scheme can do nothing, when it says so."""
    if isinstance(auth, OAuthClientCredentials):
        return ("client_id", "client_secret")
    secret = getattr(auth, "secret", None)
    return (secret,) if isinstance(secret, str) else ()


def _tenant_secrets(
    deployment: DeploymentConfig, auth: AuthScheme, required: tuple[str, ...], tenant: TenantConfig
) -> Mapping[str, SecretReference]:
    """The tenant's own references; where they do not suffice, one that refuses when a call asks for it."""
    if isinstance(auth, NoAuth) and not deployment.secret_headers:
        return {}
    try:
        if getattr(auth, "searches", False):
            raise no_search(deployment, tenant)
        return secrets_for(deployment, tenant, required)
    except AuthenticationError as error:
        refusal = error.with_traceback(None)
    return {required[0] if required else "api_key": refused(refusal)}


def may_go_to(manifest: Manifest, host: str) -> bool:
    """May a key from the environment go to this host? The variable of `custom` is meant for whatever it names."""
    host = host.lower().rstrip(".")
    return manifest.name == "custom" or any(_host_matches(host, pattern.lower()) for pattern in manifest.hosts)


def _host_matches(host: str, pattern: str) -> bool:
    if pattern.startswith("*."):
        return host.endswith(pattern[1:]) and len(host) > len(pattern) - 1
    return pattern in ("*", host)


def _token_hosts(auth: AuthScheme, manifest: Manifest) -> set[str]:
    """Where a scheme may ask for tokens: its token endpoint; a plugin's scheme that refreshes, its manifest's hosts."""
    token_url = getattr(auth, "token_url", None)
    if isinstance(token_url, str):
        return {urlsplit(token_url).hostname or ""}
    if not auth.refreshes:
        return set()
    return {host.lower() for host in manifest.hosts if "*" not in host}


def _own_hosts(deployment: DeploymentConfig, manifest: Manifest) -> set[str]:
    """The plugin's other hosts, among which it may choose by `region` when the file names one and no endpoint."""
    if deployment.endpoint or not deployment.region:
        return set()
    return {host.lower() for host in manifest.hosts if "*" not in host}


def _warnings(deployment: DeploymentConfig, endpoint: str, auth: AuthScheme, keyed: bool) -> tuple[Finding, ...]:
    urls = {"endpoint": endpoint}
    token_url = getattr(auth, "token_url", None)
    if isinstance(token_url, str):
        urls["authentication"] = token_url
    found = []
    for key, url in urls.items():
        parts = urlsplit(url)
        host = parts.hostname or ""
        if parts.scheme == "http" and (keyed or deployment.secret_headers) and not is_private(host):
            where = deployment.places.get(key, deployment.where)
            sentence = f"a key goes to {host} over http: everybody on the way can read it"
            found.append(Finding("warning", where, sentence, f"write https://{host}"))
    return tuple(found)


def _proxy(reference: SecretReference, deployment: DeploymentConfig) -> str:
    from byollm.config.settings import proxy_problem

    found = reference.resolve()
    problem = proxy_problem(found.reveal())
    if problem:
        raise _error(deployment, "proxy", f"the proxy from {reference.source} {problem}", "proxy: http://proxy:3128")
    return found.reveal()


def check_options(deployment: DeploymentConfig, manifest: Manifest) -> Mapping[str, Any]:
    """The plugin's own keys, checked by its `options`; defaults filled in. Raises ConfigError, placed."""
    model = manifest.options
    fields: Mapping[str, Any] = getattr(model, "model_fields", {})
    aliases = {field.alias for field in fields.values() if getattr(field, "alias", None)}
    for key in deployment.options:
        if key not in fields and key not in aliases:
            raise _unknown(deployment, manifest, key, {*fields, *aliases})
    if model is None:
        return {}
    found = _validated(model, deployment.options)
    if isinstance(found, dict):
        return found
    wrong, sentence = found
    if wrong is None:
        raise PluginError(f"{manifest.name}: its options cannot be checked: {sentence}")
    raise _error(deployment, wrong, sentence, manifest.docs or f"see the README of {manifest.name}")


def _validated(model: Any, options: Mapping[str, Any]) -> dict[str, Any] | tuple[str | None, str]:
    """The options as a mapping, or key and sentence of a problem; the key is None when the model itself failed."""
    from pydantic import ValidationError

    try:
        found: dict[str, Any] = model.model_validate(dict(options)).model_dump()
    except ValidationError as error:
        from byollm.config.option_words import first_of, sentence_of

        place = first_of(error)["loc"]
        return str(place[0]) if place else "provider", sentence_of(error, model)
    except Exception as error:
        return None, type(error).__name__
    return found


def _unknown(deployment: DeploymentConfig, manifest: Manifest, key: str, known: set[str]) -> ConfigError:
    from byollm.config.schema import COMMON, EXAMPLES

    sentence = f"`{name(key)}` is not a key of a target of provider `{name(manifest.name)}`"
    if key in manifest.credentials:
        return _error(deployment, key, sentence, f"credentials: {{{name(key)}: env:{name(key).upper()}}}")
    if key in OF_THE_CALL:
        return _error(deployment, key, f"{sentence}, but a parameter of the call", as_called(key))
    meant = nearest(key, {*COMMON, *known}, OF_A_TARGET)
    called = None if meant else nearest(key, OF_THE_CALL)
    if called:
        return _error(deployment, key, f"{sentence}; did you mean `{called}`?", as_called(called))
    own = f"its own keys: {listing(known)}" if known else "it has no keys of its own"
    mend = EXAMPLES.get(meant, f"write `{meant}:`") if meant else own
    return _error(deployment, key, f"{sentence}; did you mean `{meant}`?" if meant else sentence, mend)
