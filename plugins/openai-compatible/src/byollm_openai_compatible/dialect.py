"""The door for hosts of OpenAI's dialects (clouds that serve them under their own addresses and keys)."""

from byollm_openai_compatible.chat_body import chat_body
from byollm_openai_compatible.chat_reader import chat_reader
from byollm_openai_compatible.errors import fail, openai_error
from byollm_openai_compatible.ids import taken_ids
from byollm_openai_compatible.local import Count, LocalServer, Question, Surface, Way, whole
from byollm_openai_compatible.media import refuse_media
from byollm_openai_compatible.plugin import OpenAICompatible, count_reader
from byollm_openai_compatible.profile import Quirks
from byollm_openai_compatible.responses_body import responses_body
from byollm_openai_compatible.responses_reader import responses_reader
from byollm_openai_compatible.tables import table
from byollm_openai_compatible.tool_names import naming_back, with_legal_names

__all__ = [
    "Count",
    "LocalServer",
    "OpenAICompatible",
    "Question",
    "Quirks",
    "Surface",
    "Way",
    "chat_body",
    "chat_reader",
    "count_reader",
    "fail",
    "naming_back",
    "openai_error",
    "refuse_media",
    "responses_body",
    "responses_reader",
    "table",
    "taken_ids",
    "whole",
    "with_legal_names",
]
