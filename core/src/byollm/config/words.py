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
