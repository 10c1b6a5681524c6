"""Check of consent before a person's texts are sent to a model server on another machine.

An app registers the function that reads the consents; before that, nothing is sent.

    ModelMoved        moved              the job was started for a model on this machine, or on another host
    ConsentMissing    no_consent         its owner has not agreed to this host
    ProgramRefused    remote_by_program  it was started by a program, whose token cannot decrypt consents
"""

from collections.abc import Callable
from uuid import UUID

from llamora.llm.errors import ModelError

# The names say what happened, without the suffix Error; the code is the stable contract.
# ruff: noqa: N818


class ModelMoved(ModelError):
    """Raised if a job would be sent to another host than the one it was started for."""

    code = "moved"


class ConsentMissing(ModelError):
    """Raised if the person has not agreed to send texts to a host."""

    code = "no_consent"


class ProgramRefused(ModelError):
    """Raised if a program started a job that would send a person's texts to another machine."""

    code = "remote_by_program"


LoadHostKey = Callable[[UUID, str, str], str]
"""Function that returns a person's own API key for a host at an origin, such as `https://models.example:443`.

It returns "" if they have no key there, and raises ConsentMissing or ProgramRefused. It needs their keyring
in force.
"""


class _Gate:
    """Holder of the registered function."""

    load_host_key: LoadHostKey | None = None


def register(load_host_key: LoadHostKey) -> None:
    """Register the function that checks the consent for a host and returns the API key."""
    _Gate.load_host_key = load_host_key


def load_host_key(owner: UUID, host: str, origin: str) -> str:
    """Return a person's own API key for a host, or "" if they have none.

    Raise ConsentMissing or ProgramRefused if the person's texts may not be sent there.
    """
    if _Gate.load_host_key is None:
        raise ConsentMissing
    return _Gate.load_host_key(owner, host, origin)
