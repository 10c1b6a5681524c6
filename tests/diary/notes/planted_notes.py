"""Notes from others in tests: from a program with a token for notes, and from a zip on the import page."""

import io
import re
import zipfile
from collections.abc import Mapping

from django.core.files.uploadedfile import SimpleUploadedFile

from accounts.tokens.services import create_token
from llamora.crypto import TokenKind
from tests.api.program import Program
from tests.people import Resident
from tests.tokens import build_request

API = "/api/v1/notes"
IMPORT_PAGE = "/notes/import/"


def make_note_program(who: Resident, name: str = "Kitchen tablet", **terms: bool) -> Program:
    """Make a program of this person with the scope `notes`."""
    request = build_request(TokenKind.ORDINARY, name=name, scopes=frozenset({"notes"}), **terms)
    return Program(token=create_token(who.keyring, request))


def plant_by_program(who: Resident, files: Mapping[str, str], *, name: str = "Kitchen tablet") -> None:
    """Save texts as new notes, as a program does."""
    program = make_note_program(who, name)
    for path, text in files.items():
        program.post(API, {"path": path, "text": text})


def plant_by_zip(who: Resident, files: Mapping[str, str], *, name: str = "a.zip", **fields: str) -> None:
    """Import texts as their owner does who chooses a zip and confirms its preview unread."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    preview = who.post(IMPORT_PAGE, file=SimpleUploadedFile(name, out.getvalue()))
    (waiting,) = re.findall(r'name="waiting" value="([0-9a-f-]{36})"', preview.content.decode())
    assert who.post(IMPORT_PAGE, waiting=waiting, **fields).status_code == 200
