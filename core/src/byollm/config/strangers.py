"""A key of the root that is no setting and whose value is no task: what was probably meant."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from byollm.config import schema
from byollm.config.places import Document, KeyPath, name
from byollm.config.targets import raise_for_a_task, split_model
from byollm.config.words import OF_A_TARGET, OF_THE_ROOT, nearest
from byollm.errors import ConfigError


def stranger(document: Document, label: str, value: Any, path: KeyPath, beside: Collection[str]) -> ConfigError:
    """The error for `label`; `beside` are the root's other keys, which tell a target from a list of tasks."""
    if label in schema.COMMON and not all(_of_a_target(key) for key in beside):
        return _misplaced(document, label, path)
    if _of_a_target(label) and not (label in OF_THE_ROOT and beside):
        split = split_model(value) if label == "model" and isinstance(value, str) else None
        mend = f"provider: {split[0]}, model: {name(split[1])}" if split else schema.EXAMPLES["provider"]
        return document.error(path, "a target needs `provider:`", mend)
    meant = nearest(label, schema.SETTINGS, OF_THE_ROOT)
    if len(path) == 1 and meant is None and nearest(label, ["llm_config"]):
        return document.error(path, f"`{name(label)}` is neither a setting nor a task", "did you mean `llm_config:`?")
    sentence = f"`{name(label)}` is neither a setting nor a task"
    if isinstance(value, dict):
        wrong = next((key for key in value if nearest(key, ["provider"], OF_A_TARGET) == "provider"), None)
        if wrong is not None:
            return document.error((*path, wrong), f"`{name(wrong)}` is not a key of a target", "write `provider:`")
        raise_for_a_task(document, value, path)
    if meant:
        return document.error(path, sentence, f"did you mean `{meant}:`?   {schema.EXAMPLES.get(meant, '')}".rstrip())
    example = "{route: [fast, backup]}" if isinstance(value, list) else "{provider: openai, model: gpt-5.4}"
    return document.error(path, sentence, f"{name(label)}: {example}")


def _of_a_target(key: str) -> bool:
    return key in schema.COMMON or OF_A_TARGET.get(key) in schema.COMMON


def _misplaced(document: Document, key: str, path: KeyPath) -> ConfigError:
    """`timeout:` beside the tasks: a key of one target, or of all of them under `defaults:`."""
    sentence = f"`{key}` belongs to a target, and stands beside the tasks"
    if key not in schema.DefaultsModel.model_fields:
        return document.error(path, sentence, f"move `{key}:` into the target that it is for")
    example = schema.EXAMPLES.get(key, f"{key}: …").partition("   ")[0]
    return document.error(path, sentence, f"for all of them: defaults: {{{example}}}; for one: inside its target")
