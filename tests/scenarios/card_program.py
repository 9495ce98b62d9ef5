"""What a platform wrote once: it knows tenants and questions, and no provider.

Its text is what must not change when a customer switches; a test holds its digest.
"""

from __future__ import annotations

from typing import Any

import byollm


def program(client: byollm.Client, tenant: str) -> dict[str, Any]:
    """A question asked too hot, one that wants too long an answer, a prompt that is too long, a stream."""
    hot = client.complete("Name a colour.", tenant=tenant, temperature=7.5, max_tokens=20)
    long = client.complete("Name them all.", tenant=tenant, max_tokens=100_000_000)
    try:
        client.complete("All of it: " + "colour " * 600_000, tenant=tenant, max_tokens=20)
        too_long = "answered"
    except byollm.errors.ContextLengthError as error:
        too_long = f"{type(error).__name__}, sent: {error.sent}"
    with client.stream("Again, please.", tenant=tenant, max_tokens=20) as stream:
        streamed = "".join(stream.text_stream)
    return {
        "answers": [hot.text, long.text, streamed],
        "finished": [hot.finish_reason, long.finish_reason, stream.completion.finish_reason],
        "told": {item.field: (item.action, item.after) for reply in (hot, long) for item in reply.adjustments},
        "too long": too_long,
    }
