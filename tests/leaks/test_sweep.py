"""Tests of the sweep itself: it finds a planted marker in every encoding, archive and place."""

import base64
import gzip
import json
import os
import sqlite3
import subprocess
import sys
import time
import zlib
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.leaks.encodings import build_samples, new_marker
from tests.leaks.household import AttackedHouse
from tests.leaks.sweep import (
    Place,
    list_child_pids,
    list_column_values,
    list_dump_values,
    list_files,
    list_household_places,
    list_processes,
    sweep,
)
from tests.leaks.unpack import iter_unpacked, lz4_block, snappy_block

# Written by the libraries themselves (cramjam 2.11: snappy and lz4), of this text:
GOLDEN_TEXT = (
    "The weir at noon, the weir at dusk; marrow0123456789ab é&雨 and the weir at night. " * 5
).encode()
SNAPPY = (
    "qQNIVGhlIHdlaXIgYXQgbm9vbiwgdB0SiGR1c2s7IG1hcnJvdzAxMjM0NTY3ODlhYiDDqSbpm6ggYW5kMjAAGG5p"
    "Z2h0LiD+VQD+VQD+VQD+VQD+VQBOVQA="
)
SNAPPY_FRAMED = (
    "/wYAAHNOYVBwWQBdAAC7coOEqQNIVGhlIHdlaXIgYXQgbm9vbiwgdB0SiGR1c2s7IG1hcnJvdzAxMjM0NTY3ODlh"
    "YiDDqSbpm6ggYW5kMjAAGG5pZ2h0LiD+VQD+VQD+VQD+VQD+VQBOVQA="
)
LZ4_FRAMED = (
    "BCJNGFRArlAAAAD3BFRoZSB3ZWlyIGF0IG5vb24sIHQSAPkUZHVzazsgbWFycm93MDEyMzQ1Njc4OWFiIMOpJumb"
    "qCBhbmQwAH9uaWdodC4gVQD/PVBnaHQuIACo8MUAAAAA0aHOPA=="
)
LZ4 = (
    "9wRUaGUgd2VpciBhdCBub29uLCB0EgD5FGR1c2s7IG1hcnJvdzAxMjM0NTY3ODlhYiDDqSbpm6ggYW5kMAB/bmln"
    "aHQuIFUA/z1QZ2h0LiA="
)


@pytest.mark.parametrize("form", build_samples(new_marker()))
def test_each_form_is_found(form: str) -> None:
    marker = new_marker()

    found = sweep(marker, [Place("here", b"\0\1\xff" + build_samples(marker)[form] + b"\xfe")])

    assert found


def test_nothing_is_found_where_nothing_is() -> None:
    other = b"".join(build_samples(new_marker()).values())

    assert sweep(new_marker(), [Place("here", other + os.urandom(200_000))]) == []


@pytest.mark.parametrize(
    "pack",
    [
        gzip.compress,
        zlib.compress,
        lambda data: gzip.compress(zlib.compress(data)),
        lambda data: gzip.compress(data * 9)[:-30],
        lambda data: zlib.compress(base64.b64encode(data), 1),
    ],
    ids=["gzip", "zlib", "zlib in gzip", "gzip cut off", "base64 in zlib"],
)
def test_what_is_packed_is_found(pack: Callable[[bytes], bytes]) -> None:
    marker = new_marker()

    packed = b"junk\x1f\x8b\x08" + pack((f"{marker} " * 3).encode("utf-16-le") + b"tail" * 50)

    found = sweep(marker, [Place("here", packed)])

    assert any(" > " in line for line in found)


def test_blocks_of_snappy_and_lz4_are_read_as_their_libraries_wrote_them() -> None:
    assert snappy_block(base64.b64decode(SNAPPY)) == GOLDEN_TEXT
    assert lz4_block(base64.b64decode(LZ4)) == GOLDEN_TEXT


@pytest.mark.parametrize(
    ("kind", "packed"),
    [
        ("snappy", base64.b64decode(SNAPPY_FRAMED)),
        ("LZ4", base64.b64decode(LZ4_FRAMED)),
        ("mozLz4", b"mozLz40\0" + len(GOLDEN_TEXT).to_bytes(4, "little") + base64.b64decode(LZ4)),
    ],
)
def test_frames_of_snappy_and_lz4_are_opened_wherever_they_stand(kind: str, packed: bytes) -> None:
    assert (kind, GOLDEN_TEXT) in list(iter_unpacked(b"before" + packed))


def test_a_table_of_leveldb_is_opened() -> None:
    """A table built by the format's documentation; tests/browser read Chromium's tables."""

    def block(key: bytes, value: bytes) -> bytes:
        return (
            bytes([0, len(key), len(value)])
            + key
            + value
            + (0).to_bytes(4, "little")
            + (1).to_bytes(4, "little")
        )

    # A raw snappy block of one literal, then a back reference: "the marrow" twice.
    inner = block(b"map-1-key", b"abcdefgh" * 4)
    packed = bytes([len(inner)]) + bytes([(len(inner) - 1) << 2]) + inner if len(inner) < 60 else b""
    data = packed + b"\1" + b"\0" * 4
    handle = bytes([0, len(packed)])
    index = block(b"zzz", handle)
    footer = bytes([0, 0, len(data), len(index)]).ljust(40, b"\0") + (0xDB4775248B80FB57).to_bytes(
        8, "little"
    )
    table = data + index + b"\0" + b"\0" * 4 + footer

    assert ("leveldb", b"map-1-key\0" + b"abcdefgh" * 4) in list(iter_unpacked(table))


# --- places -----------------------------------------------------------------------------------------


def test_words_in_a_row_are_found_in_its_column_and_in_the_raw_bytes(tmp_path: Path) -> None:
    marker = new_marker()
    with closing(sqlite3.connect(tmp_path / "some.sqlite3")) as connection:
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("CREATE TABLE note (id, words)")
        connection.execute("INSERT INTO note VALUES (1, ?)", (marker.encode("utf-16-le"),))
        connection.commit()

        in_columns = sweep(marker, list_column_values(tmp_path / "some.sqlite3"))
        in_files = sweep(marker, list_files(tmp_path))

    (in_column,) = in_columns
    assert in_column.startswith("note.words of row 0: UTF-16LE")
    assert any("sqlite3-wal: UTF-16LE" in line for line in in_files)


def test_words_deleted_without_overwriting_are_still_found(tmp_path: Path) -> None:
    marker = new_marker()
    with closing(sqlite3.connect(tmp_path / "some.sqlite3")) as connection:
        connection.execute("PRAGMA secure_delete=OFF")
        connection.execute("CREATE TABLE note (words)")
        connection.execute("INSERT INTO note VALUES (?)", (marker,))
        connection.commit()
        connection.execute("DELETE FROM note")
        connection.commit()

    assert sweep(marker, list_column_values(tmp_path / "some.sqlite3")) == []
    assert sweep(marker, list_files(tmp_path))


def test_words_in_a_file_and_in_its_name_are_found(tmp_path: Path) -> None:
    marker, another = new_marker(), new_marker()
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "er" / f"{another}.tmp").write_bytes(gzip.compress(marker.encode("utf-16-le") * 9))

    assert any("gzip > UTF-16LE" in line for line in sweep(marker, list_files(tmp_path)))
    assert any(line.startswith("the name") for line in sweep(another, list_files(tmp_path)))


def test_words_on_a_command_line_and_in_an_environment_are_found(house: AttackedHouse) -> None:
    marker, another = new_marker(), new_marker()
    sleeping = [sys.executable, "-c", "input()", marker]
    child = subprocess.Popen(sleeping, env={"SAID": another}, stdin=subprocess.PIPE)
    try:
        while not Path(f"/proc/{child.pid}/environ").read_bytes():
            time.sleep(0.01)
        seen = [
            Place(name, Path(f"/proc/{child.pid}/{name}").read_bytes()) for name in ("cmdline", "environ")
        ]

        assert child.pid in list_child_pids(os.getpid())
        assert sweep(marker, seen) != []
        assert sweep(another, seen) != []
    finally:
        child.communicate(b"\n")
    # The server's own are read the same way: its command stands there, and its settings, which root reads.
    own = b"manage.py" if os.geteuid() else str(house.server.data_dir).encode()
    assert any(own in place.data for place in list_processes(house.server))


def test_a_name_is_public_and_so_shows_that_the_real_places_are_searched(house: AttackedHouse) -> None:
    """A person's name is stored unencrypted, so the sweep must find it."""
    name = new_marker().split()[0]
    house.housemate.post("/settings/", shown_name=name, time_zone="UTC", week_start="0", theme="system")

    everywhere = sweep(
        name + " é&雨", [*list_household_places(house.server), *list_dump_values(house.server)]
    )

    assert any(line.startswith("accounts_person.shown_name") for line in everywhere)
    assert any("sqlite3" in line for line in everywhere)
    assert any(line.startswith("dumpdata: ") for line in everywhere)
    assert any(line.startswith("dumpdata accounts.person.shown_name") for line in everywhere)
    assert json.dumps(everywhere).count("the log") == 0
