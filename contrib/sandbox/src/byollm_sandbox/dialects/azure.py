"""Azure OpenAI: the same two wires behind Azure's addresses, keys, filter reports and refusals.

Addresses: `/openai/v1/…`, and `/openai/deployments/NAME/chat/completions` with an `api-version` (asked for where the
twin has a key). A key is in `api-key` or is a token of Entra. A chat stream begins with a chunk without choices, id
and model: the report on the prompt. Facts: recorded traffic and wire notes, read 2026-11-21; the report's members are
those of the recordings.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from byollm.errors import AuthenticationError, ContentFilterError, ModelNotFoundError, ProviderError
from byollm_sandbox.answers import Answer
from byollm_sandbox.dialects import openai_common as common
from byollm_sandbox.dialects.base import Call, Rejection
from byollm_sandbox.dialects.openai_chat import OpenAIChat
from byollm_sandbox.dialects.openai_responses import OpenAIResponses
from byollm_sandbox.requests import Recorded
from byollm_sandbox.wire import Frame, Reply, dump, json_reply

SAFE: Final[Mapping[str, Any]] = {
    **{name: {"filtered": False, "severity": "safe"} for name in ("hate", "self_harm", "sexual", "violence")},
    "jailbreak": {"detected": False, "filtered": False},
}
_WRONG_KEY: Final = (
    "Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key for an"
    " active subscription and use a correct regional API endpoint for your resource."
)
_NOT_DEPLOYED: Final = (
    "The API deployment for this resource does not exist. If you created it lately, wait and try again."
)
_FILTERED: Final = "The response was filtered due to the prompt triggering Azure OpenAI's content management policy."


def refused_early(request: Recorded, expected: frozenset[str]) -> Rejection | None:
    """401 for a wrong key; 404 for a classic address without a version, which Azure does not know at all."""
    if request.key not in expected:
        return Rejection(401, _WRONG_KEY, "", None, "401")
    if "/deployments/" in request.path and not request.parameters.get("api-version"):
        return Rejection(404, "Resource not found", "", None, "404")
    return None


def in_azures_words(error: ProviderError, call: Call, param: str) -> Rejection:
    """A neutral error: OpenAI's, but for keys, deployments and the filter."""
    if isinstance(error, AuthenticationError):
        return Rejection(error.status or 401, error.message or _WRONG_KEY, "", None, error.code or "401")
    if isinstance(error, ModelNotFoundError):
        return Rejection(error.status or 404, error.message or _NOT_DEPLOYED, "", None, "DeploymentNotFound")
    if isinstance(error, ContentFilterError):
        inner = {"code": "ResponsibleAIPolicyViolation", "content_filter_result": {**SAFE, "hate": _HATE}}
        return Rejection(error.status or 400, error.message or _FILTERED, "", "prompt", "content_filter", inner)
    return common.rejection_for(error, call, param=param)


_HATE: Final = {"filtered": True, "severity": "high"}


def reply_of(rejection: Rejection, call: Call) -> Reply:
    """Azure's own refusals have a code and a message; what the model refuses stands in OpenAI's envelope."""
    if rejection.type:
        return common.reject(rejection, call)
    error: dict[str, Any] = {"code": rejection.code, "message": rejection.message}
    if rejection.code == "content_filter":
        error |= {"type": None, "param": rejection.param, "status": rejection.status, "innererror": rejection.details}
    return json_reply({"error": error}, status=rejection.status, headers=common.headers(call))


class AzureChat(OpenAIChat):
    """The dialect `azure-chat`."""

    name = "azure-chat"
    base_path = "/azure/openai"

    def operation(self, method: str, path: str) -> str | None:
        """Chat completions below `/azure/openai`; nothing counts their tokens."""
        found = super().operation(method, path) if "/azure/openai/" in path else None
        return None if found == "count" else found

    def missing_key(self, request: Recorded, expected: frozenset[str]) -> Rejection | None:
        """See `refused_early`."""
        return refused_early(request, expected)

    def document(self, answer: Answer, call: Call) -> dict[str, Any]:
        """With the reports of the filter on the prompt and on each choice."""
        made = super().document(answer, call)
        choices = [{**choice, "content_filter_results": _report(answer)} for choice in made["choices"]]
        return {**made, "choices": choices, "prompt_filter_results": [_of_prompt()]}

    def stream(self, answer: Answer, call: Call) -> list[Frame]:
        """The prompt's report comes first, in a chunk of its own."""
        empty = {"choices": [], "created": 0, "id": "", "model": "", "object": ""}
        first = Frame(dump({**empty, "prompt_filter_results": [_of_prompt()]}))
        return [first, *super().stream(answer, call)]

    def error(self, error: ProviderError, call: Call) -> Rejection:
        """See `in_azures_words`."""
        return in_azures_words(error, call, "messages")

    def reject(self, rejection: Rejection, call: Call) -> Reply:
        """See `reply_of`."""
        return reply_of(rejection, call)


class AzureResponses(OpenAIResponses):
    """The dialect `azure-responses`."""

    name = "azure-responses"
    base_path = "/azure/openai"

    def operation(self, method: str, path: str) -> str | None:
        """Responses below `/azure/openai`."""
        return super().operation(method, path) if "/azure/openai/" in path else None

    def missing_key(self, request: Recorded, expected: frozenset[str]) -> Rejection | None:
        """See `refused_early`."""
        return refused_early(request, expected)

    def error(self, error: ProviderError, call: Call) -> Rejection:
        """See `in_azures_words`."""
        return in_azures_words(error, call, "input")

    def reject(self, rejection: Rejection, call: Call) -> Reply:
        """See `reply_of`."""
        return reply_of(rejection, call)


def _of_prompt() -> dict[str, Any]:
    return {"prompt_index": 0, "content_filter_results": dict(SAFE)}


def _report(answer: Answer) -> dict[str, Any]:
    filtered = answer.finish_reason == "content_filter"
    safe = {name: SAFE[name] for name in ("hate", "self_harm", "sexual", "violence")}
    return {**safe, "hate": _HATE} if filtered else safe
