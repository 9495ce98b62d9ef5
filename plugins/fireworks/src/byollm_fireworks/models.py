"""What Fireworks' models take, and names that are gone.

Source: litellm 1.109.0's model table, read 2026-11-21. What it leaves out is unknown.
"""

from __future__ import annotations

from typing import Any, Final

from byollm.plugin import ModelNote
from byollm_openai_compatible.dialect import table

ACCOUNT: Final = "accounts/fireworks/models/"
"""Where a bare name is looked for."""

# name, window, longest answer, letters (see `table`): tools, schemas, pictures ("v"), reasoning
MODELS: Final[dict[str, dict[str, Any]]] = table("""
deepseek-coder-v2-instruct 65536 65536 Ts
deepseek-r1 163840 20480 s
deepseek-r1-0528 163840 160000 s
deepseek-r1-basic 163840 20480 s
deepseek-v3 131072 8192 s
deepseek-v3-0324 163840 163840 s
deepseek-v3p1 128000 8192 sr
deepseek-v3p1-terminus 128000 8192 sr
deepseek-v3p2 163840 163840 tsr
deepseek-v4-flash 1048576 384000 tsVr
deepseek-v4-flash-0731 1048576 131072 tsVr
deepseek-v4-flash-vision-exp 1048576 1048576 tsv
deepseek-v4-pro 1048576 131072 tsVr
deepseek-v4-pro-0813 1048576 131072 tsVr
deepseek-v4p1-flash 1048576 393216 tsvr
deepseek-v4p1-flash-1017 1048576 393216 tsvr
deepseek-v4p1-flash-1017-us 1048576 393216 tsvr
ember-1 1048576 - tsvr
firefunction-v2 8192 8192 ts
glm-4p5 131072 96000 tsr
glm-4p5-air 131072 96000 tsr
glm-4p5v 131072 131072 r
glm-4p6 202752 202800 tsr
glm-4p7 202752 202800 tsr
glm-5p1 202752 131072 tsVr
glm-5p2 1048576 131072 tsVr
glm-5p3 1048576 128000 tsVr
glm-5p3-flash 1048576 1048576 tsv
gpt-oss-120b 131072 32768 tsVr
gpt-oss-20b 131072 32768 tsVr
inkling 1048576 1048576 tsv
kimi-k2-instruct 131072 16384 ts
kimi-k2-instruct-0905 262144 32768 ts
kimi-k2-thinking 262144 262144 ts
kimi-k2p5 262144 32768 ts
kimi-k2p6 262144 32768 tsvr
kimi-k2p7-code 262144 32768 tsvr
kimi-k3 1048576 131072 tsvr
llama-v3p1-405b-instruct 131072 16384 ts
llama-v3p1-8b-instruct 131072 16384 Ts
llama-v3p2-11b-vision-instruct 131072 16384 Tsv
llama-v3p2-1b-instruct 131072 16384 Ts
llama-v3p2-3b-instruct 131072 16384 Ts
llama-v3p2-90b-vision-instruct 131072 16384 sv
llama4-maverick-instruct-basic 131072 131072 s
llama4-scout-instruct-basic 131072 131072 s
minimax-m2p1 196608 204800 ts
minimax-m3 512000 512000 tsvr
minimax-m3p1-flash 1048576 1048576 tsvr
mixtral-8x22b-instruct-hf 65536 65536 ts
muse-glimmer-30b 131072 16384 tsvr
muse-spark-open 1048576 - tvr
nemotron-3-ultra-nvfp4 262144 32768 tsVr
nemotron-lightning-3p5-30b-a3b 262144 32768 tsVr
qwen2-72b-instruct 32768 32768 Ts
qwen2p5-coder-32b-instruct 4096 4096 Ts
qwen3-32b 131072 131072 r
qwen3-8b 40960 40960 r
qwen3-coder-480b-a35b-instruct 262144 262144 r
qwen3p7-plus 262144 65536 tsvr
qwen3p8-max 262144 - tsvr
ultramarine-1-flash-us 1048576 1048576 Tsv
yi-large 32768 32768 Ts
""")

_GONE: Final = """
2026-08-14 deepseek-v4-flash
2026-08-27 deepseek-v4-pro
2026-09-25 deepseek-v4-flash-0731
2026-09-25 deepseek-v4-flash-vision-exp
2026-09-25 deepseek-v4-pro-0813
2026-09-25 glm-5p2
2026-09-25 kimi-k2p6
2026-09-25 kimi-k2p7-code
2026-09-25 muse-glimmer-30b
2026-11-07 gpt-oss-120b
2026-11-07 inkling
2026-11-07 nemotron-3-ultra-nvfp4
2026-11-07 nemotron-lightning-3p5-30b-a3b
"""
NOTES: Final[dict[str, ModelNote]] = {
    prefix + name: ModelNote(retired=day)
    for day, name in (line.split() for line in _GONE.strip().splitlines())
    for prefix in ("", ACCOUNT)
}
"""Ends of serverless life. What replaces a model there is the user's choice: no source names one."""


def facts_of(model: str) -> dict[str, Any]:
    """What the table says of a model, by its bare or its full name."""
    return MODELS.get(model.removeprefix(ACCOUNT), {})
