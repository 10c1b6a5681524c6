"""Tests of stamps, by which a diary recognises its own note in a file."""

from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from diary.notes.front_matter import split_front_matter
from diary.notes.workspace.stamps import NoteStamp, add_stamp, split_stamp

STAMP = NoteStamp(id=UUID(int=7), revision=3, origin="own")
KEY = bytes(32)
PIECES = ["---", "\n", "\r\n", "name: x", " ", "a", "id: 1", "\ufeff", "\r", "----", str(STAMP.id), "--- "]


@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_a_text_has_its_bytes_again_without_its_stamp(text: str) -> None:
    stamp = STAMP.sign("a.md", text, KEY)

    assert split_stamp(add_stamp(text, stamp)) == (text, stamp)
    assert split_stamp(add_stamp(text, STAMP)) == (text, STAMP)


def test_the_lines_stand_in_the_front_matter_that_a_text_has() -> None:
    stamped = add_stamp("---\nname: Letters\n---\nWrite.\n", STAMP)

    front = split_front_matter(stamped)

    assert front.values["name"] == "Letters"
    assert front.values["revision"] == "3"
    assert front.body == "Write.\n"
    assert split_front_matter(add_stamp("Roses\n", STAMP)).body == "Roses\n"


def test_only_its_own_diary_believes_a_stamp_and_only_of_this_text_at_this_path() -> None:
    approved = NoteStamp(id=UUID(int=7), revision=3, origin="own", is_approved=True)
    text, stamp = split_stamp(add_stamp("Be brief.", approved.sign("SOUL.md", "Be brief.", KEY)))
    assert stamp is not None

    found = stamp.verify("SOUL.md", text, KEY)

    assert found is not None
    assert found.is_approved
    assert stamp.verify("SOUL.md", text, bytes([1] * 32)) is None
    assert stamp.verify("SOUL.md", text + "!", KEY) is None
    assert stamp.verify("knowledge/a.md", text, KEY) is None
    for changed in ({"revision": 4}, {"origin": "program"}, {"id": UUID(int=8)}, {"signature": ""}):
        values = {"id": stamp.id, "revision": 3, "origin": "own", "signature": stamp.signature} | changed
        assert NoteStamp(**values).verify("SOUL.md", text, KEY) is None  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "---\nid: 01a2297f\nrevision: 3\norigin: own\n---\n",
        f"---\nid: {UUID(int=7)}\nrevision: 03\norigin: own\n---\n",
        f"---\nrevision: 3\nid: {UUID(int=7)}\norigin: own\n---\n",
        f" ---\nid: {UUID(int=7)}\nrevision: 3\norigin: own\n---\n",
    ],
)
def test_whatever_else_a_file_begins_with_is_its_text(text: str) -> None:
    assert split_stamp(text) == (text, None)
