"""Estimate of a text's tokens, on the high side, for servers that cannot count them.

No tokenizer in use needs more tokens than a text has UTF-8 bytes, so outside ASCII bytes are counted (three
for a Chinese character, though most need one or two). Within ASCII, prose runs near four characters a token:
a third of the letters is safe, and every digit, sign and line end counts for itself.
"""

import re

_LETTERS = re.compile("[A-Za-z ]+")
TOKENS_PER_MESSAGE = 8
"""Tokens that a chat template adds around one message: role, markers, line ends."""


def estimate_tokens(text: str) -> int:
    """Return an estimate of a text's tokens, on the high side."""
    letters = sum(map(len, _LETTERS.findall(text)))
    return -(-letters // 3) + len(text.encode("utf-8", "surrogatepass")) - letters
