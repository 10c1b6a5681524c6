"""Former data keys, stored until their rotation is finished, and sealed under a key in a file.

A former key is sealed twice: with a key in a file of the data folder, and then, as a field, under the current
data key. The last step of the rotation destroys the file, so restoring the row in the database does not
restore the key.

    former_keys/<owner id, hex>-<epoch>   beside the database: 32 random bytes, readable by the server alone

    field       an envelope (see `llamora.crypto.envelope`) of the former data key under the file's key, with
                the former epoch and the context purpose "former_key", label "accounts.former_key.wrapped",
                row = owner = the person's id, nothing bound

Versions before format 2 stored the 32 bytes of the former data key in the field. These are accepted only in a
diary of format 1; its move to format 2 seals them as above.

A restore writes the files of a backup beside those in use, as `<owner id, hex>-<epoch>.restored`, before it
replaces the database, and renames them afterwards. If it is killed in between, both files exist, and the one
that opens the field is used.
"""

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from uuid import UUID

from django.db import connection

from accounts.models import FormerKey
from llamora import crypto
from llamora.crypto import Context, CryptoError, Keyring, NotAuthentic, in_force

FOLDER = "former_keys"
# The end of the name of a file that a restore has placed before the database.
RESTORED = ".restored"
_KEY_LENGTH = 32


def get_folder() -> Path:
    """Return the folder of the key files, which is beside the database in use.

    That database may be an unpacked backup.
    """
    return Path(connection.settings_dict["NAME"]).parent / FOLDER


def save_former_key(keyring: Keyring, *, epoch: int) -> None:
    """Save a former data key in a row and a file; call in the transaction of a rotation.

    If an earlier rotation is unfinished, its former key has both already: the row is sealed again in the new
    epoch, under the key in the same file.
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
    """Return a dict from epoch to former data key, without the keys that do not open."""
    found: dict[int, bytes] = {}
    with in_force(keyring):
        for row in rows:
            if row.epoch < keyring.epoch:
                with suppress(CryptoError, OSError):
                    found[row.epoch] = _open_row(row, keyring)
    return found


def delete_former_key(owner: UUID, *, epoch: int) -> None:
    """Delete the row of a former key in a transaction; call `destroy_files` after the commit."""
    FormerKey.objects.filter(owner_id=owner, epoch=epoch).delete()


def destroy_files(owner: UUID, *, before: int | None = None, except_epochs: Iterable[int] = ()) -> None:
    """Overwrite and remove the files of a person's former keys, except those of the given epochs.

    With `before`, files of that epoch and later ones remain, too: another rotation may have begun meanwhile.
    """
    for epoch in list_file_epochs(owner) - set(except_epochs):
        if before is None or epoch < before:
            path = _build_path(owner, epoch)
            _destroy(path)
            _destroy(path.with_name(path.name + RESTORED))


def place_restored_files(sources: Iterable[Path], folder: Path) -> None:
    """Copy the key files of a backup into the folder, under names that end with `.restored`."""
    for source in sources:
        folder.mkdir(mode=0o700, exist_ok=True)
        target = folder / f"{source.name}{RESTORED}"
        target.unlink(missing_ok=True)
        _write(target, source.read_bytes(), flags=os.O_CREAT | os.O_EXCL)
    if folder.is_dir():
        _sync_folder(folder)


def adopt_restored_files(folder: Path) -> None:
    """Destroy the present key files, and give the restored ones their proper names.

    Call after the database of these files was restored.
    """
    for path in [path for path in folder.glob("*") if not path.name.endswith(RESTORED)]:
        _destroy(path)
    for path in list(folder.glob(f"*{RESTORED}")):
        path.replace(path.with_name(path.name.removesuffix(RESTORED)))
    if folder.is_dir():
        _sync_folder(folder)


def remove_restored_files(folder: Path) -> None:
    """Destroy the restored key files, because the restore of their database has failed."""
    for path in list(folder.glob(f"*{RESTORED}")):
        _destroy(path)


def list_owners_of_files() -> set[UUID]:
    """Return the ids of the people who have files of former keys."""
    names = (path.name.partition("-")[0] for path in get_folder().glob("*-*"))
    found = set()
    for name in names:
        with suppress(ValueError):
            found.add(UUID(hex=name))
    return found


def list_file_epochs(owner: UUID) -> set[int]:
    """Return the epochs of those former keys of a person that are stored in files."""
    paths = get_folder().glob(f"{owner.hex}-*")
    numbers = (path.name.removesuffix(RESTORED).rpartition("-")[2] for path in paths)
    return {int(number) for number in numbers if number.isdecimal()}


def _open_row(row: FormerKey, keyring: Keyring) -> bytes:
    """Return the data key in a row; raise a CryptoError or OSError."""
    stored = bytes(row.data_key)
    if len(stored) == _KEY_LENGTH and keyring.is_of_format_1:
        return stored
    if crypto.read_header(stored).epoch != row.epoch:
        raise NotAuthentic
    path = _build_path(keyring.owner, row.epoch)
    try:
        return _unwrap(stored, path, owner=keyring.owner)
    except (CryptoError, OSError):
        restored = path.with_name(path.name + RESTORED)
        if not restored.exists():
            raise
        data_key = _unwrap(stored, restored, owner=keyring.owner)
        # Of a restore that was killed: this database is the one that was restored.
        restored.replace(path)
        _sync_folder(path.parent)
        return data_key


def _unwrap(stored: bytes, path: Path, *, owner: UUID) -> bytes:
    key = path.read_bytes()
    if not _is_key(key):
        raise NotAuthentic
    return crypto.unseal(key=key, envelope=stored, context=_build_context(owner))


def _is_key(content: bytes) -> bool:
    """Return whether a file has a key: not one that was cut short, or overwritten but not yet removed."""
    return len(content) == _KEY_LENGTH and any(content)


def _load_or_create_file(owner: UUID, epoch: int) -> bytes:
    path = _build_path(owner, epoch)
    with suppress(FileNotFoundError):
        key = path.read_bytes()
        if _is_key(key):
            return key
        # Cut short by a power cut before its rotation was written, or left by one while it was destroyed.
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
