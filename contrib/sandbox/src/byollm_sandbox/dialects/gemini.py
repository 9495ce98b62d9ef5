"""Gemini's generateContent, of AI Studio and of Vertex: the twin's face."""

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
from byollm_sandbox.dialects import gemini_models as models
from byollm_sandbox.dialects import gemini_render as render
from byollm_sandbox.dialects.base import Call, Prompt, Rejection, ToolOffer, worded
from byollm_sandbox.dialects.gemini_rules import missing_model, used_tokens, validate, validate_count
from byollm_sandbox.dialects.gemini_shape import COUNT, REQUEST, MisfitError, read
from byollm_sandbox.requests import Recorded
from byollm_sandbox.wire import Frame, Reply, dump, json_reply

_ERRORS: Final[tuple[tuple[type[ProviderError], int, str, str], ...]] = (
    # The first that fits wins: children stand before their parents.
    (AuthenticationError, 400, "INVALID_ARGUMENT", "API key not valid. Please pass a valid API key."),
    (PermissionDeniedError, 403, "PERMISSION_DENIED", "The caller does not have permission"),
    (ModelNotFoundError, 404, "NOT_FOUND", "models/{model} is not found for API version v1beta, or is not supported."),
    (ContextLengthError, 400, "INVALID_ARGUMENT",
     "The input token count (1048577) exceeds the maximum number of tokens allowed (1048576)."),
    (RequestTooLargeError, 400, "INVALID_ARGUMENT", "Request payload size exceeds the limit: 20971520 bytes."),
    (ContentFilterError, 400, "INVALID_ARGUMENT", "Output blocked by content filtering policy"),
    (InvalidRequestError, 400, "INVALID_ARGUMENT", "Request contains an invalid argument."),
    (QuotaExhaustedError, 429, "RESOURCE_EXHAUSTED", "You exceeded your current quota, please check your plan."),
    (RateLimitError, 429, "RESOURCE_EXHAUSTED", "Resource has been exhausted (e.g. check quota)."),
    (OverloadedError, 503, "UNAVAILABLE", "The model is overloaded. Please try again later."),
    (ProviderTimeoutError, 504, "DEADLINE_EXCEEDED", "Deadline expired before operation could complete."),
    (ServerError, 500, "INTERNAL", "An internal error has occurred. Please retry."),
    (ProviderError, 500, "INTERNAL", "An internal error has occurred. Please retry."),
)  # fmt: skip
_MARKERS: Final = {
    ContextLengthError: "The input token count exceeds the maximum number of tokens allowed",
    RequestTooLargeError: "Request payload size exceeds the limit",
    ContentFilterError: "Output blocked by content filtering policy",
}
"""Errors that Google tells apart by their sentence only, and how it begins."""
_VERBS: Final = {":generateContent": "complete", ":streamGenerateContent": "complete", ":countTokens": "count"}
_TYPE: Final = "type.googleapis.com/google.rpc."


class Gemini:
    """The dialect `gemini`. The model stands in the path; the server puts it into the body under `model`."""

    name = "gemini"
    base_path = "/gemini"

    def operation(self, method: str, path: str) -> str | None:
        """Generating, counting and the models, below any base."""
        for ending, operation in _VERBS.items():
            if path.endswith(ending):
                return operation if method == "POST" else None
        if method != "GET" or "/gemini" not in path:
            return None
        if path.removesuffix("/").endswith("/models"):
            return "models"
        return "model" if "/models/" in path else None

    def missing_key(self, request: Recorded, expected: frozenset[str]) -> Rejection | None:
        """403 without any key, 400 with a wrong one; it comes as `x-goog-api-key`, a bearer token or in the URL."""
        key = request.key or request.parameters.get("key")
        if key in expected:
            return None
        if key is None:
            text = "Method doesn't allow unregistered callers (callers without established identity)."
            return Rejection(403, text, "PERMISSION_DENIED")
        if request.headers.get("authorization"):
            return Rejection(401, "Request had invalid authentication credentials.", "UNAUTHENTICATED")
        return Rejection(400, "API key not valid. Please pass a valid API key.", "INVALID_ARGUMENT", None, _INVALID)

    def validate(self, body: Any, headers: Mapping[str, str], *, compatible: bool = False) -> Rejection | None:
        """What Google refuses."""
        return validate(body, headers)

    def validate_count(self, body: Any, headers: Mapping[str, str]) -> Rejection | None:
        """What the counting endpoint refuses."""
        return validate_count(body, headers)

    def prompt(self, body: Mapping[str, Any]) -> Prompt:
        """A request as the stand-in model reads it."""
        return read_prompt(body)

    def document(self, answer: Answer, call: Call) -> dict[str, Any]:
        """A GenerateContentResponse."""
        return render.document(answer, call)

    def stream(self, answer: Answer, call: Call) -> list[Frame]:
        """The same in chunks, as `alt=sse` sends them."""
        return render.stream(answer, call)

    def reject(self, rejection: Rejection, call: Call) -> Reply:
        """The envelope of google.rpc."""
        return json_reply(error_document(rejection), status=rejection.status, headers=self.headers(call))

    def error(self, error: ProviderError, call: Call) -> Rejection:
        """A neutral error in Google's terms; its own message, status and code win over the usual ones."""
        for kind, status, word, message in _ERRORS:
            if isinstance(error, kind):
                name = models.bare(str(call.body.get("model", "unknown")))
                text = worded(error, message.format(model=name), _MARKERS)
                code = error.code or (_INVALID if isinstance(error, AuthenticationError) else None)
                return Rejection(error.status or status, text, word, None, code, {"error": error})
        raise AssertionError("ProviderError is the last row")

    def error_frames(self, error: ProviderError, call: Call, *, sent: int = 2) -> list[Frame]:
        """A chunk that holds the error; the HTTP status is 200 by then."""
        return [Frame(dump(error_document(self.error(error, call))))]

    def ping(self) -> Frame | None:
        """There is none but comments."""
        return None

    def headers(self, call: Call) -> list[tuple[str, str]]:
        """No request id and no limits: this vendor tells neither."""
        return [("server-timing", "gfet4t7; dur=100"), ("x-frame-options", "SAMEORIGIN")]

    def count(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """Tokens by the twins' rule."""
        total = used_tokens(body)
        return {"totalTokens": total, "promptTokensDetails": [{"modality": "TEXT", "tokenCount": total}]}

    def models(self, names: Sequence[str]) -> dict[str, Any]:
        """One page of models."""
        return {"models": [self.model(name) for name in names]}

    def model(self, name: str) -> dict[str, Any]:
        """One model, with its window."""
        family = models.family_of(name)
        return {
            "name": f"models/{models.bare(name)}",
            "version": "001",
            "displayName": models.bare(name).replace("-", " ").title(),
            "inputTokenLimit": family.window,
            "outputTokenLimit": family.output,
            "supportedGenerationMethods": ["generateContent", "countTokens"],
            "temperature": 1,
            "topP": 0.95,
            "topK": 64,
            "maxTemperature": 2,
            **({"thinking": True} if family.levels or family.budget else {}),
        }


_INVALID: Final = "API_KEY_INVALID"


def error_document(rejection: Rejection) -> dict[str, Any]:
    """The envelope; reasons, waits and quotas stand in `details`."""
    details: list[dict[str, Any]] = []
    if rejection.code:
        details.append({"@type": f"{_TYPE}ErrorInfo", "reason": rejection.code, "domain": "googleapis.com"})
    error = rejection.details.get("error")
    if isinstance(error, QuotaExhaustedError):
        quota = {"quotaId": "GenerateRequestsPerDayPerProjectPerModel"}
        details.append({"@type": f"{_TYPE}QuotaFailure", "violations": [quota]})
    seconds = getattr(error, "retry_after", None)
    if seconds is not None:
        details.append({"@type": f"{_TYPE}RetryInfo", "retryDelay": f"{seconds:g}s"})
    document: dict[str, Any] = {
        "code": rejection.status,
        "message": rejection.message,
        "status": rejection.type,
    }
    return {"error": {**document, "details": details} if details else document}


def read_prompt(body: Mapping[str, Any]) -> Prompt:
    """A request as the stand-in model reads it."""
    try:
        asked = read(body, REQUEST if "generateContentRequest" not in body else COUNT)
    except MisfitError:
        asked = dict(body)
    said: list[str] = []
    results: list[str] = []
    for content in asked.get("contents") or []:
        if content.get("role") == "model":
            continue
        parts = content.get("parts") or []
        said += [part["text"] for part in parts if part.get("text")]
        results = [dump(part["functionResponse"].get("response")) for part in parts if "functionResponse" in part]
    config = asked.get("generationConfig") or {}
    functions = [item for tool in asked.get("tools") or [] for item in tool.get("functionDeclarations") or ()]
    calling = (asked.get("toolConfig") or {}).get("functionCallingConfig") or {}
    allowed = calling.get("allowedFunctionNames") or [None]
    choice = {"ANY": allowed[0] or "required", "NONE": "none"}.get(str(calling.get("mode")), "auto")
    schema = config.get("responseJsonSchema") or config.get("responseSchema")
    return Prompt(
        system="\n".join(part.get("text", "") for part in (asked.get("systemInstruction") or {}).get("parts") or ()),
        text="\n".join(said),
        tools=[
            ToolOffer(item["name"], item.get("parametersJsonSchema") or item.get("parameters") or {})
            for item in functions
        ],
        choice=choice,
        schema=schema if isinstance(schema, dict) else None,
        json=config.get("responseMimeType") == "application/json",
        results=results,
        max_tokens=config.get("maxOutputTokens"),
        stop=tuple(config.get("stopSequences") or ()),
    )


__all__ = ["Gemini", "error_document", "missing_model", "read_prompt"]
