"""A message: who speaks, and in which parts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

from byollm.errors import ConfigError
from byollm.types.frozen import quick
from byollm.types.parts import PLAIN_PARTS, Part, Text, ToolCall, ToolResult, as_parts

Role = Literal["system", "developer", "user", "assistant", "tool"]
ROLES: tuple[str, ...] = get_args(Role)


@quick
@dataclass(frozen=True, slots=True)
class Message:
    """One turn. `role` is system, developer, user, assistant or tool; a string stands for one Text.

    `name` is the speaker's name where a provider knows one (a hint). Raises ConfigError for an unknown role.
    """

    role: Role
    parts: tuple[Part, ...] = ()
    name: str | None = None

    if TYPE_CHECKING:

        def __init__(
            self, role: Role, parts: str | Part | Sequence[str | Part] = (), name: str | None = None
        ) -> None: ...

    def __post_init__(self) -> None:
        if self.role not in ROLES:
            raise ConfigError(f"role {self.role!r} is not one of {', '.join(ROLES)}")
        if self.name is not None and not isinstance(self.name, str):
            raise ConfigError(f"a speaker's name is a text, not {type(self.name).__name__}")
        if type(self.parts) is not tuple or not PLAIN_PARTS.issuperset(map(type, self.parts)):
            object.__setattr__(self, "parts", as_parts(self.parts))

    @property
    def text(self) -> str:
        """All its text, joined."""
        return "".join(part.text for part in self.parts if isinstance(part, Text))

    @property
    def tool_calls(self) -> tuple[ToolCall, ...]:
        """The tool calls in it, in order."""
        return tuple(part for part in self.parts if isinstance(part, ToolCall))


def system(*parts: str | Part) -> Message:
    """A system message."""
    return Message("system", as_parts(parts))


def user(*parts: str | Part) -> Message:
    """A user message: strings stand for Text."""
    return Message("user", as_parts(parts))


def assistant(*parts: str | Part) -> Message:
    """An assistant message, for histories you write yourself; `reply.message` is one that keeps the state."""
    return Message("assistant", as_parts(parts))


def tool_results(*results: ToolResult | Sequence[ToolResult]) -> Message:
    """The answers to the tool calls of the assistant's turn before, all in one message."""
    flat = [item for group in results for item in (group if isinstance(group, list | tuple) else (group,))]
    for item in flat:
        if not isinstance(item, ToolResult):
            raise TypeError(f"a tool result must be a byollm.ToolResult, not {type(item).__name__}")
    return Message("tool", tuple(flat))
