"""Data keys of former epochs, while rows are still sealed under them: in the database, and in a file.

A former key is sealed twice: with a key in a file of the data folder, then, as a field, under the current
data key. Its rotation's last step overwrites and removes the file, so a row of a former key that is put back
into the database opens nothing.

    former_keys/<owner id, hex>-<epoch>   beside the database: 32 random bytes, readable by the server alone

    field       an envelope (see `llamora.crypto.envelope`) of the former data key under the file's key, with
                the former epoch and the context purpose "former_key", label "accounts.former_key.wrapped",
                row = owner = the person's id, nothing bound

A rotation that was begun by a version before format 2 left the 32 bytes of the former data key in the field.
"""

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from uuid import UUID

from django.db import connection

from accounts.models import FormerKey
from llamora import crypto
from llamora.crypto import Context, CryptoError, EnvelopeError, Keyring, in_force

FOLDER = "former_keys"
_KEY_LENGTH = 32


def get_folder() -> Path:
    """Return the folder of the files, beside the database in use, which may be an unpacked backup."""
    return Path(connection.settings_dict["NAME"]).parent / FOLDER


def save_former_key(keyring: Keyring, *, epoch: int) -> None:
    """Save the data key of a former epoch in a row and a file, in the transaction of a rotation.

    Both are written anew for a key whose row another epoch sealed.
    """
    wrapped = crypto.seal(
        key=_load_or_create_file(keyring.owner, epoch),
        plaintext=keyring.data_key(epoch),
        context=_build_context(keyring.owner),
        epoch=epoch,
    )
    row = FormerKey.objects.filter(owner_id=keyring.owner, epoch=epoch).first()
    with in_force(keyring):
        if row is None:
            FormerKey.objects.create(owner_id=keyring.owner, epoch=epoch, data_key=wrapped)
        else:
            row.data_key = wrapped
            row.save(update_fields=["data_key"])


def open_former_keys(keyring: Keyring, rows: Iterable[FormerKey]) -> dict[int, bytes]:
    """Return the former data keys that open, by epoch, and without those of unreadable rows."""
    found: dict[int, bytes] = {}
    with in_force(keyring):
        for row in rows:
            if row.epoch < keyring.epoch:
                with suppress(CryptoError, OSError):
                    found[row.epoch] = _unwrap(bytes(row.data_key), owner=keyring.owner, epoch=row.epoch)
    return found


def delete_former_key(owner: UUID, *, epoch: int) -> None:
    """Delete the row of a former key, in a transaction; its file is destroyed after the commit."""
    FormerKey.objects.filter(owner_id=owner, epoch=epoch).delete()


def destroy_files(owner: UUID, *, before: int | None = None, except_epochs: Iterable[int] = ()) -> None:
    """Overwrite and remove a person's files, but not those of these epochs.

    With `before`, only those of earlier epochs: a later rotation may have begun meanwhile.
    """
    for epoch in list_file_epochs(owner) - set(except_epochs):
        if before is None or epoch < before:
            _destroy(_build_path(owner, epoch))


def list_file_epochs(owner: UUID) -> set[int]:
    """Return the epochs for whose data keys a person has files."""
    numbers = (path.name.rpartition("-")[2] for path in get_folder().glob(f"{owner.hex}-*"))
    return {int(number) for number in numbers if number.isdecimal()}


def _unwrap(stored: bytes, *, owner: UUID, epoch: int) -> bytes:
    if len(stored) == _KEY_LENGTH:
        return stored
    if crypto.read_header(stored).epoch != epoch:
        raise EnvelopeError
    return crypto.unseal(
        key=_build_path(owner, epoch).read_bytes(), envelope=stored, context=_build_context(owner)
    )


def _load_or_create_file(owner: UUID, epoch: int) -> bytes:
    path = _build_path(owner, epoch)
    with suppress(FileNotFoundError):
        key = path.read_bytes()
        if len(key) == _KEY_LENGTH:
            return key
        # Cut short by a power cut before its rotation was written.
        path.unlink()
    path.parent.mkdir(mode=0o700, exist_ok=True)
    key = crypto.secret_bytes(_KEY_LENGTH)
    _write(path, key, flags=os.O_CREAT | os.O_EXCL)
    _sync_folder(path.parent)
    return key


def _write(path: Path, content: bytes, *, flags: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | flags, 0o600)
    try:
        os.write(descriptor, content)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _destroy(path: Path) -> None:
    with suppress(FileNotFoundError):
        _write(path, bytes(_KEY_LENGTH), flags=0)
        path.unlink()
        _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _build_path(owner: UUID, epoch: int) -> Path:
    return get_folder() / f"{owner.hex}-{epoch}"


def _build_context(owner: UUID) -> Context:
    return Context(purpose="former_key", label="accounts.former_key.wrapped", row=owner, owner=owner)
