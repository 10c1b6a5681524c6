"""One call of a program: its token, its keyring, its owner and its Idempotency-Key."""

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


def yield_to_pages() -> None:
    """Let waiting requests for pages run before this call continues. A long call uses it repeatedly."""
    let_others_run(before=1)


@dataclass(kw_only=True)
class Call:
    """One call of a program, with its token and the keyring that the token opens.

    The keyring is in force while the call runs, and is closed with the response.
    """

    opened: OpenedToken = field(repr=False)
    # None if the call has none; one that cannot be a key is refused where it is used.
    idempotency_key: str | None = field(default=None, repr=False)

    @property
    def owner(self) -> UUID:
        """The id of the person whom the token belongs to."""
        return self.opened.owner

    @property
    def token_id(self) -> UUID:
        """The id of the token."""
        return self.opened.id

    @property
    def terms(self) -> TokenTerms:
        """The kind, the scopes and the other terms of the token, chosen by its owner."""
        return self.opened.terms

    @property
    def keyring(self) -> RealmKeyring:
        """The keys of the realms that the token opens; raises VaultLocked if it opens none."""
        if self.opened.keyring is None:
            raise VaultLocked
        return self.opened.keyring

    @property
    def is_revoked(self) -> bool:
        """Whether the token was revoked while the call ran; read from memory, without a database query."""
        return revocation_list.is_revoked(self.token_id.bytes)

    @property
    def is_drop(self) -> bool:
        """Whether the token is of the kind "drop", which can send texts but read nothing."""
        return self.terms.kind is TokenKind.DROP

    @cached_property
    def person(self) -> Person:
        """The token's owner, with their sealed preferences if the diary is unlocked."""
        owners = self.opened.owner_keyring
        if owners is not None:
            with suppress(VaultLocked), in_force(owners):
                return load_person(self.owner)
        return Person.objects.get(id=self.owner)

    @cached_property
    def program_name(self) -> str:
        """The name that the owner gave the program; "" while the diary is locked, as the name is sealed."""
        owners = self.opened.owner_keyring
        if owners is not None:
            with suppress(VaultLocked):
                return find_token_name(owners, token_id=self.token_id)
        return ""

    def record_read(self, count: int) -> None:
        """Record that the program read `count` entries, for the page Programs."""
        if count:
            token_uses.record(self.token_id, read_count=count)

    def store_once(self, content: bytes, store: Callable[[], UUID], *, step: str = "") -> StoredOnce:
        """Run `store` at most once for this call's Idempotency-Key (see `accounts.tokens.idempotency`).

        `step` names one of several transactions of the call. Raise ApiError 422 for an invalid key, and 409
        if the key was used before with other content.
        """
        key = self._check_key()
        # A page waits for the whole transaction once it has begun.
        yield_to_pages()
        with _refusing_used_keys():
            # No key has such a character in it.
            own = f"{key}\n{step}" if key and step else key
            return store_once(self.opened.token, key=own, content=content, store=store)

    def find_stored(self, content: bytes) -> StoredOnce | None:
        """Return what an earlier call stored under this Idempotency-Key, or None if there was no such call.

        Raise the same errors as `store_once`.
        """
        key = self._check_key()
        with _refusing_used_keys():
            return find_stored(self.opened.token, key=key, content=content) if key else None

    def derive_row_id(self, content: bytes, number: int) -> UUID | None:
        """Return the id for row `number`, the same for each use of one Idempotency-Key; None without one."""
        key = self._check_key()
        return derive_row_id(self.opened.token, key=key, content=content, number=number) if key else None

    def _check_key(self) -> str:
        """Return the Idempotency-Key, or "" if the call has none; raise ApiError 422 for an invalid one."""
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
