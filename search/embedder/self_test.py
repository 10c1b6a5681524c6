"""Self-test of an embedder: related sentences must have more similar vectors than unrelated ones."""

from typing import Final

from search.embedder.types import Embedder

_SENTENCE: Final = "We walked along the river at night."
_RELATED: Final = "An evening stroll by the water."
_OTHER: Final = "The tax office sent a letter about the bill."


def passes_self_test(embedder: Embedder) -> bool:
    """Return whether an embedder ranks a sentence of the same meaning above an unrelated one."""
    sentence, related, other = embedder.embed_passages([_SENTENCE, _RELATED, _OTHER])
    return bool(sentence @ related > sentence @ other)
