"""The wire formats by name, and what one of them does not know."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from llamora.llm.formats.anthropic import MESSAGES
from llamora.llm.formats.chat_completions import CHAT_COMPLETIONS
from llamora.llm.formats.ollama import CHAT
from llamora.llm.formats.wire_format import WireFormat
from llamora.llm.requests.sampling import Sampling

FORMATS: Final[Mapping[str, WireFormat]] = MappingProxyType(
    {one.name: one for one in (CHAT_COMPLETIONS, MESSAGES, CHAT)}
)


def find_format(name: str) -> WireFormat:
    """Return the format of this name; OpenAI's for any other."""
    return FORMATS.get(name, CHAT_COMPLETIONS)


def describe_unknown(name: str, sampling: Sampling) -> str:
    """Return a sentence about the sampling parameters that a format does not know, or nothing."""
    wire_format = find_format(name)
    unknown = sorted(wire_format.find_unknown(sampling))
    if not unknown:
        return ""
    return (
        f"The model server ({wire_format.title}) does not know these parameters, or not with these values, "
        f"so they are left out: {', '.join(unknown)}."
    )
