"""Tests behind a real nginx with TLS and the README's example: cookies, sockets, addresses, the disk."""

import os
import re
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin

from accounts.throttling.throttle import PAIR
from llamora.ops.server.body_limits import LARGE_BODY
from tests.browser.served_household import ServedHouse, run_household
from tests.browser_client import Visitor
from tests.fakes.waiting import PATIENCE
from tests.ops.test_request_framing import AMBIGUOUS
from tests.server import ROOT
from tests.test_docs import README

pytestmark = pytest.mark.slow

# Debian's lies where not every path leads.
NGINX = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
HOST = "diary.home"
AROUND = """
daemon off;
pid {folder}/pid;
{user}
error_log stderr error;
events {{}}
http {{
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
{server}
}}
"""


def example() -> str:
    """The one example of the README."""
    (found,) = re.findall(r"^```nginx\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    return str(found)


def fill_in(text: str, **values: str) -> str:
    """Put this machine's ports and files in place of the example's, and leave everything else as it is."""
    for old, new in values.items():
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    return text


@dataclass
class Proxy:
    """An nginx in front of a served household."""

    house: ServedHouse
    folder: Path
    port: int
    trust: ssl.SSLContext

    @property
    def origin(self) -> str:
        return f"https://{HOST}:{self.port}"

    def visit(self, source_address: str, **headers: str) -> "PhoneVisitor":
        """A browser of somebody who has signed in through the proxy."""
        browser = self.house.new_member()
        phone = PhoneVisitor(
            server=self.house.server,
            name=browser.name,
            proxy=self,
            source_address=source_address,
            more_headers={"Host": f"{HOST}:{self.port}", "Origin": self.origin, **headers},
        )
        phone.sign_in()
        return phone


@dataclass(kw_only=True, eq=False)
class PhoneVisitor(Visitor):
    """An HTTP client that connects only to the proxy."""

    proxy: Proxy

    def _connection(self) -> HTTPConnection:
        connection = self.local.__dict__.get("connection")
        if connection is None:
            connection = _Connection(self.proxy, self.source_address)
            self.local.connection = connection
        return connection

    def open_socket(self, origin: str) -> ClientConnection:
        return connect(
            f"wss://{HOST}:{self.proxy.port}/live/",
            sock=socket.create_connection(
                ("127.0.0.1", self.proxy.port), source_address=(self.source_address, 0)
            ),
            ssl=self.proxy.trust,
            origin=Origin(origin),
            additional_headers={"Cookie": self.cookie_header},
            open_timeout=10,
            close_timeout=0.2,
        )


class _Connection(HTTPSConnection):
    """A connection to the proxy by IP address, which expects the certificate of its name."""

    def __init__(self, proxy: Proxy, source_address: str) -> None:
        super().__init__(HOST, proxy.port, timeout=60, context=proxy.trust)
        self.proxy, self.source = proxy, source_address

    def connect(self) -> None:
        plain = socket.create_connection(("127.0.0.1", self.proxy.port), 60, (self.source, 0))
        self.sock = self.proxy.trust.wrap_socket(plain, server_hostname=HOST)


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    if NGINX is None:
        pytest.skip("no nginx on the PATH or in /usr/sbin; install Debian's package nginx")
    if shutil.which("openssl") is None:
        pytest.skip("no openssl on the PATH; install Debian's package openssl")
    folder = tmp_path_factory.mktemp("nginx")
    extra = {"LLAMORA_HOSTS": HOST, "LLAMORA_TRUSTED_PROXIES": "127.0.0.1"}
    with run_household(tmp_path_factory.mktemp("household"), **extra) as house:
        proxy = Proxy(house=house, folder=folder, port=free_port(), trust=make_certificate(folder))
        with run_nginx(proxy) as process:
            wait_until_it_answers(proxy, process)
            try:
                yield proxy
            finally:
                process.terminate()


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def make_certificate(folder: Path) -> ssl.SSLContext:
    """Make a certificate that nobody signed, and return what a browser needs to trust it."""
    command = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:prime256v1",
        "-nodes",
    ]
    command += ["-days", "2", "-subj", f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST}"]
    command += ["-keyout", str(folder / "key.pem"), "-out", str(folder / "certificate.pem")]
    subprocess.run(command, check=True, capture_output=True)
    return ssl.create_default_context(cafile=str(folder / "certificate.pem"))


def run_nginx(proxy: Proxy) -> "subprocess.Popen[bytes]":
    server = fill_in(
        example(),
        **{
            "listen 443 ssl;": f"listen 127.0.0.1:{proxy.port} ssl;",
            "127.0.0.1:8765": f"127.0.0.1:{proxy.house.server.port}",
            "/etc/ssl/certs/diary.home.pem": f"{proxy.folder}/certificate.pem",
            "/etc/ssl/private/diary.home.key": f"{proxy.folder}/key.pem",
        },
    )
    # Only root may name another user, and its files here are its own.
    user = "user root;" if os.getuid() == 0 else ""
    (proxy.folder / "nginx.conf").write_text(AROUND.format(folder=proxy.folder, user=user, server=server))
    with (proxy.folder / "log").open("wb") as log:
        return subprocess.Popen(
            [str(NGINX), "-p", str(proxy.folder), "-c", "nginx.conf"], stdout=log, stderr=subprocess.STDOUT
        )


def wait_until_it_answers(proxy: Proxy, process: "subprocess.Popen[bytes]") -> None:
    for _ in range(600):
        assert process.poll() is None, (proxy.folder / "log").read_text()
        try:
            socket.create_connection(("127.0.0.1", proxy.port), 5).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError((proxy.folder / "log").read_text())


def test_the_readme_has_one_example() -> None:
    assert "proxy_pass http://127.0.0.1:8765;" in example()
    assert (ROOT / "README.md").read_text().count("```nginx") == 1


def test_cookies_are_sent_over_https_alone(proxy: Proxy) -> None:
    phone = proxy.visit("127.0.71.1")

    signed_in = phone.responses[-1]
    assert signed_in.status == 302
    assert "__Host-llamora_session" in phone.cookies
    assert "llamora_session" not in phone.cookies
    for response in phone.responses:
        assert all("; secure" in line.lower() for line in response.set_cookies)
    assert phone.get("/").status == 200
    assert phone.save("Written on the way").status == 200


def test_the_live_socket_is_opened_by_pages_of_the_proxy_alone(proxy: Proxy) -> None:
    phone = proxy.visit("127.0.71.2")

    with phone.open_socket(proxy.origin) as live:
        assert live.ping().wait(PATIENCE)
    for origin in (f"http://{HOST}:{proxy.port}", f"https://elsewhere.example:{proxy.port}"):
        with pytest.raises(InvalidStatus), phone.open_socket(origin):
            pass


def test_without_a_session_the_live_socket_stays_shut(proxy: Proxy) -> None:
    phone = proxy.visit("127.0.71.3")
    session = phone.cookies.pop("__Host-llamora_session")
    # A cookie set over plain HTTP, as another program on this machine could, is not one of HTTPS.
    phone.cookies["llamora_session"] = session

    assert phone.get("/").status == 302


GUESS = {"name": "Nobody of this name", "password": "wrong"}


def test_failures_count_for_the_phone_and_not_for_the_proxy(proxy: Proxy) -> None:
    guesser, another = proxy.visit("127.0.71.4"), proxy.visit("127.0.71.5")

    statuses = [guesser.submit("/sign-in/", GUESS).status for _ in range(PAIR.free + 8)]

    assert statuses[0] == 422
    assert 429 in statuses
    assert another.submit("/sign-in/", GUESS).status == 422
    log = proxy.house.server.log()
    assert re.search(r"POST /sign-in/ 422 .* from 127\.0\.71\.4$", log, re.MULTILINE)


def test_a_forged_header_from_outside_is_ignored(proxy: Proxy) -> None:
    guesser, statuses = proxy.visit("127.0.71.6"), []

    for number in range(PAIR.free + 8):
        forged = {"X-Forwarded-For": f"6.6.6.{number}", "Forwarded": f"for=6.6.7.{number}"}
        guesser.more_headers = {**guesser.more_headers, **forged}
        statuses.append(guesser.submit("/sign-in/", GUESS).status)

    assert 429 in statuses
    assert not re.search(r"6\.6\.[67]\.", proxy.house.server.log())


def test_a_long_body_passes_and_leaves_no_file(proxy: Proxy) -> None:
    phone = proxy.visit("127.0.71.7")
    phone.get("/")
    text = "marrowbone " * 8000

    assert phone.save(text).status == 200
    assert phone.save("m" * (LARGE_BODY - 1000)).status != 413

    log = (proxy.folder / "log").read_text()
    assert "buffered to a temporary file" not in log
    assert not [path for path in (proxy.folder / "body").rglob("*") if path.is_file()]
    assert "marrowbone" not in log


def test_nginx_logs_no_request(proxy: Proxy) -> None:
    proxy.visit("127.0.71.8").get("/search/?looking=for-something-private")

    assert "private" not in (proxy.folder / "log").read_text()
    assert not (proxy.folder / "logs").exists()


# --- Requests that the proxy and the server could read differently ---------------------------------------


def exchange(proxy: Proxy, sent: str) -> str:
    """Send everything at once through the proxy, and return what comes until it closes or is silent."""
    plain = socket.create_connection(("127.0.0.1", proxy.port), 60)
    received = b""
    with proxy.trust.wrap_socket(plain, server_hostname=HOST) as connection:
        connection.sendall(sent.encode("latin1"))
        # The last request asks for an end; where the proxy takes it for a body, it waits for more.
        connection.settimeout(5)
        with suppress(TimeoutError, ssl.SSLEOFError, ConnectionResetError):
            while piece := connection.recv(65536):
                received += piece
    return received.decode("utf-8", "replace")


def build(
    proxy: Proxy, path: str, *headers: str, who: PhoneVisitor | None = None, method: str = "GET"
) -> str:
    lines = [f"{method} {path} HTTP/1.1", f"Host: {HOST}:{proxy.port}", *headers]
    lines += [f"Cookie: {who.cookie_header}"] if who else []
    return "\r\n".join([*lines, "", ""])


def count_requests(proxy: Proxy) -> int:
    """Count the requests that the server has read, but those for /healthz.

    A request is logged after its response, but before the server reads the next one: so send one more.
    """
    assert "200 OK" in exchange(proxy, build(proxy, "/healthz", "Connection: close"))
    lines = [line for line in proxy.house.server.log().splitlines() if "llamora.access: " in line]
    return sum("/healthz" not in line for line in lines)


def test_requests_of_two_people_at_once_are_answered_each_with_their_own(proxy: Proxy) -> None:
    anna, bea = proxy.visit("127.0.71.9"), proxy.visit("127.0.71.10")
    assert {anna.get("/").status, bea.get("/").status} == {200}
    asked = [anna, bea, None, bea, anna]

    answers = exchange(
        proxy,
        "".join(build(proxy, "/", who=who) for who in asked)
        + build(proxy, "/", "Connection: close", who=bea),
    )

    owners = re.findall(r'HTTP/1\.1 302 |data-owner="([0-9a-f-]{36})"', answers)
    assert owners == [who.owner if who else "" for who in [*asked, bea]]


@pytest.mark.parametrize("headers", AMBIGUOUS.values(), ids=AMBIGUOUS.keys())
def test_the_server_reads_no_request_that_the_proxy_did_not(proxy: Proxy, headers: str) -> None:
    anna = proxy.visit("127.0.71.11")
    before = count_requests(proxy)
    hidden = build(proxy, "/no-such-page/", "Connection: close", who=anna)

    answers = exchange(proxy, build(proxy, "/sign-in/", *headers.split("\r\n"), method="POST") + hidden)

    # Those of the server have our policy, and the proxy's own have not.
    answered = answers.lower().count("\ncontent-security-policy: ")
    assert count_requests(proxy) - before == answered
    assert anna.get("/").status == 200


@pytest.mark.parametrize("start", ["https://elsewhere.example", f"https://{HOST}", "//elsewhere.example"])
def test_a_host_in_the_path_leads_nowhere_else(proxy: Proxy, start: str) -> None:
    anna = proxy.visit("127.0.71.12")
    answers = exchange(
        proxy, build(proxy, f"{start}/sign-in", who=anna) + build(proxy, "/x/", "Connection: close")
    )

    for place in re.findall(r"^location: ([^\r]*)", answers, re.MULTILINE | re.IGNORECASE):
        assert place == "/sign-in/"
    assert "HTTP/1.1 5" not in answers
