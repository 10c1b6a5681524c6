"""Browser keys: secret keys of browsers, which authenticate drafts that are sent from locked pages.

While the diary is locked, a draft is sealed to the vault's public key, and anyone who can read the database
could do the same. So each browser has a key that is derived from its cookie
(`llamora.crypto.locked_vaults.browser_keys`). At each unlock, in one transaction,

* a draft key is written to the row of the sign-in: the public key, with a MAC under the browser's key;
* the browser's key itself is written to a row `BrowserKey`, sealed, so that its owner can check drafts.

The cookie changes at each unlock, so a browser may have several of these rows, of which only the newest can
authenticate new drafts. An older row, or one whose sign-in has ended, is deleted when none of its drafts is
left.

The ids of merged drafts are stored in the vault's column `folded_drafts`, as {hexadecimal id: date}, so that
a deleted draft that is restored in the database is not merged again (replay protection). They are stored for
thirty days, or for as long as a browser may stay signed in if that is longer. If this column is damaged or
empty, it is rewritten as {"newer_than": hexadecimal id of a version 7 UUID}. Drafts of browser keys that are
older than this id are then not merged, but shown to their owner as unverified.
"""

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from accounts.keys import key_pairs
from accounts.keys.row_shapes import delete_damaged_rows, list_sound_ids, read_bytes
from accounts.models import BrowserKey, SignIn, Vault
from llamora.clock.services import get_cutoff
from llamora.crypto import (
    DraftKey,
    EnvelopeError,
    Keyring,
    WrongEpoch,
    derive_browser_key,
    encode_draft_key,
    in_force,
    open_draft_key,
)
from llamora.fields import new_id

_MERGED_LIFETIME = timedelta(days=30)
_NEWER_THAN = "newer_than"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, kw_only=True)
class OpenedBrowserKey:
    """An opened browser key, with the ids of its row and its sign-in."""

    id: UUID
    sign_in_id: UUID
    secret: bytes = field(repr=False)


@dataclass(frozen=True, kw_only=True)
class LockedBrowser:
    """The key of a locked browser, derived from its cookie, and the public key of its owner's vault."""

    sign_in_id: UUID
    secret: bytes = field(repr=False)
    public_key: bytes


def create_browser_key(*, sign_in_id: UUID, half: bytes, keyring: Keyring) -> bytes | None:
    """Save a new key for a browser that gets a new session cookie.

    Return the value for `SignIn.draft_key`, or None if the keyring cannot verify the vault's public key. Call
    in the transaction that writes the cookie half.
    """
    public = key_pairs.find_public_key(keyring)
    if public is None:
        return None
    secret = derive_browser_key(half, sign_in_id=sign_in_id)
    if not keyring.is_of_format_1:
        # Before the new key, so that its drafts are newer than the id in the rewritten column.
        renew_merged_ids(keyring)
    with in_force(keyring):
        BrowserKey.objects.create(
            owner_id=keyring.owner, sign_in_id=sign_in_id, epoch=keyring.epoch, secret=secret
        )
    return encode_draft_key(DraftKey(keyring.epoch, public), browser_key=secret, owner=keyring.owner)


def find_locked_browser(*, owner: UUID, sign_in_id: UUID, half: bytes) -> LockedBrowser | None:
    """Return a locked browser with its keys, or None if its sign-in has no valid draft key.

    `half` is the secret in the browser's session cookie. Call in a write transaction, so that the cookie is
    not replaced meanwhile.
    """
    secret = derive_browser_key(half, sign_in_id=sign_in_id)
    key = _find_draft_key(owner, sign_in_id=sign_in_id, secret=secret)
    # If the key is of a later epoch than the vault, an older vault was restored.
    if key is None or not Vault.objects.filter(owner_id=owner, epoch__gte=key.epoch).exists():
        return None
    return LockedBrowser(sign_in_id=sign_in_id, secret=secret, public_key=key.public)


def _find_draft_key(owner: UUID, *, sign_in_id: UUID, secret: bytes) -> DraftKey | None:
    """Return the draft key in a sign-in's row, or None if it was not made with this key of the browser."""
    rows = SignIn.objects.filter(id=sign_in_id, person_id=owner).values_list("draft_key", flat=True)
    for stored in rows:
        try:
            return open_draft_key(read_bytes(stored or b""), browser_key=secret, owner=owner)
        except (EnvelopeError, TypeError):
            continue
    return None


def load_browser_keys(keyring: Keyring) -> list[OpenedBrowserKey]:
    """Return the decrypted browser keys of a person.

    A key is left out if it cannot be decrypted, or if it is so old that no late draft of its browser may be
    merged into a draft of the person any more. Raise EnvelopeError if the vault's column of merged drafts is
    damaged; see `renew_merged_ids`.
    """
    found = []
    with in_force(keyring):
        newer_than = _load_merged(keyring).get(_NEWER_THAN, "")
        for row in _list_rows(keyring.owner):
            if row.id.hex <= newer_than:
                continue
            secret = row.open_or("secret", None)
            if secret is not None:
                found.append(OpenedBrowserKey(id=row.id, sign_in_id=row.sign_in_id, secret=secret))
    return found


def _list_rows(owner: UUID) -> list[BrowserKey]:
    return list(BrowserKey.objects.filter(id__in=list_sound_ids(BrowserKey, owner)).order_by("id"))


def delete_unused_browser_keys(keyring: Keyring, *, is_needed: Callable[[OpenedBrowserKey], bool]) -> None:
    """Delete the keys that no browser uses and no draft needs; call in a write transaction.

    `is_needed` returns whether drafts of a key are left. Damaged rows are deleted, too.
    """
    delete_damaged_rows(BrowserKey, keyring.owner)
    with in_force(keyring):
        for row in _list_rows(keyring.owner):
            try:
                key = OpenedBrowserKey(id=row.id, sign_in_id=row.sign_in_id, secret=row.secret)
            except WrongEpoch:
                continue
            except EnvelopeError:
                row.delete()
                continue
            in_use = _find_draft_key(keyring.owner, sign_in_id=key.sign_in_id, secret=key.secret)
            if in_use is None and not is_needed(key):
                row.delete()


def delete_unused_key_pairs(keyring: Keyring) -> None:
    """Delete the former key pairs that no browser uses; call in a write transaction."""
    epochs = BrowserKey.objects.filter(owner_id=keyring.owner).values_list("epoch", flat=True)
    key_pairs.delete_former_pairs(keyring, before=min(epochs, default=keyring.epoch))


def _load_merged(keyring: Keyring) -> Mapping[str, str]:
    with in_force(keyring):
        return _read_merged(Vault.objects.get(owner_id=keyring.owner))


def _read_merged(vault: Vault) -> Mapping[str, str]:
    # Each vault is made with one: an empty column was emptied, or is of an earlier version.
    merged: Mapping[str, str] | None = vault.folded_drafts
    return build_unknown_merged_ids() if merged is None else merged


def load_merged_ids(keyring: Keyring) -> set[UUID]:
    """Return the ids of the drafts that were merged already.

    Raise EnvelopeError if the column `folded_drafts` is damaged.
    """
    return {UUID(hex=name) for name in _load_merged(keyring) if name != _NEWER_THAN}


def build_merge_check(keyring: Keyring) -> Callable[[UUID], bool]:
    """Return a function that tells by the id of a draft whether the draft may have been merged already.

    Raise EnvelopeError if the column `folded_drafts` is damaged.
    """
    merged = _load_merged(keyring)
    newer_than = merged.get(_NEWER_THAN, "")
    return lambda sealed_id: sealed_id.hex in merged or sealed_id.hex <= newer_than


def renew_merged_ids(keyring: Keyring) -> None:
    """Replace the vault's list of merged drafts if the list is damaged or empty; call in a transaction.

    The list is the column `folded_drafts`. After the replacement, no draft of the present browser keys is
    merged.
    """
    vault = Vault.objects.get(owner_id=keyring.owner)
    with in_force(keyring):
        try:
            reason = "empty" if vault.folded_drafts is None else ""
        except EnvelopeError as error:
            reason = error.code
        if reason:
            _log.warning("It is unknown which drafts were merged (%s): %s", reason, keyring.owner)
            vault.folded_drafts = build_unknown_merged_ids()
            vault.save(update_fields=["folded_drafts"])


def build_unknown_merged_ids() -> dict[str, str]:
    """Return the value that replaces a lost list of merged drafts: every draft until now counts as merged.

    It is unknown which drafts were merged. The value is for the vault's column `folded_drafts`.
    """
    return {_NEWER_THAN: new_id().hex}


def add_merged_id(keyring: Keyring, draft_id: UUID) -> None:
    """Record in `folded_drafts` that a draft was merged; call in the transaction that merges it."""
    today = timezone.now().date()
    # A browser that stays signed in longer has its key, which checks the draft, for longer.
    lifetime = max(_MERGED_LIFETIME, timedelta(days=settings.SIGN_IN_DAYS))
    before = get_cutoff(lifetime)
    since = "" if before is None else before.date().isoformat()
    vault = Vault.objects.get(owner_id=keyring.owner)
    with in_force(keyring):
        merged = _read_merged(vault)
        recent = {name: day for name, day in merged.items() if name == _NEWER_THAN or day >= since}
        vault.folded_drafts = {**recent, draft_id.hex: today.isoformat()}
        vault.save(update_fields=["folded_drafts"])
