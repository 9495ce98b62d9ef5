"""What differs between servers that all say "OpenAI-compatible": data, with defaults that the shyest of them takes.

Each field can be given to `OpenAICompatible(...)`, and by the user of any target in YAML, under the same name.
Source of the facts: the vendors' documents and servers as read on 2026-11-21; the README's table says which.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cache
from typing import Any, Literal, get_type_hints


@dataclass(frozen=True, slots=True, kw_only=True)
class Quirks:
    """One server's habits. The defaults suit a server nobody has described.

    Requests, Chat:

    - `max_tokens_field`: the one name it knows for the most tokens of an answer.
    - `system_role`: what system and developer messages are called ("keep": as they are).
    - `merge_systems`: it takes exactly one system message: those at the beginning are joined by a blank line.
    - `merge_roles`: turns must alternate: neighbours of one role are joined by a blank line.
    - `stream_usage`: ask for usage in streams (`stream_options`). Few refuse it; without it the cost is unknown.
    - `seed_field`, `end_user_field`, `cache_key_field`: their names; an empty string: it knows none.
    - `stop_as_list`: False where `stop` must be a bare string.
    - `required_word`: what it calls `tool_choice: required`.
    - `strict_schemas`: mark an `output_schema` as strict, after bringing it into the subset that OpenAI enforces.
    - `schema_form`: "json_object" where the server knows no schemas: the schema is then told in words, before all else,
      and JSON is asked for.
    - `effort_field`: where the effort goes; a dot descends ("reasoning.effort"). `effort_bodies`: for one effort, the
      fields to send instead, e.g. `{"none": {"thinking": {"type": "disabled"}}}`.
    - `cache_field`: how a part says "keep the prompt up to here" ("cache_control"); empty: it cannot.
    - `tool_result_names`: write the tool's name into its result. `tool_result_media`: where images of a tool result go.
    - `tool_id_format`: "alnum9" where call ids must be nine letters or digits.
    - `arguments_must_parse`: tool arguments in the history must be JSON; what a model wrote wrongly is wrapped.
    - `empty_content`: what stands for the text of a turn that only calls tools.
    - `file_urls`: a document may be a URL. `image_types`: the kinds of pictures it reads (empty: nobody knows);
      `refused_files`: the kinds of documents it does not, by their beginnings.
    - `prefill_message`, `prefill_body`: fields that say "go on with this last message".
    - `send_store`: it knows `store`; then `false` is sent unless the request says otherwise. `knows_store`: False where
      the word is refused, and nothing is stored: then a request's own `false` is not sent either.

    Reasoning: `reasoning_field` is where earlier thoughts are written ("content": as thinking chunks); empty: where
    they were read. `reasoning_replay`: never, in turns with tool calls, or always. `reasoning_required`: a turn with
    tool calls must have the field, even if empty. `think_tags`: thoughts stand in the text, between `<think>` and
    `</think>`.

    Answers: `finish_reasons` adds words to the finish table. `usage_ends_stream`: it sends no finish_reason in streams;
    the usage chunk without choices is its terminal marker. `reasoning_outside_usage`: its count of output tokens leaves
    reasoning out, and its total does not show it. `error_codes` adds code → error class name.

    Both dialects: `headers` are added to each request. `count_path` is where it counts a Chat body's tokens, if it can.

    Responses: `encrypted_reasoning`: ask for the encrypted reasoning that a stateless conversation must send back.
    `least_output`: the smallest limit of an answer that it takes; a smaller one is raised to it, and the caller told.
    """

    max_tokens_field: Literal["max_tokens", "max_completion_tokens"] = "max_tokens"
    system_role: Literal["system", "developer", "user", "keep"] = "system"
    merge_systems: bool = False
    merge_roles: bool = False
    stream_usage: bool = True
    seed_field: str = "seed"
    end_user_field: str = "user"
    cache_key_field: str = "prompt_cache_key"
    stop_as_list: bool = True
    required_word: str = "required"
    strict_schemas: bool = False
    schema_form: Literal["json_schema", "json_object"] = "json_schema"
    effort_field: str = "reasoning_effort"
    effort_bodies: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    cache_field: Literal["", "cache_control", "prompt_cache_breakpoint"] = ""
    tool_result_names: bool = False
    tool_result_media: Literal["user_message", "tool_message"] = "user_message"
    tool_id_format: Literal["", "alnum9"] = ""
    arguments_must_parse: bool = False
    empty_content: Literal["omit", "empty", "null"] = "omit"
    file_urls: bool = False
    image_types: tuple[str, ...] = ()
    refused_files: tuple[str, ...] = ()
    prefill_message: Mapping[str, Any] = field(default_factory=dict)
    prefill_body: Mapping[str, Any] = field(default_factory=dict)
    send_store: bool = False
    knows_store: bool = True

    reasoning_field: Literal["", "reasoning_content", "reasoning", "content"] = ""
    reasoning_replay: Literal["never", "tool_turns", "always"] = "never"
    reasoning_required: bool = False
    think_tags: bool = False

    finish_reasons: Mapping[str, str] = field(default_factory=dict)
    usage_ends_stream: bool = False
    reasoning_outside_usage: bool = False
    error_codes: Mapping[str, str] = field(default_factory=dict)

    headers: Mapping[str, str] = field(default_factory=dict)
    count_path: str = ""

    encrypted_reasoning: bool = False
    least_output: int = 0

    def with_options(self, options: Mapping[str, Any]) -> Quirks:
        """The same habits with a target's own YAML keys put over them; keys of other meaning are left alone."""
        changes = {name: options[name] for name in NAMES if options.get(name) is not None} if options else {}
        return replace(self, **changes) if changes else self


NAMES = tuple(item.name for item in fields(Quirks))
"""The names of all quirks."""


@cache
def options_model(*extra: tuple[str, Any]) -> Any:
    """The pydantic model of a target's own YAML keys: every quirk, and `extra` (name, type) pairs."""
    from pydantic import ConfigDict, create_model

    hints = get_type_hints(Quirks)
    # `headers:` is a key of every target, read by the core.
    keys: dict[str, Any] = {name: (hints[name] | None, None) for name in NAMES if name != "headers"}
    keys.update({name: (kind | None, None) for name, kind in extra})
    return create_model("Options", __config__=ConfigDict(extra="forbid", frozen=True, defer_build=True), **keys)


def split_fields(given: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """Keyword arguments as quirks, and the names that are none."""
    unknown = sorted(set(given) - set(NAMES))
    return {name: value for name, value in given.items() if name in NAMES}, unknown
