"""What is written of a call: who, what for, where to and why, what became of it. No text of anybody's prompt or answer.

Two records an attempt: `intent` before anything is sent, `outcome` after. A call that nobody may answer is `refused`.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pydantic_core import PydanticSerializationError, to_json

from byollm import Message, Text, dump_messages

if TYPE_CHECKING:
    from collections.abc import Iterable

    from byollm.errors import ByollmError
    from byollm.plugin import Call, Usage
    from byollm.types.completion import Attempt
    from byollm_audit.keys import Mac

_hosts: dict[str, str | None] = {}


class Candidates:
    """The names of a call's candidates; kept as long as the calls have the same ones."""

    def __init__(self) -> None:
        self._last: tuple[Any, list[str], dict[str, tuple[str, str]]] = ((), [], {})

    def of(self, call: Call) -> tuple[list[str], dict[str, tuple[str, str]]]:
        """Their names in order, and provider and model of each."""
        lines, names, places = self._last
        if lines is not call.candidates:
            lines = call.candidates
            places = {line.name: (line.provider, line.model) for line in lines}
            names = list(places)
            self._last = lines, names, places
        return names, places


def intent(call: Call, deployment: str, sign: Mac, candidates: Candidates) -> dict[str, Any]:
    """Before sending: who wants what, who may answer and why this one."""
    request = call.request
    names, places = candidates.of(call)
    record = {
        "kind": "intent",
        "at": call.clock.time(),
        "operation": call.id,
        "attempt": len(call.attempts) + 1,
        "task": call.task,
        "deployment": deployment,
    }
    if deployment in places:
        record["provider"], record["model"] = places[deployment]
    if call.url is not None:
        record["host"] = host_of(call.url)
    _who(record, call)
    record["policy"] = call.policy
    record["candidates"] = names
    if call.skipped:
        record["skipped"] = call.skipped
    if call.adjustments:
        record["adjustments"] = [[it.field, it.action, it.reason] for it in call.adjustments]
    if request is not None:
        if request.end_user_id is not None:
            record["user"] = request.end_user_id
        record["prompt"] = prompt_hash(request.conversation, sign)
    return record


def outcome(call: Call, attempt: Attempt) -> dict[str, Any]:
    """After an attempt: what became of it, what it took, what it cost."""
    error, answer = attempt.error, call.answer
    record: dict[str, Any] = {
        "kind": "outcome",
        "at": call.clock.time(),
        "operation": call.id,
        "attempt": len(call.attempts),
        "deployment": attempt.deployment,
        "outcome": "answered" if error is None else type(error).__name__,
        "sent": attempt.sent,
        "billed": attempt.billed,
        "status": attempt.status,
        "milliseconds": round(attempt.milliseconds, 3),
    }
    if attempt.first_milliseconds is not None:
        record["first_milliseconds"] = round(attempt.first_milliseconds, 3)
    if attempt.usage is not None:
        record["tokens"] = tokens(attempt.usage)
    if attempt.cost is not None:
        record["cost"], record["currency"] = str(attempt.cost), attempt.currency
    if attempt.request_id is not None:
        record["request_id"] = attempt.request_id
    if error is None and answer is not None:
        record["reply"], record["answered_by"], record["finish"] = answer.id, answer.model, answer.finish_reason
    return record


def withdrawal(call: Call, deployment: str) -> dict[str, Any]:
    """After an intent that another observer forbade: nothing was sent."""
    record = {"kind": "withdrawn", "at": call.clock.time(), "operation": call.id, "attempt": len(call.attempts) + 1}
    return {**record, "deployment": deployment, "sent": "no"}


def refusal(call: Call, error: ByollmError) -> dict[str, Any]:
    """Nobody may answer: nothing was sent, and each candidate's reason."""
    record = {"kind": "refused", "at": call.clock.time(), "operation": call.id, "task": call.task}
    _who(record, call)
    return {**record, "policy": call.policy, "outcome": type(error).__name__, "skipped": dict(call.skipped)}


def tokens(usage: Usage) -> dict[str, int]:
    """What is known of the usage."""
    known = {
        "input": usage.input_tokens,
        "output": usage.output_tokens,
        "cached": usage.cached_tokens,
        "cache_write": usage.cache_write_tokens,
        "reasoning": usage.reasoning_tokens,
    }
    return {name: value for name, value in known.items() if value is not None}


def _who(record: dict[str, Any], call: Call) -> None:
    if call.tenant is not None:
        record["tenant"] = call.tenant
    if call.data_class is not None:
        record["data_class"] = call.data_class
    if call.region is not None:
        record["region"] = call.region
    if call.labels:
        record["labels"] = dict(call.labels)


def host_of(url: str) -> str | None:
    """The host of an address; kept, because there are few."""
    found = _hosts.get(url, "")
    if found == "":
        if len(_hosts) > 256:  # some addresses hold names that callers choose
            _hosts.clear()
        parts = urlsplit(url)
        found = _hosts[url] = parts.hostname and parts.hostname + (f":{parts.port}" if parts.port else "")
    return found


def written(record: dict[str, Any]) -> bytes:
    """A record as JSON. Labels are the caller's words: what JSON cannot hold is written as Python shows it."""
    try:
        return to_json(record)
    except (PydanticSerializationError, ValueError):
        text = json.dumps(record, default=repr, ensure_ascii=True, skipkeys=True)
        return text.encode("ascii")


def prompt_hash(messages: Iterable[Message], sign: Mac) -> str:
    """HMAC-SHA-256 of a prompt: whoever lacks the key cannot try short prompts until one fits."""
    return sign(_as_text(messages).encode("utf-8", "surrogatepass")).hex()


def _as_text(messages: Iterable[Message]) -> str:
    """The prompt as one text, in which no two prompts are the same: each piece comes after its length."""
    pieces: list[str] = []
    for message in messages:
        pieces.append(f"{len(message.parts)}{message.role}")
        for part in message.parts:
            if type(part) is Text and part.state is None:
                pieces.append(f"t{len(part.text)}:{part.text}")
            else:
                data = written(dump_messages([Message(message.role, (part,))])).decode("utf-8", "surrogatepass")
                pieces.append(f"p{len(data)}:{data}")
    return "".join(pieces)
