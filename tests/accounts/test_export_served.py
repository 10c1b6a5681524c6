"""Tests of the export by a real server: complete, without a temporary file, stopped by a lock."""

import io
import json
import zipfile
from http.client import HTTPConnection, HTTPResponse, IncompleteRead
from pathlib import Path
from urllib.parse import urlencode

import pytest

from tests.browser_client import CSRF_COOKIE, FORM_TYPE, PASSWORD, Visitor
from tests.server import run_server

MARKER = "the heron stood in the reeds"
BIG = 95_000


def request_zip(olive: Visitor) -> HTTPConnection:
    """Open a connection, request the zip, and read nothing of the response."""
    connection = HTTPConnection("127.0.0.1", olive.server.port, timeout=30)
    cookies = "; ".join(f"{name}={value}" for name, value in olive.cookies.items())
    headers = {"Content-Type": FORM_TYPE, "X-CSRFToken": olive.cookies[CSRF_COOKIE], "Cookie": cookies}
    fields = urlencode({"owner": olive.owner, "current": PASSWORD})
    connection.request("POST", "/export/", fields, headers)
    return connection


def find_files_with_marker(folder: Path) -> list[Path]:
    """Return the files of the household that contain the marker."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [path for path in files if MARKER.encode() in path.read_bytes()]


def read_body(answer: HTTPResponse) -> None:
    while answer.read(1 << 20):
        pass


def test_a_diary_leaves_whole_and_leaves_nothing_behind(tmp_path: Path) -> None:
    with run_server(tmp_path, extra={"LLAMORA_REGISTRATION": "open"}) as server:
        olive = Visitor.join(server, "Olive")
        for number in range(3):
            olive.write(f"{MARKER} {number} " + "x" * 20_000)

        answer = request_zip(olive).getresponse()
        archive = zipfile.ZipFile(io.BytesIO(answer.read()))

        assert answer.status == 200
        assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
        assert len(json.loads(archive.read("diary.json"))["entries"]) == 3
        assert archive.testzip() is None
        assert olive.get("/").status == 200
        assert list((tmp_path / "tmp").iterdir()) == []
        assert find_files_with_marker(tmp_path) == []


@pytest.mark.slow
def test_a_lock_cuts_it_off_and_the_browser_notices(tmp_path: Path) -> None:
    with run_server(tmp_path, extra={"LLAMORA_REGISTRATION": "open"}) as server:
        olive = Visitor.join(server, "Olive")
        for number in range(60):
            olive.write("".join(chr(0x4E00 + (number * 7919 + n * n) % 20_000) for n in range(BIG)))
        answer = request_zip(olive).getresponse()
        answer.read(1000)

        assert olive.post("/lock/").status == 302

        with pytest.raises((IncompleteRead, ConnectionError)):
            read_body(answer)
        assert olive.get("/sign-in/").status in (200, 302)
        assert "Traceback" not in server.log()
