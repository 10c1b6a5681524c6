"""Tests of the slots of access tokens: each kind opens its own keys only, and only unchanged."""

import struct
from collections.abc import Callable
from dataclasses import replace
from itertools import product
from typing import Any

import pytest
from nacl.bindings import crypto_box_keypair, crypto_box_seal, crypto_box_seal_open

from llamora import crypto
from llamora.crypto import (
    SCOPES,
    Context,
    CryptoError,
    ForgedSlot,
    Keyring,
    NotAuthentic,
    Realm,
    RealmKeyring,
    SlotAhead,
    SlotBehind,
    TokenKind,
    TokenSlot,
    TokenTerms,
    TokenText,
    UnknownAuthenticator,
    VaultLocked,
    WrongSecret,
    check_drop_mac,
    compute_drop_mac,
    create_token_slot,
    derive_realm_keys,
    new_vault_keys,
    open_token_slot,
    remember_token_slot,
    renew_token_slot,
)
from tests.crypto import golden, reader
from tests.crypto.cast import (
    DATA_KEY,
    ENTRY_TEXT,
    HOUSEMATE,
    NEXT_DATA_KEY,
    OTHER_SLOT,
    OWNER,
    SLOT,
    VAULT_STATE,
    find_keys,
)

TOKEN = TokenText(SLOT, bytes(range(32)))
OTHER_TOKEN = TokenText(SLOT, bytes(range(1, 33)))
VAULT_PUBLIC = golden.VAULT_PUBLIC
SCOPES_OF = {
    TokenKind.ORDINARY: frozenset({"diary:read"}),
    TokenKind.AWAY: frozenset({"diary:read", "notes"}),
    TokenKind.DROP: frozenset({"drop"}),
}
KINDS = pytest.mark.parametrize("kind", TokenKind, ids=lambda kind: kind.value)
IDS: dict[str, Any] = {"row": SLOT, "owner": OWNER, "purpose": "token"}


def build_terms(kind: TokenKind, **changes: Any) -> TokenTerms:
    values = {"kind": kind, "scopes": SCOPES_OF[kind], "created_at": 1_790_000_000, "created_epoch": 3}
    return TokenTerms(**{**values, "lifetime_days": 90, **changes})


def new_token_slot(kind: TokenKind, *, keyring: Keyring, **changes: Any) -> TokenSlot:
    return create_token_slot(
        TOKEN, terms=build_terms(kind, **changes), keyring=keyring, vault_public_key=VAULT_PUBLIC
    )


def open_token(slot: TokenSlot, keyring: Keyring, *, token: TokenText = TOKEN, unlocked: bool = False) -> Any:
    """Open a slot as its kind is opened, in the keyring's epoch, with its owner locked or unlocked."""
    kind = slot.terms.kind
    owner_keyring = keyring if unlocked or kind is TokenKind.ORDINARY else None
    opened = open_token_slot(slot, token, current_epoch=keyring.epoch, owner_keyring=owner_keyring)
    return opened.build_drop_key() if kind is TokenKind.DROP else opened.build_keyring(owner_keyring=keyring)


def describe_bound(slot: TokenSlot) -> dict[str, bytes]:
    """Return what envelopes of a slot are bound to, by the documentation."""
    terms = slot.terms
    return {
        "kind": terms.kind.value.encode(),
        "scopes": " ".join(sorted(terms.scopes)).encode(),
        "created_at": terms.created_at.to_bytes(8, "big"),
        "lifetime_days": terms.lifetime_days.to_bytes(4, "big"),
        "created_epoch": terms.created_epoch.to_bytes(4, "big"),
        "writes_own_text": bytes([terms.writes_own_text]),
        "reads_untrusted": bytes([terms.reads_untrusted]),
        "public_key": slot.public_key,
    }


def read_private(slot: TokenSlot) -> bytes:
    return reader.open_envelope(
        slot.sealed_private, key=TOKEN.derive_key(), label="token.private", bound=describe_bound(slot), **IDS
    )


def make_mac(slot: TokenSlot, *, authenticator: bytes) -> bytes:
    said = reader.additional_data(
        number=2, epoch=slot.epoch, label="token.mac", bound=describe_bound(slot), **IDS
    )[1:]
    said += len(slot.box).to_bytes(4, "big") + slot.box
    return reader.personal_blake2b(data=said, key=authenticator, person="llamora.tokmac")


def reseal_as_holder(slot: TokenSlot, **changes: Any) -> TokenSlot:
    """Return the slot as the token's holder can change it who writes to the database: all but one column."""
    private = read_private(slot)
    changed = replace(slot, **changes)
    bound = tuple(describe_bound(changed).items())
    context = Context(label="token.private", bound=bound, **IDS)
    sealed = crypto.seal(key=TOKEN.derive_key(), plaintext=private, context=context, epoch=0)
    changed = replace(changed, sealed_private=sealed)
    return replace(changed, mac=make_mac(changed, authenticator=private[:32]))


# --- What each kind opens ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "scope"),
    [pair for pair in product((TokenKind.ORDINARY, TokenKind.AWAY), sorted(SCOPES)) if pair[1] != "drop"],
    ids=lambda value: getattr(value, "value", value),
)
def test_a_token_opens_the_realms_of_its_scope_and_nothing_else(
    keyring: Keyring, kind: TokenKind, scope: str
) -> None:
    slot = new_token_slot(kind, keyring=keyring, scopes=frozenset({scope}))

    held = open_token(slot, keyring)

    assert isinstance(held, RealmKeyring)
    assert not isinstance(held, Keyring)
    keys = [derive_realm_keys(DATA_KEY, realm) for realm in SCOPES[scope]]
    assert find_keys(held) == {key for each in keys for key in (each.sealing, each.blinding, each.columns)}
    with pytest.raises(VaultLocked):
        held.unseal(keyring.seal(b"state", VAULT_STATE), VAULT_STATE)


def test_no_scope_gives_the_vault() -> None:
    assert Realm.VAULT not in frozenset().union(*SCOPES.values())
    assert SCOPES["drop"] == frozenset()


def test_the_names_of_kinds_and_scopes_stay_as_pinned() -> None:
    assert {kind.value for kind in TokenKind} == {"ordinary", "away", "drop"}
    assert {scope: sorted(realm.value for realm in realms) for scope, realms in SCOPES.items()} == {
        "drop": [],
        "facts:read": ["facts"],
        "facts:propose": ["facts"],
        "facts:write": ["facts"],
        "diary:read": ["content"],
        "diary:write": ["content"],
        "notes": ["notes"],
        "chat": ["content", "facts", "notes"],
        "export": ["content", "facts", "notes"],
    }


def test_what_an_ordinary_token_opens_is_what_its_owner_wrote(keyring: Keyring) -> None:
    slot = new_token_slot(TokenKind.ORDINARY, keyring=keyring)

    assert open_token(slot, keyring).unseal(golden.SHORT_2, ENTRY_TEXT) == golden.SHORT_TEXT.encode()


def test_an_ordinary_token_holds_nothing_that_opens(keyring: Keyring) -> None:
    slot = new_token_slot(TokenKind.ORDINARY, keyring=keyring)

    assert (slot.box, slot.public_key) == (b"", b"")
    assert len(read_private(slot)) == 32
    keyring.close()
    with pytest.raises(VaultLocked):
        open_token(slot, keyring)


def test_a_drop_gives_the_public_key_of_its_owner(keyring: Keyring) -> None:
    slot = new_token_slot(TokenKind.DROP, keyring=keyring)

    opened = open_token(slot, keyring)

    assert opened.public == VAULT_PUBLIC
    assert opened.authenticator == read_private(slot)
    assert slot.public_key == b""


def test_a_drop_is_not_made_without_a_public_key(keyring: Keyring) -> None:
    with pytest.raises(ValueError, match="public key"):
        create_token_slot(TOKEN, terms=build_terms(TokenKind.DROP), keyring=keyring)


@KINDS
def test_a_token_gives_nothing_of_another_kind(keyring: Keyring, kind: TokenKind) -> None:
    slot = new_token_slot(kind, keyring=keyring)
    opened = open_token_slot(slot, TOKEN, current_epoch=3, owner_keyring=keyring)

    build = opened.build_keyring if kind is TokenKind.DROP else opened.build_drop_key

    with pytest.raises(ValueError, match="kind"):
        build()


@pytest.mark.parametrize(
    ("kind", "scopes"),
    [
        (TokenKind.DROP, {"diary:read"}),
        (TokenKind.DROP, {"drop", "diary:read"}),
        (TokenKind.AWAY, {"drop"}),
        (TokenKind.ORDINARY, {"drop", "notes"}),
        (TokenKind.ORDINARY, set()),
        (TokenKind.ORDINARY, {"vault"}),
    ],
)
def test_scopes_that_do_not_go_with_the_kind_are_refused(kind: TokenKind, scopes: set[str]) -> None:
    with pytest.raises(ValueError, match="scope"):
        build_terms(kind, scopes=frozenset(scopes))


@pytest.mark.parametrize(
    "wild", [{"created_at": -1}, {"lifetime_days": 2**32}, {"created_epoch": -3}, {"created_at": 2**64}]
)
def test_a_wild_number_in_a_row_is_a_value_error(wild: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="out of range"):
        build_terms(TokenKind.AWAY, **wild)


# --- The format ------------------------------------------------------------------------------------


@KINDS
def test_a_stranger_reads_a_slot_with_the_documented_format_alone(keyring: Keyring, kind: TokenKind) -> None:
    slot = new_token_slot(kind, keyring=keyring, reads_untrusted=True)
    slots_key = reader.personal_blake2b(data=b"", key=DATA_KEY, person="llamora.slots")

    authenticator = reader.open_envelope(
        slot.sealed_authenticator,
        key=slots_key,
        label="token.authenticator",
        bound=describe_bound(slot),
        **IDS,
    )

    assert read_private(slot)[:32] == authenticator
    assert slot.sealed_private[:5] == b"\2\0\0\0\0"
    assert slot.sealed_authenticator[:5] == b"\2\0\0\0\3"
    assert slot.mac == make_mac(slot, authenticator=authenticator)
    head = b"\1" + OWNER.bytes + SLOT.bytes + (3).to_bytes(4, "big")
    match kind:
        case TokenKind.ORDINARY:
            assert slot.box == b""
        case TokenKind.DROP:
            assert slot.box == head + VAULT_PUBLIC
        case TokenKind.AWAY:
            inside = crypto_box_seal_open(slot.box, slot.public_key, read_private(slot)[32:])
            assert inside == head + b"\0\2" + b"".join(
                (3).to_bytes(4, "big") + bytes([len(name)]) + name.encode() + realm_keys(name)
                for name in ("content", "notes")
            )


def realm_keys(name: str) -> bytes:
    return b"".join(bytes.fromhex(key) for key in golden.REALM_KEYS[name])


@KINDS
def test_the_golden_slots_open_and_renew_for_ever(keyring: Keyring, kind: TokenKind) -> None:
    stored = golden.TOKEN_SLOTS[kind.value]
    slot = TokenSlot(id=SLOT, owner=OWNER, epoch=3, terms=build_terms(kind), **stored)
    later = Keyring(owner=OWNER, epoch=4, keys={3: DATA_KEY, 4: NEXT_DATA_KEY})

    opened = open_token(slot, keyring)
    renewed = open_token(renew_token_slot(slot, keyring=later, vault_public_key=VAULT_PUBLIC), later)

    if kind is TokenKind.DROP:
        assert opened == renewed
        return
    for held in (opened, renewed):
        assert held.unseal(golden.SHORT_2, ENTRY_TEXT).decode() == golden.SHORT_TEXT


# --- Changed by a stranger, and by the holder -----------------------------------------------------------

WIDENED = {
    "scopes": {"scopes": frozenset({"chat"})},
    "same realm": {"scopes": frozenset({"diary:read", "diary:write"})},
    "kind": {"kind": TokenKind.AWAY, "scopes": frozenset({"diary:read"})},
    "expiry": {"lifetime_days": 0},
    "age": {"created_at": 1_990_000_000},
    "own text": {"writes_own_text": True},
    "untrusted": {"reads_untrusted": True},
    "epoch of creation": {"created_epoch": 4},
}
CHANGES = pytest.mark.parametrize("change", WIDENED.values(), ids=list(WIDENED))


@CHANGES
def test_terms_changed_in_the_row_by_a_stranger_open_nothing(
    keyring: Keyring, change: dict[str, Any]
) -> None:
    slot = new_token_slot(TokenKind.ORDINARY, keyring=keyring)
    changed = replace(slot, terms=replace(slot.terms, **change))

    with pytest.raises(WrongSecret):
        open_token(changed, keyring)
    with pytest.raises(UnknownAuthenticator):
        renew_token_slot(changed, keyring=keyring)


@CHANGES
@pytest.mark.parametrize("kind", [TokenKind.ORDINARY, TokenKind.AWAY], ids=lambda kind: kind.value)
def test_terms_changed_by_the_holder_who_reseals_what_he_can_gain_nothing(
    keyring: Keyring, kind: TokenKind, change: dict[str, Any]
) -> None:
    slot = new_token_slot(kind, keyring=keyring, scopes=frozenset({"diary:read"}))
    terms = replace(slot.terms, **{**change, "kind": kind})
    if terms == slot.terms:
        terms = replace(terms, lifetime_days=1)
    changed = reseal_as_holder(slot, terms=terms)

    with pytest.raises(UnknownAuthenticator):
        open_token(changed, keyring, unlocked=True)
    with pytest.raises(UnknownAuthenticator):
        renew_token_slot(changed, keyring=keyring)
    if kind is TokenKind.ORDINARY:
        with pytest.raises(UnknownAuthenticator):
            open_token(changed, keyring)
    elif terms.realms != slot.terms.realms:
        # What lies in the box was made for other realms.
        with pytest.raises(ForgedSlot):
            open_token(changed, keyring)
    else:
        assert find_keys(open_token(changed, keyring)) == find_keys(open_token(slot, keyring))


def test_a_holder_who_makes_a_box_of_other_realms_has_no_keys_for_it(keyring: Keyring) -> None:
    slot = new_token_slot(TokenKind.AWAY, keyring=keyring, scopes=frozenset({"diary:read"}))
    inside = crypto_box_seal_open(slot.box, slot.public_key, read_private(slot)[32:])
    vault = inside.replace(b"\x07content", b"\x05vault")
    changed = reseal_as_holder(slot, box=crypto_box_seal(vault, slot.public_key))

    with pytest.raises(ForgedSlot):
        open_token(changed, keyring)


def test_a_slot_made_by_someone_else_is_given_nothing(keyring: Keyring) -> None:
    planters = Keyring(owner=OWNER, epoch=3, keys={3: NEXT_DATA_KEY})

    for kind in TokenKind:
        slot = create_token_slot(
            TOKEN, terms=build_terms(kind), keyring=planters, vault_public_key=VAULT_PUBLIC
        )
        for refuse in (
            lambda slot=slot: open_token(slot, keyring, unlocked=True),
            lambda slot=slot: renew_token_slot(slot, keyring=keyring, vault_public_key=VAULT_PUBLIC),
        ):
            with pytest.raises(UnknownAuthenticator):
                refuse()
    with pytest.raises(UnknownAuthenticator):
        open_token(new_token_slot(TokenKind.ORDINARY, keyring=planters), keyring)


def test_a_planted_public_key_of_a_drop_is_refused(keyring: Keyring) -> None:
    slot = new_token_slot(TokenKind.DROP, keyring=keyring)
    _, planted = new_vault_keys()

    with pytest.raises(ForgedSlot):
        open_token(replace(slot, box=slot.box[:-32] + planted), keyring)
    with pytest.raises(ForgedSlot):
        renew_token_slot(
            replace(slot, box=slot.box[:-32] + planted), keyring=keyring, vault_public_key=VAULT_PUBLIC
        )


def test_a_planted_key_pair_of_a_token_is_refused(keyring: Keyring) -> None:
    slot = new_token_slot(TokenKind.AWAY, keyring=keyring)
    public, _ = crypto_box_keypair()

    with pytest.raises(WrongSecret):
        open_token(replace(slot, public_key=public), keyring)
    with pytest.raises(ForgedSlot):
        open_token(reseal_as_holder(slot, public_key=public), keyring)
    with pytest.raises(UnknownAuthenticator):
        renew_token_slot(replace(slot, public_key=public), keyring=keyring)


@KINDS
def test_the_wrong_secret_opens_nothing(keyring: Keyring, kind: TokenKind) -> None:
    with pytest.raises(WrongSecret) as refused:
        open_token(new_token_slot(kind, keyring=keyring), keyring, token=OTHER_TOKEN)

    assert refused.value.slot_id == SLOT


@KINDS
@pytest.mark.parametrize("change", [{"id": OTHER_SLOT}, {"owner": HOUSEMATE}], ids=["id", "owner"])
def test_a_slot_moved_to_another_row_or_person_opens_nothing(
    keyring: Keyring, kind: TokenKind, change: dict[str, Any]
) -> None:
    slot = replace(new_token_slot(kind, keyring=keyring), **change)

    with pytest.raises(WrongSecret):
        open_token(slot, keyring)
    with pytest.raises(UnknownAuthenticator):
        renew_token_slot(slot, keyring=keyring, vault_public_key=VAULT_PUBLIC)


@KINDS
@pytest.mark.parametrize(
    "column", ["public_key", "sealed_private", "sealed_authenticator", "box", "mac"], ids=str
)
def test_a_column_flipped_cut_or_emptied_is_refused(keyring: Keyring, kind: TokenKind, column: str) -> None:
    slot = new_token_slot(kind, keyring=keyring)
    stored = getattr(slot, column)
    changed = {stored[:-1], stored + b"\0", b""} | {
        bytes([*stored[:at], stored[at] ^ 0x80, *stored[at + 1 :]]) for at in range(0, len(stored), 7)
    }

    def use(spoiled: TokenSlot) -> None:
        open_token(spoiled, keyring)
        renew_token_slot(spoiled, keyring=keyring, vault_public_key=VAULT_PUBLIC)

    use(slot)
    for each in changed - {stored}:
        with pytest.raises(CryptoError):
            use(replace(slot, **{column: each}))


@pytest.mark.parametrize(
    "spoil",
    [
        lambda inside: b"\2" + inside[1:],
        lambda inside: inside[:-1],
        lambda inside: inside + b"\0",
        lambda inside: inside[:37] + b"\0\0",
        lambda inside: inside[:38] + b"\3" + inside[39:],
        lambda inside: inside.replace(b"content", b"conTent"),
        lambda inside: b"",
    ],
    ids=["format", "short", "long", "none", "count", "realm", "empty"],
)
def test_what_lies_in_a_box_is_read_strictly(keyring: Keyring, spoil: Callable[[bytes], bytes]) -> None:
    slot = new_token_slot(TokenKind.AWAY, keyring=keyring)
    inside = crypto_box_seal_open(slot.box, slot.public_key, read_private(slot)[32:])
    changed = reseal_as_holder(slot, box=crypto_box_seal(spoil(inside), slot.public_key))

    with pytest.raises(ForgedSlot):
        open_token(changed, keyring)


# --- Rotations -----------------------------------------------------------------------------------------


@KINDS
def test_a_slot_of_another_epoch_than_the_vault_s_is_refused(keyring: Keyring, kind: TokenKind) -> None:
    slot = new_token_slot(kind, keyring=keyring)
    earlier = Keyring(owner=OWNER, epoch=2, keys={2: NEXT_DATA_KEY})
    later = Keyring(owner=OWNER, epoch=4, keys={3: DATA_KEY, 4: NEXT_DATA_KEY})

    with pytest.raises(SlotAhead):
        open_token(slot, earlier)
    with pytest.raises(SlotBehind):
        open_token(slot, later)
    # Relabelled by its holder: a drop's box, and an older bundle, are of the epoch in which they were made.
    with pytest.raises((ForgedSlot, UnknownAuthenticator)):
        open_token(reseal_as_holder(slot, epoch=4), later)
    with pytest.raises(SlotAhead):
        renew_token_slot(slot, keyring=earlier, vault_public_key=VAULT_PUBLIC)


@KINDS
def test_a_slot_is_renewed_again_and_again(keyring: Keyring, kind: TokenKind) -> None:
    slot, keys = new_token_slot(kind, keyring=keyring), {3: DATA_KEY}

    for epoch in range(4, 8):
        keys = {epoch - 1: keys[epoch - 1], epoch: crypto.secret_bytes()}
        held = Keyring(owner=OWNER, epoch=epoch, keys=keys)
        renewed = renew_token_slot(slot, keyring=held, vault_public_key=VAULT_PUBLIC)
        assert renewed.sealed_private == slot.sealed_private
        assert renewed.public_key == slot.public_key
        slot = renewed

    opened = open_token(slot, held)
    if kind is TokenKind.DROP:
        assert opened.public == VAULT_PUBLIC
        return
    assert opened.unseal(held.seal(b"snow", ENTRY_TEXT), ENTRY_TEXT) == b"snow"
    opened.close()


@pytest.mark.parametrize("kind", [TokenKind.ORDINARY, TokenKind.AWAY], ids=lambda kind: kind.value)
def test_a_token_reads_rows_of_a_former_epoch_until_its_rotation_is_finished(
    keyring: Keyring, kind: TokenKind
) -> None:
    rotating = Keyring(owner=OWNER, epoch=4, keys={3: DATA_KEY, 4: NEXT_DATA_KEY}, oldest_epoch=3)
    finished = Keyring(owner=OWNER, epoch=4, keys={4: NEXT_DATA_KEY}, oldest_epoch=4)
    slot = new_token_slot(kind, keyring=keyring)

    begun = renew_token_slot(slot, keyring=rotating)
    done = renew_token_slot(begun, keyring=finished)

    assert open_token(begun, rotating).unseal(golden.SHORT_2, ENTRY_TEXT).decode() == golden.SHORT_TEXT
    with pytest.raises(crypto.DestroyedKey):
        open_token(done, finished).unseal(golden.SHORT_2, ENTRY_TEXT)
    assert not find_keys(open_token(done, finished)) & find_keys(keyring)


def test_a_box_has_no_keys_of_format_1(keyring: Keyring) -> None:
    upgrading = Keyring(
        owner=OWNER, epoch=4, keys={3: DATA_KEY, 4: NEXT_DATA_KEY}, format_2_since=4, oldest_epoch=3
    )
    slot = new_token_slot(TokenKind.AWAY, keyring=upgrading)

    assert len(find_keys(open_token(slot, upgrading))) == 6
    with pytest.raises(crypto.FormerFormat):
        Keyring(owner=OWNER, epoch=3, keys={3: DATA_KEY}, format_2_since=4).derive_keys_by_epoch(
            [Realm.CONTENT]
        )


def test_an_old_data_key_gives_a_slot_nothing(keyring: Keyring) -> None:
    later = Keyring(owner=OWNER, epoch=4, keys={3: DATA_KEY, 4: NEXT_DATA_KEY})
    renewed = renew_token_slot(new_token_slot(TokenKind.AWAY, keyring=keyring), keyring=later)
    thief = Keyring(owner=OWNER, epoch=4, keys={4: DATA_KEY})

    with pytest.raises(UnknownAuthenticator):
        renew_token_slot(renewed, keyring=thief)


def test_an_older_authenticator_put_back_into_a_row_is_refused(keyring: Keyring) -> None:
    rotating = Keyring(owner=OWNER, epoch=4, keys={3: DATA_KEY, 4: NEXT_DATA_KEY})
    slot = new_token_slot(TokenKind.ORDINARY, keyring=keyring)
    renewed = renew_token_slot(slot, keyring=rotating)

    with pytest.raises(UnknownAuthenticator):
        open_token(replace(renewed, sealed_authenticator=slot.sealed_authenticator), rotating)


# --- Dropped texts -------------------------------------------------------------------------------------

DROPPED = Context(purpose="drop", label="diary.inbox_item.box", row=SLOT, owner=OWNER)


def test_a_dropped_text_has_its_mac_as_documented() -> None:
    encoded = DROPPED.encode(0)
    data = struct.pack(">I", len(encoded)) + encoded + b"the box"
    expected = reader.personal_blake2b(data=data, key=DATA_KEY, person="llamora.dropmac")

    assert compute_drop_mac(DATA_KEY, box=b"the box", context=DROPPED) == expected
    check_drop_mac(DATA_KEY, expected, box=b"the box", context=DROPPED)


@pytest.mark.parametrize(
    "change",
    [
        {"authenticator": NEXT_DATA_KEY},
        {"box": b"another box"},
        {"context": replace(DROPPED, row=OTHER_SLOT)},
        {"context": replace(DROPPED, owner=HOUSEMATE)},
        {"mac": bytes(32)},
        {"mac": b""},
    ],
    ids=["authenticator", "box", "row", "owner", "mac", "no mac"],
)
def test_a_dropped_text_of_another_token_or_place_is_refused(change: dict[str, Any]) -> None:
    mac = compute_drop_mac(DATA_KEY, box=b"the box", context=DROPPED)
    values = {"authenticator": DATA_KEY, "mac": mac, "box": b"the box", "context": DROPPED, **change}

    with pytest.raises(NotAuthentic):
        check_drop_mac(values["authenticator"], values["mac"], box=values["box"], context=values["context"])


@KINDS
def test_a_printed_slot_shows_ids_only(keyring: Keyring, kind: TokenKind) -> None:
    slot = new_token_slot(kind, keyring=keyring)

    assert repr(slot) == f"<TokenSlot {SLOT} owner={OWNER} kind={kind.value} epoch=3>"
    if kind is TokenKind.DROP:
        assert repr(read_private(slot)) not in repr(open_token(slot, keyring))


# --- Remembered ---------------------------------------------------------------------------------------


@KINDS
def test_a_remembered_slot_opens_with_its_token_alone_and_shows_nothing(
    kind: TokenKind, keyring: Keyring
) -> None:
    slot = new_token_slot(kind, keyring=keyring)
    opened = open_token_slot(slot, TOKEN, current_epoch=keyring.epoch, owner_keyring=keyring)

    remembered = remember_token_slot(opened, TOKEN)

    assert remembered.open(TOKEN) == opened
    with pytest.raises(WrongSecret):
        remembered.open(OTHER_TOKEN)
    # Neither what is inside nor a part of it.
    assert read_private(slot)[:32] not in remembered._sealed
    for at in range(0, len(opened.inside) - 8, 8):
        assert opened.inside[at : at + 8] not in remembered._sealed
