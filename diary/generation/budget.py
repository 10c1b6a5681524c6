"""The token budget of a prompt, and the check that its owner is still unlocked."""

from typing import NamedTuple

from django.conf import settings

from accounts.sessions.registry import session_registry
from llamora.crypto import VaultLocked, current_realm_keyring
from llamora.inference.job import TokenCounter

DEFAULT_WINDOW = 4096  # of a server that does not announce its own
SPARE_TOKENS = 16


class TokenBudget(NamedTuple):
    """Numbers of tokens for a prompt, for its answer, and for the model's thinking before the answer."""

    prompt: int
    output: int
    thinking: int = 0


def get_token_budget(server: TokenCounter, *, share: float) -> TokenBudget:
    """Return the division of `share` of the server's context window into prompt, thinking and answer."""
    offered = server.offer.context_window if server.offer else DEFAULT_WINDOW
    window = int(offered * share)
    output = min(settings.MODEL_REPLY_TOKENS, window // 3)
    thinking = int(server.thinking_tokens * share)
    return TokenBudget(prompt=window - output - thinking - SPARE_TOKENS, output=output, thinking=thinking)


def ensure_unlocked() -> None:
    """Raise VaultLocked if no browser has the diary unlocked any more with the key in force."""
    if not session_registry.is_held(current_realm_keyring().key_id):
        raise VaultLocked
