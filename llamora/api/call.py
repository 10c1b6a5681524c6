"""One call of a program: its token, the keys in force, and its owner."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final
from uuid import UUID

from accounts.errors import IdempotencyKeyReused
from accounts.keys.sealed_preferences import load_person
from accounts.models import Person
from accounts.sessions import revocation_list
from accounts.tokens.idempotency import StoredOnce, derive_row_id, find_stored, store_once
from accounts.tokens.services import find_token_name
from accounts.tokens.token_uses import token_uses
from accounts.tokens.verification import OpenedToken
from llamora.api.errors import ApiError
from llamora.crypto import RealmKeyring, TokenKind, TokenTerms, VaultLocked, in_force
from llamora.threads import let_others_run

_LONGEST_KEY: Final = 200
_UNUSABLE_KEY: Final = "An Idempotency-Key has 1 to 200 printable ASCII characters."


def let_pages_run() -> None:
    """Let people's pages that wait go first; called between two parts of a call."""
    let_others_run(before=1)


@dataclass(kw_only=True)
class Call:
    """One call; its keyring is in force while it runs, and closed when its response ends."""

    opened: OpenedToken = field(repr=False)
    # None if the call has none; one that cannot be a key is refused where it is used.
    idempotency_key: str | None = field(default=None, repr=False)

    @property
    def owner(self) -> UUID:
        """The id of the person whose token it is."""
        return self.opened.owner

    @property
    def token_id(self) -> UUID:
        """The id of the token."""
        return self.opened.id

    @property
    def terms(self) -> TokenTerms:
        """What the owner decided when they made the token."""
        return self.opened.terms

    @property
    def keyring(self) -> RealmKeyring:
        """The keys of the token's realms; raise VaultLocked for a token that opens none."""
        if self.opened.keyring is None:
            raise VaultLocked
        return self.opened.keyring

    @property
    def is_revoked(self) -> bool:
        """Whether the token was revoked while the call ran; asks no database."""
        return revocation_list.is_revoked(self.token_id.bytes)

    @property
    def is_drop(self) -> bool:
        """Whether the token only sends texts."""
        return self.terms.kind is TokenKind.DROP

    @cached_property
    def person(self) -> Person:
        """The owner: with their sealed preferences while they are unlocked, else as the database has them."""
        owners = self.opened.owner_keyring
        if owners is not None:
            with suppress(VaultLocked), in_force(owners):
                return load_person(self.owner)
        return Person.objects.get(id=self.owner)

    @cached_property
    def program_name(self) -> str:
        """The name of the program, or "" while its owner is locked, since it is sealed."""
        owners = self.opened.owner_keyring
        if owners is not None:
            with suppress(VaultLocked):
                return find_token_name(owners, token_id=self.token_id)
        return ""

    def note_read(self, count: int) -> None:
        """Note that the program reads `count` entries, for the page Programs."""
        if count:
            token_uses.note(self.token_id, read_count=count)

    def store_once(self, content: bytes, store: Callable[[], UUID], *, step: str = "") -> StoredOnce:
        """Run `store` once for this call's Idempotency-Key, as `accounts.tokens.idempotency` does.

        `step` names one of several transactions of the call. Raise ApiError 422 for a key that can't be one,
        and 409 for one that came with another content.
        """
        key = self._check_key()
        with _refusing_used_keys():
            # No key has such a character in it.
            own = f"{key}\n{step}" if key and step else key
            return store_once(self.opened.token, key=own, content=content, store=store)

    def find_stored(self, content: bytes) -> StoredOnce | None:
        """Return what was stored for this call's Idempotency-Key before; raise the same as `store_once`."""
        key = self._check_key()
        with _refusing_used_keys():
            return find_stored(self.opened.token, key=key, content=content) if key else None

    def derive_row_id(self, content: bytes, number: int) -> UUID | None:
        """Return the id of a row of this call, or None if it has no Idempotency-Key."""
        key = self._check_key()
        return derive_row_id(self.opened.token, key=key, content=content, number=number) if key else None

    def _check_key(self) -> str:
        """Return the key, or "" if the call has none; raise ApiError 422 for one that can't be a key."""
        key = self.idempotency_key
        if key is None:
            return ""
        if not 0 < len(key) <= _LONGEST_KEY or not (key.isascii() and key.isprintable()):
            raise ApiError(422, "invalid_field", field="Idempotency-Key", message=_UNUSABLE_KEY)
        return key


@contextmanager
def _refusing_used_keys() -> Iterator[None]:
    try:
        yield
    except IdempotencyKeyReused:
        raise ApiError(409, "idempotency_key_reused") from None
