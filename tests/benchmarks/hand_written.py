"""The yardstick: what somebody writes by hand with one pooled client. At most 40 lines; a test counts them."""

import importlib
import json
import os

httpx = importlib.import_module(os.environ.get("HAND_WRITTEN", "httpx"))
HEADERS = {"authorization": "Bearer sk-bench-key", "content-type": "application/json"}


class Contender:
    def __init__(self, base: str) -> None:
        self.url = f"{base}/v1/chat/completions"
        limits = httpx.Limits(max_connections=1000, max_keepalive_connections=100)
        self.client = httpx.Client(timeout=60, limits=limits)
        self.async_client = httpx.AsyncClient(timeout=60, limits=limits)

    def body(self, model: str, prompt: str, stream: bool) -> dict:
        options = {"stream": True, "stream_options": {"include_usage": True}} if stream else {}
        return {"model": model, "messages": [{"role": "user", "content": prompt}], **options}

    def call(self, model: str, prompt: str) -> tuple:
        answer = self.client.post(self.url, headers=HEADERS, json=self.body(model, prompt, False)).json()
        return answer["choices"][0]["message"]["content"], answer["usage"]["completion_tokens"]

    async def acall(self, model: str, prompt: str) -> tuple:
        answer = (await self.async_client.post(self.url, headers=HEADERS, json=self.body(model, prompt, False))).json()
        return answer["choices"][0]["message"]["content"], answer["usage"]["completion_tokens"]

    def stream(self, model: str, prompt: str):
        with self.client.stream("POST", self.url, headers=HEADERS, json=self.body(model, prompt, True)) as answer:
            for line in answer.iter_lines():
                if line.startswith("data: ") and line != "data: [DONE]":
                    choices = json.loads(line[6:])["choices"]
                    if choices and choices[0]["delta"].get("content"):
                        yield choices[0]["delta"]["content"]
