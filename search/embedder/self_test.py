"""Self-test of an embedder: related sentences must be nearer to each other than unrelated ones."""

from typing import Final

from search.embedder.types import Embedder

_SENTENCE: Final = "We walked along the river at night."
_RELATED: Final = "An evening stroll by the water."
_OTHER: Final = "The tax office sent a letter about the bill."


def is_telling_apart(embedder: Embedder) -> bool:
    """Return whether a sentence lies nearer to one that says the same than to one that does not."""
    sentence, related, other = embedder.embed_passages([_SENTENCE, _RELATED, _OTHER])
    return bool(sentence @ related > sentence @ other)
