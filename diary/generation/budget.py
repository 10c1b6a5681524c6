"""The token budget of a prompt, and the check that its owner is still unlocked."""

from typing import NamedTuple

from django.conf import settings

from accounts.sessions.register import register
from llamora.crypto import VaultLocked, current_keyring
from llamora.inference.job import TokenCounter

DEFAULT_WINDOW = 4096  # of a server that does not announce its own
SPARE_TOKENS = 16


class TokenBudget(NamedTuple):
    """Numbers of tokens for a prompt and for its answer."""

    prompt: int
    output: int


def get_token_budget(server: TokenCounter, *, share: float) -> TokenBudget:
    """Return the division of `share` of the server's context window into prompt and answer."""
    offered = server.offer.context_window if server.offer else DEFAULT_WINDOW
    window = int(offered * share)
    output = min(settings.MODEL_REPLY_TOKENS, window // 3)
    return TokenBudget(prompt=window - output - SPARE_TOKENS, output=output)


def ensure_unlocked() -> None:
    """Raise VaultLocked if no browser has the diary unlocked any more with the key in force."""
    if not register.is_held(current_keyring().key_id):
        raise VaultLocked
