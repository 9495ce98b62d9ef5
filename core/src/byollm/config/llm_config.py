"""The door of the configuration: `load` reads it, the others ask it.

Loading is strict and pure: no environment variable, no secret and no plugin is read.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from byollm.config.places import Document, Problem, document_of, name, shown
from byollm.config.records import DeploymentConfig, LlmConfig, TaskConfig, TenantConfig
from byollm.config.words import EXAMPLES, listing, nearest
from byollm.errors import AuthenticationError, ConfigError

if TYPE_CHECKING:
    from byollm.config.secrets import SecretReference


def load(config: Any) -> LlmConfig:
    """Read a configuration: a mapping (with or without `llm_config`), a path, or `"provider/model"`.

    A text that ends with .yaml or .yml, or names a file that exists, is a path. Raises ConfigError for whatever is not
    right, with file, line and column, and the line that mends it. An `LlmConfig` is returned as it is.
    """
    if isinstance(config, LlmConfig):
        return config
    found = _loaded(config)
    del config
    if isinstance(found, ConfigError):
        raise found
    return found


def load_file(path: str | os.PathLike[str]) -> LlmConfig:
    """`load` for what is a path whatever it looks like. Raises ConfigError."""
    return load(Path(path))


def _loaded(config: Any) -> LlmConfig | ConfigError:
    """The configuration, or what is wrong with it: without its frames, whose locals may hold a key."""
    from byollm.config.reading import read

    try:
        document = _document(config)
        if isinstance(document, Problem):
            return ConfigError(document.message, hint=document.hint)
        return read(document)
    except ConfigError as error:
        return error.with_traceback(None)


def _document(config: Any) -> Document | Problem:
    if isinstance(config, Mapping):
        return document_of(config)
    if isinstance(config, os.PathLike) or (isinstance(config, str) and is_path(config)):
        from byollm.config.yaml import read_yaml

        return read_yaml(config)
    if isinstance(config, str):
        return _of_text(config)
    kind = type(config).__name__
    return Problem(f"a configuration is a mapping, a path or a text, not {kind}", 'byollm.Client("openai/gpt-5.4")')


def is_path(text: str) -> bool:
    """True when a text that was handed in as a configuration names a file."""
    return text.lower().endswith((".yaml", ".yml")) or os.path.isfile(text)


def _of_text(text: str) -> Document | Problem:
    from byollm.config.targets import split_model

    split = split_model(text.strip())
    if split is None:
        mend = 'byollm.Client("openai/gpt-5.4"), or byollm.Client.from_yaml("llm.yaml")'
        return Problem(f"{shown(text)} is neither `provider/model` nor a file", mend)
    return Document({"provider": split[0], "model": split[1]})


def resolve_task(config: LlmConfig, task: str | None = None) -> TaskConfig:
    """The task of a call: the one named, else the default, else the only one. Raises ConfigError with the nearest."""
    if task is not None:
        found = config.tasks.get(task)
        return found if found is not None else _no_task(config, task)
    if config.default is not None:
        return config.tasks[config.default]
    if len(config.tasks) == 1:
        return next(iter(config.tasks.values()))
    if not config.tasks and len(config.deployments) == 1:
        return resolve_deployment(config, next(iter(config.deployments)))
    if config.tasks:
        first = name(sorted(config.tasks)[0])
        sentence = f"this call names no task, and there are {len(config.tasks)}: {listing(map(name, config.tasks), 40)}"
        raise ConfigError(sentence, hint=f'say task="{first}", or write `default: {first}`', file=config.source)
    first = name(sorted(config.deployments)[0])
    sentence = f"this call names no deployment, and there are {len(config.deployments)}: "
    sentence += listing(map(name, config.deployments), 40)
    raise ConfigError(sentence, hint=f'say deployment="{first}", or write `default: {first}`', file=config.source)


def _no_task(config: LlmConfig, task: str) -> TaskConfig:
    if task in config.deployments:
        hint = f'say deployment="{name(task)}"'
        raise ConfigError(f"{shown(task)} is a deployment, not a task", hint=hint, file=config.source)
    meant = nearest(task, config.tasks) if isinstance(task, str) else None
    known = f"tasks: {listing(map(name, config.tasks), 40)}" if config.tasks else "this configuration has no tasks"
    meant = meant or next(iter(config.tasks), None)
    hint = f'say task="{name(meant)}"' if meant else EXAMPLES["tasks"]
    raise ConfigError(f"there is no task {shown(task)}; {known}", hint=hint, file=config.source)


def resolve_deployment(config: LlmConfig, deployment: str) -> TaskConfig:
    """One deployment alone, as a task with this single candidate: whoever names it wants no other.

    Raises ConfigError, naming the nearest.
    """
    found = config.deployments.get(deployment)
    if found is not None:
        return TaskConfig(deployment, (deployment,), found.where)
    meant = nearest(deployment, config.deployments) if isinstance(deployment, str) else None
    known = f"deployments: {listing(map(name, config.deployments), 40)}"
    hint = f'say deployment="{name(meant or next(iter(config.deployments)))}"'
    raise ConfigError(f"there is no deployment {shown(deployment)}; {known}", hint=hint, file=config.source)


def resolve_tenant(config: LlmConfig, tenant: str | None) -> TenantConfig | None:
    """The tenant of a call; None for none. Raises ConfigError for one that the configuration does not know."""
    if tenant is None:
        return None
    found = config.tenants.get(tenant)
    if found is not None:
        return found
    meant = nearest(tenant, config.tenants) if isinstance(tenant, str) else None
    mend = f'say tenant="{name(meant)}"' if meant else _tenant_example(str(tenant), "openai")
    raise ConfigError(f"there is no tenant {shown(tenant)}", hint=mend, file=config.source)


def secrets_for(
    deployment: DeploymentConfig, tenant: TenantConfig | None = None, required: tuple[str, ...] = ()
) -> Mapping[str, SecretReference]:
    """The references that a call may use: the deployment's, or for a tenant's call the tenant's and no other.

    The tenant's entry for the deployment's name goes before that for its provider. Raises AuthenticationError
    (`sent="no"`) when the tenant has none, or not all that are `required`, and when a header of the deployment holds
    the platform's secret.
    """
    if tenant is None:
        return deployment.secrets
    who = f"tenant {shown(tenant.name)}"
    if deployment.secret_headers:
        header = name(next(iter(deployment.secret_headers)))
        sentence = f"{who} cannot use it: its header `{header}` holds the platform's secret"
        raise _refused(deployment, sentence, "name a deployment without secrets in `headers:` for tenants")
    found = _entry(deployment, tenant)
    if found is None and deployment.authentication != "none":
        sentence = f"{who} has no key for it, and no other key is used for a tenant's call"
        raise _refused(deployment, sentence, _tenant_example(tenant.name, deployment.provider))
    missing = next((label for label in required if label not in (found or {})), None)
    if missing is not None:
        raise _refused(
            deployment, f"{who} has no {missing} for it", f"add `{missing}:` to its credentials ({tenant.where})"
        )
    return found or {}


def has_key(deployment: DeploymentConfig, tenant: TenantConfig | None) -> bool:
    """The file names a key for it: the deployment's own, or one of the tenant that calls."""
    return bool(deployment.secrets) or (tenant is not None and bool(_entry(deployment, tenant)))


def no_search(deployment: DeploymentConfig, tenant: TenantConfig) -> AuthenticationError:
    """Why no tenant's call uses a scheme that looks for credentials on this machine: they would be the platform's."""
    sentence = f"tenant {shown(tenant.name)} cannot use it: its authentication looks for the identity of this machine"
    return _refused(deployment, sentence, "name a deployment for tenants whose authentication uses their own keys")


def _entry(deployment: DeploymentConfig, tenant: TenantConfig) -> Mapping[str, SecretReference] | None:
    if deployment.name in tenant.credentials:
        return tenant.credentials[deployment.name]
    from byollm.providers.discovery import canonical

    provider = canonical(deployment.provider)
    return next((found for key, found in tenant.credentials.items() if canonical(key) == provider), None)


def _tenant_example(tenant: str, provider: str) -> str:
    variable = "".join(character if character.isalnum() else "_" for character in f"{tenant}_{provider}".upper())
    return f'tenants: {{{name(tenant)}: {{credentials: {{{name(provider)}: {{api_key: "${{{variable}}}"}}}}}}}}'


def _refused(deployment: DeploymentConfig, sentence: str, hint: str) -> AuthenticationError:
    return AuthenticationError(
        f"deployment `{name(deployment.name)}`: {sentence}", sent="no", hint=hint, provider=deployment.provider,
        model=deployment.model, deployment=deployment.name,
    )  # fmt: skip
