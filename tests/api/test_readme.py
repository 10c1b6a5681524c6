"""Tests of the README section on the HTTP API: its commands work, and its tables agree with the code."""

import io
import re
import shlex
import zipfile
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from accounts.tokens import call_limits, forms
from accounts.tokens.idempotency import KEY_LIFETIME
from llamora.api.endpoints import endpoints
from llamora.api.errors import SENTENCES, TITLES
from llamora.ops.server.body_limits import LARGE_BODY
from tests.api.conftest import MakeProgram
from tests.api.program import Program
from tests.api.test_search import olive as searching_olive
from tests.people import Resident
from tests.search.indexing import open_index, wait_until_idle
from tests.test_docs import get_section

SECTION = get_section("HTTP API")
# What is exported and found is read by other threads, which see nothing of a test's transaction.
olive = searching_olive


def list_commands() -> list[list[str]]:
    """Return the commands of the example, each as its words."""
    (example,) = re.findall(r"```sh\n(.*?)```", SECTION, re.DOTALL)
    lines = example.replace("\\\n", " ").splitlines()
    return [shlex.split(line) for line in lines if line.startswith("curl ")]


def run(words: list[str], program: Program) -> Any:
    """Send what a command of curl sends; its header file has the token of the program."""
    rest, headers, body = iter(words[1:]), {}, None
    address = ""
    for word in rest:
        match word:
            case "-H":
                value = next(rest)
                if value != "@llamora.header":
                    name, _, said = value.partition(": ")
                    headers[name] = said
            case "-d":
                body = next(rest).encode()
            case "-o":
                next(rest)
            case _:
                address = word
    parts = urlsplit(address)
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    assert headers.pop("Content-Type", None) == ("application/json" if body else None)
    return program.send("POST" if body else "GET", path, body, **headers)


def test_the_commands_work_one_after_another(olive: Resident, make_program: MakeProgram) -> None:
    program = make_program("diary:read", "diary:write", "export", writes_own_text=True)
    open_index(olive)  # on a busy machine the call for search would say that it is being opened

    status, saved, day, found, exported = (
        (run(words, program), wait_until_idle(olive))[0] for words in list_commands()
    )

    assert status.json()["unlocked"]
    assert saved.json()["action"] == "created"
    assert [each["text"] for each in day.json()["entries"]] == ["Rain since noon."]
    assert [each["snippet"] for each in found.json()["results"]] == ["Rain since noon."]
    archive = zipfile.ZipFile(io.BytesIO(b"".join(exported.streaming_content)))
    assert archive.namelist() == ["diary.json", "days/2026/2026-01-05.md"]
    again = run(list_commands()[1], program)
    assert (again.json()["action"], again.json()["id"]) == ("no_change", saved.json()["id"])


def test_every_code_of_an_error_has_its_row() -> None:
    rows = re.findall(r"^\| (\d{3}) \| ([^|]+) \|", SECTION, re.MULTILINE)

    assert {int(status) for status, _ in rows} == TITLES.keys()
    assert {code for _, codes in rows for code in re.findall(r"`(\w+)`", codes)} == SENTENCES.keys()
    assert all(HTTPStatus(int(status)) for status, _ in rows)


def test_every_scope_that_the_page_offers_has_its_row() -> None:
    rows = dict(re.findall(r"^\| `([a-z:]+)` \| ([^|]+) \|", SECTION, re.MULTILINE))

    assert rows.pop("drop") in dict(forms._KINDS).values()
    assert rows == forms.SCOPE_WORDS
    assert rows.keys() <= {scope for call in endpoints.list_all() for scope in call.scopes}


def test_the_limits_are_those_of_the_code() -> None:
    assert f"{call_limits.PER_MINUTE} times a minute and {call_limits.PER_HOUR:,} times an hour" in SECTION
    assert f"more than {LARGE_BODY // 1024**2} MiB" in SECTION
    assert KEY_LIFETIME.days == 3
    assert "for three days" in SECTION
