"""How much of a model's window a prompt may take, and what else every kind of errand needs to know."""

from typing import NamedTuple
from uuid import UUID

from django.conf import settings

from accounts.models import Unlock
from llamora.crypto import VaultLocked
from llamora.inference.job import TokenCounter

DEFAULT_WINDOW = 4096  # of a server that did not say
SPARE_TOKENS = 16


class TokenBudget(NamedTuple):
    """Tokens for a prompt, and for what is written after it."""

    prompt: int
    output: int


def get_token_budget(server: TokenCounter, *, share: float) -> TokenBudget:
    """Return how `share` of the server's window is divided."""
    offered = server.offer.context_window if server.offer else DEFAULT_WINDOW
    window = int(offered * share)
    answer = min(settings.MODEL_REPLY_TOKENS, window // 3)
    return TokenBudget(prompt=window - answer - SPARE_TOKENS, output=answer)


def ensure_unlocked(owner_id: UUID) -> None:
    """Raise VaultLocked where nobody has the person's diary open any more."""
    if not Unlock.objects.filter(sign_in__person_id=owner_id).exists():
        raise VaultLocked
