"""The token budget of a prompt, and the check that the diary is still unlocked."""

from typing import NamedTuple

from django.conf import settings

from accounts.sessions.registry import session_registry
from diary.generation.prompt_context import get_token_upper_bound
from llamora.crypto import VaultLocked, current_realm_keyring
from llamora.inference.job import TokenCounter
from llamora.llm.deltas import ChatMessages

DEFAULT_WINDOW = 4096  # of a server that does not announce its own
SPARE_TOKENS = 16


class TokenBudget(NamedTuple):
    """Numbers of tokens for a prompt, for its answer, and for the model's thinking before the answer."""

    prompt: int
    output: int
    thinking: int = 0


def get_token_budget(server: TokenCounter, *, share: float) -> TokenBudget:
    """Return how a fraction (`share`) of the context window is divided into prompt, thinking and answer.

    All sizes are in tokens.
    """
    offered = server.offer.context_window if server.offer else DEFAULT_WINDOW
    window = int(offered * share)
    output = min(settings.MODEL_REPLY_TOKENS, window // 3)
    thinking = int(server.thinking_tokens * share)
    return TokenBudget(prompt=window - output - thinking - SPARE_TOKENS, output=output, thinking=thinking)


async def fit_persona(persona: str, *, beside: str = "", server: TokenCounter, budget: TokenBudget) -> str:
    """Return the persona if it fits into the prompt, else "".

    The persona and `beside`, the text in the same message, may take at most half of the prompt. The texts to
    read are more important: a longer persona would push them out of the prompt, or the prompt would not fit
    at all.
    """
    message: ChatMessages = [{"role": "system", "content": f"{persona}\n\n{beside}"}]
    most = budget.prompt // 2
    if not persona or get_token_upper_bound(message) <= most:
        return persona
    return persona if await server.count_message_tokens(message) <= most else ""


def ensure_unlocked() -> None:
    """Raise VaultLocked if the vault of the keyring in force is locked in all browsers of its owner."""
    if not session_registry.is_held(current_realm_keyring().key_id):
        raise VaultLocked
