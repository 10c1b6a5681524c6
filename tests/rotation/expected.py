"""People as the state machine knows them, in plain dicts, and what their right secrets must open."""

from collections.abc import Collection
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import TypedDict
from uuid import UUID

from accounts.auth.services.registration import register_person
from accounts.keys import key_slots
from accounts.keys.keyrings import copy_with_former_key
from accounts.models import FormerKey, Person, SlotKind
from accounts.rotation.sealed_tables import list_sealed_tables
from accounts.sessions.cookies import SessionCookie
from diary.models import Draft, Entry, LateDraft, Version
from llamora.crypto import Context, Keyring, in_force, parse_recovery_code
from tests.rotation.independent_reader import Diary


class Known(TypedDict):
    """A person: their secrets, their words, their browsers."""

    id: UUID
    name: str
    is_keeper: bool
    password: str
    code: str
    entries: dict[UUID, str]
    versions: list[str]
    # By day: text and revision.
    drafts: dict[date, tuple[str, int]]
    # What came while they were locked, waiting for the next unlock.
    late: dict[date, str]
    # Browsers that are signed in, and whether they are unlocked.
    browsers: dict[SessionCookie, bool]
    data_key: bytes
    epoch: int
    # While a rotation is unfinished: the key before, and all it opened when the next one came.
    former: dict[bytes, set[bytes]]


People = dict[str, Known]
# Envelopes, and what each is bound to.
Sealed = list[tuple[bytes, Context]]


def joins(name: str, *, password: str, is_keeper: bool, token: str) -> Known:
    """Let somebody new in from a browser; raise as `services.join`."""
    enrolled, cookie = register_person(
        name=name,
        password=password,
        time_zone="UTC",
        is_administrator=is_keeper,
        address="here",
        invitation=token,
    )
    person = Known(
        id=enrolled.person.id,
        name=name,
        is_keeper=is_keeper,
        password=password,
        code=enrolled.recovery_code,
        entries={},
        versions=[],
        drafts={},
        late={},
        browsers={cookie: True},
        data_key=b"",
        epoch=1,
        former={},
    )
    person["data_key"] = opened(person).keyring.data_key()
    return person


def secret_of(person: Known, kind: SlotKind) -> str:
    """What opens that slot, as it is derived."""
    return person["password"] if kind == SlotKind.PASSWORD else parse_recovery_code(person["code"])


def comes_by(person: Known, kind: SlotKind, secret: str) -> key_slots.OpenedSlot:
    """Open a slot as a sign-in does, but leave no session."""
    row = Person.objects.find_by_name(person["name"])
    request = key_slots.DerivationRequest(name=person["name"], address="here")
    found = key_slots.open_slot(person=row, kind=kind, secret=secret, request=request)
    return key_slots.OpenedSlot(
        person=found.person, slot=found.slot, keyring=copy_with_former_key(found.keyring)
    )


def opened(person: Known, kind: SlotKind = SlotKind.PASSWORD) -> key_slots.OpenedSlot:
    """Open a slot with its right secret; both keys while a rotation is unfinished."""
    return comes_by(person, kind, secret_of(person, kind))


def folded(person: Known, *, waiting: Collection[date] = ()) -> dict[date, tuple[str, int]]:
    """What came late and waits no longer, as the drafts it has become."""
    return {day: (text, 1) for day, text in person["late"].items() if day not in waiting}


def reads_all(person: Known, keyring: Keyring) -> None:
    """Fail unless a keyring opens every text as it was written."""
    mine = {"owner_id": person["id"]}
    with in_force(keyring):
        assert {row.id: row.text for row in Entry.objects.filter(**mine)} == person["entries"]
        assert sorted(row.text for row in Version.objects.filter(**mine)) == sorted(person["versions"])
        drafts = {row.day: (row.text, row.revision) for row in Draft.objects.filter(**mine)}
        waiting = set(LateDraft.objects.filter(**mine).values_list("day", flat=True))
    assert drafts == person["drafts"] | folded(person, waiting=waiting)
    assert keyring.data_key() == person["data_key"]
    assert keyring.epoch == person["epoch"]


def envelopes_of(owner: UUID) -> Sealed:
    """Every sealed value of an owner's, in every table."""
    found: Sealed = []
    for table in list_sealed_tables():
        contexts = table.build_context_reader(owner)
        for rows in table.iterate_batches(owner, skip_prefix=None):
            found += [(envelope, context) for row in rows for _, envelope, context in contexts(row)]
    return found


def is_whole(person: Known, keyring: Keyring, sealed: Sealed) -> None:
    """Fail where a sealed value of theirs does not open, or the key before is there for nothing."""
    for envelope, context in sealed:
        keyring.unseal(envelope, context)
    assert FormerKey.objects.filter(owner_id=person["id"]).exists() == bool(person["former"])


def reads_all_without_us(person: Known, secret: str, *, database: Path) -> None:
    """Fail unless a reader that knows only the documentation finds the same."""
    waiting = LateDraft.objects.filter(owner_id=person["id"]).values_list("day", flat=True)
    written = person["drafts"] | folded(person, waiting=set(waiting))
    diary = Diary(database, name=person["name"], secret=secret)
    with closing(diary.rows):
        entries = sorted(each["text"] for each in diary.texts("entries"))
        drafts = sorted(each["text"] for each in diary.texts("drafts"))
    assert diary.epoch == person["epoch"]
    assert entries == sorted(person["entries"].values())
    assert drafts == sorted(text for text, _ in written.values())
