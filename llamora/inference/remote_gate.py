"""Gate to model servers on other machines: nothing of a person is sent there without their consent.

An app registers a function that reads the consents. Until then nothing is sent.

    ModelMoved        moved              the job was begun for a model on this machine, or on another host
    ConsentMissing    no_consent         its owner has not agreed to this host
    ProgramRefused    remote_by_program  it was begun by a program, whose token opens no such consent
"""

from collections.abc import Callable
from uuid import UUID

from llamora.llm.errors import ModelError

# The names say what happened, without the suffix Error; the code is the stable contract.
# ruff: noqa: N818


class ModelMoved(ModelError):
    """Raised if a job would be sent to another host than the one it was begun for."""

    code = "moved"


class ConsentMissing(ModelError):
    """Raised if a person has not agreed that their texts are sent to a host."""

    code = "no_consent"


class ProgramRefused(ModelError):
    """Raised if a program wants a person's texts to be sent to a host."""

    code = "remote_by_program"


LoadHostKey = Callable[[UUID, str, str], str]
"""Function that returns a person's own API key for a host at an origin, such as `https://models.example:443`.

It returns "" if they have no key there, and raises ConsentMissing or ProgramRefused. It needs their keyring
in force.
"""


class _Gate:
    """Holder of the function that an app has registered."""

    load_host_key: LoadHostKey | None = None


def register(load_host_key: LoadHostKey) -> None:
    """Register the function that checks a consent and returns the key."""
    _Gate.load_host_key = load_host_key


def load_host_key(owner: UUID, host: str, origin: str) -> str:
    """Return a person's own API key for a host, or "" if they have none there.

    Raise ConsentMissing or ProgramRefused if nothing of them may be sent there.
    """
    if _Gate.load_host_key is None:
        raise ConsentMissing
    return _Gate.load_host_key(owner, host, origin)
