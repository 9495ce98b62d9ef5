"""`secrets:`: what references may do, and the stores that they name, into values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Any, Final

from pydantic import ConfigDict, Field

from byollm.config import schema, settings
from byollm.config.places import Document, KeyPath, Where, name, shown
from byollm.config.records import DeploymentConfig, LlmConfig, StoreConfig
from byollm.config.secrets import PLAIN, SecretReference
from byollm.config.settings import Context
from byollm.config.stores import KINDS, Stores
from byollm.config.targets import credentials
from byollm.config.words import nearest
from byollm.errors import ConfigError

TIMEOUT: Final = 5.0
EXAMPLE: Final = "secrets: {vault: {address: https://vault.example.com:8200}}"


class StoreModel(schema.Written):
    """One secret store; other keys are its plugin's."""

    model_config = ConfigDict(extra="allow")

    type: schema.Text | None = None
    credentials: dict[str, Any] | None = None
    tenants: Annotated[list[schema.Text], Field(min_length=1)] | None = None
    timeout: Annotated[float, Field(gt=0, le=60, allow_inf_nan=False)] = TIMEOUT
    max_age: Any = None
    tls: Any = None
    proxy: Any = None


def context_of(document: Document, base: str | None, written: dict[str, Any], path: KeyPath) -> Context:
    """The context that a file's references are read in. Raises ConfigError."""
    found = schema.validated(schema.SecretsModel, written, document, path, "secrets") if written else {}
    known = schema.SecretsModel.model_fields
    for key, item in found.items():
        if key not in known and not (item is None or isinstance(item, dict)):
            raise schema.unknown_key(document, (*path, key), known, "secrets")
    context = Context(document, base, found.get("allow_cmd", False), stores=Stores(), max_age=found.get("max_age"))
    stores = {key: _store(context, key, item or {}, (*path, key)) for key, item in found.items() if key not in known}
    assert context.stores is not None
    context.stores.configured = stores
    return context


def _store(context: Context, label: str, written: dict[str, Any], path: KeyPath) -> StoreConfig:
    document = context.document
    if label in (*KINDS, *PLAIN) or not label.isascii() or not label.replace("-", "").replace("_", "").isalnum():
        raise document.error(path, f"`{name(label)}` cannot be a store's name", EXAMPLE)
    found = schema.validated(StoreModel, written, document, path, "secret store")
    if "max_age" in found:
        age = schema.validated(
            schema.SecretsModel, {"max_age": found["max_age"]}, document, path, "secret store"
        )  # the same rule as beside it
        context.ages[label] = age["max_age"]
    own = credentials(context, found.get("credentials") or {}, (*path, "credentials"))
    for key, reference in own.items():
        if reference.kind not in PLAIN:
            sentence = f"`{name(key)}`: a store's own credentials cannot come from a store"
            raise document.error((*path, "credentials", key), sentence, f"{name(key)}: env:NAME", value=True)
    return StoreConfig(
        label,
        found.get("type") or label,
        {key: item for key, item in found.items() if key not in StoreModel.model_fields},
        own,
        found.get("timeout", TIMEOUT),
        settings.tls(context, found["tls"], (*path, "tls")) if found.get("tls") is not None else None,
        settings.proxy(context, found["proxy"], (*path, "proxy")) if found.get("proxy") is not None else None,
        tuple(found["tenants"]) if found.get("tenants") else None,
        {key: document.where((*path, key)) for key in found},
        document.where(path),
    )


def settle(context: Context, config: LlmConfig) -> None:
    """Every reference may name its store, and every tenant that a store is for exists. Raises ConfigError."""
    assert context.stores is not None
    context.stores.allowed, context.stores.lock = config.plugins, config.lock
    for store in config.stores.values():
        for tenant in store.tenants or ():
            if tenant not in config.tenants:
                meant = nearest(tenant, config.tenants)
                mend = f"did you mean `{name(meant)}`?" if meant else "name a tenant of this file"
                raise _refused(store.places["tenants"], f"there is no tenant {shown(tenant)}", mend)
    if any(store.tenants for store in config.stores.values()):
        for who, reference in references_of(config):
            asked = config.stores.get(reference.kind)
            if asked is not None and asked.tenants is not None and who not in asked.tenants:
                _forbid(asked, who, reference)


def _forbid(store: StoreConfig, tenant: str | None, reference: SecretReference) -> None:
    whose = f"tenant {shown(tenant)}" if tenant is not None else "the platform"
    line = store.places["tenants"].line
    at = f" (line {line})" if line is not None else ""
    sentence = f"`{name(store.name)}` holds secrets of other tenants{at}, and {whose} asks it for its {reference.name}"
    raise _refused(reference.where, sentence, "name a store of its own")


def references_of(config: LlmConfig) -> Iterator[tuple[str | None, SecretReference]]:
    """Every reference to a secret, with the tenant whose it is; None for the platform's."""
    for deployment in config.deployments.values():
        yield from ((None, reference) for reference in _of(deployment))
    for tenant in config.tenants.values():
        for found in tenant.credentials.values():
            yield from ((tenant.name, reference) for reference in found.values())


def _of(deployment: DeploymentConfig) -> Iterable[SecretReference]:
    found: Mapping[str, SecretReference] = {**deployment.secret_headers, **deployment.secrets}
    proxy = [deployment.proxy] if isinstance(deployment.proxy, SecretReference) else []
    return [*found.values(), *proxy]


def _refused(where: Where, sentence: str, mend: str) -> ConfigError:
    file, line, column = where
    return ConfigError(sentence, hint=mend, file=file, line=line, column=column)
