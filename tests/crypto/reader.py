"""A second implementation of the byte formats, written from the docstrings with libsodium alone."""

import hashlib
import struct
from uuid import UUID

from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_decrypt, crypto_box_seal_open


def personal_blake2b(*, data: bytes, key: bytes, person: str) -> bytes:
    return hashlib.blake2b(data, key=key, digest_size=32, person=person.encode().ljust(16, b"\0")).digest()


def short(text: str) -> bytes:
    return len(text.encode()).to_bytes(2, "big") + text.encode()


def additional_data(
    *, number: int, epoch: int, row: UUID, owner: UUID, purpose: str, label: str, bound: dict[str, bytes]
) -> bytes:
    encoded = bytes([number]) + b"llamora context v1\n" + epoch.to_bytes(4, "big") + row.bytes + owner.bytes
    encoded += short(purpose) + short(label) + len(bound).to_bytes(2, "big")
    for name in sorted(bound, key=str.encode):
        encoded += short(name) + len(bound[name]).to_bytes(4, "big") + bound[name]
    return encoded


def open_envelope(
    envelope: bytes, *, key: bytes, row: UUID, owner: UUID, purpose: str, label: str, bound: dict[str, bytes]
) -> bytes:
    number, epoch = envelope[0], int.from_bytes(envelope[1:5], "big")
    assert number in (1, 2)
    aad = additional_data(
        number=number, epoch=epoch, row=row, owner=owner, purpose=purpose, label=label, bound=bound
    )
    padded = crypto_aead_xchacha20poly1305_ietf_decrypt(envelope[29:], aad, envelope[5:29], key)
    length = int.from_bytes(padded[:4], "big")
    assert set(padded[4 + length :]) <= {0}
    return padded[4 : 4 + length]


def realm_key(*, data_key: bytes, realm: str, use: str) -> bytes:
    """Return a key of a realm in format 2; the use is "sealing", "blinding" or "columns"."""
    return personal_blake2b(data=realm.encode(), key=data_key, person=f"llamora.{use}")


def blind_index(*, key: bytes, label: str, value: str) -> bytes:
    return personal_blake2b(data=short(label) + value.encode(), key=key, person="llamora.blind")


def column_code(
    *, key: bytes, epoch: int, row: UUID, owner: UUID, label: str, bound: dict[str, bytes]
) -> bytes:
    """Return the code of plaintext columns in format 2."""
    data = additional_data(
        number=2, epoch=epoch, row=row, owner=owner, purpose="columns", label=label, bound=bound
    )
    return b"\x02" + epoch.to_bytes(4, "big") + personal_blake2b(data=data, key=key, person="llamora.mac")


def open_box(*, box: bytes, public_key: bytes, private_key: bytes) -> tuple[UUID, UUID, int, bytes]:
    """Return the owner, slot, epoch and data key in a box."""
    number, owner, slot, epoch, data_key = struct.unpack(
        ">B16s16sI32s", crypto_box_seal_open(box, public_key, private_key)
    )
    assert number == 1
    return UUID(bytes=owner), UUID(bytes=slot), epoch, data_key
