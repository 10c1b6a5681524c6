"""The expected state of each person, as plain dicts, and checks that their secrets open their texts."""

from collections.abc import Collection
from contextlib import closing
from datetime import date
from pathlib import Path
from typing import TypedDict
from uuid import UUID

from accounts.auth.services.registration import register_person
from accounts.keys import key_slots, vault_state
from accounts.keys.keyrings import copy_with_former_keys
from accounts.models import FormerKey, Person, SlotKind
from accounts.rotation.sealed_tables import list_sealed_tables
from accounts.sessions.cookies import SessionCookie
from diary.models import Draft, Entry, LateDraft, Version
from llamora.crypto import Context, Keyring, in_force, parse_recovery_code
from llamora.fields import MacField
from tests.rotation.independent_reader import Diary


class ExpectedPerson(TypedDict):
    """The expected state of a person: secrets, texts and browsers."""

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
    late: dict[date, tuple[str, int]]
    # Browsers that are signed in, and whether they are unlocked.
    browsers: dict[SessionCookie, bool]
    data_key: bytes
    epoch: int
    # While a rotation is unfinished: the key before, and all it opened when the next one came.
    former: dict[bytes, set[bytes]]


People = dict[str, ExpectedPerson]
# Envelopes, and what each is bound to.
Sealed = list[tuple[bytes, Context]]


def register(name: str, *, password: str, is_keeper: bool, token: str) -> ExpectedPerson:
    """Register a person from a browser; raise the errors of the service."""
    enrolled, cookie = register_person(
        name=name,
        password=password,
        time_zone="UTC",
        is_administrator=is_keeper,
        address="here",
        invitation=token,
    )
    person = ExpectedPerson(
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
    keyring = open_with_right_secret(person).keyring
    vault_state.confirm_code(keyring)
    person["data_key"] = keyring.data_key()
    return person


def derive_secret(person: ExpectedPerson, kind: SlotKind) -> str:
    """Return the secret that opens a slot."""
    return person["password"] if kind == SlotKind.PASSWORD else parse_recovery_code(person["code"])


def open_slot_with_secret(person: ExpectedPerson, kind: SlotKind, secret: str) -> key_slots.OpenedSlot:
    """Open a slot as a sign-in does, without creating a session."""
    row = Person.objects.find_by_name(person["name"])
    request = key_slots.DerivationRequest(name=person["name"], address="here")
    found = key_slots.open_slot(person=row, kind=kind, secret=secret, request=request)
    return key_slots.OpenedSlot(
        person=found.person, slot=found.slot, keyring=copy_with_former_keys(found.keyring)
    )


def open_with_right_secret(
    person: ExpectedPerson, kind: SlotKind = SlotKind.PASSWORD
) -> key_slots.OpenedSlot:
    """Open a slot with its right secret; the keyring has both keys while a rotation is unfinished."""
    return open_slot_with_secret(person, kind, derive_secret(person, kind))


def get_merged_drafts(
    person: ExpectedPerson, *, waiting: Collection[date] = ()
) -> dict[date, tuple[str, int]]:
    """Return the drafts into which late drafts were merged."""
    return {day: draft for day, draft in person["late"].items() if day not in waiting}


def check_all_texts(person: ExpectedPerson, keyring: Keyring) -> None:
    """Check that a keyring opens every text of a person."""
    mine = {"owner_id": person["id"]}
    with in_force(keyring):
        assert {row.id: row.text for row in Entry.objects.filter(**mine)} == person["entries"]
        assert sorted(row.text for row in Version.objects.filter(**mine)) == sorted(person["versions"])
        drafts = {row.day: (row.text, row.revision) for row in Draft.objects.filter(**mine)}
        waiting = set(LateDraft.objects.filter(**mine).values_list("day", flat=True))
    assert drafts == person["drafts"] | get_merged_drafts(person, waiting=waiting)
    assert keyring.data_key() == person["data_key"]
    assert keyring.epoch == person["epoch"]


def list_envelopes(owner: UUID) -> Sealed:
    """Return all sealed values of a person."""
    found: Sealed = []
    for table in list_sealed_tables():
        read_envelopes = table.build_envelope_reader(owner)
        for rows in table.iterate_batches(owner, skip_prefix=None):
            found += [
                (envelope, field.context_for(columns))
                for row in rows
                for field, envelope, columns in read_envelopes(row)
                if envelope is not None and not isinstance(field, MacField)
            ]
    return found


def check_all_envelopes(person: ExpectedPerson, keyring: Keyring, sealed: Sealed) -> None:
    """Check that all sealed values of a person open, and that an unneeded former key is gone."""
    for envelope, context in sealed:
        keyring.unseal(envelope, context)
    assert FormerKey.objects.filter(owner_id=person["id"]).exists() == bool(person["former"])


def check_with_independent_reader(person: ExpectedPerson, secret: str, *, database: Path) -> None:
    """Check that the independent reader finds the same texts."""
    waiting = LateDraft.objects.filter(owner_id=person["id"]).values_list("day", flat=True)
    written = person["drafts"] | get_merged_drafts(person, waiting=set(waiting))
    diary = Diary(database, name=person["name"], secret=secret)
    with closing(diary.rows):
        entries = sorted(each["text"] for each in diary.texts("entries"))
        drafts = sorted(each["text"] for each in diary.texts("drafts"))
    assert diary.epoch == person["epoch"]
    assert entries == sorted(person["entries"].values())
    assert drafts == sorted(text for text, _ in written.values())
