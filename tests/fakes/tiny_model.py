"""A tiny random model file for a real llama.cpp.

With a limit, its text ends only at the limit. Without one, it ends by chance after some hundred words or
after none. With a schema, it ends with the schema.
"""

import subprocess
import sys
from pathlib import Path

import numpy as np
from gguf import GGUFReader

# What ends a text, and what begins one in JSON, which in a reply would be taken for an echo of the prompt.
_NEVER_WRITTEN = ("<unk>", "<s>", "</s>", "<|im_end|>", "{", "<0x7B>")
_STEADY, _PENALTY = 0.5, 50.0


# Tokens: a text of this length takes minutes, also on a quick machine that writes nothing else.
WIDE_WINDOW = 1 << 17


def write_tiny_model(shared: Path, folder: Path, *, window: int = 4096) -> Path:
    """Return the path of a `.gguf` file of half a megabyte, written once per folder."""
    path = folder / "tiny.gguf"
    if not path.exists():
        subprocess.run([sys.executable, str(shared / "examples/tiny_gguf.py"), str(path)], check=True)
        reader = GGUFReader(path, "r+")
        reader.fields["llama.context_length"].parts[-1][0] = window
        _prevent_tokens(reader)
    return path


def _prevent_tokens(reader: GGUFReader) -> None:
    """Make some tokens so unlikely that they are written only where nothing else is allowed.

    One coordinate is the same for every token and in every layer; in the output it counts for these tokens
    alone, and against them.
    """
    tensors = {tensor.name: tensor.data for tensor in reader.tensors}
    tokens = reader.fields["tokenizer.ggml.tokens"]
    tensors["token_embd.weight"][:, 0] = _STEADY
    for name, values in tensors.items():
        if name.endswith(("attn_output.weight", "ffn_down.weight")):
            values[0, :] = 0
    output = tensors["output.weight"]
    output[:, 0] = 0
    for place, part in enumerate(tokens.data):
        if bytes(np.asarray(tokens.parts[part])).decode() in _NEVER_WRITTEN:
            output[place, 0] = -_PENALTY
    reader.data.flush()
