"""Snapshots of one person's index between sessions, sealed under the snapshot key.

A file is named `<kind>-<epoch>-<fingerprint>-<generation>.sealed`, in the person's folder, with mode 0600.
The fingerprint is the first 8 bytes of the key's fingerprint (`llamora.crypto.keyring`), in hexadecimal, so
that a file is read and deleted only by those who hold its key. Older files have no fingerprint in their
names: they are read too, and then deleted. The bytes of a file, big-endian:

    4 bytes   "LLS" and the format, 1
    u32       epoch of the key
    16 bytes  generation: a UUIDv7, so that later files sort last
    u32       number of pieces
    pieces    u32 length | envelope (as in `llamora.crypto.envelope`)

Every piece is bound to the owner, the kind, the generation, the version of the index rules, its own number
and the number of pieces. So a truncated file, a file of another person, epoch or version, and pieces combined
from two files do not open. A file of this key that does not open is deleted, and the index is rebuilt. A file
is written under a temporary name, synced and renamed, so that a crash leaves the previous one. An older file
restored by hand does no harm: the texts that changed since are read again.

Writing and deleting share one lock: after `delete`, nothing is written under a keyring that was closed
before, so that no snapshot under a replaced key remains.
"""

import os
import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from threading import Lock
from typing import Final
from uuid import UUID

from llamora.crypto import Context, CryptoError, KeyId, Keyring, seal, unseal
from llamora.fields import new_id
from search import chunks
from search.embedder.types import Embedder
from search.errors import SnapshotRefused
from search.index import words
from search.index.vectors import VectorsIndex
from search.index.words import WordsIndex

PURPOSE: Final = "snapshot"
KINDS: Final = ("words", "vectors")
PIECE_BYTES: Final = 4 * 1024 * 1024

_MAGIC: Final = b"LLS\x01"
_HEAD: Final = struct.Struct(">4sI16sI")
_U32: Final = struct.Struct(">I")
_UUID_LENGTH: Final = 36
_SUFFIX: Final = ".sealed"
_PARTIAL_SUFFIX: Final = ".part"


class SnapshotFolder:
    """The folder of one person's snapshots."""

    def __init__(self, folder: Path, owner: UUID) -> None:
        self._folder = folder / str(owner)
        self._owner = owner

    def write(self, *, kind: str, rule: str, data: bytes, keyring: Keyring) -> None:
        """Seal and write an index, and delete earlier files of its kind; raise OSError if the disk fails."""
        generation = new_id()
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.chmod(self._folder.parent, 0o700)
        path = self._folder / f"{kind}-{keyring.epoch}-{_get_mark(keyring.key_id)}-{generation}{_SUFFIX}"
        half = path.with_suffix(_PARTIAL_SUFFIX)
        try:
            with open(half, "wb", opener=_open_private) as file:
                for piece in self._seal_pieces(kind, rule, generation, data, keyring):
                    file.write(piece)
                file.flush()
                os.fsync(file.fileno())
            os.replace(half, path)
        except BaseException:
            half.unlink(missing_ok=True)
            raise
        _sync_folder(self._folder)
        self._delete(other for other in self._list_files(kind, keyring.key_id) if other != path)

    def read(self, *, kind: str, rule: str, keyring: Keyring) -> bytes:
        """Return the newest index of a kind that can be decrypted; raise SnapshotRefused if there is none.

        A file that does not open is deleted if it has the fingerprint of this key in its name.
        """
        refusal = SnapshotRefused("missing")
        own = self._list_files(kind, keyring.key_id)
        for path in sorted([*own, *self._list_unmarked(kind)], key=_get_generation, reverse=True):
            try:
                opened = self._open(path, kind, rule, keyring)
            except SnapshotRefused as refused:
                refusal = refused
                if path in own:
                    self._delete([path])
                continue
            if path not in own:
                self.write(kind=kind, rule=rule, data=opened, keyring=keyring)
                self._delete([path])
            return opened
        raise refusal

    def delete(self, key_id: KeyId) -> None:
        """Delete the snapshots of one key.

        Snapshots without a fingerprint of a key in their names are deleted too.
        """
        for kind in KINDS:
            self._delete([*self._list_files(kind, key_id), *self._list_unmarked(kind)])

    def delete_all(self) -> None:
        """Delete every snapshot of this person."""
        self._delete(self._folder.iterdir() if self._folder.is_dir() else ())
        with suppress(OSError):
            self._folder.rmdir()

    def _list_files(self, kind: str, key_id: KeyId) -> list[Path]:
        if not self._folder.is_dir():
            return []
        begin = f"{kind}-*-{_get_mark(key_id)}-*"
        self._delete(self._folder.glob(f"{begin}{_PARTIAL_SUFFIX}"))
        return list(self._folder.glob(f"{begin}{_SUFFIX}"))

    def _list_unmarked(self, kind: str) -> list[Path]:
        found = self._folder.glob(f"{kind}-*{_SUFFIX}") if self._folder.is_dir() else ()
        return [
            path
            for path in found
            if len(path.stem) == len(f"{kind}-{path.stem.split('-')[1]}-") + _UUID_LENGTH
        ]

    def _delete(self, paths: Iterator[Path] | list[Path] | tuple[Path, ...]) -> None:
        for path in paths:
            with suppress(OSError):
                path.unlink(missing_ok=True)

    def _context(self, kind: str, rule: str, generation: UUID, number: int, pieces: int) -> Context:
        bound = (("rule", rule.encode()), ("piece", _U32.pack(number)), ("pieces", _U32.pack(pieces)))
        return Context(
            purpose=PURPOSE, label=f"search.snapshot.{kind}", row=generation, owner=self._owner, bound=bound
        )

    def _seal_pieces(
        self, kind: str, rule: str, generation: UUID, data: bytes, keyring: Keyring
    ) -> Iterator[bytes]:
        key, view = keyring.snapshot_key(), memoryview(data)
        pieces = max(1, -(-len(data) // PIECE_BYTES))
        yield _HEAD.pack(_MAGIC, keyring.epoch, generation.bytes, pieces)
        for number in range(pieces):
            envelope = seal(
                key=key,
                plaintext=bytes(view[number * PIECE_BYTES : (number + 1) * PIECE_BYTES]),
                context=self._context(kind, rule, generation, number, pieces),
                epoch=keyring.epoch,
            )
            yield _U32.pack(len(envelope))
            yield envelope

    def _open(self, path: Path, kind: str, rule: str, keyring: Keyring) -> bytes:
        key = keyring.snapshot_key()
        try:
            with open(path, "rb") as file:
                magic, epoch, generation, pieces = _HEAD.unpack(file.read(_HEAD.size))
                if magic != _MAGIC or epoch != keyring.epoch:
                    raise SnapshotRefused("old")
                opened = []
                for number in range(pieces):
                    envelope = file.read(_U32.unpack(file.read(_U32.size))[0])
                    context = self._context(kind, rule, UUID(bytes=generation), number, pieces)
                    opened.append(unseal(key=key, envelope=envelope, context=context))
                if file.read(1):
                    raise SnapshotRefused("torn")
        except (OSError, struct.error, MemoryError, OverflowError):
            raise SnapshotRefused("torn") from None
        except CryptoError:
            # Nothing more can be said: torn, of another person, or of another rule all look alike.
            raise SnapshotRefused("foreign") from None
        return b"".join(opened)


def _open_private(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_EXCL, 0o600)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _get_mark(key_id: KeyId) -> str:
    return key_id.fingerprint[:8].hex()


def _get_generation(path: Path) -> str:
    return path.stem[-_UUID_LENGTH:]


_MIN_CHANGED: Final = 20
# This share of the texts may be facts and notes whose vectors are in no file: a fraction of a second's work.
_UNSAVED_SHARE: Final = 2_000
# Facts and notes that were embedded together, such as an import: written as soon as all are.
MANY_UNSAVED: Final = 50
_ALL_CHANGED: Final = 1_000_000


class IndexSnapshots:
    """The snapshots of one person, and the number of texts that changed since each was written."""

    def __init__(self, folder: SnapshotFolder) -> None:
        self._folder = folder
        self._write_lock = Lock()
        self.words_changed = self.vectors_changed = 0
        # Of these, vectors that are in no table: what is not written is made again at the next unlock.
        self.vectors_unsaved = 0
        # Whether what is left of a forgotten text in the word index must go before it is written.
        self._must_purge = False

    def load_words(self, keyring: Keyring) -> WordsIndex:
        """Return the saved word index, or an empty one if none can be loaded."""
        try:
            return WordsIndex(self._folder.read(kind="words", rule=words.WORDS_RULE, keyring=keyring))
        except SnapshotRefused:
            return WordsIndex()

    def load_vectors(self, embedder: Embedder, keyring: Keyring) -> VectorsIndex:
        """Return the saved vector index, or an empty one if none can be loaded."""
        try:
            data = self._folder.read(kind="vectors", rule=_get_vector_rule(embedder), keyring=keyring)
            return VectorsIndex.load(data, width=embedder.width)
        except SnapshotRefused:
            return VectorsIndex(embedder.width)

    def save_words(self, index: WordsIndex, keyring: Keyring, *, force: bool) -> None:
        """Write the word index if enough of it changed; raise OSError if the disk fails."""
        if _is_worth_saving(self.words_changed, index, force=force):
            with self._write_lock:
                if self._must_purge:
                    index.purge()
                    self._must_purge = False
                self.words_changed = 0
                self._folder.write(kind="words", rule=words.WORDS_RULE, data=index.dump(), keyring=keyring)

    def save_vectors(
        self, index: VectorsIndex, embedder: Embedder, keyring: Keyring, *, words: WordsIndex, force: bool
    ) -> None:
        """Write the vector index if enough of it changed; raise OSError if the disk fails."""
        force = force or self.vectors_unsaved > words.count() // _UNSAVED_SHARE
        if _is_worth_saving(self.vectors_changed, words, force=force):
            with self._write_lock:
                self.vectors_changed = self.vectors_unsaved = 0
                rule = _get_vector_rule(embedder)
                self._folder.write(kind="vectors", rule=rule, data=index.dump(), keyring=keyring)

    def mark_all_changed(self) -> None:
        """Mark both indexes as changed, so that the next save writes them."""
        self.words_changed = self.vectors_changed = _ALL_CHANGED

    def delete(self, key_id: KeyId) -> None:
        """Delete the snapshots of the data key `key_id`."""
        with self._write_lock:
            self._folder.delete(key_id)

    def renew(self, key_id: KeyId) -> None:
        """Delete the snapshots of the data key `key_id`. The next save writes new snapshots.

        The word index and the vector index are marked as changed, so that the next save writes both.
        """
        with self._write_lock:
            self._must_purge = True
            self._folder.delete(key_id)
            self.mark_all_changed()


def _is_worth_saving(changed: int, index: WordsIndex, *, force: bool) -> bool:
    return bool(changed) and (force or changed >= max(_MIN_CHANGED, index.count() // 50))


def _get_vector_rule(embedder: Embedder) -> str:
    return f"{embedder.name}|{chunks.CHUNK_RULE}"
