"""Who is measured. Each gives `call`, `acall` (text and output tokens) and `stream` (texts); one per process."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

KEY = "sk-q7Zr4Vt9Xw2Ls5Ny"


class Byollm:
    """byollm over the transport of that name, with one target and no middleware."""

    transport = "httpx"

    def __init__(self, base: str) -> None:
        import byollm

        self.delta: type = byollm.TextDelta
        self.base = base
        self.clients: dict[Any, Any] = {}
        self.library = byollm

    def _client(self, kind: str, model: str) -> Any:
        key = (kind, model)
        if key not in self.clients:
            config = {"provider": "custom", "model": model, "endpoint": self.base, "api_key": KEY}
            self.clients[key] = getattr(self.library, kind)(config, transport=self.transport)
        return self.clients[key]

    def call(self, model: str, prompt: str) -> tuple[str, int]:
        """One whole answer."""
        reply = self._client("Client", model).complete(prompt)
        return reply.text, reply.usage.output_tokens

    async def acall(self, model: str, prompt: str) -> tuple[str, int]:
        """One whole answer, awaited."""
        reply = await self._client("AsyncClient", model).complete(prompt)
        return reply.text, reply.usage.output_tokens

    def stream(self, model: str, prompt: str) -> Iterator[str]:
        """Texts as they come."""
        with self._client("Client", model).stream(prompt) as stream:
            for event in stream:
                if type(event) is self.delta:
                    yield event.text  # type: ignore[attr-defined]  # TextDelta has it; imported late on purpose


class ByollmFast(Byollm):
    """The same over `byollm[fast]`."""

    transport = "httptools"


class OpenAi:
    """The official SDK."""

    def __init__(self, base: str) -> None:
        import openai

        self.client = openai.OpenAI(base_url=f"{base}/v1", api_key=KEY)
        self.async_client = openai.AsyncOpenAI(base_url=f"{base}/v1", api_key=KEY)

    def call(self, model: str, prompt: str) -> tuple[Any, Any]:
        """One whole answer."""
        answer = self.client.chat.completions.create(model=model, messages=[{"role": "user", "content": prompt}])
        return answer.choices[0].message.content, answer.usage and answer.usage.completion_tokens

    async def acall(self, model: str, prompt: str) -> tuple[Any, Any]:
        """One whole answer, awaited."""
        answer = await self.async_client.chat.completions.create(
            model=model, messages=[{"role": "user", "content": prompt}]
        )
        return answer.choices[0].message.content, answer.usage and answer.usage.completion_tokens

    def stream(self, model: str, prompt: str) -> Iterator[str]:
        """Texts as they come."""
        for chunk in self.client.chat.completions.create(
            model=model,
            messages=[{"role": "user", "content": prompt}],
            stream=True,
            stream_options={"include_usage": True},
        ):
            if chunk.choices and chunk.choices[0].delta.content:
                yield chunk.choices[0].delta.content


class LiteLlm:
    """litellm as its own README uses it."""

    def __init__(self, base: str) -> None:
        import os

        os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # else its import fetches a price list
        import litellm  # type: ignore[import-not-found]  # lives in an environment of its own

        self.options = {"api_base": f"{base}/v1", "api_key": KEY}
        self.library = litellm

    def call(self, model: str, prompt: str) -> tuple[Any, Any]:
        """One whole answer."""
        answer = self.library.completion(
            model=f"openai/{model}", messages=[{"role": "user", "content": prompt}], **self.options
        )
        return answer.choices[0].message.content, answer.usage.completion_tokens

    async def acall(self, model: str, prompt: str) -> tuple[Any, Any]:
        """One whole answer, awaited."""
        answer = await self.library.acompletion(
            model=f"openai/{model}", messages=[{"role": "user", "content": prompt}], **self.options
        )
        return answer.choices[0].message.content, answer.usage.completion_tokens

    def stream(self, model: str, prompt: str) -> Iterator[str]:
        """Texts as they come."""
        for chunk in self.library.completion(
            model=f"openai/{model}", messages=[{"role": "user", "content": prompt}], stream=True, **self.options
        ):
            if chunk.choices and chunk.choices[0].delta.content:
                yield chunk.choices[0].delta.content


def make(name: str, base: str) -> Any:
    """A contender by name."""
    if name.startswith("hand-written"):
        from tests.benchmarks.hand_written import Contender

        return Contender(base)
    return {"byollm": Byollm, "byollm[fast]": ByollmFast, "openai SDK": OpenAi, "litellm": LiteLlm}[name](base)
