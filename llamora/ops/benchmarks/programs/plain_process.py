"""A trivial server that answers every call at once, as the baseline for `calls.py`.

    python -m llamora.ops.benchmarks.programs.plain_process

It prints its port, and ends when its standard input is closed. Programs that call it use as much processor as
those that call the real server. So pages measured meanwhile show the best that is possible.
"""

import socketserver
import sys
import threading

_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


class PlainHandler(socketserver.StreamRequestHandler):
    """Handler of one connection, which answers every request with a fixed response."""

    def handle(self) -> None:
        """Read each request and send a fixed response."""
        length = 0
        while line := self.rfile.readline():
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
            if not line.strip():
                self.rfile.read(length)
                self.wfile.write(_ANSWER)
                length = 0


class PlainServer(socketserver.ThreadingTCPServer):
    """Server that accepts connections on one loopback address and uses a thread for each."""

    daemon_threads = True


def main() -> None:
    """Serve until the standard input is closed."""
    with PlainServer(("127.0.0.1", 0), PlainHandler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        sys.stdout.write(f"{server.server_address[1]}\n")
        sys.stdout.flush()
        sys.stdin.read()
        server.shutdown()


if __name__ == "__main__":
    main()
