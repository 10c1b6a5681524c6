"""Tests of keyrings: sealing and opening in one epoch and during a rotation."""

import asyncio
import copy
import pickle
import threading
import timeit
from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_encrypt

from llamora.crypto import (
    FORMAT_1,
    FORMAT_2,
    REALMS,
    Context,
    FormerFormat,
    Header,
    Keyring,
    NotAuthentic,
    Realm,
    SubkeyUse,
    Truncated,
    UnknownFormat,
    VaultLocked,
    WrongEpoch,
    current_keyring,
    encode_header,
    in_force,
    pad,
    read_header,
    secret_bytes,
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
from tests.fakes.waiting import PATIENCE


@pytest.fixture
def rotating() -> Keyring:
    """A keyring at epoch 4, of format 2, while its rotation from epoch 3, of format 1, is unfinished."""
    return Keyring(owner=OWNER, epoch=4, keys={3: DATA_KEY, 4: NEXT_DATA_KEY}, format_2_since=4)


@pytest.fixture
def former() -> Keyring:
    """A keyring whose own epoch is of format 1."""
    return Keyring(owner=OWNER, epoch=3, keys={3: DATA_KEY}, format_2_since=4)


def relabel(sealed: bytes, *, number: int | None = None, epoch: int | None = None) -> bytes:
    """Return the bytes with another format or epoch in front."""
    header = read_header(sealed)
    return encode_header(number or header.format, epoch or header.epoch) + sealed[5:]


def test_a_keyring_opens_what_it_sealed(keyring: Keyring) -> None:
    sealed = keyring.seal(b"snow", ENTRY_TEXT)

    assert keyring.unseal(sealed, ENTRY_TEXT) == b"snow"
    assert read_header(sealed) == Header(FORMAT_2, 3)


def test_golden_values_of_format_2_open_for_ever(keyring: Keyring) -> None:
    assert keyring.unseal(golden.SHORT_2, ENTRY_TEXT).decode() == golden.SHORT_TEXT
    assert keyring.unseal(golden.STATE_2, VAULT_STATE) == golden.STATE_TEXT
    keyring.check_mac(golden.CODE_2, ENTRY_COLUMNS)


def test_golden_values_of_format_1_open_for_ever(rotating: Keyring, former: Keyring) -> None:
    reply_text = Context(purpose="field", label="diary.reply.text", row=ENTRY, owner=OWNER)

    for keyring in (rotating, former):
        assert keyring.unseal(golden.SHORT, ENTRY_TEXT).decode() == golden.SHORT_TEXT
        assert keyring.unseal(golden.EMPTY, ENTRY_TEXT) == b""
        assert keyring.unseal(golden.LONG, reply_text).decode() == golden.LONG_TEXT


def test_a_keyring_seals_under_its_epoch_and_opens_all_it_holds(rotating: Keyring) -> None:
    sealed = rotating.seal(b"new", ENTRY_TEXT)

    assert read_header(sealed) == Header(FORMAT_2, 4)
    assert rotating.unseal(sealed, ENTRY_TEXT) == b"new"
    assert rotating.unseal(golden.SHORT, ENTRY_TEXT).decode() == golden.SHORT_TEXT
    assert rotating.list_former_epochs() == [3]


def test_several_former_epochs_open_each_in_its_own_format() -> None:
    keys = {2: secret_bytes(), 3: DATA_KEY, 4: NEXT_DATA_KEY, 5: secret_bytes()}
    fourth = Keyring(owner=OWNER, epoch=4, keys={4: NEXT_DATA_KEY})
    keyring = Keyring(owner=OWNER, epoch=5, keys=keys, format_2_since=4)

    assert keyring.unseal(golden.SHORT, ENTRY_TEXT).decode() == golden.SHORT_TEXT
    assert keyring.unseal(fourth.seal(b"between", ENTRY_TEXT), ENTRY_TEXT) == b"between"
    assert keyring.list_former_epochs() == [2, 3, 4]


def test_nothing_of_format_1_opens_under_a_key_of_format_2(keyring: Keyring) -> None:
    """Else anybody who can write to the database could put back what was written before the upgrade."""
    relabelled = relabel(golden.SHORT, number=FORMAT_2)

    for stored in (golden.SHORT, relabelled):
        with pytest.raises(NotAuthentic):
            keyring.unseal(stored, ENTRY_TEXT)


def test_nothing_of_format_1_opens_under_the_key_that_follows_it(rotating: Keyring) -> None:
    """Neither what was sealed then nor what a stolen content subkey of the new key would seal in format 1."""
    aad = bytes([FORMAT_1]) + ENTRY_TEXT.encode(4)
    nonce, content = golden.SHORT[5:29], subkey(NEXT_DATA_KEY, SubkeyUse.CONTENT)
    sealed = crypto_aead_xchacha20poly1305_ietf_encrypt(pad(b"planted"), aad, nonce, content)
    planted = encode_header(FORMAT_1, 4) + nonce + sealed

    for stored in (planted, relabel(planted, number=FORMAT_2), relabel(golden.SHORT, epoch=4)):
        with pytest.raises(NotAuthentic):
            rotating.unseal(stored, ENTRY_TEXT)
    # The planted bytes are whole: a keyring that accepts format 1 in this epoch opens them.
    reader_of_1 = Keyring(owner=OWNER, epoch=4, keys={4: NEXT_DATA_KEY}, format_2_since=5)
    assert reader_of_1.unseal(planted, ENTRY_TEXT) == b"planted"


def test_nothing_of_format_2_opens_under_an_epoch_of_format_1(rotating: Keyring, former: Keyring) -> None:
    sealed = Keyring(owner=OWNER, epoch=3, keys={3: DATA_KEY}).seal(b"planted", ENTRY_TEXT)

    for keyring in (rotating, former):
        for stored in (sealed, relabel(sealed, number=FORMAT_1), golden.SHORT_2):
            with pytest.raises(NotAuthentic):
                keyring.unseal(stored, ENTRY_TEXT)
        with pytest.raises(NotAuthentic):
            keyring.check_mac(golden.CODE_2, ENTRY_COLUMNS)


SEALS: list[Callable[[Keyring], object]] = [
    lambda keyring: keyring.seal(b"snow", ENTRY_TEXT),
    lambda keyring: keyring.compute_mac(ENTRY_COLUMNS),
    lambda keyring: keyring.blind_index(label="traces.trace.name", value="snow"),
    lambda keyring: keyring.restrict([Realm.CONTENT]),
    lambda keyring: keyring.get_key_id(Realm.CONTENT),
]


@pytest.mark.parametrize("use", SEALS)
def test_a_keyring_of_format_1_only_opens(former: Keyring, use: Callable[[Keyring], object]) -> None:
    with pytest.raises(FormerFormat) as refused:
        use(former)

    assert refused.value.code == "former_format"
    assert former.is_of_format_1
    former.close()
    with pytest.raises(VaultLocked):
        use(former)


def test_columns_are_read_unchecked_only_where_they_had_no_code(
    keyring: Keyring, rotating: Keyring, former: Keyring
) -> None:
    assert former.reads_columns_unchecked
    assert not any(held.reads_columns_unchecked for held in (keyring, rotating, keyring.restrict(Realm)))


def test_a_copy_is_of_the_same_format_and_holds_the_current_key_alone(
    rotating: Keyring, former: Keyring
) -> None:
    assert former.copy().is_of_format_1
    assert former.copy().unseal(golden.SHORT, ENTRY_TEXT).decode() == golden.SHORT_TEXT
    with pytest.raises(WrongEpoch):
        rotating.copy().unseal(golden.SHORT, ENTRY_TEXT)


def test_an_envelope_of_an_epoch_not_held_is_refused() -> None:
    later = Keyring(owner=OWNER, epoch=4, keys={4: NEXT_DATA_KEY})

    for stored in (golden.SHORT, golden.SHORT_2):
        with pytest.raises(WrongEpoch) as refused:
            later.unseal(stored, ENTRY_TEXT)
        assert refused.value.code == "wrong_epoch"


def test_an_envelope_relabelled_to_an_epoch_that_is_held_is_refused() -> None:
    rotating = Keyring(owner=OWNER, epoch=4, keys={3: DATA_KEY, 4: NEXT_DATA_KEY})

    with pytest.raises(NotAuthentic):
        rotating.unseal(relabel(golden.SHORT_2, epoch=4), ENTRY_TEXT)


def test_a_flipped_byte_anywhere_has_its_own_error(keyring: Keyring, former: Keyring) -> None:
    for holder, stored in ((keyring, golden.SHORT_2), (former, golden.SHORT)):
        for at in range(len(stored)):
            flipped = bytearray(stored)
            flipped[at] ^= 0xFF
            expected = UnknownFormat if at == 0 else WrongEpoch if at < 5 else NotAuthentic

            with pytest.raises(expected):
                holder.unseal(bytes(flipped), ENTRY_TEXT)


@pytest.mark.parametrize("too_short", [b"", b"\x02", b"\x02\0\0\0\x03", golden.SHORT_2[:108]])
def test_bytes_too_few_for_an_envelope_are_refused(keyring: Keyring, too_short: bytes) -> None:
    with pytest.raises(Truncated):
        keyring.unseal(too_short, ENTRY_TEXT)


def test_another_keyring_opens_nothing() -> None:
    stranger = Keyring(owner=OWNER, epoch=3, keys={3: secret_bytes()})

    with pytest.raises(NotAuthentic):
        stranger.unseal(golden.SHORT_2, ENTRY_TEXT)
    with pytest.raises(NotAuthentic):
        stranger.check_mac(golden.CODE_2, ENTRY_COLUMNS)


def test_a_keyring_neither_seals_nor_opens_for_another_owner(keyring: Keyring) -> None:
    housemates = replace(ENTRY_TEXT, owner=HOUSEMATE)

    uses: list[Callable[[], object]] = [
        lambda: keyring.seal(b"snow", housemates),
        lambda: keyring.unseal(golden.SHORT_2, housemates),
        lambda: keyring.compute_mac(replace(ENTRY_COLUMNS, owner=HOUSEMATE)),
        lambda: keyring.check_mac(golden.CODE_2, replace(ENTRY_COLUMNS, owner=HOUSEMATE)),
    ]
    for use in uses:
        with pytest.raises(NotAuthentic):
            use()


USES: list[Callable[[Keyring], object]] = [
    lambda keyring: keyring.seal(b"snow", ENTRY_TEXT),
    lambda keyring: keyring.unseal(golden.SHORT_2, ENTRY_TEXT),
    lambda keyring: keyring.blind_index(label="traces.trace.name", value="snow"),
    lambda keyring: keyring.compute_mac(ENTRY_COLUMNS),
    lambda keyring: keyring.check_mac(golden.CODE_2, ENTRY_COLUMNS),
    lambda keyring: keyring.get_key_id(Realm.VAULT),
    lambda keyring: keyring.restrict([Realm.CONTENT]),
    lambda keyring: keyring.copy(),
    lambda keyring: keyring.snapshot_key(),
    lambda keyring: keyring.slots_key(),
    lambda keyring: keyring.slots_key(3),
    lambda keyring: keyring.data_key(),
]


@pytest.mark.parametrize("use", USES)
def test_a_closed_keyring_is_closed_for_good(keyring: Keyring, use: Callable[[Keyring], object]) -> None:
    use(keyring)
    keyring.close()
    keyring.close()

    with pytest.raises(VaultLocked) as refused:
        use(keyring)

    assert keyring.is_closed
    assert refused.value.code == "locked"


def test_closing_overwrites_the_data_keys_and_leaves_no_key_behind(rotating: Keyring) -> None:
    data_keys, keys = dict(rotating._data_keys), find_keys(rotating)

    rotating.close()

    # That is, they were found before.
    assert {DATA_KEY, NEXT_DATA_KEY, subkey(DATA_KEY, SubkeyUse.CONTENT)} <= keys
    assert {bytes(key) for key in data_keys.values()} == {bytes(32)}
    assert find_keys(rotating) == set()


def test_closing_while_others_seal_never_seals_under_a_wiped_key() -> None:
    """Sealing during a lock returns a valid envelope or raises VaultLocked."""
    keyring = Keyring(owner=OWNER, epoch=3, keys={3: DATA_KEY})
    sealed: list[bytes] = []
    started = threading.Event()

    def seal_until_locked() -> None:
        try:
            while True:
                sealed.append(keyring.seal(b"snow", ENTRY_TEXT))
                started.set()
        except VaultLocked:
            return

    threads = [threading.Thread(target=seal_until_locked) for _ in range(4)]
    for thread in threads:
        thread.start()
    started.wait(PATIENCE)
    keyring.close()
    for thread in threads:
        thread.join(PATIENCE)

    reader = Keyring(owner=OWNER, epoch=3, keys={3: DATA_KEY})
    assert not any(thread.is_alive() for thread in threads)
    assert {reader.unseal(envelope, ENTRY_TEXT) for envelope in sealed} == {b"snow"}


def test_the_keyring_in_force_is_the_innermost(keyring: Keyring) -> None:
    other = Keyring(owner=HOUSEMATE, epoch=1, keys={1: NEXT_DATA_KEY})

    with in_force(keyring):
        with in_force(other):
            assert current_keyring() is other
        with in_force(None), pytest.raises(VaultLocked):
            current_keyring()
        assert current_keyring() is keyring
    with pytest.raises(VaultLocked):
        current_keyring()


def test_a_task_that_copied_the_context_is_locked_too(keyring: Keyring) -> None:
    async def late_use() -> None:
        await asyncio.sleep(0.01)
        current_keyring()

    async def lock_meanwhile() -> None:
        with in_force(keyring):
            task = asyncio.create_task(late_use())
            await asyncio.sleep(0)
        keyring.close()
        with pytest.raises(VaultLocked):
            await task

    asyncio.run(lock_meanwhile())


def test_subkeys_of_a_keyring_are_those_of_its_data_key() -> None:
    rotating = Keyring(owner=OWNER, epoch=4, keys={3: DATA_KEY, 4: NEXT_DATA_KEY})

    assert rotating.snapshot_key() == subkey(NEXT_DATA_KEY, SubkeyUse.SNAPSHOT)
    assert rotating.slots_key() == rotating.slots_key(4) == subkey(NEXT_DATA_KEY, SubkeyUse.SLOTS)
    assert rotating.slots_key(3) == subkey(DATA_KEY, SubkeyUse.SLOTS)
    assert (rotating.data_key(), rotating.data_key(3)) == (NEXT_DATA_KEY, DATA_KEY)
    with pytest.raises(WrongEpoch):
        rotating.slots_key(2)


def test_a_blind_index_is_equal_for_equal_values_only(keyring: Keyring) -> None:
    index = keyring.blind_index(label="traces.trace.name", value="Großmutter")

    assert index == golden.BLIND_INDEX_2 != golden.BLIND_INDEX
    assert index != keyring.blind_index(label="traces.trace.name", value="großmutter")
    assert index != keyring.blind_index(label="diary.entry.text", value="Großmutter")
    assert index != keyring.blind_index(label="search.recent.text", value="Großmutter")
    stranger = Keyring(owner=OWNER, epoch=3, keys={3: secret_bytes()})
    assert index != stranger.blind_index(label="traces.trace.name", value="Großmutter")


def test_a_stranger_makes_blind_indexes_with_the_documented_format_alone(keyring: Keyring) -> None:
    label, value = "search.recent.text", "Großmutter 🌙"
    key = reader.realm_key(data_key=DATA_KEY, realm="vault", use="blinding")

    index = keyring.blind_index(label=label, value=value)

    assert index == reader.blind_index(key=key, label=label, value=value)


labels = st.builds("{}.{}".format, st.sampled_from(sorted(REALMS)), st.text(max_size=5))


@given(labels, st.text(max_size=5), labels, st.text(max_size=5))
def test_a_blind_index_keeps_label_and_value_apart(label: str, value: str, label2: str, value2: str) -> None:
    keyring = Keyring(owner=OWNER, epoch=3, keys={3: DATA_KEY})
    one = keyring.blind_index(label=label, value=value)
    other = keyring.blind_index(label=label2, value=value2)

    assert (one == other) == ((label, value) == (label2, value2))


def test_a_blind_index_moves_no_letters_between_label_and_value(keyring: Keyring) -> None:
    one = keyring.blind_index(label="traces.trace.name", value="ab")

    assert one != keyring.blind_index(label="traces.trace.namea", value="b")


def test_a_blind_index_of_a_lone_surrogate_is_made_and_raises_no_text(keyring: Keyring) -> None:
    one, other = (keyring.blind_index(label="traces.trace.name", value=text) for text in ("\ud800", "\ud801"))

    assert one != other


def test_a_keyring_shows_ids_only_and_is_never_pickled_or_copied(keyring: Keyring) -> None:
    assert repr(keyring) == f"<Keyring owner={OWNER} epoch=3>"
    for leak in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            leak(keyring)
    keyring.close()
    assert repr(keyring) == f"<Keyring owner={OWNER} epoch=3 closed>"


@pytest.mark.parametrize(
    ("epoch", "keys"),
    [(2, {1: DATA_KEY}), (0, {0: DATA_KEY}), (1, {1: b"short"}), (2**32, {2**32: DATA_KEY})],
)
def test_a_keyring_of_nonsense_is_not_made(epoch: int, keys: dict[int, bytes]) -> None:
    with pytest.raises(ValueError, match=r"keyring|Epochs|data key") as refused:
        Keyring(owner=OWNER, epoch=epoch, keys=keys)

    assert "short" not in str(refused.value)


@pytest.mark.slow
def test_sealing_and_opening_a_kilobyte_takes_under_ten_microseconds(keyring: Keyring) -> None:
    text = b"a" * 1000
    sealed = keyring.seal(text, ENTRY_TEXT)

    sealing = min(timeit.repeat(lambda: keyring.seal(text, ENTRY_TEXT), number=2000, repeat=9)) / 2000
    opening = min(timeit.repeat(lambda: keyring.unseal(sealed, ENTRY_TEXT), number=2000, repeat=9)) / 2000

    assert sealing < 10e-6
    assert opening < 10e-6
