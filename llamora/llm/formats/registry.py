"""The wire formats by name, and the sampling parameters that each does not support."""

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
    """Return the format with this name; OpenAI's for an unknown name."""
    return FORMATS.get(name, CHAT_COMPLETIONS)


def describe_unsupported(name: str, sampling: Sampling) -> str:
    """Return a sentence about the given sampling parameters that a format does not support, or ""."""
    wire_format = find_format(name)
    unsupported = sorted(wire_format.find_unsupported(sampling))
    if not unsupported:
        return ""
    return (
        f"The model server ({wire_format.title}) does not know these parameters, or not with these values, "
        f"so they are left out: {', '.join(unsupported)}."
    )
