"""Estimate of the number of tokens of a text, for servers that cannot count; usually too high.

No tokenizer in use needs more tokens than a text has UTF-8 bytes, so outside ASCII each byte counts as one
token (three for a Chinese character, though most need one or two). Within ASCII, prose has nearly four
characters per token: a third of the letters is a safe estimate, and every digit, sign and line end counts as
one.
"""

import re

_LETTERS = re.compile("[A-Za-z ]+")
TOKENS_PER_MESSAGE = 8
"""Tokens that a chat template adds around one message: role, markers, line ends."""


def estimate_tokens(text: str) -> int:
    """Return an estimate of the number of tokens of a text; usually too high."""
    letters = sum(map(len, _LETTERS.findall(text)))
    return -(-letters // 3) + len(text.encode("utf-8", "surrogatepass")) - letters
