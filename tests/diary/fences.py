"""Fences around texts in prompts, as tests compare them: without their codes, which are random."""

import json
import re

_FENCE = re.compile(r"<(/?)text [0-9a-f]{32}>")


def hide_codes(message: str) -> str:
    """Return a message of a prompt with its fences as `<text>` and `</text>`."""
    return _FENCE.sub(r"<\1text>", message)


def fence(*records: object) -> str:
    """Return texts as a prompt has them once its codes are hidden."""
    return "\n".join(["<text>", *(json.dumps(one, ensure_ascii=False) for one in records), "</text>"])
