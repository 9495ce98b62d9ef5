"""Driving the plugin without a network: capabilities of a model, and a request after `fit()`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from byollm.plugin import Adjustment, Capabilities, Exchange, Request, Target
from byollm.providers.deployment import Deployment
from byollm_openai import provider


def target(model: str = "gpt-6-sol", api: str = "responses", **fields: Any) -> Target:
    """OpenAI's own API, as a file that says nothing else would name it."""
    place = {name: fields.pop(name) for name in ("endpoint", "region") if name in fields}
    return Target(
        provider="openai", model=model, api=api, options=fields, **{"endpoint": "https://api.openai.com", **place}
    )


def capable(model: str, api: str = "responses") -> Capabilities:
    """What a model takes over a dialect."""
    return provider.capabilities(target(model, api))


def fitted(
    request: Any, model: str = "gpt-6-sol", api: str = "responses", **fields: Any
) -> tuple[Any, list[Adjustment]]:
    """The exchange after `fit()`, and what was changed."""
    deployment = Deployment(provider, provider.manifest, target(model, api, **fields))
    fit = deployment.fit(request if isinstance(request, Request) else Request(request))
    exchange = deployment.exchange(fit.request)
    assert isinstance(exchange, Exchange)
    return exchange, [*fit.adjustments, *exchange.adjustments]


def body(request: Any, model: str = "gpt-6-sol", api: str = "responses", **fields: Any) -> Mapping[str, Any]:
    """The JSON body after `fit()`."""
    made: dict[str, Any] = json.loads(fitted(request, model, api, **fields)[0].request.body)
    return made


def adjusted(request: Any, model: str = "gpt-6-sol", api: str = "responses") -> list[str]:
    """The names of the fields that were changed."""
    return [note.field for note in fitted(request, model, api)[1]]
