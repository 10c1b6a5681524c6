"""The people of the tests, each with a diary, a key, and a browser in this process.

`new_resident` creates a person without a password, unlocked in one browser, which is fast.
`register_resident` registers a person with a password and a recovery code; they are signed in only on
request, since a sign-in on the page takes ten times as long as a session made by the service. The fixtures
are named after the role of a person in a test: `owner`, `housemate`, `stranger` (a browser without a
signed-in person), `administrator`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from typing import Any, Self
from uuid import UUID

from django.db.models import QuerySet
from django.test import Client
from django.utils import timezone

from accounts.auth.services.registration import create_person
from accounts.keys import key_slots
from accounts.keys.keyrings import copy_with_former_keys
from accounts.keys.sealed_preferences import encode_preferences, save_preferences
from accounts.keys.slot_list import encode_slot_list
from accounts.keys.vault_state import VaultState, confirm_code
from accounts.models import KeySlot, Person, SignIn, SlotKind, Vault
from accounts.remote_hosts import services as remote_hosts
from accounts.sessions import services as sessions_services
from accounts.sessions.cookies import SessionCookie, get_cookie_name, parse_cookie
from diary import days
from diary.models import Draft, Entry, Origin, Reply
from llamora.crypto import Keyring, in_force, new_vault_keys, parse_recovery_code, secret_bytes
from llamora.database import write_transaction
from llamora.fields import SealedModel, SealedValue
from llamora.fields.models import mac_fields

BY_SCRIPT = {"HX-Request": "true"}
PASSWORD = "a quiet lamp by the window"
NEW_PASSWORD = "seven herons over the marsh"
HERE, ELSEWHERE = "192.0.2.1", "198.51.100.7"
SESSION = get_cookie_name(secure=False)
FIRST_DAY = date(2026, 1, 1)
SEALED: dict[type[SealedModel], tuple[str, ...]] = {
    Entry: ("text", "source", "provenance"),
    Draft: ("text",),
    Reply: ("text",),
    Vault: ("private_key", "digest_key", "former_pair", "ways_in", "state", "preferences", "model_hosts"),
}


@dataclass(kw_only=True)
class Resident:
    """A person with a diary, the secrets that open it, and a browser."""

    person: Person
    keyring: Keyring
    client: Client = field(default_factory=Client)
    password: str = ""
    recovery_code: str = ""
    # What `write_many` wrote, by the entries' ids.
    written: dict[UUID, str] = field(default_factory=dict, repr=False)

    @property
    def id(self) -> UUID:
        return self.person.id

    @property
    def data_key(self) -> bytes:
        return self.keyring.data_key()

    # --- their browser -------------------------------------------------------------------------------

    def sign_in(self, *, keep: bool = False) -> Self:
        fields = {
            "name": self.person.name,
            "password": self.password,
            **({"stay_days": "30"} if keep else {}),
        }
        answer = self.client.post("/sign-in/", fields)
        assert answer.status_code == 302, answer.content
        return self

    def sign_in_elsewhere(self, **headers: str) -> Self:
        """Sign in on one more browser."""
        return replace(self, client=Client(headers=headers)).sign_in()

    def lock(self) -> None:
        """Lock the diary in this browser, which stays signed in."""
        assert self.post("/lock/").status_code == 302

    def get(self, path: str, *, script: bool = False) -> Any:
        return self.client.get(path, headers=BY_SCRIPT if script else {})

    def post(self, path: str, *, script: bool = False, **fields: Any) -> Any:
        """Submit a form of this person's page."""
        return self.client.post(path, {"owner": str(self.id), **fields}, headers=BY_SCRIPT if script else {})

    def choose(self, **preferences: Any) -> None:
        """Save preferences; preferences that are not given stay unchanged."""
        required = {"time_zone": self.person.time_zone, "week_start": "0", "theme": "system"}
        assert self.post("/settings/", **required, **preferences).status_code == 302

    def get_cookie(self) -> SessionCookie:
        found = parse_cookie(self.client.cookies[SESSION].value)
        assert found is not None
        return found

    def get_sign_in(self) -> SignIn:
        return SignIn.objects.get(id=self.get_cookie().sign_in_id)

    def set_preferences(self, **columns: Any) -> None:
        """Save preferences without a page, also such as the page does not offer."""
        for name, value in columns.items():
            setattr(self.person, name, value)
        with self.unlocked():
            save_preferences(self.person, names=columns)

    def is_unlocked(self) -> bool:
        return bool(self.get("/settings/").status_code == 200)

    # --- their secrets -------------------------------------------------------------------------------

    def open_slot(self, *, by: SlotKind = SlotKind.PASSWORD) -> key_slots.OpenedSlot:
        """Open a slot with its secret; with the former key while a rotation is unfinished."""
        secret = self.password if by == SlotKind.PASSWORD else parse_recovery_code(self.recovery_code)
        request = key_slots.DerivationRequest(name=self.person.name, address="here")
        found = key_slots.open_slot(person=self.person, kind=by, secret=secret, request=request)
        return key_slots.OpenedSlot(
            person=found.person, slot=found.slot, keyring=copy_with_former_keys(found.keyring)
        )

    def open_keyring(self) -> Keyring:
        """Return the current keyring from the password's slot; `keyring` is the initial keyring."""
        return self.open_slot().keyring

    def create_session(self) -> SessionCookie:
        """Create a session for another browser with the service."""
        return sessions_services.create_session(
            person=self.person, keyring=self.open_keyring(), is_persistent=False, device="a browser"
        )

    def get_slot(self, kind: SlotKind = SlotKind.PASSWORD) -> KeySlot:
        return KeySlot.objects.get(owner_id=self.id, kind=kind)

    def get_vault(self) -> Vault:
        return Vault.objects.get(owner_id=self.id)

    # --- their diary ---------------------------------------------------------------------------------

    @property
    def today(self) -> date:
        return days.today(self.person.time_zone, now=timezone.now())

    def today_at(self, hour: int) -> datetime:
        """Return the moment of an hour of today, in the person's time zone."""
        return datetime.combine(self.today, time(hour), tzinfo=days.get_time_zone(self.person.time_zone))

    @contextmanager
    def unlocked(self) -> Iterator[None]:
        """Put the keyring in force, as in a request of this person."""
        with in_force(self.keyring):
            yield

    def agree_to(self, host: str) -> None:
        """Let one's texts be sent to a model on this machine, which is another one."""
        with self.unlocked():
            remote_hosts.agree(self.id, host, on=self.today)

    def write(
        self,
        text: str,
        *,
        day: date | None = None,
        at: datetime | None = None,
        origin: Origin = Origin.OWN,
    ) -> Entry:
        """Create an entry without the services."""
        with self.unlocked():
            entry: Entry = Entry.objects.create(
                owner_id=self.id,
                day=day or self.today,
                text=text,
                created_at=at or timezone.now(),
                origin=origin,
            )
        return entry

    def update_columns(self, row: SealedModel, **columns: Any) -> None:
        """Write plaintext columns of a row with their code, as another process would: without signals."""
        for mac in mac_fields(type(row)):
            context = mac.context_for(row.get_loaded_columns(mac) | columns)
            columns[mac.name] = SealedValue(self.keyring.compute_mac(context))
        # The queryset of sealed models refuses bound columns.
        QuerySet.update(type(row)._base_manager.filter(pk=row.pk), **columns)

    def write_with(self, keyring: Keyring, text: str) -> Entry:
        """Create an entry with a given keyring."""
        with in_force(keyring), write_transaction():
            return Entry.objects.create(owner_id=self.id, day=FIRST_DAY, text=text)

    def write_many(self, count: int) -> Self:
        """Save entries, every third with a source and a draft, every second with a reply."""
        with in_force(self.open_keyring()), write_transaction():
            for number in range(len(self.written), len(self.written) + count):
                self._write_numbered(number)
        return self

    def _write_numbered(self, number: int) -> None:
        text, day = f"Entry {number} of {self.person.name}.", FIRST_DAY + timedelta(days=number)
        entry = Entry(owner_id=self.id, day=day, text=text)
        if number % 3 == 0:
            entry.source = b"line %d" % number
            Draft(owner_id=self.id, day=day, text=f"Draft {number}").save(force_insert=True)
        entry.save(force_insert=True)
        if number % 2 == 0:
            Reply(owner_id=self.id, entry=entry, text=f"Reply {number}").save(force_insert=True)
        self.written[entry.id] = text

    def list_texts(self, day: date | None = None) -> list[str]:
        """Return the texts of a day, by default today's."""
        with self.unlocked():
            return [entry.text for entry in Entry.objects.for_owner(self.id).on_day(day or self.today)]

    def read_all(self, keyring: Keyring | None = None) -> dict[UUID, str]:
        """Return the texts of all entries, opened with the password or a given keyring."""
        with in_force(keyring or self.open_keyring()):
            return {entry.id: entry.text for entry in Entry.objects.filter(owner_id=self.id)}

    def list_envelopes(self) -> list[bytes]:
        """Return all of this person's stored envelopes."""
        found: list[SealedValue | None] = []
        for model, columns in SEALED.items():
            for row in model._base_manager.filter(owner_id=self.id).values_list(*columns):
                found += row
        return [held.envelope for held in found if held is not None]

    def list_epochs(self) -> set[int]:
        return {int.from_bytes(envelope[1:5], "big") for envelope in self.list_envelopes()}


def new_resident(name: str, *, time_zone: str = "UTC") -> Resident:
    """Create a person who is unlocked in one browser; without a password, and so without a key derivation."""
    person = Person.objects.create(name=name, time_zone=time_zone)
    keyring = Keyring(owner=person.id, epoch=1, keys={1: secret_bytes(32)})
    private, public = new_vault_keys()
    with in_force(keyring):
        Vault.objects.create(
            owner=person,
            epoch=1,
            public_key=public,
            private_key=private,
            digest_key=secret_bytes(32),
            ways_in=encode_slot_list([]),
            state=VaultState(format_2_since=1, finished=1).to_json(),
            preferences=encode_preferences(person),
            folded_drafts={},
        )
    resident = Resident(person=person, keyring=keyring)
    _sign_in_by_service(resident, keyring)
    return resident


def register_resident(
    name: str, *, administrator: bool = False, entries: int = 0, signed_in: bool = False
) -> Resident:
    """Register a person with a password, a confirmed recovery code and some entries."""
    enrolled = create_person(
        name=name,
        password=PASSWORD,
        time_zone="Europe/Vienna",
        is_administrator=administrator,
        address=f"enrolling {name}",
    )
    confirm_code(enrolled.keyring)
    keyring = Keyring(owner=enrolled.person.id, epoch=1, keys={1: enrolled.keyring.data_key()})
    resident = Resident(
        person=enrolled.person, keyring=keyring, password=PASSWORD, recovery_code=enrolled.recovery_code
    )
    if signed_in:
        _sign_in_by_service(resident, enrolled.keyring)
    enrolled.keyring.close()
    return resident.write_many(entries) if entries else resident


def _sign_in_by_service(resident: Resident, keyring: Keyring) -> None:
    cookie = sessions_services.create_session(
        person=resident.person, keyring=keyring, is_persistent=False, device=""
    )
    resident.client.cookies[SESSION] = cookie.encode()
