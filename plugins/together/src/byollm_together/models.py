"""What Together's models take, and names that are gone.

Source: litellm 1.109.0's model table, read 2026-11-21. It tells windows for most and features for some: the rest is
unknown. Where it names no cap on an answer, none is known.
"""

from __future__ import annotations

from typing import Any, Final

from byollm.plugin import ModelNote
from byollm_openai_compatible.dialect import table

# name, window, longest answer, letters (see `table`): tools, schemas, pictures ("v"), reasoning
MODELS: Final[dict[str, dict[str, Any]]] = table("""
MiniMaxAI/MiniMax-M2.7 196608 - -
MiniMaxAI/MiniMax-M3.1-Flash 1048576 1048576 -
Prism-ML/Ternary-Bonsai-27B 262144 262144 -
Qwen/Qwen2-1.5B-Instruct 32768 32768 -
Qwen/Qwen2.5-14B-Instruct 32768 32768 -
Qwen/Qwen2.5-72B-Instruct 32768 32768 -
Qwen/Qwen2.5-72B-Instruct-Turbo 131072 131072 -
Qwen/Qwen2.5-7B-Instruct-Turbo 32768 - ts
Qwen/Qwen3.5-9B 262144 262144 tsvr
Qwen/Qwen3.6-Plus 1000000 1000000 r
Qwen/Qwen3.7-Max 1000000 1000000 -
Qwen/Qwen3.7-Plus 1000000 1000000 -
Qwen/Qwen3.8-Flash 1000000 1000000 -
arcee-ai/trinity-mini 128000 128000 -
arize-ai/qwen-2-1.5b-instruct 32768 32768 -
deepseek-ai/DeepSeek-R1-0528 163840 - -
deepseek-ai/DeepSeek-V3 65536 8192 ts
deepseek-ai/DeepSeek-V4-Pro-0813 1048576 1048576 ts
deepseek-ai/DeepSeek-V4.1-Flash 1048576 1048576 ts
deepseek-ai/DeepSeek-V4.1-Flash-1017 1048576 1048576 tsvr
meta-llama/Llama-3.1-405B-Instruct 4096 4096 -
meta-llama/Llama-3.2-1B-Instruct 131072 131072 -
meta-llama/Llama-3.2-3B-Instruct 131072 131072 -
meta-llama/Llama-3.3-70B-Instruct-Turbo 131072 131072 ts
meta-llama/Meta-Llama-3.1-70B-Instruct-Turbo 131072 131072 -
meta-models/Muse-Glimmer-30B 131072 131072 -
meta-models/Muse-Spark-Open-816B-A42B 1048576 1048576 ts
mistralai/Ministral-3-14B-Instruct-2512 262144 - -
mistralai/Mistral-7B-Instruct-v0.3 32768 - -
mistralai/Mixtral-8x7B-Instruct-v0.1 32768 32768 -
moonshotai/Kimi-K2.5-fp4 262144 - -
moonshotai/Kimi-K3 1048576 1048576 tsvr
nvidia/NVIDIA-Nemotron-3.5-Super-VL 262144 262144 tsvr
openai/gpt-oss-120b 131072 131072 tsr
reflection/Beam-1.0-501B-A23B 1048576 1048576 ts
together/Tev1-4B-experimental 32768 - -
zai-org/GLM-4.6 202752 202752 tr
zai-org/GLM-5.2 1048575 128000 tsr
zai-org/GLM-5.3 1048575 128000 tsr
zai-org/GLM-5.3-Flash 1048575 128000 tsvr
""")

_GONE: Final = """
2024-08-22 deepseek-ai/deepseek-coder-33b-instruct
2025-08-28 NousResearch/Nous-Hermes-2-Mixtral-8x7B-DPO
2025-08-28 Qwen/Qwen2-72B-Instruct
2025-08-28 Qwen/Qwen2-VL-72B-Instruct
2025-08-28 deepseek-ai/DeepSeek-R1-Distill-Qwen-1.5B
2025-08-28 google/gemma-2-27b-it
2025-08-28 meta-llama/Llama-3-8b-chat-hf
2025-08-28 meta-llama/Meta-Llama-3-8B-Instruct
2025-08-28 nvidia/Llama-3.1-Nemotron-70B-Instruct-HF
2025-11-13 Qwen/QwQ-32B
2025-11-13 Qwen/Qwen2.5-Coder-32B-Instruct
2025-11-13 deepseek-ai/DeepSeek-R1-Distill-Qwen-14B
2025-11-13 mistralai/Mistral-7B-Instruct-v0.1
2025-12-23 deepseek-ai/DeepSeek-R1-Distill-Llama-70B
2025-12-23 meta-llama/Meta-Llama-3-70B-Instruct-Turbo
2026-01-05 Qwen/Qwen2.5-VL-72B-Instruct
2026-02-06 Qwen/Qwen2.5-72B-Instruct-Turbo
2026-02-06 meta-llama/Llama-4-Scout-17B-16E-Instruct
2026-02-25 Qwen/Qwen3-Next-80B-A3B-Thinking
2026-02-25 Qwen/Qwen3-VL-32B-Instruct
2026-02-25 meta-llama/Meta-Llama-3.1-70B-Instruct-Turbo
2026-02-25 nvidia/NVIDIA-Nemotron-Nano-9B-v2
2026-03-06 meta-llama/Meta-Llama-3.1-8B-Instruct-Turbo
2026-04-02 Qwen/Qwen3-Next-80B-A3B-Instruct
2026-04-02 mistralai/Mistral-Small-24B-Instruct-2501
2026-04-02 zai-org/GLM-4.5-Air-FP8
2026-04-02 zai-org/GLM-4.7
2026-04-16 Qwen/Qwen3-VL-8B-Instruct
2026-04-16 mistralai/Mixtral-8x7B-Instruct-v0.1
2026-05-14 Qwen/Qwen3-Coder-Next-FP8
2026-05-14 deepseek-ai/DeepSeek-V3.1
2026-06-04 Qwen/Qwen3-Coder-480B-A35B-Instruct-FP8
2026-06-22 zai-org/GLM-5
2026-06-29 Qwen/Qwen3.5-397B-A17B
2026-07-10 zai-org/GLM-5.1
2026-08-19 moonshotai/Kimi-K2.6
2026-08-27 moonshotai/Kimi-K2.7-Code
2026-08-27 nvidia/nemotron-3-ultra-550b-a55b
2026-09-15 google/gemma-4-31B-it
2026-09-15 openai/gpt-oss-20b
2026-10-22 deepseek-ai/DeepSeek-V4-Flash-0731
2026-10-22 meta-llama/Llama-3.3-70B-Instruct-Turbo
2026-11-04 Qwen/Qwen3.8-2.4T-A95B
2026-11-06 MiniMaxAI/MiniMax-M3
2026-11-06 thinkingmachines/Inkling
"""
NOTES: Final[dict[str, ModelNote]] = {
    name: ModelNote(retired=day) for day, name in (line.split() for line in _GONE.strip().splitlines())
}
"""Ends of serverless life. What replaces a model there is the user's choice: no source names one."""
