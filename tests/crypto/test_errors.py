"""Tests of the errors of `llamora.crypto`: pinned codes, sentences, no secret and no text."""

import subprocess
import sys
import traceback
from collections.abc import Callable
from dataclasses import replace

import pytest

from llamora import crypto
from llamora.crypto import CryptoError, Keyring, SlotError, open_slot
from tests.crypto.cast import CHEAP, DATA_KEY, ENTRY_TEXT, OWNER, SALT, SLOT

CODES = {
    "VaultLocked": "locked",
    "UnknownLabel": "unknown_label",
    "FormerFormat": "former_format",
    "UnknownFormat": "unknown_format",
    "Truncated": "truncated",
    "WrongEpoch": "wrong_epoch",
    "DestroyedKey": "destroyed_key",
    "NotAuthentic": "not_authentic",
    "BadPadding": "bad_padding",
    "WrongSecret": "wrong_secret",
    "ForgedSlot": "forged_slot",
    "SlotBehind": "slot_behind",
    "SlotAhead": "slot_ahead",
    "UnknownAuthenticator": "unknown_authenticator",
    "BadCost": "bad_cost",
    "BadRecoveryCode": "bad_recovery_code",
    "NoToken": "no_token",
    "DamagedToken": "damaged_token",
    "DerivationBusy": "busy",
    "DerivationFailed": "derivation_failed",
}


def list_leaf_classes(kind: type[CryptoError]) -> list[type[CryptoError]]:
    below = kind.__subclasses__()
    return [leaf for child in below for leaf in list_leaf_classes(child)] if below else [kind]


def test_every_error_has_its_pinned_code() -> None:
    assert {leaf.__name__: leaf.code for leaf in list_leaf_classes(CryptoError)} == CODES


def test_every_error_is_a_sentence_and_a_slot_s_names_the_slot() -> None:
    for leaf in list_leaf_classes(CryptoError):
        assert str(leaf()).endswith(".")
    assert str(crypto.WrongSecret(SLOT)) == f"The secret does not open this key slot. (slot {SLOT})"
    assert issubclass(crypto.BadCost, SlotError)


def test_no_error_carries_a_secret_or_a_text() -> None:
    """Neither in its message nor in a printed traceback with its causes."""
    keyring = Keyring(owner=OWNER, epoch=3, keys={3: DATA_KEY})
    sealed = keyring.seal(b"the first snow", ENTRY_TEXT)
    slot = crypto.create_slot(
        kek=DATA_KEY, salt=SALT, cost=CHEAP, dek=DATA_KEY, epoch=3, owner=OWNER, kind="password", slot_id=SLOT
    )
    refusals: list[Callable[[], object]] = [
        lambda: keyring.unseal(sealed[:-1], ENTRY_TEXT),
        lambda: keyring.seal(b"the first snow", replace(ENTRY_TEXT, label="the.first.snow")),
        lambda: keyring.blind_index(label="the.first.snow", value="the first snow"),
        lambda: keyring.check_mac(b"snow", ENTRY_TEXT),
        lambda: Keyring(owner=OWNER, epoch=3, keys={3: DATA_KEY}, format_2_since=4).seal(
            b"the first snow", ENTRY_TEXT
        ),
        lambda: open_slot(slot, kek=bytes(32), current_epoch=3),
        lambda: crypto.parse_recovery_code("the first snow"),
        lambda: crypto.derive(secret="the first snow", salt=SALT, cost=crypto.Cost(2**40, 3, 4)),
    ]

    for refuse in refusals:
        with pytest.raises(CryptoError) as refused:
            refuse()
        error = refused.value
        told = "".join(traceback.format_exception_only(error)) + repr(error) + repr(error.args)
        assert "snow" not in told
        assert error.__suppress_context__ or error.__context__ is None
        assert error.__cause__ is None


def test_the_package_imports_no_django_and_no_settings() -> None:
    asked = "import sys, llamora.crypto; print({'django', 'environ', 'llamora.settings'} & set(sys.modules))"

    told = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True).stdout

    assert told.strip() == "set()"


def test_the_door_of_the_package_hides_no_module_behind_a_function() -> None:
    for name in (
        "context",
        "derivation",
        "digest",
        "envelope",
        "kdf",
        "keyring",
        "recovery",
        "session",
        "slots",
    ):
        assert type(getattr(crypto, name)).__name__ == "module"
    assert sorted(crypto.__all__) == sorted(set(crypto.__all__))
