"""OpenAI: the Responses API by default, Chat Completions by `api: chat`."""
