"""The lines of OpenAI's batch files: what is asked in the input, what stands in output and errors.

Codes `invalid_json_line`, `duplicate_custom_id`, `url_mismatch`, `model_mismatch`, `empty_file` and `too_many_tasks` as
quoted in stdapi-ai/stdapi.ai#240 (2026), the others are the twin's own; lines as in openai/openai-openapi#302 and in
OpenAI's guide to batches. Read 2026-11-22. A request that was refused or broke stands among the errors with its status
and body and `error: null`; one that was never worked on has no response, but an error with a code.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from byollm_sandbox.batches.store import Batch, BatchItem
from byollm_sandbox.dialects.base import identifier
from byollm_sandbox.wire import dump

MOST_REQUESTS: Final = 50_000
ENDPOINTS: Final = {"/v1/chat/completions": "openai-chat", "/v1/responses": "openai-responses"}
"""Endpoints a batch may be for, of those the twins speak, and their dialects."""
_NEVER_RUN: Final = {
    "expired": ("batch_expired", "This request could not be executed before the completion window expired."),
    "canceled": ("batch_cancelled", "This request was not executed because the batch was cancelled."),
}

Problem = dict[str, Any]


def read_input(content: bytes, endpoint: str, most: int = MOST_REQUESTS) -> tuple[list[BatchItem], list[Problem]]:
    """The requests of an input file, and what is wrong with its lines (numbered from 1)."""
    items: list[BatchItem] = []
    problems: list[Problem] = []
    seen: set[str] = set()
    for number, raw in enumerate(content.split(b"\n"), 1):
        if not raw.strip():
            continue
        line, problem = _read_line(raw, number, endpoint)
        if line is not None and problem is None and line["custom_id"] in seen:
            text = f"The custom_id for this request is a duplicate of another request: {line['custom_id']}."
            problem = _problem("duplicate_custom_id", text, number, "custom_id")
        if line is None or problem is not None:
            problems.append(problem or {})
            continue
        seen.add(line["custom_id"])
        items.append(BatchItem(line["custom_id"], line["body"]))
    return items, [*problems, *_of_the_whole(items, problems, most)]


def _of_the_whole(items: list[BatchItem], problems: list[Problem], most: int) -> Iterator[Problem]:
    if not items and not problems:
        yield _problem("empty_file", "The batch input file has no requests.", None, None)
    if len(items) > most:
        text = f"The batch input file has {len(items)} requests: the most is {most}."
        yield _problem("too_many_tasks", text, None, None)
    models = {str(item.body["model"]) for item in items}
    if len(models) > 1:
        text = f"All requests of a batch have to be for one model: there are {', '.join(sorted(models))}."
        yield _problem("model_mismatch", text, None, "body.model")


def _problem(code: str, message: str, line: int | None, param: str | None) -> Problem:
    return {"code": code, "message": message, "param": param, "line": line}


def _read_line(raw: bytes, number: int, endpoint: str) -> tuple[dict[str, Any] | None, Problem | None]:
    try:
        line = json.loads(raw)
    except ValueError:
        return None, _problem("invalid_json_line", "This line is not parseable as valid JSON.", number, None)
    if not isinstance(line, dict):
        return None, _problem("invalid_json_line", "This line is no JSON object.", number, None)
    return line, next(_line_problems(line, number, endpoint), None)


def _line_problems(line: Mapping[str, Any], number: int, endpoint: str) -> Iterator[Problem]:
    for name in ("custom_id", "method", "url", "body"):
        if name not in line:
            yield _problem("missing_required_parameter", f"Missing required parameter: '{name}'.", number, name)
    for name in line:
        if name not in ("custom_id", "method", "url", "body"):
            yield _problem("unknown_parameter", f"Unknown parameter: '{name}'.", number, name)
    if not isinstance(line["custom_id"], str) or not 1 <= len(line["custom_id"]) <= 64:
        yield _problem("invalid_value", "Invalid 'custom_id': expected 1 to 64 characters.", number, "custom_id")
    if line["method"] != "POST":
        yield _problem("invalid_method", "Invalid 'method': only POST is supported.", number, "method")
    if line["url"] != endpoint:
        text = f"The URL provided for this request ('{line['url']}') does not match the batch endpoint ('{endpoint}')."
        yield _problem("url_mismatch", text, number, "url")
    if not isinstance(line["body"], dict):
        yield _problem("invalid_type", "Invalid type for 'body': expected an object.", number, "body")
    elif not isinstance(line["body"].get("model"), str):
        yield _problem("missing_required_parameter", "Missing required parameter: 'model'.", number, "body.model")
    elif line["body"].get("stream"):
        text = "Streaming is not supported in a batch."
        yield _problem("unsupported_parameter", text, number, "body.stream")


def output_lines(batch: Batch) -> tuple[bytes, bytes]:
    """The output file and the error file, in the order in which the batch tells its results; empty for none."""
    good = [_line(batch, *each) for each in batch.in_order if each[1].outcome == "succeeded"]
    bad = [_line(batch, *each) for each in batch.in_order if each[1].outcome not in ("succeeded", None)]
    return "".join(good).encode(), "".join(bad).encode()


def _line(batch: Batch, place: int, item: BatchItem) -> str:
    number = batch.number * 1_000_000 + place
    response = error = None
    if item.outcome in _NEVER_RUN:
        code, message = _NEVER_RUN[item.outcome]
        error = {"code": code, "message": message}
    else:
        request_id = identifier("", number, 32)
        response = {"status_code": item.status, "request_id": request_id, "body": item.document}
    line = {"id": identifier("batch_req_", number, 32), "custom_id": item.custom_id}
    return dump({**line, "response": response, "error": error}) + "\n"


def usage_of(batch: Batch) -> dict[str, Any]:
    """Tokens of all requests that were answered, in the words of Responses."""
    total = {"input": 0, "cached": 0, "output": 0, "reasoning": 0}
    for item in batch.items:
        usage = item.document.get("usage") if item.outcome == "succeeded" and isinstance(item.document, dict) else None
        if not usage:
            continue
        word_in, word_out = ("prompt", "completion") if "prompt_tokens" in usage else ("input", "output")
        total["input"] += usage[f"{word_in}_tokens"]
        total["output"] += usage[f"{word_out}_tokens"]
        total["cached"] += (usage.get(f"{word_in}_tokens_details") or {}).get("cached_tokens", 0)
        total["reasoning"] += (usage.get(f"{word_out}_tokens_details") or {}).get("reasoning_tokens", 0)
    return {
        "input_tokens": total["input"],
        "input_tokens_details": {"cached_tokens": total["cached"]},
        "output_tokens": total["output"],
        "output_tokens_details": {"reasoning_tokens": total["reasoning"]},
        "total_tokens": total["input"] + total["output"],
    }
