"""A process that attacks the server with wrong sign-ins and slow connections, for `attacks.py`.

python -m llamora.ops.benchmarks.attack_process guess PORT ADDRESSES   wrong sign-ins for unknown names
python -m llamora.ops.benchmarks.attack_process hold PORT              half-sent bodies, slow connections

Both run until they are terminated, and print `begun` when all threads are running.
"""

import asyncio
import sys
from contextlib import suppress
from urllib.parse import urlencode

HALF_SENT, BODY_BYTES = 60, 4 * 1024 * 1024
SLOW = 250
PAUSE = 1.0
_TOKEN = "a" * 32


def build_sign_in(name: str) -> bytes:
    """Return the HTTP request of a sign-in with a wrong password, with the header `Connection: close`."""
    body = urlencode({"csrfmiddlewaretoken": _TOKEN, "name": name, "password": "not their password"})
    head = (
        "POST /sign-in/ HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n"
        f"Cookie: llamora_csrf={_TOKEN}\r\nContent-Type: application/x-www-form-urlencoded\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return (head + body).encode()


async def guess(port: int, number: int) -> None:
    """Send sign-ins with wrong passwords from one address, one after the other."""
    address = f"127.88.{number // 250}.{number % 250 + 1}"
    attempt = 0
    while True:
        attempt += 1
        with suppress(OSError):
            reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(address, 0))
            writer.write(build_sign_in(f"nobody {number} {attempt}"))
            await reader.read()
            writer.close()


async def drip(port: int, *, address: str, begin: bytes) -> None:
    """Open a connection and send bytes slowly; reopen it when the server closes it."""
    while True:
        with suppress(OSError):
            _, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(address, 0))
            writer.write(begin)
            with suppress(TimeoutError):
                await asyncio.wait_for(writer.drain(), 10)
            while True:
                writer.write(b"x")
                await writer.drain()
                await asyncio.sleep(PAUSE)
        await asyncio.sleep(PAUSE)


async def _run(kind: str, port: int, count: int) -> None:
    if kind == "guess":
        tasks = [asyncio.ensure_future(guess(port, number)) for number in range(count)]
    else:
        body = f"POST /d/2026-01-01/ HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {BODY_BYTES}\r\n\r\n"
        half_sent = body.encode() + b"x" * (BODY_BYTES - 4096)
        tasks = [
            asyncio.ensure_future(drip(port, address=f"127.89.0.{n % 4 + 1}", begin=half_sent))
            for n in range(HALF_SENT)
        ] + [
            asyncio.ensure_future(drip(port, address=f"127.89.1.{n % 5 + 1}", begin=b"GET / HTTP/1.1\r\nX: "))
            for n in range(SLOW)
        ]
    await asyncio.sleep(4)
    sys.stdout.write("begun\n")
    sys.stdout.flush()
    await asyncio.gather(*tasks)


if __name__ == "__main__":
    asyncio.run(_run(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]) if len(sys.argv) > 3 else 0))
