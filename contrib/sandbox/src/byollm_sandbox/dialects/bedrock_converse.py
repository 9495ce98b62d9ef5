"""Bedrock's Converse and ConverseStream: the twin's face."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from byollm.errors import (
    AuthenticationError,
    ContentFilterError,
    ContextLengthError,
    InvalidRequestError,
    ModelNotFoundError,
    OverloadedError,
    PermissionDeniedError,
    ProviderError,
    ProviderTimeoutError,
    QuotaExhaustedError,
    RateLimitError,
    RequestTooLargeError,
    ServerError,
)
from byollm_sandbox.answers import Answer
from byollm_sandbox.aws_signature import key_id, rightly_signed
from byollm_sandbox.dialects import bedrock_render as render
from byollm_sandbox.dialects.base import Call, Prompt, Rejection, ToolOffer, identifier, worded
from byollm_sandbox.dialects.bedrock_rules import validate, validate_count
from byollm_sandbox.requests import Recorded
from byollm_sandbox.wire import Frame, Reply, dump, json_reply

ERRORS: Final[tuple[tuple[type[ProviderError], int, str, str], ...]] = (
    # The first that fits wins: children stand before their parents.
    (AuthenticationError, 403, "UnrecognizedClientException",
     "The security token included in the request is invalid."),
    (PermissionDeniedError, 403, "AccessDeniedException", "You don't have access to the model with that ID."),
    (ModelNotFoundError, 400, "ValidationException", "The provided model identifier is invalid."),
    (ContextLengthError, 400, "ValidationException", "Input is too long for requested model."),
    (RequestTooLargeError, 413, "RequestEntityTooLargeException", "The request is too large."),
    (ContentFilterError, 400, "ValidationException", "The request was blocked by content filtering policy."),
    (InvalidRequestError, 400, "ValidationException", "Malformed input request, please reformat your input."),
    (QuotaExhaustedError, 400, "ServiceQuotaExceededException", "Your request exceeds the service quota."),
    (RateLimitError, 429, "ThrottlingException", "Too many requests, please wait before trying again."),
    (OverloadedError, 503, "ServiceUnavailableException", "Bedrock is unable to process your request."),
    (ProviderTimeoutError, 408, "ModelTimeoutException", "Model has timed out in processing the request. Try again."),
    (ServerError, 500, "InternalServerException", "The system encountered an unexpected error during processing."),
    (ProviderError, 500, "InternalServerException", "The system encountered an unexpected error during processing."),
)  # fmt: skip
_MARKERS: Final = {
    ModelNotFoundError: "The provided model identifier is invalid",
    ContextLengthError: "Input is too long for requested model",
    ContentFilterError: "blocked by content filtering policy",
}
"""Errors that Bedrock tells apart by their sentence only, and how it begins."""
_STREAMED: Final = {
    "ValidationException", "ThrottlingException", "InternalServerException", "ServiceUnavailableException",
    "ModelStreamErrorException", "ModelTimeoutException",
}  # fmt: skip
"""What may come inside a stream (botocore 1.44.5, read 2026-11-21)."""


class BedrockConverse:
    """The dialect `bedrock-converse`. The model stands in the path; the server puts it into the body under `model`."""

    name = "bedrock-converse"
    base_path = "/bedrock"
    binary = True

    def operation(self, method: str, path: str) -> str | None:
        """Conversing and counting, below any base."""
        if method != "POST" or "/model/" not in path:
            return None
        verb = path.rpartition("/")[2]
        return {"converse": "complete", "converse-stream": "complete", "count-tokens": "count"}.get(verb)

    def missing_key(self, request: Recorded, expected: frozenset[str]) -> Rejection | None:
        """403. A bearer key is one of the expected; a signature is checked with an expected `id:secret`."""
        return refused_key(request, expected)

    def validate(self, body: Any, headers: Mapping[str, str], *, compatible: bool = False) -> Rejection | None:
        """What Bedrock refuses."""
        return validate(body)

    def validate_count(self, body: Any, headers: Mapping[str, str]) -> Rejection | None:
        """What CountTokens refuses."""
        return validate_count(body)

    def prompt(self, body: Mapping[str, Any]) -> Prompt:
        """A request as the stand-in model reads it."""
        return read_prompt(body)

    def document(self, answer: Answer, call: Call) -> dict[str, Any]:
        """The whole answer."""
        return render.document(answer, call)

    def stream(self, answer: Answer, call: Call) -> list[Frame]:
        """`messageStart` to `metadata`."""
        return render.stream(answer, call)

    def reject(self, rejection: Rejection, call: Call) -> Reply:
        """The exception's name in a header, its words in the body."""
        return rejected(rejection, self.headers(call))

    def error(self, error: ProviderError, call: Call) -> Rejection:
        """A neutral error in AWS's terms; its own message, status and code win over the usual ones."""
        return as_rejection(error)

    def error_frames(self, error: ProviderError, call: Call, *, sent: int = 2) -> list[Frame]:
        """An exception frame; the HTTP status is 200 by then."""
        return exception_frames(error)

    def ping(self) -> Frame | None:
        """There is none."""
        return None

    def headers(self, call: Call) -> list[tuple[str, str]]:
        """The request's id; no limits are told."""
        return [("x-amzn-requestid", identifier("", call.number, 36))]

    def count(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Tokens by the twins' rule."""
        asked = body.get("input") or {}
        return {"inputTokens": render.used_tokens(asked.get("converse") or asked)}

    def models(self, names: Sequence[str]) -> dict[str, Any]:
        """The control plane's list, which says nothing of limits."""
        return {"modelSummaries": [self.model(name) for name in names]}

    def model(self, name: str) -> dict[str, Any]:
        """One model."""
        return {"modelId": name, "providerName": name.partition(".")[0], "responseStreamingSupported": True}


def refused_key(request: Recorded, expected: frozenset[str]) -> Rejection | None:
    """AWS's refusal of a request that nobody known signed."""
    name, text = "UnrecognizedClientException", "The security token included in the request is invalid."
    signer = key_id(request)
    if signer is not None:
        pair = next((key for key in expected if key.startswith(f"{signer}:")), None)
        if pair is None:
            return Rejection(403, text, name)
        if rightly_signed(request, pair.partition(":")[2]):
            return None
        words = "The request signature we calculated does not match the signature you provided."
        return Rejection(403, words, "InvalidSignatureException")
    if request.key in expected:
        return None
    return Rejection(403, text if request.key else "Missing Authentication Token", name)


def rejected(rejection: Rejection, headers: list[tuple[str, str]]) -> Reply:
    """A refusal as AWS sends it."""
    named = ("x-amzn-errortype", f"{rejection.type}:http://internal.amazon.com/coral/com.amazon.bedrock/")
    seconds = getattr(rejection.details.get("error"), "retry_after", None)
    extra = [("retry-after", str(int(-(-seconds // 1))))] if seconds is not None else []
    return json_reply({"message": rejection.message}, status=rejection.status, headers=[named, *headers, *extra])


def as_rejection(error: ProviderError) -> Rejection:
    """A neutral error in AWS's terms."""
    for kind, status, name, message in ERRORS:
        if isinstance(error, kind):
            return Rejection(
                error.status or status,
                worded(error, message, _MARKERS),
                error.code or name,
                None,
                None,
                {"error": error},
            )
    raise AssertionError("ProviderError is the last row")


def exception_frames(error: ProviderError) -> list[Frame]:
    """The error as a frame of a running stream: a validation exception where the stream has no name for it."""
    rejection = as_rejection(error)
    name = rejection.type if rejection.type in _STREAMED else "ValidationException"
    return [Frame(dump({"message": rejection.message}), event=name[:1].lower() + name[1:])]


def read_prompt(body: Mapping[str, Any]) -> Prompt:
    """A Converse request as the stand-in model reads it."""
    said: list[str] = []
    results: list[str] = []
    for message in body.get("messages") or []:
        if message.get("role") != "user":
            continue
        content = message.get("content") or []
        said += [block["text"] for block in content if "text" in block]
        results = [_result(block["toolResult"]) for block in content if "toolResult" in block]
    config = body.get("toolConfig") or {}
    choice = config.get("toolChoice") or {}
    fields = body.get("additionalModelRequestFields") or {}
    own = (fields.get("tool_choice") or {}) if isinstance(fields, dict) else {}
    named = (choice.get("tool") or {}).get("name") or own.get("name")
    words = {"any": "required", "none": "none", "tool": str(named)}
    picked = named or words.get(str(own.get("type")), "required" if "any" in choice else "auto")
    inference = body.get("inferenceConfig") or {}
    schema = _schema(body)
    return Prompt(
        system="\n".join(block.get("text", "") for block in body.get("system") or ()),
        text="\n".join(said),
        tools=[
            ToolOffer(tool["toolSpec"]["name"], tool["toolSpec"]["inputSchema"].get("json") or {})
            for tool in config.get("tools") or ()
            if "toolSpec" in tool
        ],
        choice=picked,
        schema=schema,
        json=schema is not None,
        results=results,
        max_tokens=inference.get("maxTokens"),
        stop=tuple(inference.get("stopSequences") or ()),
        parallel=own.get("disable_parallel_tool_use") is not True,
    )


def _result(result: Mapping[str, Any]) -> str:
    pieces = result.get("content") or []
    return "\n".join(piece["text"] if "text" in piece else dump(piece.get("json")) for piece in pieces)


def _schema(body: Mapping[str, Any]) -> Mapping[str, Any] | None:
    import json

    structure = ((body.get("outputConfig") or {}).get("textFormat") or {}).get("structure") or {}
    text = (structure.get("jsonSchema") or {}).get("schema")
    try:
        found = json.loads(text) if isinstance(text, str) else None
    except ValueError:
        found = None
    return found if isinstance(found, dict) else None
