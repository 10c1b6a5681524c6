"""Access tokens for tests: created for a resident, and changed in the database by an attacker."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from hashlib import blake2b
from typing import Any

from accounts.auth.services.reauth import Reauthentication
from accounts.http.request import RequestVault
from accounts.keys import token_slots
from accounts.models import AccessToken
from accounts.tokens.call_limits import call_limits
from accounts.tokens.open_keyrings import open_keyrings
from accounts.tokens.recent_checks import recent_checks
from accounts.tokens.services import TokenRequest, create_token, create_token_with_password
from accounts.tokens.token_uses import token_uses
from accounts.tokens.verification import OpenedToken, admissions, cutoffs, verify_token
from diary.models import Entry
from llamora import crypto
from llamora.crypto import Context, TokenKind, TokenSlot, in_force, parse_token
from tests.people import HERE, Resident

SCOPES_OF = {
    TokenKind.ORDINARY: frozenset({"diary:read"}),
    TokenKind.AWAY: frozenset({"diary:read"}),
    TokenKind.DROP: frozenset({"drop"}),
}

# What is not part of a slot.
_LEFT = {"id", "owner_id", "name", "confirmation", "is_expired"} | {
    "last_used_at",
    "last_read_on",
    "read_days",
    "read_count",
}


def build_request(kind: TokenKind, **changes: Any) -> TokenRequest:
    return TokenRequest(**{"name": "Kitchen tablet", "kind": kind, "scopes": SCOPES_OF[kind], **changes})


def make_token(resident: Resident, kind: TokenKind, **changes: Any) -> str:
    """Make a token as its owner does, who is signed in."""
    request = build_request(kind, **changes)
    if kind is not TokenKind.AWAY:
        return create_token(resident.open_keyring(), request)
    cookie = resident.get_cookie()
    vault = RequestVault(person=resident.person, sign_in_id=cookie.sign_in_id, held=resident.open_keyring())
    reauthentication = Reauthentication(vault=vault, cookie=cookie, password=resident.password, address=HERE)
    return create_token_with_password(reauthentication, request)


def get_row(text: str) -> AccessToken:
    return AccessToken.objects.get(id=parse_token(text).id)


def use_token(text: str) -> OpenedToken:
    return verify_token(text, address=HERE)


def read_entries(text: str) -> set[str]:
    """Return the texts of all entries that a token opens."""
    opened = use_token(text)
    assert opened.keyring is not None
    with in_force(opened.keyring):
        found = {entry.text for entry in Entry.objects.filter(owner_id=opened.owner)}
    opened.keyring.close()
    return found


def forget_process() -> None:
    """Drop what a process has in memory of tokens, as its end does."""
    for memory in (admissions, cutoffs, call_limits, token_uses, open_keyrings, recent_checks):
        memory.clear()


@contextmanager
def forgotten_afterwards() -> Iterator[None]:
    forget_process()
    yield
    forget_process()


def write_slot(slot: TokenSlot, **columns: Any) -> None:
    """Write a slot over its row, as somebody can who writes to the database."""
    row = token_slots.row_from_slot(slot, name="")
    names = [each.attname for each in row._meta.concrete_fields if each.attname not in _LEFT]
    values = {name: getattr(row, name) for name in names}
    assert AccessToken.objects.filter(id=slot.id).update(**{**values, **columns}) == 1


def reseal_as_holder(text: str, slot: TokenSlot, **changes: Any) -> TokenSlot:
    """Return a slot as the holder of its token can change it: all but its sealed authenticator."""
    token = parse_token(text)

    def build_context(of: TokenSlot, label: str) -> Context:
        bound = (*of.terms.bound, ("public_key", of.public_key))
        return Context(purpose="token", label=label, row=of.id, owner=of.owner, bound=bound)

    private = crypto.unseal(
        key=token.derive_key(), envelope=slot.sealed_private, context=build_context(slot, "token.private")
    )
    changed = replace(slot, **changes)
    sealed = crypto.seal(
        key=token.derive_key(),
        plaintext=private,
        context=build_context(changed, "token.private"),
        epoch=0,
    )
    said = build_context(changed, "token.mac").encode(changed.epoch)
    said += len(changed.box).to_bytes(4, "big") + changed.box
    mac = blake2b(said, key=private[:32], digest_size=32, person=b"llamora.tokmac").digest()
    return replace(changed, sealed_private=sealed, mac=mac)
