"""Cryptography: the only code that encrypts (seals) and decrypts (opens). It imports no Django or settings.

    password or recovery code   -- kdf, queued by derivation -->    key-encrypting key (KEK)
    KEK and key slot            -- slots -->                       data key (DEK) of the current epoch
    DEK                         -- realms -->                      keys of each realm (content, vault, ...)
    DEK                         -- subkeys -->                     keys for snapshots and slots
    keys of the realms          -- keyring -->                     envelopes, blind indexes, codes of columns

    errors       the error tree and its codes       context      the AAD that an envelope is bound to
    padding      hides lengths                      envelope     the byte format of a sealed value
    entropy      random bytes                       realms       the keys of each part of a diary
    subkeys      one key per use
    keyring      the keys of one unlocked person    slots        key slots: password, recovery code, ...
    kdf          Argon2id and its cost              derivation   the fair queue for it
    recovery     codes to write on paper            session      the data key of an unlocked session
    digest       keyed digests of texts             locked_vaults   sealing to a person whose vault is locked
    access_tokens   keys for programs, which open some realms

Each module's docstring specifies its byte formats, so that a second implementation can be written from them.
Some functions are exported under longer names: `slots.create` as `create_slot`, `digest.digest` as
`keyed_digest`.
"""

from llamora.crypto.access_tokens.remembered_slots import RememberedTokenSlot, remember_token_slot
from llamora.crypto.access_tokens.terms import SCOPES, TokenKind, TokenTerms
from llamora.crypto.access_tokens.token_slots import (
    DropKey,
    OpenedTokenSlot,
    TokenSlot,
    check_drop_mac,
    check_secret,
    compute_drop_mac,
    create_token_slot,
    open_authenticator,
    open_token_slot,
    renew_token_slot,
)
from llamora.crypto.access_tokens.token_text import TokenText, new_token, parse_token
from llamora.crypto.context import AnyContext, Context, RowContext, encode_value
from llamora.crypto.derivation import DerivationQueue
from llamora.crypto.digest import digest as keyed_digest
from llamora.crypto.entropy import secret_bytes
from llamora.crypto.envelope import (
    FORMAT_1,
    FORMAT_2,
    FORMATS,
    NO_EPOCH,
    Header,
    encode_header,
    newest_header,
    read_header,
    seal,
    unseal,
)
from llamora.crypto.errors import (
    BadCost,
    BadPadding,
    BadRecoveryCode,
    CryptoError,
    DamagedToken,
    DerivationBusy,
    DerivationFailed,
    DestroyedKey,
    EnvelopeError,
    ForgedSlot,
    FormerFormat,
    NotAuthentic,
    NoToken,
    SlotAhead,
    SlotBehind,
    SlotError,
    TokenError,
    Truncated,
    UnknownAuthenticator,
    UnknownFormat,
    UnknownLabel,
    VaultLocked,
    WrongEpoch,
    WrongSecret,
)
from llamora.crypto.kdf import CEILING, DEFAULT_COST, HIGHEST, Cost, check_cost, derive, new_salt
from llamora.crypto.keyring import (
    KeyId,
    Keyring,
    RealmKeyring,
    current_keyring,
    current_realm_keyring,
    in_force,
)
from llamora.crypto.locked_vaults.browser_keys import (
    DraftKey,
    check_draft_mac,
    compute_draft_mac,
    derive_browser_key,
    encode_draft_key,
    open_draft_key,
)
from llamora.crypto.locked_vaults.vault_keys import new_vault_keys, open_sealed, seal_to
from llamora.crypto.padding import pad, padded_size, unpad
from llamora.crypto.realms import REALMS, Realm, RealmKeys, derive_realm_keys, get_realm
from llamora.crypto.recovery import groups as recovery_groups
from llamora.crypto.recovery import new_code as new_recovery_code
from llamora.crypto.recovery import normalize as normalize_recovery_code
from llamora.crypto.recovery import parse as parse_recovery_code
from llamora.crypto.session import hash_half, unwrap_dek, wrap_dek
from llamora.crypto.slots import Slot, open_slot
from llamora.crypto.slots import create as create_slot
from llamora.crypto.slots import renew as renew_slot
from llamora.crypto.subkeys import SubkeyUse, subkey

__all__ = [
    "CEILING",
    "DEFAULT_COST",
    "FORMATS",
    "FORMAT_1",
    "FORMAT_2",
    "HIGHEST",
    "NO_EPOCH",
    "REALMS",
    "SCOPES",
    "AnyContext",
    "BadCost",
    "BadPadding",
    "BadRecoveryCode",
    "Context",
    "Cost",
    "CryptoError",
    "DamagedToken",
    "DerivationBusy",
    "DerivationFailed",
    "DerivationQueue",
    "DestroyedKey",
    "DraftKey",
    "DropKey",
    "EnvelopeError",
    "ForgedSlot",
    "FormerFormat",
    "Header",
    "KeyId",
    "Keyring",
    "NoToken",
    "NotAuthentic",
    "OpenedTokenSlot",
    "Realm",
    "RealmKeyring",
    "RealmKeys",
    "RememberedTokenSlot",
    "RowContext",
    "Slot",
    "SlotAhead",
    "SlotBehind",
    "SlotError",
    "SubkeyUse",
    "TokenError",
    "TokenKind",
    "TokenSlot",
    "TokenTerms",
    "TokenText",
    "Truncated",
    "UnknownAuthenticator",
    "UnknownFormat",
    "UnknownLabel",
    "VaultLocked",
    "WrongEpoch",
    "WrongSecret",
    "check_cost",
    "check_draft_mac",
    "check_drop_mac",
    "check_secret",
    "compute_draft_mac",
    "compute_drop_mac",
    "create_slot",
    "create_token_slot",
    "current_keyring",
    "current_realm_keyring",
    "derive",
    "derive_browser_key",
    "derive_realm_keys",
    "encode_draft_key",
    "encode_header",
    "encode_value",
    "get_realm",
    "hash_half",
    "in_force",
    "keyed_digest",
    "new_recovery_code",
    "new_salt",
    "new_token",
    "new_vault_keys",
    "newest_header",
    "normalize_recovery_code",
    "open_authenticator",
    "open_draft_key",
    "open_sealed",
    "open_slot",
    "open_token_slot",
    "pad",
    "padded_size",
    "parse_recovery_code",
    "parse_token",
    "read_header",
    "recovery_groups",
    "remember_token_slot",
    "renew_slot",
    "renew_token_slot",
    "seal",
    "seal_to",
    "secret_bytes",
    "subkey",
    "unpad",
    "unseal",
    "unwrap_dek",
    "wrap_dek",
]
