"""Decoders of packed bytes: gzip, zlib, LZ4 and snappy frames, mozLz4, leveldb tables.

The decoders are short rather than fast; each is tested with bytes that its original library wrote.

    LZ4 block       https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md
    snappy          https://github.com/google/snappy/blob/main/format_description.txt, framing_format.txt
    leveldb table   https://github.com/google/leveldb/blob/main/doc/table_format.md
"""

import zlib
from collections.abc import Iterator

LZ4_FRAME, MOZ_LZ4 = b"\x04\x22\x4d\x18", b"mozLz40\0"
SNAPPY_FRAMES = b"\xff\x06\x00\x00sNaPpY"
LEVELDB_END = (0xDB4775248B80FB57).to_bytes(8, "little")
MOST = 64 * 1024 * 1024


class DamagedArchive(Exception):  # noqa: N818 - states what is the case
    """Raised for bytes that are not in the expected format."""


def iter_unpacked(data: bytes, *, depth: int = 2) -> Iterator[tuple[str, bytes]]:
    """Yield everything packed in `data`, recursively."""
    if not depth:
        return
    for kind, found in _iter_unpacked_once(data):
        yield kind, found
        for inner, more in iter_unpacked(found, depth=depth - 1):
            yield f"{kind} > {inner}", more


def _iter_unpacked_once(data: bytes) -> Iterator[tuple[str, bytes]]:
    for start in _find_offsets(data, b"\x1f\x8b\x08"):
        yield from _inflate("gzip", data[start:], 31)
    for second in (b"\x01", b"\x5e", b"\x9c", b"\xda"):
        for start in _find_offsets(data, b"\x78" + second):
            yield from _inflate("zlib", data[start:], 15)
    for mark, kind, reader in (
        (LZ4_FRAME, "LZ4", _lz4_frame),
        (MOZ_LZ4, "mozLz4", lambda part: lz4_block(part[12:])),
        (SNAPPY_FRAMES, "snappy", _snappy_frames),
    ):
        for start in _find_offsets(data, mark):
            try:
                yield kind, reader(data[start:])
            except (DamagedArchive, IndexError):
                continue
    if data[-8:] == LEVELDB_END:
        for block in _leveldb_blocks(data):
            yield "leveldb", block


def _find_offsets(data: bytes, mark: bytes) -> Iterator[int]:
    start = data.find(mark)
    while start >= 0:
        yield start
        start = data.find(mark, start + 1)


def _inflate(kind: str, data: bytes, window: int) -> Iterator[tuple[str, bytes]]:
    """Yield the decompressed bytes, also those before an error."""
    opener, out, at = zlib.decompressobj(window), bytearray(), 0
    try:
        while at < len(data) and not opener.eof and len(out) < MOST:
            out += opener.decompress(data[at : at + 4096], MOST)
            at += 4096
    except zlib.error:
        pass
    if out:
        yield kind, bytes(out)


# --- LZ4 -------------------------------------------------------------------------------------------


def lz4_block(data: bytes, out: bytearray | None = None) -> bytes:
    """Return the bytes of a block; `out` has the output of earlier blocks, for references."""
    out = bytearray() if out is None else out
    begun, at = len(out), 0
    while at < len(data):
        token = data[at]
        length, at = _lz4_length(data, at + 1, token >> 4)
        out += data[at : at + length]
        at += length
        if at >= len(data):
            break
        offset = int.from_bytes(data[at : at + 2], "little")
        length, at = _lz4_length(data, at + 2, token & 15)
        _copy(out, offset=offset, length=length + 4)
    return bytes(out[begun:])


def _lz4_length(data: bytes, at: int, length: int) -> tuple[int, int]:
    if length == 15:
        while data[at] == 255:
            length, at = length + 255, at + 1
        length, at = length + data[at], at + 1
    return length, at


def _copy(out: bytearray, *, offset: int, length: int) -> None:
    if not 0 < offset <= len(out) or len(out) > MOST:
        raise DamagedArchive
    for _ in range(length):
        out.append(out[-offset])


def _lz4_frame(data: bytes) -> bytes:
    flags = data[4]
    at = 7 + (8 if flags & 0x08 else 0) + (4 if flags & 0x01 else 0)
    out = bytearray()
    while size := int.from_bytes(data[at : at + 4], "little"):
        length = size & 0x7FFFFFFF
        block = data[at + 4 : at + 4 + length]
        if size >> 31:
            out += block
        else:
            lz4_block(block, out)
        at += 4 + length + (4 if flags & 0x10 else 0)
    return bytes(out)


# --- snappy ------------------------------------------------------------------------------------------


def snappy_block(data: bytes) -> bytes:
    """Return the bytes of a raw snappy block."""
    size, at = _varint(data, 0)
    out = bytearray()
    while at < len(data) and len(out) < size:
        tag = data[at]
        at += 1
        if tag & 3 == 0:
            length, at = _snappy_literal(data, at, tag >> 2)
            out += data[at : at + length]
            at += length
        elif tag & 3 == 1:
            _copy(out, offset=(tag >> 5) << 8 | data[at], length=4 + (tag >> 2 & 7))
            at += 1
        else:
            width = 2 if tag & 3 == 2 else 4
            _copy(out, offset=int.from_bytes(data[at : at + width], "little"), length=1 + (tag >> 2))
            at += width
    if len(out) != size:
        raise DamagedArchive
    return bytes(out)


def _snappy_literal(data: bytes, at: int, said: int) -> tuple[int, int]:
    if said < 60:
        return said + 1, at
    width = said - 59
    return int.from_bytes(data[at : at + width], "little") + 1, at + width


def _snappy_frames(data: bytes) -> bytes:
    out, at = bytearray(), 0
    while at + 4 <= len(data):
        kind, length = data[at], int.from_bytes(data[at + 1 : at + 4], "little")
        chunk = data[at + 4 : at + 4 + length]
        if kind == 0:
            out += snappy_block(chunk[4:])
        elif kind == 1:
            out += chunk[4:]
        elif kind < 0x80:
            break
        at += 4 + length
    return bytes(out)


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        byte = data[at]
        value, shift, at = value | (byte & 127) << shift, shift + 7, at + 1
        if byte < 128:
            return value, at


# --- leveldb, in which Chromium keeps what pages store --------------------------------------------------


def _leveldb_blocks(data: bytes) -> Iterator[bytes]:
    try:
        footer = data[-48:]
        _, at = _varint(footer, 0)
        _, at = _varint(footer, at)
        start, at = _varint(footer, at)
        size, _ = _varint(footer, at)
        index = _leveldb_block(data, start, size)
    except (DamagedArchive, IndexError):
        return
    for value in _leveldb_values(index):
        start, at = _varint(value, 0)
        size, _ = _varint(value, at)
        try:
            yield _leveldb_whole(_leveldb_block(data, start, size))
        except (DamagedArchive, IndexError):
            continue


def _leveldb_block(data: bytes, start: int, size: int) -> bytes:
    block, kind = data[start : start + size], data[start + size]
    return snappy_block(block) if kind == 1 else block


def _leveldb_entries(block: bytes) -> Iterator[tuple[bytes, bytes]]:
    end = len(block) - 4 - 4 * int.from_bytes(block[-4:], "little")
    at, key = 0, b""
    while at < end:
        shared, at = _varint(block, at)
        own, at = _varint(block, at)
        length, at = _varint(block, at)
        key = key[:shared] + block[at : at + own]
        yield key, block[at + own : at + own + length]
        at += own + length


def _leveldb_values(block: bytes) -> Iterator[bytes]:
    return (value for _, value in _leveldb_entries(block))


def _leveldb_whole(block: bytes) -> bytes:
    """Return complete keys (a block stores only differences from the previous key) and values."""
    return b"\0".join(part for entry in _leveldb_entries(block) for part in entry)
