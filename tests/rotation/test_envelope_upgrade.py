"""Tests of moving rows from an older envelope format to the newest."""

import os
import struct

import pytest
from nacl.bindings import crypto_aead_chacha20poly1305_ietf_decrypt, crypto_aead_chacha20poly1305_ietf_encrypt

from accounts.rotation import services as rotation_services
from accounts.rotation.epoch_change import begin_rotation
from accounts.rotation.errors import StaleKeyring
from accounts.rotation.reencryption import reencrypt_all
from diary.models import Entry
from llamora.crypto import FORMATS, Context, Format, Keyring
from llamora.fields import SealedValue
from tests.people import Resident


def _seal(key: bytes, plaintext: bytes, context: Context, epoch: int) -> bytes:
    nonce = os.urandom(12)
    body = crypto_aead_chacha20poly1305_ietf_encrypt(plaintext, b"\2" + context.encode(epoch), nonce, key)
    return struct.pack(">BI", 2, epoch) + nonce + body


def _unseal(key: bytes, envelope: bytes, context: Context) -> bytes:
    aad = b"\2" + context.encode(int.from_bytes(envelope[1:5], "big"))
    return crypto_aead_chacha20poly1305_ietf_decrypt(envelope[17:], aad, envelope[5:17], key)


@pytest.fixture
def second_format(owner: Resident, monkeypatch: pytest.MonkeyPatch) -> None:
    """Register a newer envelope format after the owner has written."""
    monkeypatch.setitem(FORMATS, 2, Format(seal=_seal, unseal=_unseal))


def formats(owner: Resident) -> set[int]:
    return {envelope[0] for envelope in owner.list_envelopes()}


@pytest.mark.usefixtures("second_format")
def test_every_row_moves_to_the_newest_format(owner: Resident) -> None:
    owner.write_many(1)
    assert formats(owner) == {1, 2}

    rotation_services.reseal_old_formats(owner.open_keyring())

    assert formats(owner) == {2}
    assert owner.list_epochs() == {1}
    assert owner.read_all() == owner.written
    assert rotation_services.verify_envelopes(owner.open_keyring()).damaged == []


def test_what_is_newest_already_is_not_rewritten(owner: Resident) -> None:
    before = owner.list_envelopes()

    moved = rotation_services.reseal_old_formats(owner.open_keyring())

    assert moved.envelopes == 0
    assert owner.list_envelopes() == before


@pytest.mark.usefixtures("second_format")
def test_a_rotation_moves_to_the_newest_format_too(owner: Resident) -> None:
    turned = begin_rotation(owner.open_slot())
    rotation_services.resume_rotation(turned.keyring)

    assert formats(owner) == {2}
    assert owner.list_epochs() == {2}
    assert owner.read_all() == owner.written


@pytest.mark.usefixtures("second_format")
def test_resealing_leaves_an_unfinished_rotation_unfinished(owner: Resident) -> None:
    turned = begin_rotation(owner.open_slot())

    rotation_services.reseal_old_formats(owner.open_keyring())

    assert rotation_services.is_rotation_unfinished(turned.keyring)
    assert owner.list_epochs() == {2}
    assert owner.read_all() == owner.written


@pytest.mark.usefixtures("second_format")
def test_a_keyring_of_an_earlier_epoch_moves_nothing(owner: Resident) -> None:
    stale = Keyring(owner=owner.id, epoch=1, keys={1: owner.open_keyring().data_key()})
    begin_rotation(owner.open_slot())
    before = owner.list_envelopes()

    with pytest.raises(StaleKeyring):
        reencrypt_all(stale)

    assert owner.list_envelopes() == before


@pytest.mark.usefixtures("second_format")
def test_a_row_that_does_not_open_is_named_and_left(owner: Resident) -> None:
    first, second = list(Entry.objects.filter(owner_id=owner.id).order_by("id"))[:2]
    stolen = SealedValue(second.__dict__["text"].envelope)
    first.text = stolen
    first.save(update_fields=["text"])

    moved = rotation_services.reseal_old_formats(owner.open_keyring())

    assert [(damaged.label, damaged.row) for damaged in moved.damaged] == [("diary.entry.text", first.id)]
    assert formats(owner) == {1, 2}
