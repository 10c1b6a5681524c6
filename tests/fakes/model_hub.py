"""A scripted model hub on a real socket: it redirects to the file, like the public one, and can fail.

with FakeHub(content) as hub:
    hub.faults.append(Fault(drop_after=1000))       # the next request for the file
    ... hub.url, hub.REPOSITORY, hub.FILE ...
    hub.requests                                    # (method, path, headers) of each request
"""

import hashlib
import json
import threading
from collections import deque
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from tests.fakes.gguf_file import build_gguf

REPOSITORY, FILE = "maker/heron-3b-GGUF", "heron-3b-Q4_K_M.gguf"


@dataclass(kw_only=True)
class Fault:
    """The failure of one request for the file."""

    status: int = 0
    drop_after: int | None = None  # bytes of the body
    whole: bool = False  # the range is ignored
    other: bytes | None = None  # other content under the same checksum
    location: str | None = None  # where the hub leads
    wait_after: int | None = None  # bytes, after which nothing comes until `release`


class FakeHub:
    """A hub with one file."""

    def __init__(self, content: bytes | None = None, *, links: bool = True, lists: bool = True) -> None:
        self.content = build_gguf() if content is None else content
        self.sha256 = hashlib.sha256(self.content).hexdigest()
        self.etag = '"one"'
        self.links, self.lists = links, lists
        self.head_status = 0
        self.faults: deque[Fault] = deque()
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        self.waiting, self.release = threading.Event(), threading.Event()
        hub = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_HEAD(self) -> None:
                hub.answer(self)

            def do_GET(self) -> None:
                hub.answer(self)

            def log_message(self, *_arguments: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def loads(self) -> list[dict[str, str]]:
        """The headers of the requests for the file's bytes."""
        return [headers for method, path, headers in self.requests if (method, path) == ("GET", "/cdn/file")]

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.release.set()
        self._server.shutdown()
        self._server.server_close()

    def answer(self, request: BaseHTTPRequestHandler) -> None:
        path = request.path.partition("?")[0]
        headers = {name.lower(): value for name, value in request.headers.items()}
        self.requests.append((request.command, path, headers))
        if path == f"/{REPOSITORY}/resolve/main/{FILE}":
            self._lead(request)
        elif path == f"/api/models/{REPOSITORY}/tree/main" and self.lists:
            entry = {"path": FILE, "lfs": {"oid": self.sha256, "size": len(self.content)}}
            _send(request, 200, json.dumps([{"path": "README.md"}, entry]).encode())
        elif path == "/cdn/file":
            self._send_file(request, headers)
        else:
            _send(request, 404, b"")

    def _lead(self, request: BaseHTTPRequestHandler) -> None:
        if request.command == "HEAD" and self.head_status:
            _send(request, self.head_status, b"")
            return
        location = self.faults[0].location if self.faults else None
        linked = {"X-Linked-Size": str(len(self.content)), "X-Linked-Etag": f'"{self.sha256}"'}
        _send(request, 302, b"", Location=location or "/cdn/file", **(linked if self.links else {}))

    def _send_file(self, request: BaseHTTPRequestHandler, headers: dict[str, str]) -> None:
        fault = self.faults.popleft() if self.faults and request.command == "GET" else Fault()
        if fault.status:
            _send(request, fault.status, b"")
            return
        content = fault.other or self.content
        start = int(headers.get("range", "bytes=0-").removeprefix("bytes=").removesuffix("-"))
        if fault.whole or headers.get("if-range", self.etag) != self.etag:
            start = 0
        more = {"ETag": self.etag}
        if start:
            more["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        body = content[start:]
        pause = fault.drop_after if fault.drop_after is not None else fault.wait_after
        _send(request, 206 if start else 200, body, stop_after=pause, **more)
        if fault.wait_after is not None:
            self.waiting.set()
            self.release.wait(20)
            # Whoever was killed meanwhile does not listen any more.
            with suppress(ConnectionError):
                request.wfile.write(body[fault.wait_after :])


def _send(
    request: BaseHTTPRequestHandler, status: int, body: bytes, stop_after: int | None = None, **headers: str
) -> None:
    request.send_response(status)
    for name, value in headers.items():
        request.send_header(name.replace("_", "-"), value)
    request.send_header("Content-Length", str(len(body)))
    request.end_headers()
    if request.command != "HEAD":
        request.wfile.write(body[:stop_after])
        request.wfile.flush()
    if stop_after is not None:
        request.close_connection = True
