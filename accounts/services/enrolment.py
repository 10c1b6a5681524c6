"""A new person: their row, their vault, and the two ways into it, in one transaction."""

from dataclasses import dataclass, field

from django.db import IntegrityError

from accounts import invitations, keys, languages, vault_keys
from accounts.cookies import SessionCookie
from accounts.errors import NameTaken, SetUpDone
from accounts.models import Person, SlotKind, Vault
from accounts.names import clean_name, name_key
from accounts.services.entering import admitted
from accounts.throttle import throttle
from accounts.vault import NOBODY, RequestVault
from accounts.zones import zone_or_house
from llamora import crypto
from llamora.crypto import Keyring, Slot, in_force
from llamora.database import writing

FIRST_EPOCH = 1


@dataclass(frozen=True, kw_only=True)
class Enrolled:
    """Somebody new; the caller shows the code once and closes the keyring."""

    person: Person
    keyring: Keyring = field(repr=False)
    recovery_code: str = field(repr=False)


def enrol(
    *,
    name: str,
    password: str,
    time_zone: str,
    keeper: bool,
    address: str,
    invitation: str = "",
    language: str = languages.HOUSE,
) -> Enrolled:
    """Make a person with a vault; raise NameTaken, SetUpDone, NotInvited, TooSoon or Busy.

    `invitation` is the token they come by; it is used up with the same commit. `language` is that of dates.
    """
    with throttle.attempt("enrol", name=name, address=address) as attempt:
        # Counted although nothing is wrong: two derivations each, for whoever asks.
        attempt.wrong()
        person = Person(
            name=clean_name(name),
            time_zone=zone_or_house(time_zone),
            is_staff=keeper,
            language=language,
            week_start=languages.week_start_of(language),
        )
        return _enrol(
            person,
            password=password,
            address=address,
            invitation=invitation,
        )


def join(
    *,
    name: str,
    password: str,
    time_zone: str,
    keeper: bool,
    address: str,
    device: str = "",
    invitation: str = "",
    language: str = languages.HOUSE,
    here: RequestVault = NOBODY,
) -> tuple[Enrolled, SessionCookie | None]:
    """Enrol a person from a browser and sign that browser in; the keyring is closed."""
    enrolled = enrol(
        name=name,
        password=password,
        time_zone=time_zone,
        keeper=keeper,
        address=address,
        invitation=invitation,
        language=language,
    )
    try:
        cookie = admitted(enrolled.person, enrolled.keyring, device=device, here=here)
    finally:
        enrolled.keyring.close()
    return enrolled, cookie


def _enrol(person: Person, *, password: str, address: str, invitation: str) -> Enrolled:
    if Person.objects.by_name(person.name):
        raise NameTaken
    data_key = crypto.secret_bytes()
    keyring = Keyring(owner=person.id, epoch=FIRST_EPOCH, keys={FIRST_EPOCH: data_key})
    code = crypto.new_recovery_code()
    asking = keys.Asking(name=person.name, address=address)
    secrets = {SlotKind.PASSWORD: password, SlotKind.RECOVERY: crypto.parse_recovery_code(code)}
    slots = [
        keys.make_slot(secret=s, kind=kind, keyring=keyring, asking=asking) for kind, s in secrets.items()
    ]
    _write(person, keyring=keyring, slots=slots, invitation=invitation)
    vault_keys.remember(keyring)
    return Enrolled(person=person, keyring=keyring, recovery_code=code)


def _write(person: Person, *, keyring: Keyring, slots: list[Slot], invitation: str) -> None:
    private_key, public_key = crypto.new_vault_keys()
    with writing(), in_force(keyring):
        if person.is_staff and Person.objects.filter(is_staff=True).exists():
            raise SetUpDone
        # Asked again: another registration may have been quicker while these keys were derived.
        if Person.objects.filter(name_key=name_key(person.name)).exists():
            raise NameTaken
        try:
            person.save(force_insert=True)
        except IntegrityError:
            raise NameTaken from None
        if invitation:
            invitations.use(invitation, person=person)
        Vault.objects.create(
            owner=person,
            epoch=keyring.epoch,
            public_key=public_key,
            private_key=private_key,
            digest_key=crypto.secret_bytes(),
        )
        keys.replace_slots(keyring, by=slots)
