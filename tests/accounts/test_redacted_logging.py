"""Tests of log lines in each format: without values from libraries and without messages of errors."""

import asyncio
import json
import logging
import sys
import threading
from collections.abc import Iterator
from typing import Any

import pytest
from django.http import HttpRequest
from django.test import RequestFactory

from accounts.http.redacted_logging import (
    JsonFormatter,
    RedactedFormatter,
    find_route,
    log_uncaught_errors,
)

WORD = "marrowbone"


class LineReader(logging.Handler):
    """A handler with the format of the household's log, which records the lines."""

    def __init__(self, formatter: logging.Formatter) -> None:
        super().__init__()
        self.setFormatter(formatter)
        self.written: list[str] = []

    @property
    def lines(self) -> list[str]:
        """Each record as "LEVEL logger: message", with the places and the type of its error below."""
        if isinstance(self.formatter, RedactedFormatter):
            return self.written
        found = []
        for line in self.written:
            assert "\n" not in line
            said = json.loads(line)
            error = [*said.get("traceback", []), *([said["error"]] if "error" in said else [])]
            found.append(
                "\n".join(
                    [
                        f"{said['level']} {said['logger']}: {said['message']}",
                        *(f"  {each}" for each in error),
                    ]
                )
            )
        return found

    def emit(self, record: logging.LogRecord) -> None:
        self.written.append(self.format(record))


@pytest.fixture(params=["text", "json"])
def reader(request: pytest.FixtureRequest) -> Iterator[LineReader]:
    """A reader of what the handler of the household would write, in each format."""
    text = RedactedFormatter("{levelname} {name}: {message}", style="{")
    handler = LineReader(text if request.param == "text" else JsonFormatter())
    names = (
        "asyncio",
        "daphne.http_protocol",
        "django.request",
        "django.security.csrf",
        "llamora.x",
        "other",
    )
    for name in names:
        logging.getLogger(name).addHandler(handler)
    yield handler
    for name in names:
        logging.getLogger(name).removeHandler(handler)


def test_values_in_the_messages_of_libraries_are_left_out(reader: LineReader) -> None:
    logging.getLogger("other").error("Application %r of %s was killed.", WORD, f"/{WORD}/")
    logging.getLogger("other").error("Item %(name)s", {"name": WORD})
    logging.getLogger("other").error("%d items, 100%% %s", 3, WORD)
    logging.getLogger("daphne.http_protocol").error(f"Traceback: ValueError: {WORD}")

    assert reader.lines[0] == "ERROR other: Application … of … was killed."
    assert reader.lines[1] == "ERROR other: Item …"
    assert reader.lines[2] == "ERROR other: … items, 100% …"
    assert reader.lines[3].startswith("ERROR daphne.http_protocol: (at test_redacted_logging.py:")
    assert WORD not in "".join(reader.lines)


def test_our_own_messages_are_written_whole(reader: LineReader) -> None:
    logging.getLogger("llamora.x").error("%d sessions, %s", 3, "kind")

    assert reader.lines == ["ERROR llamora.x: 3 sessions, kind"]


def test_an_error_of_ours_shows_where_it_was_and_its_type_only(reader: LineReader) -> None:
    try:
        raise ValueError(WORD)
    except ValueError:
        logging.getLogger("llamora.x").exception("A fault.\nOn two lines.")
    logging.getLogger("llamora.x").error("No fault.", exc_info=True)

    first, second = reader.lines
    assert first.startswith("ERROR llamora.x: A fault.\nOn two lines.\n  ")
    assert "in test_an_error_of_ours_shows_where_it_was_and_its_type_only\n  ValueError" in first
    assert second == "ERROR llamora.x: No fault.\n  no error"
    assert WORD not in "".join(reader.written)


def test_values_that_do_not_fit_their_message_are_not_printed_to_say_so(
    reader: LineReader, capsys: pytest.CaptureFixture[str]
) -> None:
    for arguments in ((WORD,), (WORD, WORD)):
        reader.handle(logging.LogRecord("llamora.x", logging.ERROR, "", 0, "%d of one", arguments, None))

    assert reader.lines == ["ERROR llamora.x: … of one"] * 2
    assert WORD not in capsys.readouterr().err


@pytest.mark.parametrize("name", ["django.request", "django.security.csrf"])
def test_an_address_in_a_message_of_django_becomes_its_route(reader: LineReader, name: str) -> None:
    request: HttpRequest = RequestFactory().get(f"/admin/{WORD}/")

    logging.getLogger(name).error("Failed (%s): %s", WORD, request.path, extra={"request": request})

    assert reader.lines == [f"ERROR {name}: Failed (…): /admin/(?P<url>.*)"]


async def test_an_error_that_nobody_waited_for_shows_its_type_only(reader: LineReader) -> None:
    loop = asyncio.get_running_loop()

    def fail(_words: str) -> None:
        raise ValueError(WORD)

    loop.call_soon(fail, WORD)
    await asyncio.sleep(0.01)

    assert "ValueError" in "".join(reader.lines)
    assert "in fail" in "".join(reader.lines)
    assert WORD not in "".join(reader.lines)


def test_an_error_that_ends_a_thread_shows_its_type_only(
    capsys: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threading, "excepthook", threading.excepthook)
    monkeypatch.setattr(sys, "unraisablehook", sys.unraisablehook)
    log_uncaught_errors()

    class Cruel:
        def __del__(self) -> None:
            raise ValueError(WORD)

    def fail() -> None:
        raise KeyError(WORD)

    thread = threading.Thread(target=fail, name=WORD)
    thread.start()
    thread.join()
    cruel: Any = Cruel()
    del cruel

    written = "".join(RedactedFormatter().format(record) for record in caplog.records)
    assert "KeyError" in written
    assert "ValueError" in written
    assert WORD not in written + capsys.readouterr().err


@pytest.mark.parametrize(
    ("path", "route"),
    [
        ("/", "/"),
        ("/d/2026-03-05/?q=1", "/d/<day:day>/"),
        (f"/admin/{WORD}/", "/admin/(?P<url>.*)"),
        ("/live/", "/live/"),
        (f"/live/{WORD}", "(no such page)"),
        (f"/static/{WORD}", "/static/"),
        (f"/{WORD}", "(no such page)"),
        (f"/{WORD}\r\n2026 all is well", "(no such page)"),
        ("", "(no such page)"),
    ],
)
def test_a_path_is_known_by_its_route(path: str, route: str) -> None:
    assert find_route(path) == route
