"""Reader of the header of a `.gguf` model file, without loading the model.

    "GGUF", version (2 or 3), number of tensors, number of keys
    for each key      name, type, value
    for each tensor   name, dimensions, type, offset
    padding, then the tensors

All numbers are little-endian; a string is its length and its bytes. With a large vocabulary, the header has
some megabytes. A model may be split into files `NAME-00001-of-00003.gguf`, which are read together.

Files may come from anywhere, so no number in them is trusted: the amount of data read is limited.

Source: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

import os
import re
import stat
import struct
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import BinaryIO, Final

MAGIC: Final = b"GGUF"
MOST_HEADER_BYTES: Final = 24 << 20
_MOST_KEYS, _MOST_TENSORS, _MOST_DIMENSIONS, _MOST_PARTS = 4096, 65_536, 8, 999
_LONGEST_NAME, _LONGEST_STRING, _LONGEST_LIST = 1024, 1 << 20, 4096
_LARGEST_NUMBER = 1 << 48
_READ = 1 << 18
_STRING, _ARRAY = 8, 9
# Of each type of a value, its code in `struct`.
_NUMBERS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
# Of each type of a tensor: its name, the values in a block, the bytes of a block.
TENSOR_TYPES: Final = {
    0: ("F32", 1, 4), 1: ("F16", 1, 2), 2: ("Q4_0", 32, 18), 3: ("Q4_1", 32, 20), 6: ("Q5_0", 32, 22),
    7: ("Q5_1", 32, 24), 8: ("Q8_0", 32, 34), 9: ("Q8_1", 32, 40), 10: ("Q2_K", 256, 84),
    11: ("Q3_K", 256, 110), 12: ("Q4_K", 256, 144), 13: ("Q5_K", 256, 176), 14: ("Q6_K", 256, 210),
    15: ("Q8_K", 256, 292), 16: ("IQ2_XXS", 256, 66), 17: ("IQ2_XS", 256, 74), 18: ("IQ3_XXS", 256, 98),
    19: ("IQ1_S", 256, 50), 20: ("IQ4_NL", 32, 18), 21: ("IQ3_S", 256, 110), 22: ("IQ2_S", 256, 82),
    23: ("IQ4_XS", 256, 136), 24: ("I8", 1, 1), 25: ("I16", 1, 2), 26: ("I32", 1, 4), 27: ("I64", 1, 8),
    28: ("F64", 1, 8), 29: ("IQ1_M", 256, 56), 30: ("BF16", 1, 2), 34: ("TQ1_0", 256, 54),
    35: ("TQ2_0", 256, 66), 39: ("MXFP4", 32, 17), 40: ("NVFP4", 64, 36), 41: ("Q1_0", 128, 18),
}  # fmt: skip
# The kinds of mixed quantisation by the number in `general.file_type`.
FILE_TYPES: Final = {
    0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 7: "Q8_0", 8: "Q5_0", 9: "Q5_1", 10: "Q2_K", 11: "Q3_K_S",
    12: "Q3_K_M", 13: "Q3_K_L", 14: "Q4_K_S", 15: "Q4_K_M", 16: "Q5_K_S", 17: "Q5_K_M", 18: "Q6_K",
    19: "IQ2_XXS", 20: "IQ2_XS", 21: "Q2_K_S", 22: "IQ3_XS", 23: "IQ3_XXS", 24: "IQ1_S", 25: "IQ4_NL",
    26: "IQ3_S", 27: "IQ3_M", 28: "IQ2_S", 29: "IQ2_M", 30: "IQ4_XS", 31: "IQ1_M", 32: "BF16",
    36: "TQ1_0", 37: "TQ2_0", 38: "MXFP4_MOE", 39: "NVFP4", 40: "Q1_0",
}  # fmt: skip
_read_length = struct.Struct("<Q").unpack_from
_PART_END = re.compile(r"-(\d{5})-of-(\d{5})\.gguf")
_PART_END_LENGTH = len("-00001-of-00003.gguf")
# Architectures that write no text.
_SILENT_ARCHITECTURES = frozenset(
    ("clip", "bert", "modern-bert", "nomic-bert", "nomic-bert-moe", "neo-bert", "jina-bert-v2", "t5encoder")
)


class UnreadableModelFile(Exception):  # noqa: N818 - states what is the case
    """Raised for an unusable model file; `code` is the reason.

    no_gguf      not a `.gguf` file
    damaged      the header is inconsistent
    unsupported  a version or byte order that llama.cpp does not support
    incomplete   the end of the file, or one of the parts of a split model, is missing
    """

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


@dataclass(frozen=True, kw_only=True)
class GgufFacts:
    """The facts in the header of a model file; unknown ones are empty or 0.

    name                  the name given by the model's authors
    parameters            the number of weights
    context_window        the longest context that the model was trained for, in tokens
    quantisation          the storage type of the weights, such as "Q4_K_M"
    size                  the size in bytes of the file, or of all parts
    cache_bytes           the bytes of memory per token of the context window
    """

    architecture: str
    name: str = ""
    parameters: int = 0
    context_window: int = 0
    has_chat_template: bool = False
    quantisation: str = ""
    size: int = 0
    cache_bytes: int = 0

    @property
    def writes_text(self) -> bool:
        """Whether the model generates text; others turn text or images into vectors."""
        return self.architecture not in _SILENT_ARCHITECTURES


@dataclass
class _Header:
    """The parsed header of a GGUF file: values, number of parameters, types of the tensors."""

    values: dict[str, object]
    parameters: int
    types: Counter[int] = field(default_factory=Counter)

    def get_text(self, key: str) -> str:
        value = self.values.get(key)
        return value if isinstance(value, str) else ""

    def get_number(self, key: str) -> int:
        value = self.values.get(key)
        return value if isinstance(value, int) and 0 <= value < _LARGEST_NUMBER else 0


def read_gguf(path: Path) -> GgufFacts:
    """Return the properties of a model file, such as its size; raise UnreadableModelFile or OSError."""
    paths = list(_list_parts(path))
    headers = [_read_file(part) for part in paths]
    first, types = headers[0], sum((header.types for header in headers), Counter[int]())
    architecture = first.get_text("general.architecture")
    if not architecture:
        raise UnreadableModelFile("damaged")
    return GgufFacts(
        architecture=architecture,
        name=first.get_text("general.name"),
        parameters=sum(header.parameters for header in headers),
        context_window=first.get_number(f"{architecture}.context_length"),
        has_chat_template=bool(first.get_text("tokenizer.chat_template")),
        quantisation=_name_quantisation(first, types),
        size=sum(part.stat().st_size for part in paths),
        cache_bytes=_compute_cache_bytes(first, architecture),
    )


def is_part(name: str) -> bool:
    """Return whether a file is a part of a split model."""
    return _match_part_end(name) is not None


def is_later_part(name: str) -> bool:
    """Return whether a file is a part of a split model, but not the first."""
    found = _match_part_end(name)
    return found is not None and int(found[1]) > 1


def _match_part_end(name: str) -> re.Match[str] | None:
    return _PART_END.fullmatch(name, max(1, len(name) - _PART_END_LENGTH))


def _list_parts(path: Path) -> Iterator[Path]:
    """Yield a file, or all files that its model was split into."""
    found = _match_part_end(path.name)
    count = int(found[2]) if found else 1
    if found is None or count > _MOST_PARTS:
        yield path
        return
    for number in range(1, count + 1):
        part = path.with_name(f"{path.name[: found.start()]}-{number:05d}-of-{count:05d}.gguf")
        if not part.is_file():
            raise UnreadableModelFile("incomplete")
        yield part


def _name_quantisation(header: _Header, types: Counter[int]) -> str:
    found = header.values.get("general.file_type")
    if isinstance(found, int) and found in FILE_TYPES:
        return FILE_TYPES[found]
    commonest = types.most_common(1)
    return TENSOR_TYPES[commonest[0][0]][0] if commonest else ""


def _compute_cache_bytes(header: _Header, architecture: str) -> int:
    """Return the bytes of the attention cache (keys and values, 16 bits each) for one token."""
    number = header.get_number
    heads, width = number(f"{architecture}.attention.head_count"), number(f"{architecture}.embedding_length")
    shared = number(f"{architecture}.attention.head_count_kv") or heads
    one = width // heads if heads else 0
    key = number(f"{architecture}.attention.key_length") or one
    value = number(f"{architecture}.attention.value_length") or one
    return 2 * number(f"{architecture}.block_count") * shared * (key + value)


def _read_file(path: Path) -> _Header:
    # Without waiting for a writer, should the name be that of a pipe.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb", buffering=0) as file:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise UnreadableModelFile("no_gguf")
        return _HeaderReader(file, size=status.st_size).read()


class _HeaderReader:
    """Parser of a header, with limits so that a wrong number cannot make it read endlessly."""

    def __init__(self, file: BinaryIO, *, size: int) -> None:
        self._file, self._size = file, size
        self._buffer, self._at = b"", 0
        self._offset = 0  # of the end of the buffer in the file
        self._left = MOST_HEADER_BYTES

    def read(self) -> _Header:
        """Return the header; raise UnreadableModelFile if the file is damaged or too short."""
        if self._take(len(MAGIC)) != MAGIC:
            raise UnreadableModelFile("no_gguf")
        (version,) = self._unpack("<I")
        if version not in (2, 3):
            raise UnreadableModelFile("unsupported")
        tensors, keys = self._unpack("<QQ")
        if tensors > _MOST_TENSORS or keys > _MOST_KEYS:
            raise UnreadableModelFile("damaged")
        header = _Header(values=dict(self._read_pair() for _ in range(keys)), parameters=0)
        end = 0
        for _ in range(tensors):
            count, kind, tensor_end = self._read_tensor()
            header.parameters += count
            header.types[kind] += count
            end = max(end, tensor_end)
        self._check_end(end, alignment=header.get_number("general.alignment") or 32)
        del header.types[-1]
        return header

    def _check_end(self, end: int, *, alignment: int) -> None:
        """Raise UnreadableModelFile if the file ends before its last tensor does."""
        start = -(-self._get_position() // alignment) * alignment
        if start + end > self._size:
            raise UnreadableModelFile("incomplete")

    def _read_pair(self) -> tuple[str, object]:
        name = self._read_string(longest=_LONGEST_NAME)
        if name is None:
            raise UnreadableModelFile("damaged")
        (kind,) = self._unpack("<I")
        return name, self._read_array() if kind == _ARRAY else self._read_value(kind)

    def _read_value(self, kind: int) -> object:
        if kind == _STRING:
            return self._read_string(longest=_LONGEST_STRING)
        if kind not in _NUMBERS:
            raise UnreadableModelFile("damaged")
        return self._unpack("<" + _NUMBERS[kind])[0]

    def _read_array(self) -> object:
        """Return the largest number of a short list of integers, and None for other lists.

        If a value differs by layer of the model, the largest is enough for estimates.
        """
        kind, count = self._unpack("<IQ")
        if count > self._size:
            raise UnreadableModelFile("incomplete")
        if kind == _STRING:
            self._skip_strings(count)
            return None
        if kind not in _NUMBERS:
            raise UnreadableModelFile("damaged")
        width = struct.calcsize("<" + _NUMBERS[kind])
        if count <= _LONGEST_LIST and _NUMBERS[kind] not in "fd":
            return max(self._unpack(f"<{count}{_NUMBERS[kind]}"), default=None)
        self._skip(count * width)
        return None

    def _read_tensor(self) -> tuple[int, int, int]:
        """Return the number of values, the type and the end of a tensor.

        If the type is unknown, return -1 for it and the beginning instead of the end.
        """
        self._skip_strings(1)
        (dimensions,) = self._unpack("<I")
        if dimensions > _MOST_DIMENSIONS:
            raise UnreadableModelFile("damaged")
        count = prod(self._unpack(f"<{dimensions}Q"))
        kind, offset = self._unpack("<IQ")
        if max(count, offset) > _LARGEST_NUMBER:
            raise UnreadableModelFile("damaged")
        if kind not in TENSOR_TYPES:
            return count, -1, offset
        _, values, width = TENSOR_TYPES[kind]
        return count, kind, offset + -(-count // values) * width

    # --- bytes ---------------------------------------------------------------------------------------------

    def _get_position(self) -> int:
        return self._offset - len(self._buffer) + self._at

    def _unpack(self, form: str) -> tuple[int, ...]:
        return struct.unpack(form, self._take(struct.calcsize(form)))

    def _read_string(self, *, longest: int) -> str | None:
        (length,) = self._unpack("<Q")
        if length > longest:
            self._skip(length)
            return None
        return self._take(length).decode("utf-8", "replace")

    def _skip_strings(self, count: int) -> None:
        # A vocabulary has hundreds of thousands, most of which lie in the buffer.
        buffer, at, end = self._buffer, self._at, len(self._buffer)
        for _ in range(count):
            if at + 8 <= end:
                at += 8 + _read_length(buffer, at)[0]
                if at <= end:
                    continue
                self._at = end
                self._skip(at - end)
            else:
                self._at = at
                self._skip(self._unpack("<Q")[0])
            buffer, at, end = self._buffer, self._at, len(self._buffer)
        self._at = at

    def _take(self, count: int) -> bytes:
        end = self._at + count
        if end > len(self._buffer):
            self._fill(count)
            end = self._at + count
        taken = self._buffer[self._at : end]
        self._at = end
        return taken

    def _skip(self, count: int) -> None:
        end = self._at + count
        if end <= len(self._buffer):
            self._at = end
            return
        position = self._get_position() + count
        if position > self._size:
            raise UnreadableModelFile("incomplete")
        self._file.seek(position)
        self._buffer, self._at, self._offset = b"", 0, position

    def _fill(self, count: int) -> None:
        """Read on until the next `count` bytes lie in the buffer."""
        rest = self._buffer[self._at :]
        pieces, found = [rest], len(rest)
        while found < count:
            piece = self._file.read(max(_READ, count - found))
            if not piece:
                raise UnreadableModelFile("incomplete")
            self._left -= len(piece)
            if self._left < 0:
                raise UnreadableModelFile("damaged")
            self._offset += len(piece)
            pieces.append(piece)
            found += len(piece)
        self._buffer, self._at = b"".join(pieces), 0
