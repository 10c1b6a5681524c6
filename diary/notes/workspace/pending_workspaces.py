"""Workspaces uploaded on the import page, until their owners confirm the preview.

Each stays in memory for half an hour, one per person, sealed under their keys of the realm `notes`: after
a lock or a rotation it cannot be opened. Nothing of it is written to a disk.

    context   purpose "memory", label "diary.note.waiting", row = its id, owner; nothing bound
"""

import struct
import threading
import time
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from llamora.crypto import Context, EnvelopeError, RealmKeyring
from llamora.fields import new_id

WAITING_SECONDS: Final = 30 * 60
# Each has at most the size of a request, 4 MB.
MOST_WAITING: Final = 16
_LENGTH: Final = struct.Struct(">I")


@dataclass(frozen=True)
class _SealedWorkspace:
    id: UUID
    envelope: bytes = field(repr=False)
    since: float


class PendingWorkspaces:
    """Workspaces that wait for confirmation, one for each owner."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_owner: dict[UUID, _SealedWorkspace] = {}

    def add(self, keyring: RealmKeyring, *, source: str, data: bytes) -> UUID:
        """Store a zip with its name, replacing the owner's earlier one, and return its id."""
        id_ = new_id()
        name = source.encode("utf-8", "replace")
        envelope = keyring.seal(_LENGTH.pack(len(name)) + name + data, _build_context(keyring, id_))
        with self._lock:
            self._drop_old()
            self._by_owner.pop(keyring.owner, None)
            while len(self._by_owner) >= MOST_WAITING:
                del self._by_owner[next(iter(self._by_owner))]
            self._by_owner[keyring.owner] = _SealedWorkspace(id_, envelope, time.monotonic())
        return id_

    def take(self, keyring: RealmKeyring, id_: UUID) -> tuple[str, bytes] | None:
        """Remove a workspace and return its name and zip; None if it has expired or was replaced."""
        with self._lock:
            self._drop_old()
            waiting = self._by_owner.get(keyring.owner)
            if waiting is None or waiting.id != id_:
                return None
            del self._by_owner[keyring.owner]
        try:
            plain = keyring.unseal(waiting.envelope, _build_context(keyring, id_))
        except EnvelopeError:
            return None
        (length,) = _LENGTH.unpack_from(plain)
        start = _LENGTH.size
        return plain[start : start + length].decode(), plain[start + length :]

    def forget(self, owner_id: UUID) -> None:
        """Remove the workspace of a person."""
        with self._lock:
            self._by_owner.pop(owner_id, None)

    def _drop_old(self) -> None:
        before = time.monotonic() - WAITING_SECONDS
        self._by_owner = {owner: each for owner, each in self._by_owner.items() if each.since > before}


pending_workspaces = PendingWorkspaces()


def _build_context(keyring: RealmKeyring, id_: UUID) -> Context:
    return Context(purpose="memory", label="diary.note.waiting", row=id_, owner=keyring.owner)
