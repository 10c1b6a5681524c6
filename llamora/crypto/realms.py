"""Realms: parts of a diary with separate keys, so that a program can be given the keys of some of them.

    content   entries, versions, drafts, replies, openings, recaps, look-backs, questions, traces, vectors,
              photos
    facts     what a person chose to remember
    notes     notes with a function
    vault     keys, key slots, browsers, second factors, names of tokens, recent searches, preferences

Every label belongs to one realm for ever, and so determines the key. The realm is found by the first two
parts of the label, which name the model. Three keys of each realm are derived from a data key:

    key = BLAKE2b(data = the realm's name above in ASCII, key = data key (32 bytes), digest length 32,
                  no salt, personalisation = the ASCII label below, zeros behind it up to 16 bytes)

    llamora.sealing     seals fields (XChaCha20-Poly1305)
    llamora.blinding    keys blind indexes
    llamora.columns     keys the MACs of plaintext columns (BLAKE2b)

BLAKE2b as in RFC 7693; the personalisation is the parameter block's last 16 bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from functools import lru_cache
from hashlib import blake2b

from llamora.crypto.entropy import KEY_BYTES
from llamora.crypto.errors import UnknownLabel

_SEALING, _BLINDING, _COLUMNS = b"llamora.sealing", b"llamora.blinding", b"llamora.columns"


class Realm(Enum):
    """A part of a diary with its own keys. The value is the name of the realm, which must never change."""

    CONTENT = "content"
    FACTS = "facts"
    NOTES = "notes"
    VAULT = "vault"

    # A member is one object, so it need not be found by its name, which takes longer at each opening.
    __hash__ = object.__hash__


_NAMES = {realm: realm.value.encode("ascii") for realm in Realm}

# The first two parts of each label. Never change or reuse one; later features add lines.
REALMS: dict[str, Realm] = {
    "diary.entry": Realm.CONTENT,
    "diary.version": Realm.CONTENT,
    "diary.draft": Realm.CONTENT,
    "diary.reply": Realm.CONTENT,
    "diary.opening": Realm.CONTENT,
    "diary.recap": Realm.CONTENT,
    "diary.own_kind": Realm.CONTENT,
    "diary.html_cache": Realm.CONTENT,
    "diary.inbox_item": Realm.CONTENT,
    "diary.import_claim": Realm.CONTENT,
    "diary.note": Realm.NOTES,
    "diary.note_version": Realm.NOTES,
    "diary.note_draft": Realm.NOTES,
    "traces.trace": Realm.CONTENT,
    "traces.entry_trace": Realm.CONTENT,
    "traces.proposal": Realm.CONTENT,
    "traces.change": Realm.CONTENT,
    "traces.fact": Realm.FACTS,
    "traces.fact_change": Realm.FACTS,
    "traces.declined_fact": Realm.FACTS,
    "traces.fact_settings": Realm.FACTS,
    "search.vector": Realm.CONTENT,
    "search.recent": Realm.VAULT,
    "search.question": Realm.CONTENT,
    "search.look_back": Realm.CONTENT,
    "search.check_in": Realm.CONTENT,
    "search.check_in_proposal": Realm.CONTENT,
    "search.check_in_settings": Realm.VAULT,
    "accounts.vault": Realm.VAULT,
    "accounts.former_key": Realm.VAULT,
    "accounts.browser_key": Realm.VAULT,
    "accounts.person": Realm.VAULT,
    "accounts.access_token": Realm.VAULT,
}


@lru_cache(maxsize=512)
def get_realm(label: str) -> Realm:
    """Return the realm of a label; raise UnknownLabel if it has none."""
    realm = REALMS.get(".".join(label.split(".")[:2]))
    if realm is None:
        raise UnknownLabel
    return realm


@dataclass(frozen=True, slots=True)
class RealmKeys:
    """The keys of one realm in one epoch: one seals values, one is for blind indexes, one for column MACs."""

    sealing: bytes = field(repr=False)
    blinding: bytes = field(repr=False)
    columns: bytes = field(repr=False)


def derive_realm_keys(data_key: bytes | bytearray, realm: Realm) -> RealmKeys:
    """Return the keys of a realm under a data key."""
    if len(data_key) != KEY_BYTES:
        raise ValueError("A data key has 32 bytes.")
    name = _NAMES[realm]
    return RealmKeys(
        sealing=blake2b(name, key=data_key, digest_size=KEY_BYTES, person=_SEALING).digest(),
        blinding=blake2b(name, key=data_key, digest_size=KEY_BYTES, person=_BLINDING).digest(),
        columns=blake2b(name, key=data_key, digest_size=KEY_BYTES, person=_COLUMNS).digest(),
    )
