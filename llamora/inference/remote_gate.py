"""Gate to model servers on other machines: nothing of a person is sent there without their consent.

An app registers who has agreed to what. Until one did, nobody has, so that nothing is sent.

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


OpenHost = Callable[[UUID, str, str], str]
"""Function that returns a person's own API key for a host at an origin, such as `https://models.example:443`.

It returns nothing if they have none, and raises ConsentMissing or ProgramRefused. It needs their keyring
in force.
"""


class _Gate:
    """Holder of the function that an app has registered."""

    open_host: OpenHost | None = None


def register(open_host: OpenHost) -> None:
    """Register the function that decides."""
    _Gate.open_host = open_host


def open_host(owner: UUID, host: str, origin: str) -> str:
    """Return what the registered function does; raise ConsentMissing if there is none."""
    if _Gate.open_host is None:
        raise ConsentMissing
    return _Gate.open_host(owner, host, origin)
