"""Tests of the cryptographic primitives against their published test vectors."""

import hashlib

import pytest
from argon2.low_level import Type, core, ffi, hash_secret_raw
from nacl.bindings import (
    crypto_aead_xchacha20poly1305_ietf_decrypt,
    crypto_aead_xchacha20poly1305_ietf_encrypt,
    crypto_generichash_blake2b_salt_personal,
    crypto_pwhash_alg,
    crypto_pwhash_ALG_ARGON2ID13,
    crypto_scalarmult,
    crypto_scalarmult_base,
)

from llamora.crypto import Cost, Realm, SubkeyUse, derive, derive_realm_keys, subkey
from tests.crypto import golden
from tests.crypto.cast import CHEAP, DATA_KEY, SALT


def test_xchacha20_poly1305_gives_the_vector_of_its_draft() -> None:
    """draft-irtf-cfrg-xchacha-03, appendix A.3.1."""
    text = (
        b"Ladies and Gentlemen of the class of '99: If I could offer you "
        b"only one tip for the future, sunscreen would be it."
    )
    aad = bytes.fromhex("50515253c0c1c2c3c4c5c6c7")
    key = bytes(range(0x80, 0xA0))
    nonce = bytes(range(0x40, 0x58))

    sealed = crypto_aead_xchacha20poly1305_ietf_encrypt(text, aad, nonce, key)

    assert sealed == bytes.fromhex(
        "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb"
        "731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c216cb96b72e1213b452"
        "2f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff9"
        "21f9664c97637da9768812f615c68b13b52e"
        "c0875924c1c7987947deafd8780acf49"
    )
    assert crypto_aead_xchacha20poly1305_ietf_decrypt(sealed, aad, nonce, key) == text


def test_argon2id_gives_the_vector_of_rfc_9106() -> None:
    """RFC 9106, section 5.3: with a key and associated data, which only the low-level function accepts."""
    tag = ffi.new("uint8_t[]", 32)
    buffers = [
        ffi.new("uint8_t[]", bytes([byte]) * size) for byte, size in ((1, 32), (2, 16), (3, 8), (4, 12))
    ]
    context = ffi.new(
        "argon2_context *",
        {
            "version": 19, "out": tag, "outlen": 32, "t_cost": 3, "m_cost": 32, "lanes": 4, "threads": 4,
            "pwd": buffers[0], "pwdlen": 32, "salt": buffers[1], "saltlen": 16,
            "secret": buffers[2], "secretlen": 8, "ad": buffers[3], "adlen": 12,
            "allocate_cbk": ffi.NULL, "free_cbk": ffi.NULL, "flags": 0,
        },
    )  # fmt: skip

    result = core(context, Type.ID.value)

    assert result == 0
    assert bytes(ffi.buffer(tag)).hex() == "0d640df58d78766c08c037a34a8b53c9d01ef0452d75b65eb52520e96b01e659"


def test_argon2id_gives_the_vector_of_the_reference_implementation() -> None:
    """phc-winner-argon2, src/test.c: version 0x13, t=2, m=64 MiB, p=1."""
    tag = hash_secret_raw(
        secret=b"password",
        salt=b"somesalt",
        time_cost=2,
        memory_cost=65536,
        parallelism=1,
        hash_len=32,
        type=Type.ID,
    )

    assert tag.hex() == "09316115d5cf24ed5a15a31a3ba326e5cf32edc24702987c02b6566f61913cf7"


def test_a_derived_key_is_the_one_libsodium_derives() -> None:
    """Two implementations, one key; libsodium knows a single lane only."""
    ours = derive(secret="correct horse", salt=SALT, cost=Cost(memory_kib=64, time=3, lanes=1))

    theirs = crypto_pwhash_alg(32, b"correct horse", SALT, 3, 64 * 1024, crypto_pwhash_ALG_ARGON2ID13)

    assert ours == theirs


def test_the_pinned_secret_derives_the_pinned_key() -> None:
    assert derive(secret=golden.SLOT_SECRET, salt=SALT, cost=CHEAP) == golden.KEK


def test_blake2b_gives_the_vector_of_rfc_7693() -> None:
    """RFC 7693, appendix A."""
    assert hashlib.blake2b(b"abc").hexdigest() == (
        "ba80a53f981c4d0d6a2797b69f12f6e94c212f14685ac4b74b12bb6fdbffa2d1"
        "7d87c5392aab792dc252d5de4533cc9518d38aa8dbf1925ab92386edd4009923"
    )


def test_keyed_blake2b_gives_the_vector_of_the_reference_implementation() -> None:
    """BLAKE2 known answers: key 00..3f, empty input."""
    assert hashlib.blake2b(b"", key=bytes(range(64))).hexdigest() == (
        "10ebb67700b1868efb4417987acf4690ae9d972fb7a590c2f02871799aaa4786"
        "b5e996e8f0f4eb981fc214b005f42d2ff4233499391653df7aefcbc13fc51568"
    )


def test_subkeys_are_the_ones_libsodium_makes_and_stay_as_pinned() -> None:
    for use in SubkeyUse:
        theirs = crypto_generichash_blake2b_salt_personal(
            b"", digest_size=32, key=DATA_KEY, person=use.value.ljust(16, b"\0")
        )

        assert subkey(DATA_KEY, use) == theirs
        assert theirs.hex() == golden.SUBKEYS[use.name]


def test_no_key_of_a_data_key_is_made_twice() -> None:
    subkeys = [subkey(DATA_KEY, use).hex() for use in SubkeyUse]
    of_realms = [key for keys in golden.REALM_KEYS.values() for key in keys]

    # INDEX is one that nothing uses any more: nothing else may ever be keyed with it.
    made = [*subkeys, *of_realms, DATA_KEY.hex(), golden.SUBKEYS["INDEX"]]
    assert len(made) == len(set(made)) == len(SubkeyUse) + 3 * len(Realm) + 2


@pytest.mark.parametrize("realm", Realm)
def test_keys_of_realms_are_the_ones_libsodium_makes_and_stay_as_pinned(realm: Realm) -> None:
    keys = derive_realm_keys(DATA_KEY, realm)

    made = tuple(key.hex() for key in (keys.sealing, keys.blinding, keys.columns))
    theirs = tuple(
        crypto_generichash_blake2b_salt_personal(
            realm.value.encode(), digest_size=32, key=DATA_KEY, person=person.ljust(16, b"\0")
        ).hex()
        for person in (b"llamora.sealing", b"llamora.blinding", b"llamora.columns")
    )
    assert made == theirs == golden.REALM_KEYS[realm.value]


def test_every_realm_has_pinned_keys() -> None:
    assert {realm.value for realm in Realm} == set(golden.REALM_KEYS)


@pytest.mark.parametrize("data_key", [b"", DATA_KEY[:31], DATA_KEY + b"\0"], ids=["none", "short", "long"])
def test_keys_of_realms_are_made_of_a_whole_data_key_only(data_key: bytes) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        derive_realm_keys(data_key, Realm.CONTENT)


def test_x25519_gives_the_vectors_of_rfc_7748() -> None:
    """RFC 7748, sections 5.2 and 6.1."""
    scalar = bytes.fromhex("a546e36bf0527c9d3b16154b82465edd62144c0ac1fc5a18506a2244ba449ac4")
    point = bytes.fromhex("e6db6867583030db3594c1a424b15f7c726624ec26b3353b10a903a6d0ab1c4c")
    alice = bytes.fromhex("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a")
    bob = bytes.fromhex("5dab087e624a8a4b79e17f8b83800ee66f3bb1292618b6fd1c2f8b27ff88e0eb")

    shared = crypto_scalarmult(alice, crypto_scalarmult_base(bob))

    assert crypto_scalarmult(scalar, point).hex() == (
        "c3da55379de9c6908e94ea4df28d084f32eccf03491c71f754b4075577a28552"
    )
    assert crypto_scalarmult_base(alice).hex() == (
        "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"
    )
    assert shared.hex() == "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376f09b3c1e161742"
