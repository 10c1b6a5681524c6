r"""Stamps: signed lines in a file, by which this diary recognises a note that it wrote there. Pure.

They are lines of front matter, so that other programs ignore them. A text without front matter gets some:

    ---
    id: 01a2297f-b456-7218-87ff-c22f3677db69
    revision: 3
    origin: own
    signature: 5f1c...
    ---
    The text, byte for byte.

In a text with front matter, they are its first lines. Removing the stamp restores the text byte for byte.
Front matter that is empty, or that has no end, counts as none.

The signature is that of a row of an export (`diary.transfer.signatures`) with the label "diary.export.note"
and {"id", "path", "revision", "origin", "is_approved", "text"}; the value of `is_approved` is the one with
which the signature is valid. The signing key belongs to its owner's vault: an export by a program is not
signed, and another diary does not accept the signature.
"""

import re
from dataclasses import dataclass, field, replace
from typing import Any, Final
from uuid import UUID

from diary.models import Origin
from diary.transfer.signatures import SIGNATURE_KEY, is_signed, sign_row

NOTE_SIGNATURE: Final = b"diary.export.note"
_OPENING: Final = re.compile(r"---(\r?\n)(?!---\s)", re.ASCII)
_CLOSING: Final = re.compile(r"^---[ \t]*\r?$", re.MULTILINE)
_MAX_FRONT_MATTER: Final = 20_000
_STAMP: Final = re.compile(
    r"---(?P<end>\r?\n)"
    r"id: (?P<id>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})(?P=end)"
    r"revision: (?P<revision>[1-9][0-9]{0,8})(?P=end)"
    r"origin: (?P<origin>[a-z_]{1,16})(?P=end)"
    r"(?:signature: (?P<signature>[0-9a-f]{16,128})(?P=end))?"
    r"(?P<closing>---(?P=end))?",
    re.ASCII,
)


@dataclass(frozen=True, kw_only=True)
class NoteStamp:
    """The id, revision and origin that a file states for its note. They count only with a valid signature."""

    id: UUID
    revision: int
    origin: str
    signature: str = field(default="", repr=False)
    is_approved: bool = False

    def sign(self, path: str, text: str, key: bytes) -> "NoteStamp":
        """Return the stamp signed with the key of a diary."""
        signed = sign_row(self._build_row(path, text), key, label=NOTE_SIGNATURE)
        return replace(self, signature=signed or "")

    def verify(self, path: str, text: str, key: bytes) -> "NoteStamp | None":
        """Return the stamp if this diary signed it, else None.

        `is_approved` in the result is verified by the signature too.
        """
        if self.origin not in Origin.values:
            return None
        for is_approved in (False, True):
            stamp = replace(self, is_approved=is_approved)
            row = stamp._build_row(path, text) | {SIGNATURE_KEY: self.signature}
            if is_signed(row, key, label=NOTE_SIGNATURE):
                return stamp
        return None

    def _build_row(self, path: str, text: str) -> dict[str, Any]:
        return {
            "id": str(self.id),
            "path": path,
            "revision": self.revision,
            "origin": str(self.origin),
            "is_approved": self.is_approved,
            "text": text,
        }


def add_stamp(text: str, stamp: NoteStamp) -> str:
    """Return a text with the lines of a stamp added to its front matter."""
    lines = [f"id: {stamp.id}", f"revision: {stamp.revision}", f"origin: {stamp.origin}"]
    if stamp.signature:
        lines.append(f"signature: {stamp.signature}")
    opening = _OPENING.match(text)
    if opening and _CLOSING.search(text, opening.end(), opening.end() + _MAX_FRONT_MATTER):
        end = opening[1]
        return opening[0] + "".join(line + end for line in lines) + text[opening.end() :]
    return "---\n" + "".join(f"{line}\n" for line in lines) + "---\n" + text


def split_stamp(text: str) -> tuple[str, NoteStamp | None]:
    """Split a text into the text without its stamp, and the stamp.

    The stamp is None if there is none.
    """
    match = _STAMP.match(text)
    if match is None:
        return text, None
    stamp = NoteStamp(
        id=UUID(match["id"]),
        revision=int(match["revision"]),
        origin=match["origin"],
        signature=match["signature"] or "",
    )
    rest = text[match.end() :]
    return (rest if match["closing"] else f"---{match['end']}{rest}"), stamp
