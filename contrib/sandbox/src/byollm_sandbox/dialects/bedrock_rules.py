"""What Bedrock's Converse refuses: as recorded, and as the wire notes tell (2026-11-21)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from byollm_sandbox.dialects import bedrock_models as models
from byollm_sandbox.dialects.anthropic_schema import schema_problems
from byollm_sandbox.dialects.base import Rejection
from byollm_sandbox.dialects.bedrock_shape import COUNT, REQUEST, problem

Problems = Iterator[Rejection]
_TITLE: Final = re.compile(r"[a-zA-Z0-9_()\[\]-]+(?: [a-zA-Z0-9_()\[\]-]+)*")
"""The documented letters, and the underscore, which recorded requests have and AWS took."""
_METADATA: Final = re.compile(r"[a-zA-Z0-9\s:_@$#=/+,.-]{0,256}")
_ERRORS: Final = "The model returned the following errors: "


def refuse(message: str, status: int = 400, name: str = "ValidationException") -> Rejection:
    """A refusal in AWS's terms: `type` is the exception's name."""
    return Rejection(status, message, name)


def validate(body: Any) -> Rejection | None:
    """The refusal of a Converse request. `model`, which stands in the path, is put into the body by the server."""
    return next(_request(body), None)


def validate_count(body: Any) -> Rejection | None:
    """The refusal of a counting request."""
    return next(_count(body), None)


def missing_model(name: Any) -> Problems:
    """Ids of no model, and ids that only inference profiles serve."""
    if not isinstance(name, str) or not models.exists(name):
        yield refuse("The provided model identifier is invalid.")
    elif models.wants_profile(name):
        yield refuse(
            f"Invocation of model ID {name} with on-demand throughput isn\N{RIGHT SINGLE QUOTATION MARK}t supported. "
            "Retry your request with the ID or ARN of an inference profile that contains this model."
        )


def _request(body: Any) -> Problems:
    if not isinstance(body, dict):
        yield refuse("The request body is no JSON object.")
        return
    yield from missing_model(body.get("model"))
    asked = {name: value for name, value in body.items() if name != "model"}
    found = problem(asked, REQUEST)
    if found is not None:
        yield refuse(f"{_ERRORS}Malformed input request: {found}")
        return
    yield from _inner(asked, str(body.get("model")))


def _count(body: Any) -> Problems:
    if not isinstance(body, dict):
        yield refuse("The request body is no JSON object.")
        return
    name = str(body.get("model"))
    if not models.exists(name):
        yield refuse("The provided model identifier is invalid.")
        return
    if not models.family_of(name).counts or name != models.base(name):
        yield refuse("The provided model doesn't support counting tokens.")
        return
    found = problem({key: value for key, value in body.items() if key != "model"}, COUNT)
    if found is not None:
        yield refuse(found)
        return
    asked = body["input"]
    if len(asked) != 1:
        yield refuse("input: exactly one of converse, invokeModel must be there")
    if asked.get("converse"):
        yield from _inner(asked["converse"], name)


def _inner(asked: Mapping[str, Any], name: str) -> Problems:
    family = models.family_of(name)
    yield from _inference(asked.get("inferenceConfig") or {}, name)
    yield from _system(asked.get("system") or [], family)
    yield from _messages(asked.get("messages") or [], name)
    yield from _tools(asked, family, name)
    yield from _fields(asked, family, name)
    yield from _rest(asked, family, name)


def _inference(config: Mapping[str, Any], name: str) -> Problems:
    family, claude = models.family_of(name), models.claude_of(name)
    most = claude.output if claude is not None else family.output
    limit = config.get("maxTokens")
    if limit is not None and limit < 1:
        yield refuse(f"Value '{limit}' at 'inferenceConfig.maxTokens' failed to satisfy constraint: at least 1")
    elif limit is not None and limit > most:
        yield refuse(f"The maximum tokens you requested exceeds the model limit of {most}. Try again with less.")
    for field in ("temperature", "topP"):
        value = config.get(field)
        if value is not None and not 0 <= value <= 1:
            yield refuse(f"Value '{value}' at 'inferenceConfig.{field}' failed to satisfy constraint: 0 to 1")
        if value is not None and not family.sampling:
            yield refuse(f"This model doesn't support the {field} field. Remove {field} and try again.")
        if value is not None and claude is not None and claude.sampling == "rejected" and value != 1:
            yield refuse(f"{_ERRORS}`{'top_p' if field == 'topP' else field}` is deprecated for this model.")
    if claude is not None and claude.sampling == "either" and {"temperature", "topP"} <= config.keys():
        yield refuse(f"{_ERRORS}`temperature` and `top_p` cannot both be specified for this model.")
    stops = config.get("stopSequences") or []
    if stops and not family.stop:
        yield refuse("This model doesn't support the stopSequences field. Remove stopSequences and try again.")
    if len(stops) > 2_500 or any(not word for word in stops):
        yield refuse("stopSequences: at most 2500, each of at least one character")
    if claude is not None and any(not word.strip() for word in stops):
        yield refuse(f"{_ERRORS}stop_sequences: each stop sequence must contain non-whitespace")


def _system(system: list[dict[str, Any]], family: models.Family) -> Problems:
    if system and not family.system:
        yield refuse("This model doesn't support system messages. Try again without a system message.")
    for at, block in enumerate(system):
        if "text" in block and not block["text"].strip():
            yield refuse(f"The text field in the SystemContentBlock object at system.{at} is blank. Add text to it.")


def _messages(messages: list[dict[str, Any]], name: str) -> Problems:
    family, claude = models.family_of(name), models.claude_of(name)
    if not messages:
        yield refuse("A conversation must start with a user message. Try again with a conversation that does.")
        return
    if messages[0]["role"] != "user" and not family.first:
        yield refuse("A conversation must start with a user message. Try again with a conversation that does.")
    for at, message in enumerate(messages):
        yield from _content(message, at, family)
    yield from _pairs(messages)
    last = messages[-1]
    if last["role"] == "assistant" and claude is not None and not claude.prefill:
        text = "This model does not support assistant message prefill. The conversation must end with a user message."
        yield refuse(f"{_ERRORS}{text}")


def _content(message: Mapping[str, Any], at: int, family: models.Family) -> Problems:
    content, role = message["content"], message["role"]
    if not content:
        yield refuse(f"The content field in the Message object at messages.{at} is empty. Add a ContentBlock object.")
    kinds = [next(iter(block), "") for block in content]
    for place, block in enumerate(content):
        where = f"messages.{at}.content.{place}"
        if len(block) != 1:
            yield refuse(f"{where}: exactly one member of a ContentBlock must be there")
        elif "text" in block and not block["text"].strip():
            yield refuse(f"The text field in the ContentBlock object at {where} is blank. Add text to the text field.")
        yield from _block(block, where, role, family)
    results = "toolResult" in kinds
    if results and family.alone and set(kinds) - {"toolResult", "cachePoint"}:
        yield refuse(f"{_ERRORS}Conversation blocks and tool result blocks cannot be provided in the same turn.")
    if results and family.counts and {"document", "video"} & set(kinds):
        yield refuse(f"{_ERRORS}messages.{at}: a document cannot stand beside a tool result")
    if "document" in kinds and "text" not in kinds:
        yield refuse(f"A text block must be included in the conversation when you use documents (messages.{at}).")
    if kinds.count("document") > 5 or kinds.count("image") > 20:
        yield refuse(f"messages.{at}: at most 5 documents and 20 images are taken")


def _block(block: Mapping[str, Any], where: str, role: str, family: models.Family) -> Problems:
    kind = next(iter(block), "")
    refused = {"image": not family.images, "document": not family.documents, "cachePoint": not family.cache}
    if kind == "cachePoint" and not family.cache:
        yield refuse("You invoked an unsupported model or your request did not allow prompt caching.", 403, _DENIED)
    elif refused.get(kind):
        yield refuse(
            f"This model doesn't support the {kind} content block that you provided. Update the content block."
        )
    if kind in ("image", "document", "video", "toolResult") and role == "assistant":
        yield refuse(f"{where}: an assistant's turn cannot hold a block of type {kind}")
    if kind == "toolUse" and role == "user":
        yield refuse(f"{where}: a user's turn cannot hold a block of type toolUse")
    if kind in ("toolUse", "toolResult"):
        inner = block[kind]
        if family.short_ids and not re.fullmatch(r"[a-zA-Z0-9]{9}", inner["toolUseId"]):
            yield refuse(
                f"{_ERRORS}Tool call id was {inner['toolUseId']} but must be a-z, A-Z, 0-9, with a length of 9."
            )
        if kind == "toolUse" and not isinstance(inner["input"], dict):
            yield refuse(f"{where}.toolUse.input: an object was expected")
        if inner.get("status") and not family.status:
            yield refuse("This model doesn't support the status field. Remove status and try again.")
    if kind == "document" and not (len(block[kind]["name"]) <= 200 and _TITLE.fullmatch(block[kind]["name"])):
        yield refuse(
            "The document name is invalid. The name can only contain alphanumeric characters, single whitespace "
            "characters, hyphens, parentheses, and square brackets."
        )
    if (
        kind == "reasoningContent"
        and "reasoningText" in block[kind]
        and not block[kind]["reasoningText"].get("signature")
    ):
        yield refuse(f"{_ERRORS}{where}.thinking.signature: Field required")


_DENIED: Final = "AccessDeniedException"


def _pairs(messages: list[dict[str, Any]]) -> Problems:
    waiting: list[str] = []
    for at, message in enumerate(messages):
        answered = [block["toolResult"]["toolUseId"] for block in message["content"] if "toolResult" in block]
        if waiting and message["role"] == "user" and sorted(answered) != sorted(waiting):
            ids = ", ".join(waiting)
            yield refuse(f"Expected toolResult blocks at messages.{at}.content for the following Ids: {ids}")
        elif answered and not waiting:
            yield refuse(f"The number of toolResult blocks at messages.{at}.content exceeds that of the previous turn.")
        if message["role"] == "assistant":
            called = [block["toolUse"] for block in message["content"] if "toolUse" in block]
            waiting = [call["toolUseId"] for call in called if call.get("type") != "server_tool_use"]
            if len(set(waiting)) != len(waiting):
                yield refuse(f"messages.{at}: toolUse ids must be unique")
        else:
            waiting = []
    if waiting:
        yield refuse(f"Expected toolResult blocks after messages.{len(messages) - 1} for: {', '.join(waiting)}")


def _tools(asked: Mapping[str, Any], family: models.Family, name: str) -> Problems:
    config = asked.get("toolConfig")
    kinds = {next(iter(block), "") for message in asked.get("messages") or [] for block in message["content"]}
    if config is None:
        if kinds & {"toolUse", "toolResult"}:
            yield refuse("The toolConfig field must be defined when using toolUse and toolResult content blocks.")
        return
    if not family.tools:
        yield refuse("This model doesn't support tool use.")
    specs = [tool["toolSpec"] for tool in config["tools"] if "toolSpec" in tool]
    if not config["tools"]:
        yield refuse("toolConfig.tools: at least one tool must be there")
    names = [spec["name"] for spec in specs]
    if len(set(names)) != len(names):
        yield refuse(f"{_ERRORS}tools: Tool names must be unique.")
    for spec in specs:
        schema = spec["inputSchema"].get("json")
        if not isinstance(schema, dict) or schema.get("type") != "object" or schema.get("properties", {}) is None:
            kind = f"toolConfig.tools.{spec['name']}.inputSchema.json"
            yield refuse(f"The value at {kind}.type must be one of the following: object.")
        elif spec.get("strict"):
            for text in schema_problems(schema):
                yield refuse(f"{_ERRORS}tools.{spec['name']}: {text}")
        if spec.get("description") == "":
            yield refuse("toolSpec.description: at least one character")
    yield from _choice(asked, config, names, name)


def _choice(asked: Mapping[str, Any], config: Mapping[str, Any], names: list[str], model: str) -> Problems:
    choice = config.get("toolChoice")
    own = (asked.get("additionalModelRequestFields") or {}).get("tool_choice")
    if choice is None:
        return
    if len(choice) != 1:
        yield refuse("toolConfig.toolChoice: exactly one of auto, any, tool must be there")
    if own is not None:
        yield refuse(f"{_ERRORS}tool_choice: it stands twice")
    claude = models.claude_of(model)
    thinking = (asked.get("additionalModelRequestFields") or {}).get("thinking") or {}
    if claude is not None and "auto" not in choice and (not claude.forced or thinking.get("type") == "enabled"):
        yield refuse(f"{_ERRORS}Thinking may not be enabled when tool_choice forces tool use.")
    if "tool" in choice and choice["tool"]["name"] not in names:
        yield refuse(f"{_ERRORS}Tool {choice['tool']['name']!r} not found in provided tools")


def _fields(asked: Mapping[str, Any], family: models.Family, name: str) -> Problems:
    fields = asked.get("additionalModelRequestFields")
    if fields is None:
        return
    if not isinstance(fields, dict):
        yield refuse("additionalModelRequestFields: an object was expected")
        return
    unknown = [key for key in fields if family.fields is not None and key not in family.fields]
    if unknown:
        yield refuse(f"{_ERRORS}Malformed input request: #: extraneous key [{unknown[0]}] is not permitted")
    claude = models.claude_of(name)
    thinking = fields.get("thinking")
    if claude is None or thinking is None:
        return
    if thinking.get("type") not in claude.thinking:
        yield refuse(f"{_ERRORS}thinking.type: Input should be one of {list(claude.thinking)}")
    most = (asked.get("inferenceConfig") or {}).get("maxTokens")
    budget = thinking.get("budget_tokens")
    if budget is not None and (budget < 1024 or (most is not None and budget >= most)):
        yield refuse(f"{_ERRORS}`max_tokens` must be greater than `thinking.budget_tokens`, which is at least 1024.")
    config = asked.get("inferenceConfig") or {}
    if thinking.get("type") == "enabled" and (config.get("temperature", 1) != 1 or fields.get("top_k") is not None):
        yield refuse(f"{_ERRORS}`temperature` may only be set to 1 when thinking is enabled.")


def _rest(asked: Mapping[str, Any], family: models.Family, name: str) -> Problems:
    text_format = (asked.get("outputConfig") or {}).get("textFormat")
    if text_format is not None:
        if not family.schema:
            yield refuse("This model doesn't support the outputConfig.textFormat field. Remove it and try again.")
        yield from _schema(text_format["structure"].get("jsonSchema") or {}, family.counts and "claude-3" not in name)
    metadata = asked.get("requestMetadata")
    if metadata is not None:
        pairs = metadata.items() if isinstance(metadata, dict) else ()
        words = [word for pair in pairs for word in pair]
        if not 1 <= len(list(pairs)) <= 16 or not all(
            isinstance(word, str) and _METADATA.fullmatch(word) for word in words
        ):
            yield refuse("requestMetadata: 1 to 16 pairs of plain letters")
    points = [block for block in _blocks(asked) if "cachePoint" in block]
    if len(points) > 4:
        yield refuse(f"{_ERRORS}A maximum of 4 blocks with cache_control may be provided. Found {len(points)}.")
    lives = [point["cachePoint"].get("ttl", "5m") for point in points]
    if lives != sorted(lives):
        yield refuse(f"{_ERRORS}a ttl='1h' cache_control block must not come after a ttl='5m' one.")


def _blocks(asked: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    yield from (asked.get("toolConfig") or {}).get("tools") or ()
    yield from asked.get("system") or ()
    for message in asked.get("messages") or ():
        yield from message["content"]


def _schema(wanted: Mapping[str, Any], strict: bool) -> Problems:
    try:
        schema = json.loads(wanted.get("schema") or "")
    except ValueError:
        schema = None
    if not isinstance(schema, dict):
        yield refuse("outputConfig.textFormat.structure.jsonSchema.schema: a JSON schema as text was expected")
        return
    for text in schema_problems(schema) if strict else ():
        yield refuse(f"{_ERRORS}output_config.format.schema: {text}")
