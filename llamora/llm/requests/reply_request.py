"""A request for a reply, and its adaptation to a server that refuses some parameters.

Servers and models differ in what they accept. A request is first sent in the usual shape of its wire format.
If the server refuses a part of it, the request is sent once more without that part, and the client remembers
the shape for this model.
"""

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from llamora.llm.deltas import ChatMessages
from llamora.llm.requests.sampling import Sampling

REFUSALS = frozenset({400, 422})
NO_THINKING_SIGN = b"does not support thinking"  # Ollama, about reasoning_effort


Refused = frozenset[tuple[str, str]]
"""Parameters that a server refused, each with its value as JSON."""


def find_named(text: bytes, sent: Mapping[str, Any], *, also: Collection[str] = ()) -> Refused:
    """Return the parameters in `sent` that a server's refusal (`text`) names, each with its value.

    The parameters that `also` names are returned as well.
    """
    names = {*re.findall(r"\w+", text.decode("utf-8", "replace")), *also}
    return frozenset((name, json.dumps(value)) for name, value in sent.items() if name in names)


def leave_out(sampling: Mapping[str, Any], refused: Refused) -> dict[str, Any]:
    """Return the sampling parameters, without those whose present value the server has refused."""
    return {name: value for name, value in sampling.items() if (name, json.dumps(value)) not in refused}


@dataclass(frozen=True, kw_only=True)
class ReplyRequest:
    """The content of a request for a reply.

    schema         the JSON schema of the reply, if any
    window         the context window in tokens with which Ollama loads the model
    unload_after   the idle time after which Ollama unloads the model; Ollama's default if empty
    """

    model: str
    messages: ChatMessages
    max_tokens: int
    sampling: Sampling = field(default_factory=dict)
    schema: Mapping[str, Any] | None = None
    window: int = 0
    unload_after: str = ""
