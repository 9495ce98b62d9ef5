"""A judge: the vendors' own verdicts on recorded requests.

A twin takes every recorded request that its vendor answered with 200, and refuses every one answered with 400, 404 or
422, with that status, code and type. Only OpenAI's, Anthropic's, Google's and AWS's own servers count: their dialects'
other speakers tolerate other things.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest
from sandbox_judging import corpus

from byollm_sandbox import Rejection, dialect_named
from byollm_sandbox.requests import Recorded

HERE = Path(__file__).parent
JUDGED = (200, 400, 404, 422)
FOLDERS = {
    "openai-chat": "openai-chat",
    "openai-responses": "openai-responses",
    "anthropic": "anthropic-messages",
    "google-gemini": "gemini",
    "google-vertex": "gemini",
    "bedrock-converse": "bedrock-converse",
    "bedrock-converse-stream": "bedrock-converse",
    "bedrock-invoke": "bedrock-invoke",
    "mistral": "mistral-chat",
    "cohere": "cohere-chat",
}
LEAST = {
    "openai-chat": 120,
    "openai-responses": 110,
    "anthropic-messages": 160,
    "gemini": 270,
    "bedrock-converse": 130,
    "bedrock-invoke": 50,
    "mistral-chat": 100,
    "cohere-chat": 60,
}


@dataclass(frozen=True)
class Verdict:
    name: str
    exchange: int
    dialect: str
    operation: str
    headers: dict[str, str]
    body: Any
    status: int
    error: dict[str, Any]

    @property
    def key(self) -> tuple[str, int]:
        return self.name, self.exchange


@lru_cache(maxsize=1)
def verdicts() -> tuple[Verdict, ...]:
    return tuple(verdict for folder in FOLDERS for verdict in _read(folder))


def _read(folder: str) -> Iterator[Verdict]:
    root = corpus()
    dialect = dialect_named(FOLDERS[folder])
    for path in sorted((root / folder).rglob("*.json")):
        for number, exchange in enumerate(json.loads(path.read_text())["exchanges"]):
            request, response = exchange["request"], exchange["response"]
            operation = dialect.operation(request["method"], request["url"].partition("?")[0])
            if operation not in ("complete", "count") or response["status"] not in JUDGED:
                continue
            # Recorders scrub headers; that a version header was sent is known from the answer.
            headers = {"anthropic-version": "2023-06-01", **{k.lower(): v for k, v in request["headers"].items()}}
            body, name = request.get("json"), str(path.relative_to(root))
            if body and "/model/unknown/" in request["url"]:  # a recorder that kept no URL; the answer names the model
                body = {**body, "model": f"us.anthropic.{json.loads(path.read_text())['model']}-v1:0"}
            if body is None and response["status"] == 200:
                continue
            asked = Recorded("POST", request["url"].partition("?")[0], headers, json.dumps(body).encode()).asked
            document = response.get("json") or {}
            document = document[0] if isinstance(document, list) else document
            error = document.get("error") or _named(response, document)
            body = asked if body is not None else None
            yield Verdict(name, number, dialect.name, operation, headers, body, response["status"], error)


def _named(response: dict[str, Any], document: dict[str, Any]) -> dict[str, Any]:
    """AWS names the exception in a header, with an address behind a colon; Mistral and Cohere know no envelope."""
    if document.get("object") == "error":
        return document
    if "message" in document and "id" in document:
        return {"type": document.get("error_type", ""), "message": document["message"]}
    named = {name.lower(): value for name, value in response["headers"].items()}.get("x-amzn-errortype")
    return {"type": named.partition(":")[0], "message": document.get("message")} if named else {}


@lru_cache(maxsize=1)
def exceptions() -> dict[tuple[str, int], str]:
    listed = tomllib.loads((HERE / "recordings_exceptions.toml").read_text())["exception"]
    return {(item["name"], item["exchange"]): item["reason"] for item in listed}


def judged(verdict: Verdict) -> str | None:
    """What the twin gets wrong; None when it agrees with its vendor."""
    dialect = dialect_named(verdict.dialect)
    check = dialect.validate if verdict.operation == "complete" else dialect.validate_count
    refusal: Rejection | None = check(verdict.body, verdict.headers)
    if verdict.status == 200:
        return None if refusal is None else f"refused: {refusal.message}"
    if refusal is None:
        return f"taken, though the vendor said: {verdict.error.get('message')}"
    expected: tuple[Any, ...]
    got: tuple[Any, ...]
    if verdict.dialect == "gemini":  # Google's code is the status again, and its type is called status
        expected = (verdict.status, None, verdict.error.get("status"))
    else:
        expected = (verdict.status, verdict.error.get("code"), verdict.error.get("type"))
    got = (refusal.status, refusal.code, refusal.type)
    if verdict.dialect.startswith("bedrock") and not verdict.error:  # its header was not kept
        expected, got = expected[:1], got[:1]
    return None if expected == got else f"{got} instead of {expected}"


@pytest.mark.parametrize("folder", list(FOLDERS))
def test_twins_judge_recorded_requests_as_their_vendors_did(folder: str) -> None:
    """Every recorded request is taken or refused as the vendor did, but for the listed exceptions."""
    wrong = {
        verdict.key: problem
        for verdict in verdicts()
        if verdict.name.startswith(f"{folder}/") and (problem := judged(verdict)) is not None
    }

    assert {} == {key: problem for key, problem in wrong.items() if key not in exceptions()}


def test_exceptions_are_few_and_all_needed() -> None:
    """Fewer than 3 % are excepted, and none that the twin would judge rightly."""
    by_key = {verdict.key: verdict for verdict in verdicts()}

    assert len(exceptions()) < 0.03 * len(by_key)
    assert [] == [key for key in exceptions() if judged(by_key[key]) is None]


def test_enough_was_judged() -> None:
    """The recordings are really there: no dialect is judged by a handful."""
    counted = {name: sum(verdict.dialect == name for verdict in verdicts()) for name in LEAST}

    assert [] == [name for name, least in LEAST.items() if counted[name] < least]


def test_refusals_were_judged_in_every_dialect() -> None:
    """Each dialect has recorded refusals of at least two codes or types, so that saying yes to everything fails."""
    kinds = {
        dialect: {(verdict.status, verdict.error.get("code")) for verdict in verdicts() if verdict.status != 200}
        for dialect in LEAST
        if any(verdict.dialect == dialect for verdict in verdicts())
    }

    assert [] == [dialect for dialect, seen in kinds.items() if len(seen) < 2]
