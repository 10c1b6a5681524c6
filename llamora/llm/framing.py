"""Where the body of an HTTP/1.1 answer ends (RFC 9112, 6.3): by chunks, by length, or with its connection."""

_LONGEST_LINE = 256


class Dechunker:
    """Takes the bytes of a chunked body and gives back what they carry (RFC 9112, 7.1)."""

    def __init__(self) -> None:
        self.done = False
        self._rest = b""
        self._missing = 0  # of the chunk under way, its line end included

    def feed(self, raw: bytes) -> bytes:
        """The content that these bytes complete; raises ValueError on nonsense."""
        data, place, parts = self._rest + raw, 0, []
        self._rest = b""
        while place < len(data):
            if self._missing:
                parts.append(data[place : place + max(self._missing - 2, 0)])
                taken = min(self._missing, len(data) - place)
                place, self._missing = place + taken, self._missing - taken
                continue
            end = data.find(b"\r\n", place)
            if end < 0:
                self._keep(data[place:])
                break
            place = self._begin(data, place, end)
            if self.done:
                break
        return b"".join(parts)

    def _begin(self, data: bytes, place: int, end: int) -> int:
        """A new chunk, or the last one; gives back where its content begins."""
        size = data[place:end].split(b";", 1)[0].strip()
        if not size.isalnum():
            raise ValueError
        length = int(size, 16)
        if length:
            self._missing = length + 2
            return end + 2
        # Trailers, which nobody sends, make the connection unfit for another request.
        self.done = data[end + 2 : end + 4] == b"\r\n"
        if not self.done:
            self._keep(data[place:])
            return len(data)
        return end + 4

    def _keep(self, rest: bytes) -> None:
        if len(rest) > _LONGEST_LINE:
            raise ValueError
        self._rest = rest


class SizedBody:
    """A body whose length is known."""

    def __init__(self, length: int) -> None:
        self._missing = length

    @property
    def done(self) -> bool:
        return self._missing == 0

    def feed(self, raw: bytes) -> bytes:
        """All of it, up to the length that was told."""
        taken = raw[: self._missing]
        self._missing -= len(taken)
        return taken


class UntilTheEnd:
    """A body that lasts as long as its connection."""

    done = False

    def feed(self, raw: bytes) -> bytes:
        """All of it."""
        return raw


Framing = Dechunker | SizedBody | UntilTheEnd


def framing_of(status: int, headers: list[tuple[bytes, bytes]]) -> Framing:
    """How long the body is, and so when the connection is free again."""
    said = {name.lower(): value.lower() for name, value in headers}
    if status in (204, 304):
        return SizedBody(0)
    if b"chunked" in said.get(b"transfer-encoding", b""):
        return Dechunker()
    length = said.get(b"content-length")
    return UntilTheEnd() if length is None else SizedBody(int(length))
