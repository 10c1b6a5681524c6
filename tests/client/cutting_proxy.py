"""A proxy between the client and a real server that drops responses after the server has sent them."""

import contextlib
import socket
import threading
from types import TracebackType
from typing import Self


class CuttingProxy:
    """A proxy on a port; it cuts the next `losses` responses after `let_through` bytes."""

    def __init__(self, port: int) -> None:
        self.losses = 0
        self.lost = 0
        self.let_through = 0
        self._target = port
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        self._thread = threading.Thread(target=self._serve, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._socket.close()

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._socket.accept()
                server = socket.create_connection(("127.0.0.1", self._target))
                pairs = ((client, server, False), (server, client, True))
                for pair in pairs:
                    threading.Thread(target=self._forward, args=pair, daemon=True).start()

    def _forward(self, source: socket.socket, target: socket.socket, is_answer: bool) -> None:
        with contextlib.suppress(OSError):
            sent = 0
            while data := source.recv(65536):
                if is_answer and self.losses and sent + len(data) > self.let_through:
                    target.sendall(data[: self.let_through - sent])
                    self.losses -= 1
                    self.lost += 1
                    break
                target.sendall(data)
                sent += len(data)
        for each in (source, target):
            with contextlib.suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
