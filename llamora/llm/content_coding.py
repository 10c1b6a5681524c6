"""Decompression of response bodies (RFC 9110, 8.4.1): some servers compress although asked not to.

Supports gzip and deflate. The output is produced in small pieces, so that a decompression bomb cannot fill
the memory.
"""

import zlib
from collections.abc import AsyncIterator, Iterator

from llamora.llm.errors import MalformedResponse

_PIECE = 1 << 16
# Either of the two formats, found from its first bytes.
_ANY_FORMAT = zlib.MAX_WBITS | 32
_SUPPORTED = frozenset({"gzip", "x-gzip", "deflate"})


class _Inflater:
    """Decompressor of one body, which may consist of several compressed members."""

    def __init__(self) -> None:
        self._member = zlib.decompressobj(_ANY_FORMAT)

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """Yield the decompressed content of these bytes in pieces; raise MalformedResponse if damaged."""
        is_complete = False
        while not is_complete:
            try:
                piece = self._member.decompress(chunk, _PIECE)
            except zlib.error:
                raise MalformedResponse from None
            if piece:
                yield piece
            if self._member.eof:
                chunk = self._member.unused_data
                self._member = zlib.decompressobj(_ANY_FORMAT)
                is_complete = not chunk
            else:
                chunk = self._member.unconsumed_tail
                # A full piece may have left more of the content behind.
                is_complete = not chunk and len(piece) < _PIECE


def decode_body(chunks: AsyncIterator[bytes], coding: str) -> AsyncIterator[bytes]:
    """Return the decompressed chunks of a body, given the value of Content-Encoding."""
    name = coding.strip().lower()
    if name in ("", "identity"):
        return chunks
    if name not in _SUPPORTED:
        raise MalformedResponse
    return _inflate_chunks(chunks)


async def _inflate_chunks(chunks: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    inflater = _Inflater()
    async for chunk in chunks:
        for piece in inflater.feed(chunk):
            yield piece
