"""Test steps for drafts from locked pages, and attacks on them in the database."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from typing import Any
from uuid import UUID

from django.db import connection
from django.test import Client

from accounts.models import BrowserKey
from accounts.sessions import services as sessions_services
from accounts.signals import vault_unlocked
from diary.models import Draft, LateDraft
from llamora.crypto import Context, seal_to
from llamora.fields import new_id
from tests.people import SESSION, Resident

Rows = list[tuple[Any, ...]]


def get_draft_text(member: Resident, day: date | None = None) -> str:
    with member.unlocked():
        text: str = Draft.objects.get(owner_id=member.id, day=day or member.today).text
    return text


def send(member: Resident, text: str, *, revision: int = 0, **fields: Any) -> Any:
    """Send a draft of today as the script of a page does."""
    return member.post(f"/d/{member.today}/draft/", text=text, revision=revision, script=True, **fields)


def unlock(member: Resident) -> None:
    """Unlock this browser without the password, with what an unlock does to the rows and the cookie."""
    cookie = sessions_services.unlock_session(
        sign_in_id=member.get_cookie().sign_in_id, keyring=member.keyring
    )
    member.client.cookies[SESSION] = cookie.encode()
    send_unlocked(member)


def send_unlocked(member: Resident) -> None:
    with member.unlocked():
        vault_unlocked.send(Resident, person_id=member.id, keyring=member.keyring)


def open_another_browser(member: Resident) -> Resident:
    """Return the same person in one more browser, which is unlocked."""
    other = replace(member, client=Client())
    cookie = sessions_services.create_session(
        person=member.person, keyring=member.keyring, is_persistent=False, device="another"
    )
    other.client.cookies[SESSION] = cookie.encode()
    return other


def find_unchecked_texts(member: Resident) -> str:
    """Return the page of drafts that could not be checked."""
    answer = member.get("/drafts/")
    assert answer.status_code == 200
    return str(answer.content.decode())


def copy_rows(table: str) -> Rows:
    with connection.cursor() as cursor:
        found: Rows = cursor.execute(f"SELECT * FROM {table}").fetchall()
    return found


def put_back(table: str, rows: Rows) -> None:
    """Insert rows as they were, unless they are still there."""
    with connection.cursor() as cursor:
        for row in rows:
            marks = ", ".join(["%s"] * len(row))
            cursor.execute(f"INSERT OR REPLACE INTO {table} VALUES ({marks})", list(row))


def change(column: str, value: Any, *, table: str = "diary_latedraft") -> None:
    with connection.cursor() as cursor:
        cursor.execute("PRAGMA ignore_check_constraints = ON")
        cursor.execute(f"UPDATE {table} SET {column} = %s", [value])
        cursor.execute("PRAGMA ignore_check_constraints = OFF")


def plant(
    owner: Resident,
    body: Any = None,
    *,
    make_mac: Callable[[bytes], bytes | None] = lambda _box: None,
    sign_in_id: UUID | None = None,
) -> LateDraft:
    """Insert a row as somebody can who knows the public key, and nothing else."""
    late = LateDraft(owner_id=owner.id, day=owner.today, id=new_id(), sign_in_id=sign_in_id)
    bound = [("diary.late_draft.day", late.day.isoformat().encode())]
    if sign_in_id is not None:
        bound += [
            ("diary.late_draft.sign_in", sign_in_id.bytes),
            ("diary.late_draft.revision", b"i:0"),
            ("diary.late_draft.follows", b"i:0"),
        ]
    context = Context(
        purpose="late_draft", label="diary.late_draft.box", row=late.id, owner=owner.id, bound=tuple(bound)
    )
    plaintext = body if isinstance(body, bytes) else json.dumps(body).encode()
    late.box = seal_to(bytes(owner.get_vault().public_key), plaintext, context=context)
    late.mac = make_mac(late.box)
    late.save(force_insert=True)
    return late


def count_browser_keys(owner: Resident) -> int:
    return BrowserKey.objects.filter(owner_id=owner.id).count()
