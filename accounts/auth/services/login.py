"""Sign-in and unlock: open a key slot with a secret, create the session rows, send the signal."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from uuid import UUID

from accounts.errors import (
    DerivationOutOfMemory,
    DerivationQueueFull,
    RetryLater,
    SignInEnded,
    StaleVault,
    WrongCredentials,
    WrongPerson,
)
from accounts.http.request import NOBODY, RequestVault
from accounts.keys import key_slots
from accounts.keys.key_checks import check_keys_match
from accounts.models import Person, SignIn, SlotKind
from accounts.rotation.background import start_rotation_thread
from accounts.rotation.epoch_change import OtherBrowsers, begin_rotation
from accounts.rotation.errors import RotationError
from accounts.rotation.format_upgrade import move_to_format_2
from accounts.rotation.unconfirmed_code import replace_unconfirmed_code
from accounts.sessions import services as sessions_services
from accounts.sessions.cookies import SessionCookie
from accounts.sessions.registry import check_no_other_key
from accounts.signals import vault_unlocked
from accounts.throttling.device_cookie import get_throttle_key
from accounts.throttling.throttle import throttle
from llamora.crypto import Keyring, in_force
from llamora.database import NotWritten, truncate_wal, write_transaction


def accept_every_key(keyring: Keyring) -> None:
    """Accept every keyring, without any check.

    This is the default for `check_key`. It does not detect that the database was replaced by an earlier copy.
    """
    del keyring


@contextmanager
def open_slot_throttled(
    kind: str,
    *,
    person: Person | None,
    name: str,
    address: str,
    slot_kind: SlotKind,
    secret: str,
    throttle_key: str = "",
    check_key: Callable[[Keyring], None] = accept_every_key,
) -> Iterator[key_slots.OpenedSlot]:
    """Wait as long as the throttle demands, then yield the key slot, opened with `secret`.

    The keyring of the slot is closed at the end of the `with` block. A browser is recognised if it is signed
    in or has a valid device cookie. Its failures are counted by `throttle_key`, those of others by address,
    and the derivation queue reserves places for it. If the diary is of format 1, `check_key` is called, and
    then the diary is moved to format 2, which may create a new recovery code.
    """
    with throttle.attempt(kind, name=name, address=throttle_key or address) as attempt:
        try:
            request = key_slots.DerivationRequest(
                name=name,
                address=throttle_key or address,
                failures=attempt.unsuccessful,
                is_recognised=bool(throttle_key),
            )
            opened = key_slots.open_slot(person=person, kind=slot_kind, secret=secret, request=request)
        except WrongCredentials:
            attempt.fail()
            raise
        attempt.succeed()
    try:
        if opened.keyring.is_of_format_1:
            check_key(opened.keyring)
            opened = move_to_format_2(opened)
            start_rotation_thread(opened.keyring)
        else:
            check_keys_match(opened.keyring, vault=opened.person.vault)
        check_no_other_key(opened.keyring)
    except StaleVault:
        opened.keyring.close()
        raise DerivationQueueFull(key_slots.RETRY_SECONDS) from None
    except BaseException:
        opened.keyring.close()
        raise
    try:
        yield opened
    except StaleVault:
        # The key was replaced before the session was written.
        raise DerivationQueueFull(key_slots.RETRY_SECONDS) from None
    finally:
        opened.keyring.close()


@dataclass(frozen=True, kw_only=True)
class SignInResult:
    """Result of a sign-in: the person and their session cookie.

    `recovery_code` and `refused_slots` can be set if the sign-in required a rotation: see `OpenedSlot`.
    """

    person: Person
    cookie: SessionCookie
    recovery_code: str = field(default="", repr=False)
    refused_slots: tuple[key_slots.RefusedSlot, ...] = ()


def sign_in_with_password(
    *,
    name: str,
    password: str,
    address: str,
    days: int | None = None,
    device: str = "",
    device_cookie: str = "",
    request_vault: RequestVault = NOBODY,
    check_key: Callable[[Keyring], None] = accept_every_key,
) -> SignInResult:
    """Sign a person in on a browser.

    If another person was signed in on this browser, that person is signed out first. `days` is how long the
    browser stays signed in; with None, until the browser is closed. `device_cookie` is the value of the
    device cookie. `check_key` is called before the key is used. Raise WrongCredentials, AccountDisabled,
    DamagedSlot, CostlySlot, KeysDoNotMatch, TooManyAttempts, DerivationQueueFull, DerivationOutOfMemory,
    NotWritten, or an error of `check_key`.
    """
    person = Person.objects.find_by_name(name)
    with open_slot_throttled(
        "sign-in",
        person=person,
        name=name,
        address=address,
        slot_kind=SlotKind.PASSWORD,
        secret=password,
        throttle_key=get_throttle_key(device_cookie, person_id=person.id) if person else "",
        check_key=check_key,
    ) as opened:
        check_key(opened.keyring)
        with _show_code_again(opened) as shown, raise_cost(shown, password=password) as keyring:
            cookie = None
            if request_vault.sign_in_id is not None and request_vault.person == opened.person:
                # The same person in the same browser: their sign-in stays, so that other tabs go on working.
                with suppress(SignInEnded):
                    cookie = _renew_sign_in(keyring, sign_in_id=request_vault.sign_in_id, days=days)
            if cookie is None:
                cookie = start_session(
                    opened.person, keyring, days=days, device=device, request_vault=request_vault
                )
        return SignInResult(
            person=opened.person,
            cookie=cookie,
            recovery_code=shown.recovery_code,
            refused_slots=opened.refused_slots,
        )


def start_session(
    person: Person,
    keyring: Keyring,
    *,
    days: int | None = None,
    device: str,
    request_vault: RequestVault = NOBODY,
) -> SessionCookie:
    """Create the SignIn and Unlock rows of a browser, and send the signal `vault_unlocked`.

    If the browser was signed in before, by this or another person, that session is ended.
    """
    with write_transaction():
        if request_vault.person is not None and request_vault.sign_in_id is not None:
            # Open tabs of the person who was signed in here get the signal.
            sessions_services.end_session(
                sign_in_id=request_vault.sign_in_id, person_id=request_vault.person.id
            )
        cookie = sessions_services.create_session(
            person=person, keyring=keyring, is_persistent=days is not None, days=days, device=device
        )
    _send_unlocked(keyring)
    return cookie


def start_session_if_possible(
    person: Person, keyring: Keyring, *, device: str, request_vault: RequestVault = NOBODY
) -> SessionCookie | None:
    """Start a session after new secrets were saved, or return None if its rows cannot be written.

    The new recovery code is shown only after this call, so an error must not prevent that.
    """
    try:
        return start_session(person, keyring, device=device, request_vault=request_vault)
    except (NotWritten, StaleVault):
        return None


def unlock_with_password(
    *,
    request_vault: RequestVault,
    password: str,
    address: str,
    check_key: Callable[[Keyring], None] = accept_every_key,
) -> SignInResult:
    """Unlock a browser in which a person is already signed in. The password must be that person's.

    Raise WrongPerson, SignInEnded, or an error of `sign_in_with_password`.
    """
    person, sign_in_id = request_vault.person, request_vault.sign_in_id
    if person is None or sign_in_id is None:
        raise WrongPerson
    # Failures are counted for this sign-in, so that none from elsewhere delays it.
    with open_slot_throttled(
        "unlock",
        person=person,
        name=person.name,
        address=address,
        slot_kind=SlotKind.PASSWORD,
        secret=password,
        throttle_key=str(sign_in_id),
        check_key=check_key,
    ) as opened:
        if opened.keyring.owner != person.id:
            raise WrongPerson
        check_key(opened.keyring)
        with _show_code_again(opened) as shown, raise_cost(shown, password=password) as keyring:
            cookie = _unlock_browser(keyring, sign_in_id=sign_in_id)
        return SignInResult(
            person=opened.person,
            cookie=cookie,
            recovery_code=shown.recovery_code,
            refused_slots=opened.refused_slots,
        )


def _unlock_browser(keyring: Keyring, *, sign_in_id: UUID) -> SessionCookie:
    return _unlock_and_send_signal(
        keyring, lambda: sessions_services.unlock_session(sign_in_id=sign_in_id, keyring=keyring)
    )


def _renew_sign_in(keyring: Keyring, *, sign_in_id: UUID, days: int | None) -> SessionCookie:
    return _unlock_and_send_signal(
        keyring,
        lambda: sessions_services.unlock_session(
            sign_in_id=sign_in_id, keyring=keyring, is_persistent=days is not None, days=days
        ),
    )


def _unlock_and_send_signal(keyring: Keyring, unlock: Callable[[], SessionCookie]) -> SessionCookie:
    try:
        cookie = unlock()
    except SignIn.DoesNotExist:
        raise SignInEnded from None
    _send_unlocked(keyring)
    return cookie


def _send_unlocked(keyring: Keyring) -> None:
    with in_force(keyring):
        vault_unlocked.send_robust(Person, person_id=keyring.owner, keyring=keyring)


@contextmanager
def _show_code_again(opened: key_slots.OpenedSlot) -> Iterator[key_slots.OpenedSlot]:
    """Yield the opened slot, after replacing the recovery code if the person may never have seen it."""
    replaced = replace_unconfirmed_code(opened)
    if replaced is not opened:
        start_rotation_thread(replaced.keyring)
    try:
        yield replaced
    finally:
        replaced.keyring.close()


@contextmanager
def raise_cost(opened: key_slots.OpenedSlot, *, password: str) -> Iterator[Keyring]:
    """Yield the keyring to use, after replacing the slot if its derivation cost is lower than configured.

    A slot can be replaced only by a rotation, which locks other browsers. If the rotation fails, the old slot
    remains, and the next sign-in or unlock tries again.
    """
    cost = key_slots.get_raised_cost(opened.slot)
    begun = None
    if cost is not None:
        with suppress(RotationError, RetryLater, DerivationOutOfMemory, NotWritten):
            begun = begin_rotation(
                opened, new_secrets={SlotKind.PASSWORD: password}, cost=cost, others=OtherBrowsers.LOCK
            )
    if begun is None:
        yield opened.keyring
        return
    truncate_wal()
    start_rotation_thread(begun.keyring)
    try:
        yield begun.keyring
    finally:
        begun.keyring.close()
