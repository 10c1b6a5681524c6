"""Tests of keyrings with some realms, as programs have them: they open only values of these realms."""

import copy
import pickle
from collections.abc import Callable, Iterator
from dataclasses import replace
from hashlib import blake2b
from itertools import combinations

import pytest
from nacl.exceptions import CryptoError as SodiumError

from llamora.crypto import (
    REALMS,
    Context,
    Keyring,
    NotAuthentic,
    Realm,
    RealmKeyring,
    SubkeyUse,
    Truncated,
    UnknownFormat,
    VaultLocked,
    WrongEpoch,
    current_keyring,
    current_realm_keyring,
    get_realm,
    in_force,
    subkey,
)
from tests.crypto import golden, reader
from tests.crypto.cast import (
    DATA_KEY,
    ENTRY,
    ENTRY_COLUMNS,
    ENTRY_TEXT,
    HOUSEMATE,
    NEXT_DATA_KEY,
    OWNER,
    VAULT_STATE,
    find_keys,
)
from tests.crypto.test_realms import LABELS

# Nothing is sealed in these realms yet.
FUTURE = {"facts.fact": Realm.FACTS, "notes.note": Realm.NOTES}
ALL_LABELS = [*LABELS, *(f"{model}.text" for model in FUTURE)]
BUNDLES = [frozenset(some) for size in range(len(Realm) + 1) for some in combinations(Realm, size)]


@pytest.fixture(autouse=True)
def future_labels(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Labels of the realms that have none yet."""
    for model, realm in FUTURE.items():
        monkeypatch.setitem(REALMS, model, realm)
    yield
    get_realm.cache_clear()


def name_bundle(bundle: frozenset[Realm]) -> str:
    return "+".join(sorted(realm.value for realm in bundle)) or "nothing"


def build_context(label: str) -> Context:
    return Context(purpose="field", label=label, row=ENTRY, owner=OWNER)


def list_uses(
    held: RealmKeyring, *, context: Context, sealed: bytes, code: bytes
) -> list[Callable[[], object]]:
    return [
        lambda: held.unseal(sealed, context),
        lambda: held.seal(b"snow", context),
        lambda: held.compute_mac(context),
        lambda: held.check_mac(code, context),
        lambda: held.blind_index(label=context.label, value="v"),
    ]


@pytest.mark.parametrize("bundle", BUNDLES, ids=name_bundle)
def test_a_bundle_opens_what_is_of_its_realms_and_nothing_else(
    keyring: Keyring, bundle: frozenset[Realm]
) -> None:
    held = keyring.restrict(bundle)
    opened = set()

    for label in ALL_LABELS:
        context = build_context(label)
        sealed, code = keyring.seal(label.encode(), context), keyring.compute_mac(context)
        if get_realm(label) in bundle:
            assert held.unseal(sealed, context) == label.encode()
            assert keyring.unseal(held.seal(b"back", context), context) == b"back"
            assert held.compute_mac(context) == code
            held.check_mac(code, context)
            assert held.blind_index(label=label, value="v") == keyring.blind_index(label=label, value="v")
            opened.add(label)
            continue
        for use in list_uses(held, context=context, sealed=sealed, code=code):
            with pytest.raises(VaultLocked):
                use()

    assert opened == {label for label in ALL_LABELS if get_realm(label) in bundle}


@pytest.mark.parametrize("bundle", BUNDLES, ids=name_bundle)
def test_what_a_bundle_holds_opens_no_other_realm_without_this_project_either(
    keyring: Keyring, bundle: frozenset[Realm]
) -> None:
    keys = find_keys(keyring.restrict(bundle))
    assert len(keys) == 3 * len(bundle)

    for label in ALL_LABELS:
        sealed = keyring.seal(label.encode(), build_context(label))
        opened = [key for key in keys if is_opened(sealed, key=key, label=label)]
        assert len(opened) == (get_realm(label) in bundle), label


def is_opened(sealed: bytes, *, key: bytes, label: str) -> bool:
    parts = {"row": ENTRY, "owner": OWNER, "purpose": "field", "label": label}
    try:
        return reader.open_envelope(sealed, key=key, bound={}, **parts) == label.encode()  # type: ignore[arg-type]
    except SodiumError:
        return False


@pytest.mark.parametrize("bundle", BUNDLES, ids=name_bundle)
def test_a_bundle_holds_no_key_of_all_realms(keyring: Keyring, bundle: frozenset[Realm]) -> None:
    held = keyring.restrict(bundle)

    assert not isinstance(held, Keyring)
    for name in ("data_key", "snapshot_key", "slots_key", "restrict", "list_former_epochs"):
        assert not hasattr(held, name)
    copied = held.copy()
    assert type(copied) is RealmKeyring
    assert find_keys(copied) <= find_keys(held)
    assert not find_keys(held) & {DATA_KEY, *(subkey(DATA_KEY, use) for use in SubkeyUse)}
    # They are found where they are.
    assert find_keys(keyring) > {
        DATA_KEY,
        subkey(DATA_KEY, SubkeyUse.SLOTS),
        subkey(DATA_KEY, SubkeyUse.SNAPSHOT),
    }


def test_a_relabelled_envelope_of_another_realm_does_not_open(keyring: Keyring) -> None:
    content = keyring.restrict([Realm.CONTENT])

    with pytest.raises(NotAuthentic):
        content.unseal(golden.STATE_2, replace(VAULT_STATE, label="diary.entry.state"))


def test_a_bundle_opens_nothing_of_another_epoch_or_owner() -> None:
    rotating = Keyring(owner=OWNER, epoch=4, keys={3: DATA_KEY, 4: NEXT_DATA_KEY})
    held = rotating.restrict([Realm.CONTENT])

    with pytest.raises(WrongEpoch):
        held.unseal(golden.SHORT_2, ENTRY_TEXT)
    with pytest.raises(WrongEpoch):
        held.check_mac(golden.CODE_2, ENTRY_COLUMNS)
    with pytest.raises(NotAuthentic):
        held.unseal(rotating.seal(b"snow", ENTRY_TEXT), replace(ENTRY_TEXT, owner=HOUSEMATE))
    with pytest.raises(NotAuthentic):
        held.seal(b"snow", replace(ENTRY_TEXT, owner=HOUSEMATE))


def test_a_bundle_opens_nothing_of_format_1(keyring: Keyring) -> None:
    with pytest.raises(NotAuthentic):
        keyring.restrict([Realm.CONTENT]).unseal(golden.SHORT, ENTRY_TEXT)


@pytest.mark.parametrize(
    ("stored", "expected"),
    [
        (b"", Truncated),
        (b"\x02\0", Truncated),
        (golden.SHORT_2[:60], Truncated),
        (b"\x03" + bytes(120), UnknownFormat),
    ],
    ids=["nothing", "header", "short", "format"],
)
def test_damage_has_the_same_errors_as_with_all_keys(
    keyring: Keyring, stored: bytes, expected: type[Exception]
) -> None:
    with pytest.raises(expected):
        keyring.restrict([Realm.CONTENT]).unseal(stored, ENTRY_TEXT)


def test_a_bundle_closes_for_good_and_apart_from_what_it_was_made_of(keyring: Keyring) -> None:
    held, other = keyring.restrict(Realm), keyring.restrict(Realm)
    uses: list[Callable[[], object]] = [
        lambda: held.unseal(golden.SHORT_2, ENTRY_TEXT),
        lambda: held.seal(b"snow", ENTRY_TEXT),
        lambda: held.compute_mac(ENTRY_COLUMNS),
        lambda: held.check_mac(golden.CODE_2, ENTRY_COLUMNS),
        lambda: held.blind_index(label="traces.trace.name", value="snow"),
        lambda: held.get_key_id(Realm.CONTENT),
        lambda: held.key_id,
    ]
    for use in uses:
        use()

    held.close()
    held.close()

    for use in uses:
        with pytest.raises(VaultLocked):
            use()
    assert held.is_closed
    assert find_keys(held) == set()
    assert other.unseal(golden.SHORT_2, ENTRY_TEXT) == keyring.unseal(golden.SHORT_2, ENTRY_TEXT)
    keyring.close()
    assert other.unseal(golden.SHORT_2, ENTRY_TEXT).decode() == golden.SHORT_TEXT


def test_a_bundle_shows_ids_only_and_is_never_pickled_or_copied(keyring: Keyring) -> None:
    held = keyring.restrict([Realm.CONTENT])

    assert repr(held) == str(held) == f"<RealmKeyring owner={OWNER} epoch=3>"
    for leak in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            leak(held)
    assert not hasattr(held, "__dict__")
    held.close()
    assert repr(held) == f"<RealmKeyring owner={OWNER} epoch=3 closed>"


def test_keys_of_realms_are_never_printed(keyring: Keyring) -> None:
    keys = [key for of_realm in golden.REALM_KEYS.values() for key in of_realm]
    current = keyring._current

    assert current is not None
    assert not any(key in repr(current) or repr(bytes.fromhex(key)) in repr(current) for key in keys)


def test_every_realm_has_an_identity_of_its_own(keyring: Keyring) -> None:
    identities = {realm: keyring.get_key_id(realm) for realm in Realm}

    assert len(set(identities.values())) == len(Realm)
    for realm, identity in identities.items():
        sealing = bytes.fromhex(golden.REALM_KEYS[realm.value][0])
        assert identity.owner == OWNER
        assert identity.fingerprint == blake2b(key=sealing, digest_size=16, person=b"llamora.print").digest()
        assert keyring.restrict([realm]).get_key_id(realm) == identity
    assert keyring.key_id == keyring.restrict([Realm.CONTENT]).key_id == identities[Realm.CONTENT]
    next_keys = Keyring(owner=OWNER, epoch=4, keys={4: NEXT_DATA_KEY})
    assert not set(identities.values()) & {next_keys.get_key_id(realm) for realm in Realm}
    housemates = Keyring(owner=HOUSEMATE, epoch=3, keys={3: DATA_KEY})
    assert housemates.key_id != keyring.key_id


def test_a_bundle_has_no_identity_of_a_realm_it_lacks(keyring: Keyring) -> None:
    with pytest.raises(VaultLocked):
        keyring.restrict([Realm.VAULT]).get_key_id(Realm.CONTENT)
    with pytest.raises(VaultLocked):
        _ = keyring.restrict([Realm.VAULT]).key_id


def test_a_bundle_in_force_is_no_keyring_of_all_realms(keyring: Keyring) -> None:
    held: RealmKeyring = keyring.restrict([Realm.CONTENT])

    with in_force(held):
        assert current_realm_keyring() is held
        with pytest.raises(VaultLocked):
            current_keyring()
    with in_force(keyring):
        assert current_realm_keyring() is current_keyring() is keyring
    held.close()
    with in_force(held), pytest.raises(VaultLocked):
        current_realm_keyring()
