"""Tests that an exported file is complete or does not exist."""

import asyncio
import io
import json
import os
import stat
import zipfile
from pathlib import Path
from typing import Any

import pytest

from llamora.client import AsyncLlamora, FileRefused, Llamora, LlamoraError, NetworkError, UnexpectedAnswer
from tests.client.conftest import QUICK
from tests.client.scripted_api import TOKEN, Fault, ScriptedApi, build_error


def save_sync(url: str, path: Path, **named: Any) -> Path:
    with Llamora(url, token=TOKEN, retries=QUICK) as diary:
        return diary.export(path, export_format="json", **named)


def save_async(url: str, path: Path, **named: Any) -> Path:
    async def run() -> Path:
        async with AsyncLlamora(url, token=TOKEN, retries=QUICK) as diary:
            return await diary.export(path, export_format="json", **named)

    return asyncio.run(run())


def build_small_zip() -> bytes:
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as file:
        file.writestr("diary.json", "{}")
    return written.getvalue()


@pytest.fixture(params=[save_sync, save_async], ids=["sync", "async"])
def save(request: pytest.FixtureRequest):
    return request.param


def test_an_export_is_a_file_of_its_owner(api: ScriptedApi, save, tmp_path: Path) -> None:
    path = save(api.url, tmp_path / "diary.json")

    assert json.loads(path.read_text())["entries"][0]["day"] == "2026-01-04"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert os.listdir(tmp_path) == ["diary.json"]


@pytest.mark.parametrize("cut", [0, 10, 60])
@pytest.mark.parametrize("is_there", [False, True])
def test_half_an_export_never_stands_there(
    api: ScriptedApi,
    save,
    tmp_path: Path,
    cut: int,
    is_there: bool,
) -> None:
    path = tmp_path / "diary.json"
    if is_there:
        path.write_text("of last week")
    api.add_faults(*[Fault(cut=cut)] * 4)

    with pytest.raises(NetworkError):
        save(api.url, path, overwrite=True)

    assert {each.name: each.read_text() for each in tmp_path.iterdir()} == (
        {"diary.json": "of last week"} if is_there else {}
    )
    assert len(api.requests) == 4


@pytest.mark.parametrize(
    ("export_format", "body", "is_whole"),
    [
        ("json", b'{"entries": [], "counts": {"entries": 0}}\n', True),
        ("json", b'{"entries": []}', False),
        ("json", b'{"entries": [{"text": "a"}', False),
        ("json", b"", False),
        ("zip", build_small_zip(), True),
        ("zip", build_small_zip()[:-30], False),
        ("zip", b"", False),
        ("markdown", b"# A day", False),
        ("markdown", b"# A day\n\n<!-- End of the export: nothing. -->\n", True),
    ],
)
def test_a_file_whose_end_is_missing_is_not_put_in_its_place(
    api: ScriptedApi, tmp_path: Path, export_format: str, body: bytes, *, is_whole: bool
) -> None:
    """The connection says that it is complete: what wrote the file on the server has failed."""
    api.add_faults(*[Fault(status=200, body=body)] * 4)

    with Llamora(api.url, token=TOKEN, retries=QUICK) as diary:
        if is_whole:
            assert diary.export(tmp_path / "diary", export_format=export_format).read_bytes() == body
            return
        with pytest.raises(NetworkError):
            diary.export(tmp_path / "diary", export_format=export_format)

    assert os.listdir(tmp_path) == []


def test_a_broken_export_begins_again(api: ScriptedApi, save, tmp_path: Path) -> None:
    api.add_faults(Fault(cut=20), Fault(is_dropped=True))

    path = save(api.url, tmp_path / "diary.json")

    assert json.loads(path.read_text())["format"] == "llamora.diary"
    assert os.listdir(tmp_path) == ["diary.json"]


def test_a_file_that_is_there_is_not_replaced_unasked(api: ScriptedApi, save, tmp_path: Path) -> None:
    (tmp_path / "diary.json").write_text("of last week")

    with pytest.raises(FileRefused):
        save(api.url, tmp_path / "diary.json")
    assert (tmp_path / "diary.json").read_text() == "of last week"

    save(api.url, tmp_path / "diary.json", overwrite=True)
    assert json.loads((tmp_path / "diary.json").read_text())["format"] == "llamora.diary"


def test_a_file_without_a_stated_end_is_refused(api: ScriptedApi, save, tmp_path: Path) -> None:
    """A connection that is lost and one that is done would look the same."""
    api.add_faults(Fault(raw=b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{}"))

    with pytest.raises(UnexpectedAnswer):
        save(api.url, tmp_path / "diary.json")
    assert os.listdir(tmp_path) == []


def test_a_refused_export_leaves_nothing(api: ScriptedApi, save, tmp_path: Path) -> None:
    api.add_faults(Fault(status=403, body=build_error("missing_scope", "No.", scope="export")))

    with pytest.raises(LlamoraError) as caught:
        save(api.url, tmp_path / "diary.json")

    assert caught.value.scope == "export"
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("place", ["absent/diary.json", "file/diary.json", "folder"])
def test_a_place_that_takes_no_file_is_named(api: ScriptedApi, save, tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()

    with pytest.raises(FileRefused) as caught:
        save(api.url, tmp_path / place, overwrite=True)

    assert str(tmp_path / place) in str(caught.value)
    assert sorted(os.listdir(tmp_path)) == ["file", "folder"]
