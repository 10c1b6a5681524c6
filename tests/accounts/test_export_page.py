"""Tests of the export page: it asks for the password and streams a zip, which is invalid if cut off."""

import io
import json
import time
import zipfile
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from accounts.sessions import services as sessions_services
from diary.models import Entry
from diary.transfer import downloads
from diary.transfer.downloads import DownloadAborted
from diary.transfer.export_targets import open_target
from diary.transfer.exports import export_diary
from llamora.crypto import in_force
from llamora.database import write_transaction
from tests.accounts.pages import list_errors
from tests.diary.damage import flip_a_bit
from tests.diary.transfers import make_large_texts
from tests.fakes.waiting import PATIENCE
from tests.people import PASSWORD, Resident, register_resident

pytestmark = pytest.mark.django_db(transaction=True)
DAY = date(2026, 11, 1)


def write_entries(who: Resident, *texts: str) -> None:
    with in_force(who.keyring), write_transaction():
        for number, text in enumerate(texts):
            Entry.objects.create(owner_id=who.id, day=DAY + timedelta(days=number), text=text)


def request_export(who: Resident, password: str = PASSWORD) -> Any:
    return who.post("/export/", current=password)


def unzip(answer: Any) -> zipfile.ZipFile:
    return zipfile.ZipFile(io.BytesIO(b"".join(answer)))


def test_the_page_says_what_comes_out_and_asks_for_the_password(owner: Resident) -> None:
    write_entries(owner, "One.", "Two.")

    page = owner.get("/export/").content.decode()

    assert "2 entries" in page
    assert 'name="current"' in page
    assert "not encrypted" in page
    assert 'href="/export/"' in owner.get("/settings/").content.decode()
    assert 'href="/export/"' in owner.get("/settings/leave/").content.decode()


def test_everything_comes_out_as_the_command_writes_it(owner: Resident, tmp_path: Path) -> None:
    write_entries(owner, "# One\n\n  with spaces  \n", "日記 🕯️", "broken")
    flip_a_bit(Entry.objects.latest("day"))
    write_entries(register_resident("Humphrey"), "theirs")

    answer = request_export(owner)
    archive = unzip(answer)

    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/zip"
    assert answer["Content-Disposition"].startswith('attachment; filename="diary-20')
    assert "Olive" not in answer["Content-Disposition"]
    assert answer["Cache-Control"] == "no-store"
    assert archive.testzip() is None
    with open_target(tmp_path / "out") as out:
        export_diary(
            person=owner.person,
            keyring=owner.keyring,
            target=out,
            now=owner.person.created_at,
            progress=lambda _: None,
        )
    written = {str(p.relative_to(tmp_path / "out")): p for p in (tmp_path / "out").rglob("*") if p.is_file()}
    assert set(archive.namelist()) == set(written)
    for name, path in written.items():
        if name.endswith(".md"):
            assert archive.read(name) == path.read_bytes()
    page, command = json.loads(archive.read("diary.json")), json.loads(written["diary.json"].read_text())
    assert page["entries"] == command["entries"]
    assert page["person"] == command["person"]
    texts = [entry["text"] for entry in page["entries"]]
    assert texts == ["# One\n\n  with spaces  \n", "日記 🕯️", None]
    assert "text" in page["entries"][2]["damaged"]


@pytest.mark.parametrize("password", ["not the one", ""])
def test_without_the_password_nothing_comes_out(owner: Resident, password: str) -> None:
    write_entries(owner, "mine")

    answer = request_export(owner, password)

    assert answer.status_code == 422
    assert b"mine" not in answer.content
    assert not answer.streaming
    assert list_errors(answer) or b"errorlist" in answer.content or b"wrong" in answer.content


def test_a_locked_diary_and_a_stranger_are_turned_away(owner: Resident) -> None:
    owner.lock()

    assert request_export(owner)["Location"].startswith("/unlock/")
    assert Client().post("/export/", {"current": PASSWORD})["Location"].startswith("/sign-in/")


def test_a_lock_breaks_it_off_and_what_came_is_no_zip(owner: Resident) -> None:
    write_entries(owner, *make_large_texts())
    answer = request_export(owner)
    parts = iter(answer)
    came = [next(parts)]

    row = owner.get_sign_in()
    sessions_services.lock_session(sign_in_id=row.id, person_id=owner.id)
    with pytest.raises(DownloadAborted):
        came.extend(parts)

    assert not zipfile.is_zipfile(io.BytesIO(b"".join(came)))
    assert downloads._active_downloads == {}


def test_a_browser_that_goes_away_ends_it(owner: Resident) -> None:
    write_entries(owner, *make_large_texts())
    answer = request_export(owner)
    next(iter(answer))
    (download,) = downloads._active_downloads.values()

    answer.close()
    download._thread.join(PATIENCE)

    assert not download._thread.is_alive()
    assert download._keyring.is_closed
    assert downloads._active_downloads == {}


def test_a_second_download_ends_the_first(owner: Resident) -> None:
    write_entries(owner, *make_large_texts())
    first = request_export(owner)
    parts = iter(first)
    next(parts)

    second = unzip(request_export(owner))

    with pytest.raises(DownloadAborted):
        list(parts)
    assert second.testzip() is None


def test_a_disk_that_takes_nothing_keeps_no_diary_from_leaving(owner: Resident) -> None:
    write_entries(owner, "mine")
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA query_only=ON")
    try:
        archive = unzip(request_export(owner))
    finally:
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA query_only=OFF")

    assert len(json.loads(archive.read("diary.json"))["entries"]) == 1


def test_no_thread_and_no_key_are_left_behind(owner: Resident) -> None:
    write_entries(owner, "mine")
    answer = request_export(owner)
    (download,) = downloads._active_downloads.values()

    unzip(answer)
    answer.close()
    download._thread.join(PATIENCE)

    deadline = time.monotonic() + PATIENCE
    while download._thread.is_alive() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not download._thread.is_alive()
    assert download._keyring.is_closed
    assert downloads._active_downloads == {}
