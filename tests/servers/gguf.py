"""A language model of random weights as a GGUF file, written here: it knows nothing, and servers take it as any other.

Format: github.com/ggml-org/ggml, docs/gguf.md, version 3 (read 2026-11-21). Little-endian; text is a 64-bit length and
UTF-8; tensors come last, each aligned to 32 bytes, their dimensions innermost first. The tokenizer has one token a
byte (GPT-2's byte alphabet), so that a token is a character of plain text and counts can be foretold.
"""

from __future__ import annotations

import random
import struct
from array import array
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

ALIGNMENT: Final = 32
WIDTH, INNER, BLOCKS, HEADS, KEY_HEADS = 64, 128, 2, 4, 2
HEAD: Final = WIDTH // HEADS
CONTROL: Final = ("<s>", "</s>", "<|im_start|>", "<|im_end|>")
MERGES: Final = ("h e", "l l")
"""A merge table may not be empty."""
TEMPLATE: Final = (
    "{% if tools %}<|im_start|>system\n{% for tool in tools %}{{ tool | tojson }}\n{% endfor %}<|im_end|>\n{% endif %}"
    "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content if m.content is string else '' }}"
    "{% if m.tool_calls %}{% for call in m.tool_calls %}"
    "<function={{ call.function.name }}>{{ call.function.arguments | tojson }}</function>"
    "{% endfor %}{% endif %}<|im_end|>\n{% endfor %}{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
"""Calls have a form of their own without a marker before it: only so does the server's grammar begin with the call."""


def write_model(path: Path, *, window: int) -> None:
    """Write the model; `window` is the context length it claims, in tokens. The same bytes every time."""
    tensors = list(_tensors(len(_tokens())))
    described, offset = b"", 0
    for name, shape, _ in tensors:
        described += _text(name) + struct.pack("<I", len(shape)) + struct.pack(f"<{len(shape)}Q", *shape)
        described += struct.pack("<IQ", 0, offset)  # 0: 32-bit floats
        offset += _aligned(4 * _size(shape))
    values = _values(window)
    head = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(values))
    head += b"".join(_text(key) + _value(value) for key, value in values) + described
    with path.open("wb") as file:
        file.write(head.ljust(_aligned(len(head)), b"\0"))
        for _, shape, make in tensors:
            data = array("f", (make() for _ in range(_size(shape)))).tobytes()
            file.write(data.ljust(_aligned(len(data)), b"\0"))


def _tensors(words: int) -> Iterable[tuple[str, tuple[int, ...], Callable[[], float]]]:
    chance = random.Random(0)

    def weight() -> float:
        return chance.gauss(0.0, 0.05)

    def one() -> float:
        return 1.0

    yield "token_embd.weight", (WIDTH, words), weight
    yield "output_norm.weight", (WIDTH,), one
    yield "output.weight", (WIDTH, words), weight
    for block in range(BLOCKS):
        for name, shape in (
            ("attn_q", (WIDTH, WIDTH)), ("attn_k", (WIDTH, KEY_HEADS * HEAD)), ("attn_v", (WIDTH, KEY_HEADS * HEAD)),
            ("attn_output", (WIDTH, WIDTH)), ("ffn_gate", (WIDTH, INNER)), ("ffn_up", (WIDTH, INNER)),
            ("ffn_down", (INNER, WIDTH)),
        ):  # fmt: skip
            yield f"blk.{block}.{name}.weight", shape, weight
        yield f"blk.{block}.attn_norm.weight", (WIDTH,), one
        yield f"blk.{block}.ffn_norm.weight", (WIDTH,), one


def _tokens() -> list[str]:
    return [*CONTROL, *_byte_alphabet(), *(merge.replace(" ", "") for merge in MERGES)]


def _byte_alphabet() -> list[str]:
    """A printable character for each byte: itself where it is printable, else one from U+0100 on."""
    printable = {*range(33, 127), *range(161, 173), *range(174, 256)}
    others = iter(range(256, 512))
    return [chr(byte) if byte in printable else chr(next(others)) for byte in range(256)]


def _values(window: int) -> list[tuple[str, Any]]:
    tokens = _tokens()
    return [
        ("general.architecture", "llama"),
        ("general.name", "tiny-random"),
        ("general.file_type", 0),
        ("llama.context_length", window),
        ("llama.embedding_length", WIDTH),
        ("llama.block_count", BLOCKS),
        ("llama.feed_forward_length", INNER),
        ("llama.attention.head_count", HEADS),
        ("llama.attention.head_count_kv", KEY_HEADS),
        ("llama.attention.layer_norm_rms_epsilon", 1e-5),
        ("llama.rope.dimension_count", HEAD),
        ("llama.vocab_size", len(tokens)),
        ("tokenizer.ggml.model", "gpt2"),
        ("tokenizer.ggml.pre", "gpt-2"),
        ("tokenizer.ggml.tokens", tokens),
        ("tokenizer.ggml.token_type", [3 if token in CONTROL else 1 for token in tokens]),
        ("tokenizer.ggml.merges", list(MERGES)),
        ("tokenizer.ggml.bos_token_id", 0),
        ("tokenizer.ggml.eos_token_id", 3),
        ("tokenizer.ggml.padding_token_id", 1),
        ("tokenizer.ggml.add_bos_token", False),
        ("tokenizer.chat_template", TEMPLATE),
    ]


def _value(value: Any) -> bytes:
    """A value behind the number of its type: 4 unsigned, 5 signed, 6 float, 7 boolean, 8 text, 9 list."""
    if isinstance(value, bool):
        return struct.pack("<I?", 7, value)
    if isinstance(value, int):
        return struct.pack("<II", 4, value)
    if isinstance(value, float):
        return struct.pack("<If", 6, value)
    if isinstance(value, str):
        return struct.pack("<I", 8) + _text(value)
    kind = 8 if isinstance(value[0], str) else 5
    items = [_text(item) if kind == 8 else struct.pack("<i", item) for item in value]
    return struct.pack("<IIQ", 9, kind, len(value)) + b"".join(items)


def _text(text: str) -> bytes:
    data = text.encode()
    return struct.pack("<Q", len(data)) + data


def _size(shape: tuple[int, ...]) -> int:
    size = 1
    for length in shape:
        size *= length
    return size


def _aligned(size: int) -> int:
    return -(-size // ALIGNMENT) * ALIGNMENT
