"""One tiny question to one deployment: is the key accepted, is the model known?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from byollm.cli.findings import Check, failed
from byollm.errors import (
    AuthenticationError,
    ByollmError,
    ConfigError,
    ModelNotFoundError,
    PermissionDeniedError,
    PluginError,
    ProviderError,
    RateLimitError,
)

if TYPE_CHECKING:
    from byollm.client import Client

QUESTION: Final = "Answer with one word: ok"
TOKENS: Final = 16
"""The least that every dialect takes as a limit (OpenAI's Responses API refuses less; facts read 2026-11-21)."""
SECONDS: Final = 30.0
COST: Final = f"asking each deployment one question of about 10 tokens, to be answered with at most {TOKENS}"


def ask(client: Client, deployment: str) -> list[Check]:
    """Ask, and say of key, model and answer what the outcome proves."""
    try:
        reply = client.complete(QUESTION, deployment=deployment, max_tokens=TOKENS, timeout=SECONDS)
    except ByollmError as error:
        return _judged(error)
    accepted = "the provider accepts the key" if _has_key(client, deployment) else "the provider asks for no key"
    served = f"answered as {reply.model}" if reply.model else "answered"
    return [Check("accepted", "ok", accepted), Check("model", "ok", served)]


def _has_key(client: Client, deployment: str) -> bool:
    from byollm.wire.auth import NoAuth

    return not isinstance(client.line(deployment).auth, NoAuth)


def _judged(error: ByollmError) -> list[Check]:
    """An error tells something, too: a provider that says "no such model" has accepted the key."""
    if isinstance(error, AuthenticationError):
        return [failed("accepted", error), Check("model", "skip", "not asked: the key comes first")]
    accepted = Check("accepted", "ok", "the provider accepts the key")
    if isinstance(error, ModelNotFoundError | PermissionDeniedError):
        return [accepted, failed("model", error)]
    if isinstance(error, RateLimitError):
        busy = failed("answer", error)
        return [accepted, Check("model", "skip", "not known: no answer"), busy._replace(state="warn")]
    if _was_refused(error):
        return [accepted, Check("model", "skip", "not known: the question was refused"), failed("answer", error)]
    unknown = "not known: no answer"
    return [Check("accepted", "skip", unknown), Check("model", "skip", unknown), failed("answer", error)]


def _was_refused(error: ByollmError) -> bool:
    """True for a 4xx: the provider knew who asked, and did not like what."""
    if isinstance(error, ConfigError | PluginError) or not isinstance(error, ProviderError):
        return False
    return error.status is not None and 400 <= error.status < 500 and error.status not in (408, 407)
