"""Registration: creates a new person's row, vault and two key slots in one transaction."""

from dataclasses import dataclass, field

from django.db import IntegrityError

from accounts.auth.services import invitations
from accounts.auth.services.login import start_session_if_possible
from accounts.errors import HouseholdAlreadySetUp, UsernameTaken
from accounts.http.request import NOBODY, RequestVault
from accounts.keys import key_slots
from accounts.keys.sealed_preferences import encode_preferences
from accounts.keys.slot_list import ListedSlot, encode_slot_list
from accounts.keys.vault_state import VaultState
from accounts.models import Person, SlotKind, Vault
from accounts.preferences import languages
from accounts.preferences.time_zones import get_time_zone_or_default
from accounts.sessions.cookies import SessionCookie
from accounts.throttling.throttle import throttle
from accounts.usernames import clean_username, fold_username
from llamora import crypto
from llamora.crypto import Keyring, Slot, in_force
from llamora.database import write_transaction

FIRST_EPOCH = 1


@dataclass(frozen=True, kw_only=True)
class NewPerson:
    """A new person with their recovery code, which is shown once, and their keyring.

    The caller closes the keyring.
    """

    person: Person
    keyring: Keyring = field(repr=False)
    recovery_code: str = field(repr=False)


def create_person(
    *,
    name: str,
    password: str,
    time_zone: str,
    is_administrator: bool,
    address: str,
    invitation: str = "",
    language: str = languages.DEFAULT_LANGUAGE,
) -> NewPerson:
    """Create a person with a vault.

    `invitation` is the token of an invitation, which is used up in the same transaction. `language` is the
    language of dates. Raise InvalidUsername, UsernameTaken, HouseholdAlreadySetUp, InvalidInvitation,
    TooManyAttempts, DerivationQueueFull or DerivationOutOfMemory.
    """
    with throttle.attempt("enrol", name=name, address=address) as attempt:
        # Every attempt counts as a failure: each costs two key derivations, for anybody who asks.
        attempt.fail()
        person = Person(
            name=clean_username(name),
            time_zone=get_time_zone_or_default(time_zone),
            is_staff=is_administrator,
            language=language,
            week_start=languages.get_week_start(language),
        )
        return _create_person(
            person,
            password=password,
            invitation=invitation,
            request=key_slots.DerivationRequest(
                name=person.name,
                address=address,
                failures=attempt.unsuccessful,
                is_recognised=bool(invitation) or is_administrator,
            ),
        )


def register_person(
    *,
    name: str,
    password: str,
    time_zone: str,
    is_administrator: bool,
    address: str,
    device: str = "",
    invitation: str = "",
    language: str = languages.DEFAULT_LANGUAGE,
    request_vault: RequestVault = NOBODY,
) -> tuple[NewPerson, SessionCookie | None]:
    """Create a person and sign their browser in; the keyring in the result is already closed."""
    created = create_person(
        name=name,
        password=password,
        time_zone=time_zone,
        is_administrator=is_administrator,
        address=address,
        invitation=invitation,
        language=language,
    )
    try:
        cookie = start_session_if_possible(
            created.person, created.keyring, device=device, request_vault=request_vault
        )
    finally:
        created.keyring.close()
    return created, cookie


def _create_person(
    person: Person, *, password: str, invitation: str, request: key_slots.DerivationRequest
) -> NewPerson:
    if Person.objects.find_by_name(person.name):
        raise UsernameTaken
    data_key = crypto.secret_bytes()
    keyring = Keyring(owner=person.id, epoch=FIRST_EPOCH, keys={FIRST_EPOCH: data_key})
    code = crypto.new_recovery_code()
    secrets = {SlotKind.PASSWORD: password, SlotKind.RECOVERY: crypto.parse_recovery_code(code)}
    slots = [
        key_slots.create_slot(secret=s, kind=kind, keyring=keyring, request=request)
        for kind, s in secrets.items()
    ]
    _save_person(person, keyring=keyring, slots=slots, invitation=invitation)
    return NewPerson(person=person, keyring=keyring, recovery_code=code)


def _save_person(person: Person, *, keyring: Keyring, slots: list[Slot], invitation: str) -> None:
    private_key, public_key = crypto.new_vault_keys()
    with write_transaction(), in_force(keyring):
        if person.is_staff and Person.objects.filter(is_staff=True).exists():
            raise HouseholdAlreadySetUp
        # Checked again: another registration may have taken the name while these keys were derived.
        if Person.objects.filter(name_key=fold_username(person.name)).exists():
            raise UsernameTaken
        try:
            person.save(force_insert=True)
        except IntegrityError:
            raise UsernameTaken from None
        if invitation:
            invitations.redeem_invitation(invitation, person=person)
        Vault.objects.create(
            owner=person,
            epoch=keyring.epoch,
            public_key=public_key,
            private_key=private_key,
            digest_key=crypto.secret_bytes(),
            ways_in=encode_slot_list(
                ListedSlot(id=slot.id, kind=slot.kind, added=person.created_at.isoformat(timespec="seconds"))
                for slot in slots
            ),
            state=VaultState(
                format_2_since=FIRST_EPOCH, finished=FIRST_EPOCH, has_unconfirmed_code=True
            ).to_json(),
            preferences=encode_preferences(person),
            folded_drafts={},
        )
        key_slots.save_slots(slots)
