"""A process that answers every call at once, without looking at it: what is left is the cost of the programs.

    python -m llamora.ops.benchmarks.programs.plain_process

It prints its port, and ends when its standard input does. Programs that call it use the processor as those do
that call the server, so a page beside them is what a page beside programs can be at best.
"""

import socketserver
import sys
import threading

_ANSWER = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"


class PlainHandler(socketserver.StreamRequestHandler):
    """The requests of one connection."""

    def handle(self) -> None:
        """Answer each request once it was read."""
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
    """A server of one address of this machine."""

    daemon_threads = True


def main() -> None:
    """Serve until the standard input ends."""
    with PlainServer(("127.0.0.1", 0), PlainHandler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        sys.stdout.write(f"{server.server_address[1]}\n")
        sys.stdout.flush()
        sys.stdin.read()
        server.shutdown()


if __name__ == "__main__":
    main()
