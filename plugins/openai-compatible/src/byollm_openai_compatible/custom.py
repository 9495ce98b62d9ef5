"""The provider `custom`: any server that speaks an OpenAI dialect, described by the file alone."""

from byollm_openai_compatible.plugin import OpenAICompatible

custom = OpenAICompatible(
    name="custom",
    base_url=None,
    base_path="/v1",
    aliases=("local",),
    apis=("chat", "responses"),
    docs="https://platform.openai.com/docs/api-reference/chat",
)
"""No default endpoint, nothing assumed: the defaults of `Quirks`, each of which the file may set otherwise."""
