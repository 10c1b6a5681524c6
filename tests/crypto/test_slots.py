"""Tests of key slots: they open with the right key, in their own row only."""

from dataclasses import replace
from itertools import pairwise
from typing import Any

import pytest
from nacl.bindings import crypto_box_keypair, crypto_box_seal

from llamora.crypto import (
    BadCost,
    Cost,
    ForgedSlot,
    Slot,
    SlotAhead,
    SlotBehind,
    Truncated,
    UnknownAuthenticator,
    UnknownFormat,
    WrongSecret,
    create_slot,
    kdf,
    open_slot,
    renew_slot,
    secret_bytes,
)
from tests.crypto import golden, reader
from tests.crypto.cast import CHEAP, DATA_KEY, HOUSEMATE, NEXT_DATA_KEY, OTHER_SLOT, OWNER, SALT, SLOT

KEK = bytes(range(200, 232))
OTHER_KEK = bytes(range(210, 242))


def new_slot(*, kek: bytes = KEK, dek: bytes = DATA_KEY, epoch: int = 3, kind: str = "password") -> Slot:
    return create_slot(
        kek=kek, salt=SALT, cost=CHEAP, dek=dek, epoch=epoch, owner=OWNER, kind=kind, slot_id=SLOT
    )


@pytest.fixture
def slot() -> Slot:
    return new_slot()


@pytest.fixture(params=["", "_2"], ids=["format 1", "format 2"])
def golden_slot(request: pytest.FixtureRequest) -> Slot:
    def stored(name: str) -> bytes:
        return bytes(getattr(golden, f"SLOT_{name}{request.param}"))

    return Slot(
        id=SLOT,
        owner=OWNER,
        kind="password",
        epoch=3,
        salt=SALT,
        cost=CHEAP,
        public_key=stored("PUBLIC_KEY"),
        sealed_private=stored("SEALED_PRIVATE"),
        sealed_authenticator=stored("SEALED_AUTHENTICATOR"),
        box=stored("BOX"),
        mac=stored("MAC"),
    )


def test_a_slot_opens_with_its_key(slot: Slot) -> None:
    assert open_slot(slot, kek=KEK, current_epoch=3) == DATA_KEY


def test_the_golden_slot_opens_for_ever(golden_slot: Slot) -> None:
    kek = kdf.derive(secret=golden.SLOT_SECRET, salt=golden_slot.salt, cost=golden_slot.cost)

    assert open_slot(golden_slot, kek=kek, current_epoch=3) == DATA_KEY


def test_the_golden_slot_renews_for_ever(golden_slot: Slot) -> None:
    renewed = renew_slot(golden_slot, old_dek=DATA_KEY, new_dek=NEXT_DATA_KEY, new_epoch=4)

    assert open_slot(renewed, kek=golden.KEK, current_epoch=4) == NEXT_DATA_KEY


def test_a_stranger_opens_a_slot_with_the_documented_format_alone(slot: Slot) -> None:
    ids: dict[str, Any] = {"row": SLOT, "owner": OWNER, "purpose": "slot"}
    kind = {"kind": b"password"}
    private = reader.open_envelope(slot.sealed_private, key=KEK, label="slot.private", bound=kind, **ids)
    slots_key = reader.personal_blake2b(data=b"", key=DATA_KEY, person="llamora.slots")
    authenticator = reader.open_envelope(
        slot.sealed_authenticator,
        key=slots_key,
        label="slot.authenticator",
        bound={**kind, "public_key": slot.public_key},
        **ids,
    )
    said = OWNER.bytes + SLOT.bytes + b"\0\0\0\x03" + slot.public_key + b"\0\x08password"
    said += len(slot.box).to_bytes(4, "big") + slot.box

    inside = reader.open_box(box=slot.box, public_key=slot.public_key, private_key=private[:32])

    assert inside == (OWNER, SLOT, 3, DATA_KEY)
    assert private[32:] == authenticator
    assert slot.mac == reader.personal_blake2b(data=said, key=authenticator, person="llamora.slot.mac")


def test_each_slot_has_a_key_pair_and_authenticator_of_its_own() -> None:
    one, other = new_slot(), new_slot()

    assert one.public_key != other.public_key
    with pytest.raises(ForgedSlot):
        open_slot(replace(one, box=other.box, mac=other.mac), kek=KEK, current_epoch=3)


def test_the_wrong_secret_is_refused(slot: Slot) -> None:
    with pytest.raises(WrongSecret) as refused:
        open_slot(slot, kek=OTHER_KEK, current_epoch=3)

    assert refused.value.code == "wrong_secret"
    assert refused.value.slot_id == SLOT


def test_a_renewed_slot_opens_with_the_same_secret_and_the_new_data_key(slot: Slot) -> None:
    renewed = renew_slot(slot, old_dek=DATA_KEY, new_dek=NEXT_DATA_KEY, new_epoch=4)

    assert open_slot(renewed, kek=KEK, current_epoch=4) == NEXT_DATA_KEY
    assert renewed.sealed_private == slot.sealed_private
    assert renewed.public_key == slot.public_key


def test_a_slot_is_renewed_again_and_again(slot: Slot) -> None:
    keys = [DATA_KEY] + [secret_bytes() for _ in range(4)]

    for epoch, (old, new) in enumerate(pairwise(keys), start=4):
        slot = renew_slot(slot, old_dek=old, new_dek=new, new_epoch=epoch)

    assert open_slot(slot, kek=KEK, current_epoch=7) == keys[-1]


def test_an_old_data_key_opens_nothing_of_a_renewed_slot(slot: Slot) -> None:
    renewed = renew_slot(slot, old_dek=DATA_KEY, new_dek=NEXT_DATA_KEY, new_epoch=4)

    with pytest.raises(UnknownAuthenticator):
        renew_slot(renewed, old_dek=DATA_KEY, new_dek=secret_bytes(), new_epoch=5)


def test_a_slot_behind_its_epoch_is_refused(slot: Slot) -> None:
    with pytest.raises(SlotBehind) as refused:
        open_slot(slot, kek=KEK, current_epoch=4)

    assert refused.value.code == "slot_behind"


def test_a_slot_ahead_of_its_owner_is_refused(slot: Slot) -> None:
    with pytest.raises(SlotAhead):
        open_slot(slot, kek=KEK, current_epoch=2)


def test_a_slot_relabelled_with_the_current_epoch_is_refused(slot: Slot) -> None:
    with pytest.raises(ForgedSlot):
        open_slot(replace(slot, epoch=4), kek=KEK, current_epoch=4)


def test_a_forged_slot_is_refused(slot: Slot) -> None:
    """A sealed box does not authenticate its sender: this box opens, and is refused."""
    planted = crypto_box_seal(b"\x01" + OWNER.bytes + SLOT.bytes + b"\0\0\0\x03" + bytes(32), slot.public_key)

    with pytest.raises(ForgedSlot) as refused:
        open_slot(replace(slot, box=planted), kek=KEK, current_epoch=3)

    assert refused.value.code == "forged_slot"


def test_a_forged_slot_with_a_mac_of_the_forger_s_is_refused(slot: Slot) -> None:
    planters = new_slot(kek=OTHER_KEK, dek=bytes(32))

    with pytest.raises(ForgedSlot):
        open_slot(replace(slot, box=planters.box, mac=planters.mac), kek=KEK, current_epoch=3)


def forge_with_authenticator(slot: Slot, *, public_key: bytes, inside: bytes) -> Slot:
    """Return the slot with a box and a valid MAC, which need its data key."""
    authenticator = reader.open_envelope(
        slot.sealed_authenticator,
        key=reader.personal_blake2b(data=b"", key=DATA_KEY, person="llamora.slots"),
        row=SLOT,
        owner=OWNER,
        purpose="slot",
        label="slot.authenticator",
        bound={"kind": b"password", "public_key": slot.public_key},
    )
    box = crypto_box_seal(inside, public_key)
    said = OWNER.bytes + SLOT.bytes + b"\0\0\0\x03" + public_key + b"\0\x08password"
    said += len(box).to_bytes(4, "big") + box
    mac = reader.personal_blake2b(data=said, key=authenticator, person="llamora.slot.mac")
    return replace(slot, public_key=public_key, box=box, mac=mac)


@pytest.mark.parametrize(
    ("inside", "is_good"),
    [
        (b"\x01" + OWNER.bytes + SLOT.bytes + b"\0\0\0\x03" + DATA_KEY, True),
        (b"\x02" + OWNER.bytes + SLOT.bytes + b"\0\0\0\x03" + DATA_KEY, False),
        (b"\x01" + HOUSEMATE.bytes + SLOT.bytes + b"\0\0\0\x03" + DATA_KEY, False),
        (b"\x01" + OWNER.bytes + OTHER_SLOT.bytes + b"\0\0\0\x03" + DATA_KEY, False),
        (b"\x01" + OWNER.bytes + SLOT.bytes + b"\0\0\0\x02" + DATA_KEY, False),
        (b"\x01" + OWNER.bytes + SLOT.bytes + b"\0\0\0\x03" + DATA_KEY[1:], False),
        (b"", False),
    ],
    ids=["as it should be", "format", "owner", "slot", "epoch", "short", "nothing"],
)
def test_what_lies_in_the_box_is_compared_with_the_row(slot: Slot, inside: bytes, is_good: bool) -> None:
    signed = forge_with_authenticator(slot, public_key=slot.public_key, inside=inside)

    if is_good:
        assert open_slot(signed, kek=KEK, current_epoch=3) == DATA_KEY
        return
    with pytest.raises(ForgedSlot):
        open_slot(signed, kek=KEK, current_epoch=3)


def test_another_spelling_of_the_public_key_is_refused(slot: Slot) -> None:
    """X25519 ignores the highest bit, so the box opens; but the key differs from the slot's key."""
    other_spelling = slot.public_key[:31] + bytes([slot.public_key[31] ^ 0x80])
    inside = b"\x01" + OWNER.bytes + SLOT.bytes + b"\0\0\0\x03" + DATA_KEY

    signed = forge_with_authenticator(slot, public_key=other_spelling, inside=inside)

    with pytest.raises(ForgedSlot):
        open_slot(signed, kek=KEK, current_epoch=3)


def test_a_planted_public_key_is_refused_when_opening(slot: Slot) -> None:
    public_key, _ = crypto_box_keypair()

    with pytest.raises(ForgedSlot):
        open_slot(replace(slot, public_key=public_key), kek=KEK, current_epoch=3)


def test_a_planted_public_key_is_given_nothing_by_a_rotation(slot: Slot) -> None:
    public_key, _ = crypto_box_keypair()

    with pytest.raises(UnknownAuthenticator) as refused:
        renew_slot(replace(slot, public_key=public_key), old_dek=DATA_KEY, new_dek=NEXT_DATA_KEY, new_epoch=4)

    assert refused.value.slot_id == SLOT


def test_a_slot_made_without_the_data_key_is_given_nothing_by_a_rotation() -> None:
    planters = new_slot(kek=OTHER_KEK, dek=bytes(32))

    with pytest.raises(UnknownAuthenticator) as refused:
        renew_slot(planters, old_dek=DATA_KEY, new_dek=NEXT_DATA_KEY, new_epoch=4)

    assert refused.value.code == "unknown_authenticator"


@pytest.mark.parametrize("epoch", [2, 3])
def test_a_rotation_never_goes_back(slot: Slot, epoch: int) -> None:
    with pytest.raises(SlotAhead):
        renew_slot(slot, old_dek=DATA_KEY, new_dek=NEXT_DATA_KEY, new_epoch=epoch)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"owner": HOUSEMATE}, WrongSecret),
        ({"id": OTHER_SLOT}, WrongSecret),
        ({"kind": "recovery"}, WrongSecret),
    ],
    ids=["owner", "slot", "kind"],
)
def test_a_slot_moved_elsewhere_is_refused(
    slot: Slot, changes: dict[str, Any], expected: type[Exception]
) -> None:
    moved = replace(slot, **changes)

    with pytest.raises(expected):
        open_slot(moved, kek=KEK, current_epoch=3)
    with pytest.raises(UnknownAuthenticator):
        renew_slot(moved, old_dek=DATA_KEY, new_dek=NEXT_DATA_KEY, new_epoch=4)


def test_a_flipped_byte_anywhere_in_a_slot_is_refused(slot: Slot) -> None:
    expected: dict[str, type[Exception] | tuple[type[Exception], ...]] = {
        "public_key": ForgedSlot,
        "sealed_private": (WrongSecret, UnknownFormat),
        "box": ForgedSlot,
        "mac": ForgedSlot,
    }

    for name, error in expected.items():
        stored = getattr(slot, name)
        for at in range(len(stored)):
            flipped = stored[:at] + bytes([stored[at] ^ 1]) + stored[at + 1 :]
            with pytest.raises(error):
                open_slot(replace(slot, **{name: flipped}), kek=KEK, current_epoch=3)


def test_a_flipped_byte_anywhere_in_the_authenticator_keeps_the_new_key_away(slot: Slot) -> None:
    stored = slot.sealed_authenticator

    for at in range(len(stored)):
        flipped = stored[:at] + bytes([stored[at] ^ 1]) + stored[at + 1 :]
        with pytest.raises(UnknownAuthenticator):
            renew_slot(
                replace(slot, sealed_authenticator=flipped),
                old_dek=DATA_KEY,
                new_dek=NEXT_DATA_KEY,
                new_epoch=4,
            )


@pytest.mark.parametrize(
    ("name", "expected"),
    [("public_key", ForgedSlot), ("sealed_private", Truncated), ("box", ForgedSlot), ("mac", ForgedSlot)],
)
def test_a_slot_cut_short_is_refused(slot: Slot, name: str, expected: type[Exception]) -> None:
    for kept in (0, 16):
        cut = replace(slot, **{name: getattr(slot, name)[:kept]})
        with pytest.raises(expected):
            open_slot(cut, kek=KEK, current_epoch=3)


def test_another_cost_or_salt_derives_another_key_and_opens_nothing(golden_slot: Slot) -> None:
    for tampered in (replace(golden_slot, salt=bytes(16)), replace(golden_slot, cost=Cost(64, 3, 2))):
        kek = kdf.derive(secret=golden.SLOT_SECRET, salt=tampered.salt, cost=tampered.cost)
        with pytest.raises(WrongSecret):
            open_slot(tampered, kek=kek, current_epoch=3)


def test_a_slot_of_a_bad_cost_is_not_made() -> None:
    with pytest.raises(BadCost):
        create_slot(
            kek=KEK,
            salt=SALT,
            cost=Cost(memory_kib=64 * 1024 * 1024, time=3, lanes=4),
            dek=DATA_KEY,
            epoch=1,
            owner=OWNER,
            kind="password",
            slot_id=SLOT,
        )


def test_a_slot_shows_ids_only(slot: Slot) -> None:
    assert repr(slot) == str(slot) == f"<Slot {SLOT} owner={OWNER} kind=password epoch=3>"
