"""The right word for a wrong one: what people of other libraries write, and the nearest spelling."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

SURELY_WRONG: Final[Mapping[str, str]] = {
    "base_url": "endpoint",
    "baseurl": "endpoint",
    "api_base": "endpoint",
    "api_url": "endpoint",
    "url": "endpoint",
    "key": "api_key",
    "apikey": "api_key",
    "api-key": "api_key",
    "api_token": "api_key",
    "fallback": "failover",
    "fallbacks": "failover",
    "max_retries": "retries",
    "num_retries": "retries",
    "model_name": "model",
    "extra_headers": "headers",
    "default_headers": "headers",
    "extra_body": "extra",
    "drop_params": "on_unsupported",
}
"""Words that no plugin takes as an option of its own: refused when the file is loaded."""

OF_A_TARGET: Final[Mapping[str, str]] = {
    **SURELY_WRONG,
    "azure_endpoint": "endpoint",
    "base": "endpoint",
    "host": "endpoint",
    "server": "endpoint",
    "token": "api_key",
    "secret": "api_key",
    "auth": "authentication",
    "auth_type": "authentication",
    "vendor": "provider",
    "custom_llm_provider": "provider",
    "model_id": "model",
    "engine": "model",
    "custom_headers": "headers",
    "default_query": "query",
    "params": "query",
    "request_timeout": "timeout",
    "timeouts": "timeout",
    "retry": "retries",
    "http_proxy": "proxy",
    "https_proxy": "proxy",
    "ssl": "tls",
    "ssl_verify": "tls",
    "verify": "tls",
    "ca_bundle": "tls",
    "location": "region",
    "surface": "api",
    "api_type": "api",
    "labels": "tags",
    "price": "pricing",
    "prices": "pricing",
    "cost": "pricing",
    "features": "capabilities",
    "extras": "extra",
    "fallback_models": "failover",
}
"""Words that a plugin could take, and that mean a common key when it does not."""

OF_THE_ROOT: Final[Mapping[str, str]] = {
    "models": "deployments",
    "model_list": "deployments",
    "targets": "deployments",
    "providers": "deployments",
    "default_task": "default",
    "defaults_for_all": "defaults",
    "routes": "tasks",
    "task": "tasks",
    "customers": "tenants",
    "policy": "policies",
    "callbacks": "observers",
    "hooks": "middleware",
    "plugin": "plugins",
    "drop_params": "on_unsupported",
    "secret": "secrets",
}

OF_A_PART: Final[Mapping[str, Mapping[str, str]]] = {
    "timeout": {
        "read": "idle",
        "write": "total",
        "pool": "connect",
        "request": "total",
        "overall": "total",
        "ttfb": "first_byte",
        "first_token": "first_byte",
        "stream": "idle",
        "connection": "connect",
    },
    "retries": {"max": "attempts", "count": "attempts", "max_retries": "attempts", "max_attempts": "attempts"},
    "tls": {
        "ca_bundle": "ca",
        "cafile": "ca",
        "ca_cert": "ca",
        "certificate": "cert",
        "client_cert": "cert",
        "certfile": "cert",
        "client_key": "key",
        "keyfile": "key",
        "password": "key_password",
    },
    "pricing": {
        "in": "input",
        "out": "output",
        "prompt": "input",
        "completion": "output",
        "input_tokens": "input",
        "output_tokens": "output",
        "cache_read": "cached",
    },
    "authentication": {"url": "token_url", "token_endpoint": "token_url", "scopes": "scope", "secret": "client_secret"},
}

OF_THE_CALL: Final = frozenset(
    {
        "temperature", "top_p", "top_k", "max_tokens", "stop", "seed", "tools", "tool_choice", "parallel_tool_calls",
        "output_schema", "reasoning_effort", "frequency_penalty", "presence_penalty", "system", "verbosity", "stream",
        "max_completion_tokens", "response_format",
    }
)  # fmt: skip
"""Parameters of one call: a target does not hold them."""
_CALLED: Final[Mapping[str, str]] = {"max_completion_tokens": "max_tokens", "response_format": "output_schema"}


def as_called(key: str) -> str:
    """How a program says a parameter of a call: `client.complete(…, seed=…)`."""
    return "client.stream(…)" if key == "stream" else f"client.complete(…, {_CALLED.get(key, key)}=…)"


EXAMPLES: Final[Mapping[str, str]] = {
    "provider": "provider: openai",
    "model": 'model: "gpt-5.4"',
    "api": "api: chat",
    "endpoint": "endpoint: https://api.example.com/v1",
    "region": "region: eu-west-1",
    "tags": "tags: [eu, approved]",
    "data_classes": "data_classes: [public, internal]",
    "api_key": "api_key: ${OPENAI_API_KEY}",
    "authentication": "authentication: bearer-token",
    "credentials": "credentials: {client_id: env:CLIENT_ID, client_secret: env:CLIENT_SECRET}",
    "headers": "headers: {X-Team: search}",
    "query": 'query: {api-version: "2024-10-21"}',
    "proxy": "proxy: http://proxy.example.com:3128",
    "tls": "tls: {ca: company.pem, cert: client.pem, key: client-key.pem}",
    "timeout": "timeout: {connect: 5, first_byte: 30, idle: 60, total: 120}",
    "retries": "retries: {attempts: 3, total: 5}",
    "failover": "failover: [backup]",
    "route": "route: [fast, backup]",
    "over": "over: [fast, backup]",
    "output_tokens": "output_tokens: 500",
    "regions": "regions: {europe: [azure_eu], americas: [openai_us]}",
    "hours": 'hours: "22:00-06:00"',
    "timezone": "timezone: Europe/Berlin",
    "days": "days: [mon, tue, wed, thu, fri]",
    "use": "use: [cheap]",
    "first": "first: azure",
    "amount": "amount: 10000",
    "currency": "currency: USD",
    "defer": "defer: 6h",
    "batch": "batch: true",
    "until": 'until: "2027-03-31"',
    "since": 'since: "2026-04-01"',
    "deployment": "deployment: fast",
    "default": "default: summarize",
    "defaults": "defaults: {timeout: {total: 60}, retries: {attempts: 2}}",
    "deployments": "deployments: {fast: {provider: openai, model: gpt-5.4}}",
    "tasks": "tasks: {summarize: {provider: openai, model: gpt-5.4}}",
    "tenants": 'tenants: {acme: {credentials: {openai: {api_key: "${ACME_OPENAI}"}}}}',
    "limits": "limits: {requests_per_minute: 500, tokens_per_minute: 30000, concurrency: 8}",
    "pricing": "pricing: {input: 2.5, output: 10}",
    "capabilities": "capabilities: {context_window: 128000, tools: true}",
    "on_unsupported": "on_unsupported: strict",
    "extra": "extra: {service_tier: flex}",
    "plugins": "plugins: [byollm-openai, byollm-anthropic]",
    "lock": "plugins: {lock: byollm.lock}",
    "middleware": "middleware: [redact]",
    "observers": "observers: [ledger]",
    "secrets": "secrets: {allow_cmd: true}",
    "max_age": "max_age: 300   (seconds; false reads again only what was refused)",
    "version": "version: 1",
    "log_content": "log_content: false",
    "guard": "guard: ask",
    "budget": "retries: {budget: 0.2}",
    "attempts": "retries: {attempts: 3}   (1 means no retry)",
    "total": "timeout: {total: 60}",
    "token_url": "token_url: https://login.example.com/oauth2/token",
    "client_id": "client_id: env:CLIENT_ID",
    "client_secret": "client_secret: env:CLIENT_SECRET",
    "type": "authentication: {type: oauth, token_url: …, client_id: …, client_secret: …}",
}
"""How each key is written: the mend of a value that cannot be meant."""


def nearest(word: str, candidates: Iterable[str], synonyms: Mapping[str, str] | None = None) -> str | None:
    """The candidate that was probably meant: a synonym, the same word spelled otherwise, or the closest; else None."""
    known = sorted(set(candidates))
    plain = word.strip().lower()
    for spelling in (plain, plain.replace("-", "_"), plain.replace(" ", "_")):
        meant = (synonyms or {}).get(spelling)
        if meant in known:
            return meant
        if spelling in known:
            return spelling
    squeezed = {"".join(filter(str.isalnum, item.lower())): item for item in known}
    same = squeezed.get("".join(filter(str.isalnum, plain)))
    if same is not None:
        return same
    import difflib

    close = difflib.get_close_matches(plain[:80], known, n=1, cutoff=0.6)
    return close[0] if close else None


def listing(names: Iterable[str], limit: int = 12) -> str:
    """`a, b and c`, cut when there are many."""
    known = sorted(names)
    if len(known) > limit:
        return f"{', '.join(known[:limit])} and {len(known) - limit} more"
    return " and ".join([", ".join(known[:-1]), known[-1]] if len(known) > 1 else known)
