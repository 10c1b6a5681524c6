"""Model files, written byte by byte: small, incomplete and hostile ones."""

import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

F32, Q4_K = 0, 12
U32, STRING, ARRAY, U64 = 4, 8, 9, 10
INSTRUCT = {
    "general.architecture": "llama",
    "general.name": "Heron 3B Instruct",
    "general.file_type": 15,
    "llama.context_length": 8192,
    "llama.block_count": 2,
    "llama.embedding_length": 64,
    "llama.attention.head_count": 4,
    "llama.attention.head_count_kv": 2,
    "tokenizer.ggml.tokens": ("<s>", "the", " day"),
    "tokenizer.chat_template": "{{ messages }}",
}


class Tensor(NamedTuple):
    """A tensor in the header of a model file."""

    name: str
    shape: Sequence[int]
    kind: int = F32
    offset: int = 0


WEIGHTS = (Tensor("token_embd.weight", (256, 16)), Tensor("output.weight", (256, 16), Q4_K, 16384))
WEIGHT_BYTES = 16384 + 16 * 144


def pack_string(text: str | bytes) -> bytes:
    data = text.encode() if isinstance(text, str) else text
    return struct.pack("<Q", len(data)) + data


def pack_value(value: object) -> bytes:
    if isinstance(value, str):
        return struct.pack("<I", STRING) + pack_string(value)
    if isinstance(value, tuple) and value and isinstance(value[0], str):
        return struct.pack("<IIQ", ARRAY, STRING, len(value)) + b"".join(map(pack_string, value))
    if isinstance(value, tuple):
        return struct.pack(f"<IIQ{len(value)}I", ARRAY, U32, len(value), *value)
    return struct.pack("<II", U32, value)


def build_gguf(
    values: Mapping[str, object] = INSTRUCT,
    tensors: Sequence[Tensor] = WEIGHTS,
    *,
    data: int = WEIGHT_BYTES,
    version: int = 3,
    counts: tuple[int, int] | None = None,
) -> bytes:
    """Return the bytes of a file with `data` bytes of tensors; `counts` replace the true numbers."""
    head = b"GGUF" + struct.pack("<IQQ", version, *(counts or (len(tensors), len(values))))
    head += b"".join(pack_string(key) + pack_value(value) for key, value in values.items())
    for tensor in tensors:
        head += pack_string(tensor.name) + struct.pack(
            f"<I{len(tensor.shape)}Q", len(tensor.shape), *tensor.shape
        )
        head += struct.pack("<IQ", tensor.kind, tensor.offset)
    return head + bytes(-len(head) % 32) + bytes(data)


def write_gguf(path: Path, content: bytes | None = None) -> Path:
    """Write a file and return its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(build_gguf() if content is None else content)
    return path
