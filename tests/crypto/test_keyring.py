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

from llamora.crypto import (
    Keyring,
    NotAuthentic,
    Truncated,
    UnknownFormat,
    Use,
    VaultLocked,
    WrongEpoch,
    current_keyring,
    in_force,
    secret_bytes,
    subkey,
)
from tests.crypto import golden
from tests.crypto.cast import DATA_KEY, ENTRY_TEXT, HOUSEMATE, NEXT_DATA_KEY, OWNER


def test_a_keyring_opens_what_it_sealed(keyring: Keyring) -> None:
    sealed = keyring.seal(b"snow", ENTRY_TEXT)

    assert keyring.unseal(sealed, ENTRY_TEXT) == b"snow"
    assert keyring.unseal(golden.SHORT, ENTRY_TEXT).decode() == golden.SHORT_TEXT


def test_a_keyring_seals_under_its_epoch_and_opens_all_it_holds() -> None:
    rotating = Keyring(owner=OWNER, epoch=4, keys={3: DATA_KEY, 4: NEXT_DATA_KEY})

    sealed = rotating.seal(b"new", ENTRY_TEXT)

    assert int.from_bytes(sealed[1:5], "big") == 4
    assert rotating.unseal(sealed, ENTRY_TEXT) == b"new"
    assert rotating.unseal(golden.SHORT, ENTRY_TEXT).decode() == golden.SHORT_TEXT


def test_an_envelope_of_an_epoch_not_held_is_refused(keyring: Keyring) -> None:
    later = Keyring(owner=OWNER, epoch=4, keys={4: NEXT_DATA_KEY})

    with pytest.raises(WrongEpoch) as refused:
        later.unseal(golden.SHORT, ENTRY_TEXT)

    assert refused.value.code == "wrong_epoch"


def test_an_envelope_relabelled_to_an_epoch_that_is_held_is_refused() -> None:
    rotating = Keyring(owner=OWNER, epoch=4, keys={3: DATA_KEY, 4: NEXT_DATA_KEY})
    relabelled = golden.SHORT[:1] + (4).to_bytes(4, "big") + golden.SHORT[5:]

    with pytest.raises(NotAuthentic):
        rotating.unseal(relabelled, ENTRY_TEXT)


def test_a_flipped_byte_anywhere_has_its_own_error(keyring: Keyring) -> None:
    for at in range(len(golden.SHORT)):
        flipped = bytearray(golden.SHORT)
        flipped[at] ^= 0xFF
        expected = UnknownFormat if at == 0 else WrongEpoch if at < 5 else NotAuthentic

        with pytest.raises(expected):
            keyring.unseal(bytes(flipped), ENTRY_TEXT)


@pytest.mark.parametrize("too_short", [b"", b"\x01", b"\x01\0\0\0\x03", golden.SHORT[:108]])
def test_bytes_too_few_for_an_envelope_are_refused(keyring: Keyring, too_short: bytes) -> None:
    with pytest.raises(Truncated):
        keyring.unseal(too_short, ENTRY_TEXT)


def test_another_keyring_opens_nothing() -> None:
    stranger = Keyring(owner=OWNER, epoch=3, keys={3: secret_bytes()})

    with pytest.raises(NotAuthentic):
        stranger.unseal(golden.SHORT, ENTRY_TEXT)


def test_a_keyring_neither_seals_nor_opens_for_another_owner(keyring: Keyring) -> None:
    housemates = replace(ENTRY_TEXT, owner=HOUSEMATE)

    with pytest.raises(NotAuthentic):
        keyring.seal(b"snow", housemates)
    with pytest.raises(NotAuthentic):
        keyring.unseal(golden.SHORT, housemates)


USES: list[Callable[[Keyring], object]] = [
    lambda keyring: keyring.seal(b"snow", ENTRY_TEXT),
    lambda keyring: keyring.unseal(golden.SHORT, ENTRY_TEXT),
    lambda keyring: keyring.blind_index(label="traces.trace.name", value="snow"),
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


def test_closing_overwrites_the_data_keys_and_leaves_none_behind(keyring: Keyring) -> None:
    held = keyring._data_keys[3]

    keyring.close()

    assert bytes(held) == bytes(32)
    left = [
        getattr(keyring, name)
        for name in ("_sealing", "_index", "_snapshot", "_content", "_slots", "_data_keys")
    ]
    assert not any(left)


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
    started.wait(5)
    keyring.close()
    for thread in threads:
        thread.join(5)

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

    assert rotating.snapshot_key() == subkey(NEXT_DATA_KEY, Use.SNAPSHOT)
    assert rotating.slots_key() == rotating.slots_key(4) == subkey(NEXT_DATA_KEY, Use.SLOTS)
    assert rotating.slots_key(3) == subkey(DATA_KEY, Use.SLOTS)
    assert (rotating.data_key(), rotating.data_key(3)) == (NEXT_DATA_KEY, DATA_KEY)
    with pytest.raises(WrongEpoch):
        rotating.slots_key(2)


def test_a_blind_index_is_equal_for_equal_values_only(keyring: Keyring) -> None:
    index = keyring.blind_index(label="traces.trace.name", value="Großmutter")

    assert index == golden.BLIND_INDEX
    assert index != keyring.blind_index(label="traces.trace.name", value="großmutter")
    assert index != keyring.blind_index(label="search.query.text", value="Großmutter")
    stranger = Keyring(owner=OWNER, epoch=3, keys={3: secret_bytes()})
    assert index != stranger.blind_index(label="traces.trace.name", value="Großmutter")


@given(st.text(max_size=5), st.text(max_size=5), st.text(max_size=5), st.text(max_size=5))
def test_a_blind_index_keeps_label_and_value_apart(label: str, value: str, label2: str, value2: str) -> None:
    keyring = Keyring(owner=OWNER, epoch=3, keys={3: DATA_KEY})
    one = keyring.blind_index(label=label, value=value)
    other = keyring.blind_index(label=label2, value=value2)

    assert (one == other) == ((label, value) == (label2, value2))


def test_a_blind_index_of_a_lone_surrogate_is_made_and_raises_no_text(keyring: Keyring) -> None:
    assert keyring.blind_index(label="l", value="\ud800") != keyring.blind_index(label="l", value="\ud801")


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
