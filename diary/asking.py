"""How much of a model's window a prompt may take, and what else every kind of errand needs to know."""

from typing import NamedTuple
from uuid import UUID

from django.conf import settings

from accounts.models import Unlock
from llamora.crypto import VaultLocked
from llamora.inference.job import Counting

SMALLEST_WINDOW = 4096  # of a server that did not say
SPARE = 16


class Room(NamedTuple):
    """Tokens for a prompt, and for what is written after it."""

    prompt: int
    answer: int


def room_in(server: Counting, *, share: float) -> Room:
    """Return how `share` of the server's window is divided."""
    offered = server.offer.context_window if server.offer else SMALLEST_WINDOW
    window = int(offered * share)
    answer = min(settings.MODEL_REPLY_TOKENS, window // 3)
    return Room(prompt=window - answer - SPARE, answer=answer)


def refuse_locked(owner_id: UUID) -> None:
    """Raise VaultLocked where nobody has the person's diary open any more."""
    if not Unlock.objects.filter(sign_in__person_id=owner_id).exists():
        raise VaultLocked
