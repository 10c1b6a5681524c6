"""Coming in: a secret opens a slot, a browser gets its rows, and the apps above hear of it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from uuid import UUID

from accounts import keys, known_browsers, sessions, vault_keys
from accounts.cookies import SessionCookie
from accounts.errors import OtherPerson, SignedOut, WrongSecret
from accounts.models import KeySlot, Person, SignIn, SlotKind
from accounts.signals import vault_unlocked
from accounts.throttle import throttle
from accounts.vault import NOBODY, RequestVault
from llamora.crypto import Keyring, in_force
from llamora.database import NotWritten, writing


@contextmanager
def opening(
    kind: str, *, person: Person | None, name: str, address: str, by: SlotKind, secret: str, place: str = ""
) -> Iterator[keys.Opened]:
    """Yield a slot opened by its secret, once the throttle agrees; its keyring is closed in the end.

    `place` stands for the address in the counts where the browser is known by something better.
    """
    with throttle.attempt(kind, name=name, address=place or address) as attempt:
        try:
            asking = keys.Asking(name=name, address=address)
            opened = keys.open_slot(person=person, kind=by, secret=secret, asking=asking)
        except WrongSecret:
            attempt.wrong()
            raise
        attempt.right()
    try:
        yield opened
    finally:
        opened.keyring.close()


def sign_in(
    *,
    name: str,
    password: str,
    address: str,
    days: int | None = None,
    device: str = "",
    known: str = "",
    here: RequestVault = NOBODY,
) -> tuple[Person, SessionCookie]:
    """Let a person in from a browser; whoever was signed in there before is signed out.

    `days` is how long the browser stays signed in; None until it is closed. `known` is what it shows for
    having been here before. Raise WrongSecret, SwitchedOff,
    DamagedSlot, TooSoon, Busy or NoMemory.
    """
    person = Person.objects.by_name(name)
    with opening(
        "sign-in",
        person=person,
        name=name,
        address=address,
        by=SlotKind.PASSWORD,
        secret=password,
        place=known_browsers.place_of(known, person_id=person.id) if person else "",
    ) as opened:
        _raise_cost(opened, password=password, address=address)
        if here.sign_in_id is not None and here.person == opened.person:
            # The same person at the same browser: their other tabs stay what they are.
            with suppress(SignedOut):
                return opened.person, _unlock_again(opened.keyring, sign_in_id=here.sign_in_id, days=days)
        return opened.person, admit(opened.person, opened.keyring, days=days, device=device, here=here)


def admit(
    person: Person,
    keyring: Keyring,
    *,
    days: int | None = None,
    device: str,
    here: RequestVault = NOBODY,
) -> SessionCookie:
    """Give a browser its two rows for a person whose keyring is at hand, and tell the apps above."""
    with writing():
        if here.person is not None and here.sign_in_id is not None:
            # Whoever was signed in here before; their open tabs are told.
            sessions.end(sign_in_id=here.sign_in_id, person_id=here.person.id)
        kept = days is not None
        cookie = sessions.sign_in(person=person, keyring=keyring, kept=kept, days=days, device=device)
    _tell(keyring)
    return cookie


def admitted(
    person: Person, keyring: Keyring, *, device: str, here: RequestVault = NOBODY
) -> SessionCookie | None:
    """Admit somebody whose new secrets are already kept, or return None where that could not be written.

    A recovery code was made that has yet to be shown: nothing that fails after it may hide it.
    """
    try:
        return admit(person, keyring, device=device, here=here)
    except NotWritten:
        return None


def unlock(*, here: RequestVault, password: str, address: str) -> SessionCookie:
    """Unlock the browser of a signed-in person with that same person's password; raise as `sign_in`."""
    person, sign_in_id = here.person, here.sign_in_id
    if person is None or sign_in_id is None:
        raise OtherPerson
    # The browser is known by its sign-in, so no failure from elsewhere delays it.
    with opening(
        "unlock",
        person=person,
        name=person.name,
        address=address,
        by=SlotKind.PASSWORD,
        secret=password,
        place=str(sign_in_id),
    ) as opened:
        _raise_cost(opened, password=password, address=address)
        if opened.keyring.owner != person.id:
            raise OtherPerson
        return _unlock_here(opened.keyring, sign_in_id=sign_in_id)


def _unlock_here(keyring: Keyring, *, sign_in_id: UUID) -> SessionCookie:
    return _unlocked(keyring, lambda: sessions.unlock(sign_in_id=sign_in_id, keyring=keyring))


def _unlock_again(keyring: Keyring, *, sign_in_id: UUID, days: int | None) -> SessionCookie:
    kept = days is not None
    return _unlocked(
        keyring, lambda: sessions.unlock(sign_in_id=sign_in_id, keyring=keyring, kept=kept, days=days)
    )


def _unlocked(keyring: Keyring, unlock: Callable[[], SessionCookie]) -> SessionCookie:
    try:
        cookie = unlock()
    except SignIn.DoesNotExist:
        raise SignedOut from None
    _tell(keyring)
    return cookie


def _tell(keyring: Keyring) -> None:
    vault_keys.remember(keyring)
    with in_force(keyring):
        vault_unlocked.send_robust(Person, person_id=keyring.owner, keyring=keyring)


def _raise_cost(opened: keys.Opened, *, password: str, address: str) -> None:
    """Replace a slot whose derivation is cheaper than the settings now ask for."""
    asking = keys.Asking(name=opened.person.name, address=address)
    slot = keys.raise_cost(opened, secret=password, asking=asking)
    if slot is None:
        return
    try:
        with writing():
            # By its id: a password changed meanwhile has another slot, which must stay.
            if KeySlot.objects.filter(id=opened.slot.id).exists():
                keys.replace_slots(opened.keyring, by=[slot])
    except NotWritten:
        return  # it opens as it is; the next sign-in tries again
    keys.leave_no_trace()
