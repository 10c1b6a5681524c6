"""Framing of an HTTP/1.1 response body (RFC 9112, 6.3): by chunks, by length, or by end of connection.

If more bytes follow the end of a body, the body has a surplus. The connection must then not be reused: the
surplus would be read as the response to the next request, which may be another person's.
"""

_LONGEST_LINE = 256


class Dechunker:
    """Decoder of a chunked body (RFC 9112, 7.1)."""

    def __init__(self) -> None:
        self.is_done = self.has_surplus = False
        self._rest = b""
        self._missing = 0  # bytes of the current chunk, its line end included

    def feed(self, raw: bytes) -> bytes:
        """Return the content of the chunks in `raw`. If `raw` is not chunked, raise ValueError."""
        data, position, parts = self._rest + raw, 0, []
        self._rest = b""
        while position < len(data):
            if self._missing:
                parts.append(data[position : position + max(self._missing - 2, 0)])
                length = min(self._missing, len(data) - position)
                position, self._missing = position + length, self._missing - length
                continue
            end = data.find(b"\r\n", position)
            if end < 0:
                self._buffer_rest(data[position:])
                break
            position = self._begin_chunk(data, position, end)
            if self.is_done:
                self.has_surplus = position < len(data)
                break
        return b"".join(parts)

    def _begin_chunk(self, data: bytes, position: int, end: int) -> int:
        """Read the head of a chunk; return the position of its content. After the last one, set `is_done`."""
        size = data[position:end].split(b";", 1)[0].strip()
        if not size.isalnum():
            raise ValueError
        length = int(size, 16)
        if length:
            self._missing = length + 2
            return end + 2
        # Trailers, which no model server sends, prevent another request over the connection.
        self.is_done = data[end + 2 : end + 4] == b"\r\n"
        if not self.is_done:
            self._buffer_rest(data[position:])
            return len(data)
        return end + 4

    def _buffer_rest(self, rest: bytes) -> None:
        if len(rest) > _LONGEST_LINE:
            raise ValueError
        self._rest = rest


class SizedBody:
    """Decoder of a body of a known length."""

    def __init__(self, length: int) -> None:
        self._missing = length
        self.has_surplus = False

    @property
    def is_done(self) -> bool:
        return self._missing == 0

    def feed(self, raw: bytes) -> bytes:
        """Return the content in `raw`: the bytes up to the known length of the body."""
        content = raw[: self._missing]
        self.has_surplus = len(raw) > self._missing
        self._missing -= len(content)
        return content


class UnframedBody:
    """Decoder of a body without a known length, which ends when the connection is closed."""

    is_done = has_surplus = False

    def feed(self, raw: bytes) -> bytes:
        """Return `raw` unchanged, because every byte belongs to the content."""
        return raw


Framing = Dechunker | SizedBody | UnframedBody


def get_framing(status: int, headers: list[tuple[bytes, bytes]]) -> Framing:
    """Return the framing of a response, by its headers."""
    fields = {name.lower(): value.lower() for name, value in headers}
    if status in (204, 304):
        return SizedBody(0)
    if b"chunked" in fields.get(b"transfer-encoding", b""):
        return Dechunker()
    length = fields.get(b"content-length")
    if length is None:
        return UnframedBody()
    if not length.isdigit():
        raise ValueError
    return SizedBody(int(length))
