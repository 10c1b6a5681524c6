"""Tests of downloading a model file: resumed, verified, and with every fault of a hub or a disk."""

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from llamora.llm.model_files import download as downloading
from llamora.llm.model_files.download import DownloadFailed, HubDownload, is_safe_address
from tests.fakes.gguf_file import INSTRUCT, WEIGHTS, build_gguf
from tests.fakes.model_hub import FILE, REPOSITORY, FakeHub, Fault
from tests.fakes.waiting import until
from tests.ops.small_disk import mount_small_disk

CONTENT = build_gguf(data=600_000)
Phases = list[tuple[str, int, int]]


def make_download(hub: FakeHub, folder: Path, *, report: Callable[..., None] | None = None) -> HubDownload:
    return HubDownload(
        hub=hub.url,
        repository=REPOSITORY,
        file=FILE,
        folder=folder,
        report=report or (lambda *_: None),
        pauses=(0.01, 0.01, 0.01),
    )


def load(hub: FakeHub, folder: Path, **wish: Any) -> Path:
    return asyncio.run(make_download(hub, folder, **wish).run())


def get_failure(hub: FakeHub, folder: Path) -> str:
    with pytest.raises(DownloadFailed) as caught:
        load(hub, folder)
    return caught.value.code


def list_names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_loaded_checked_and_named(tmp_path: Path) -> None:
    phases: Phases = []
    with FakeHub(CONTENT) as hub:
        path = load(hub, tmp_path, report=lambda *phase: phases.append(phase))

    assert path.read_bytes() == CONTENT
    assert list_names(tmp_path) == [FILE]
    assert path.stat().st_mode & 0o077 == 0
    assert phases[-1] == ("loading", len(CONTENT), len(CONTENT))
    assert {headers["user-agent"] for _, _, headers in hub.requests} == {"Llamora"}


@pytest.mark.parametrize("manners", [{"links": False}, {"head_status": 405}])
def test_size_and_checksum_may_come_from_the_list_of_files(tmp_path: Path, manners: dict[str, Any]) -> None:
    with FakeHub(CONTENT, links=manners.get("links", True)) as hub:
        hub.head_status = manners.get("head_status", 0)
        assert load(hub, tmp_path).read_bytes() == CONTENT


def test_a_broken_connection_goes_on_where_it_ended(tmp_path: Path) -> None:
    phases: Phases = []
    with FakeHub(CONTENT) as hub:
        hub.faults.extend([Fault(drop_after=200_000), Fault(status=503), Fault(drop_after=100_000)])
        path = load(hub, tmp_path, report=lambda *phase: phases.append(phase))

    assert path.read_bytes() == CONTENT
    first, second, _, last = hub.loads
    assert "range" not in first
    assert second["range"] != "bytes=0-"
    assert int(last["range"].removeprefix("bytes=").removesuffix("-")) > 200_000
    assert last["if-range"] == '"one"'
    assert "waiting" in [phase for phase, *_ in phases]


def test_a_connection_that_breaks_again_and_again_leaves_the_part_for_another_time(tmp_path: Path) -> None:
    phases: Phases = []
    with FakeHub(CONTENT) as hub:
        hub.faults.extend([Fault(drop_after=300_000)] + [Fault(drop_after=0)] * 3)
        assert get_failure(hub, tmp_path) == "broken_off"
        left = list_names(tmp_path)
        # As after a restart.
        path = load(hub, tmp_path, report=lambda *phase: phases.append(phase))

    assert left == [f"{FILE}.part", f"{FILE}.part.json"]
    assert path.read_bytes() == CONTENT
    assert phases[0][0] == "checking"
    assert "range" in hub.loads[-1]
    assert list_names(tmp_path) == [FILE]


def test_a_server_that_sends_only_whole_files_is_read_from_the_beginning(tmp_path: Path) -> None:
    with FakeHub(CONTENT) as hub:
        hub.faults.extend([Fault(drop_after=300_000), Fault(whole=True)])
        assert load(hub, tmp_path).read_bytes() == CONTENT


def test_a_file_that_was_replaced_meanwhile_is_loaded_from_the_beginning(tmp_path: Path) -> None:
    with FakeHub(CONTENT) as hub:
        hub.faults.extend([Fault(drop_after=300_000)] + [Fault(drop_after=0)] * 3)
        assert get_failure(hub, tmp_path) == "broken_off"
    other = build_gguf(INSTRUCT | {"general.name": "Heron 3C"}, WEIGHTS, data=600_000)
    with FakeHub(other) as hub:
        assert load(hub, tmp_path).read_bytes() == other

    assert "range" not in hub.loads[0]


def test_another_version_at_the_same_place_is_noticed_by_its_etag(tmp_path: Path) -> None:
    with FakeHub(CONTENT) as hub:
        hub.faults.extend([Fault(drop_after=300_000)] + [Fault(drop_after=0)] * 3)
        assert get_failure(hub, tmp_path) == "broken_off"
        hub.etag = '"two"'
        assert load(hub, tmp_path).read_bytes() == CONTENT

    assert hub.loads[-1]["if-range"] == '"one"'


def test_a_wrong_checksum_deletes_what_arrived(tmp_path: Path) -> None:
    with FakeHub(CONTENT) as hub:
        hub.faults.append(Fault(other=CONTENT[:-1] + b"x"))
        assert get_failure(hub, tmp_path) == "checksum_wrong"
        assert list_names(tmp_path) == []
        assert load(hub, tmp_path).read_bytes() == CONTENT


def test_a_part_that_was_damaged_on_the_disk_is_noticed(tmp_path: Path) -> None:
    with FakeHub(CONTENT) as hub:
        hub.faults.extend([Fault(drop_after=300_000)] + [Fault(drop_after=0)] * 3)
        assert get_failure(hub, tmp_path) == "broken_off"
        with (tmp_path / f"{FILE}.part").open("r+b") as file:
            file.write(b"XXXX")
        assert get_failure(hub, tmp_path) == "checksum_wrong"


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"<html>" * 100, "no_gguf"), (CONTENT[:-1], "incomplete"), (b"GGUF" + bytes(90), "unsupported")],
)
def test_a_file_that_is_no_model_is_deleted(tmp_path: Path, content: bytes, code: str) -> None:
    content = content[:2000] if code == "incomplete" else content
    with FakeHub(content) as hub:
        assert get_failure(hub, tmp_path) == code

    assert list_names(tmp_path) == []


def test_an_existing_file_is_not_replaced(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"mine")
    with FakeHub() as hub:
        assert get_failure(hub, tmp_path) == "already_here"

    assert hub.requests == []
    assert (tmp_path / FILE).read_bytes() == b"mine"


@pytest.mark.parametrize("status", [401, 403, 404])
def test_a_file_that_the_hub_does_not_show_is_not_found(tmp_path: Path, status: int) -> None:
    with FakeHub() as hub:
        hub.head_status = status
        assert get_failure(hub, tmp_path) == "not_found"


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_hub_with_an_error_of_its_own_is_not_away(tmp_path: Path, status: int) -> None:
    with FakeHub() as hub:
        hub.head_status = status
        assert get_failure(hub, tmp_path) == "hub_error"


def test_a_hub_that_nobody_answers_for_is_away(tmp_path: Path) -> None:
    with FakeHub() as hub:
        pass

    assert get_failure(hub, tmp_path) == "hub_away"
    assert list_names(tmp_path) == []


def test_a_file_without_a_checksum_is_not_loaded(tmp_path: Path) -> None:
    with FakeHub(links=False, lists=False) as hub:
        assert get_failure(hub, tmp_path) == "not_found"

    assert hub.loads == []


@pytest.mark.parametrize("location", ["http://mirror.example/file", "ftp://127.0.0.1/file"])
def test_a_redirect_that_is_not_encrypted_is_not_followed(tmp_path: Path, location: str) -> None:
    with FakeHub() as hub:
        hub.faults.append(Fault(location=location))
        assert get_failure(hub, tmp_path) == "wrong_redirect"


def test_which_addresses_are_safe() -> None:
    safe = ["https://hub.example", "http://127.0.0.1:1", "http://localhost/a", "http://[::1]:80"]

    assert all(map(is_safe_address, safe))
    assert not any(
        map(is_safe_address, ["http://hub.example", "http://10.0.0.1", "ftp://127.0.0.1", "file:///a"])
    )


def test_a_cancelled_download_stops_at_once_and_leaves_its_part(tmp_path: Path) -> None:
    async def cancel(hub: FakeHub) -> None:
        task = asyncio.create_task(make_download(hub, tmp_path).run())
        await asyncio.to_thread(hub.waiting.wait, 10)
        await until((tmp_path / f"{FILE}.part").exists)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    with FakeHub(CONTENT) as hub:
        hub.faults.append(Fault(wait_after=300_000))
        asyncio.run(cancel(hub))

    assert list_names(tmp_path) == [f"{FILE}.part", f"{FILE}.part.json"]


def test_a_file_that_does_not_fit_is_not_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloading, "SPACE_FOR_OTHERS", 1 << 60)
    with FakeHub() as hub, pytest.raises(DownloadFailed) as caught:
        load(hub, tmp_path)

    assert caught.value.code == "disk_full"
    assert caught.value.needed > 1 << 60
    assert 0 < caught.value.free < 1 << 60
    assert hub.loads == []
    assert list_names(tmp_path) == []


def test_a_disk_that_fills_up_meanwhile_has_space_for_the_diary_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloading, "SPACE_FOR_OTHERS", 1 << 18)
    with mount_small_disk(tmp_path, mebibytes=4) as disk, FakeHub(build_gguf(data=1 << 21)) as hub:
        if not disk.is_real:
            pytest.skip("no disk can be mounted here")
        folder = disk.folder

        def fill(phase: str, done: int, _total: int) -> None:
            if phase == "loading" and done > 1 << 20 and not (folder / "filling").exists():
                disk.fill()

        with pytest.raises(DownloadFailed) as caught:
            load(hub, folder, report=fill)
        free = os.statvfs(folder).f_bavail * os.statvfs(folder).f_frsize
        part = (folder / f"{FILE}.part").stat().st_size
        disk.empty()
        path = load(hub, folder)

        assert caught.value.code == "disk_full"
        assert free >= 1 << 18
        assert part > 0
        assert path.read_bytes() == hub.content
        assert "range" in hub.loads[-1]
