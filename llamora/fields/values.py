"""Values of a sealed column in memory: an envelope, or assigned plaintext that is not sealed yet."""

import base64
import binascii
from typing import Any, NoReturn

PREFIX = "sealed:"


class SealedFieldError(Exception):
    """Raised when an operation would disclose a sealed value or make it unreadable."""


class SealedValue:
    """An envelope as the database stores it; its repr shows no bytes."""

    __slots__ = ("envelope",)

    def __init__(self, envelope: bytes) -> None:
        self.envelope = bytes(envelope)

    def __repr__(self) -> str:
        return f"<sealed, {len(self.envelope)} bytes>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SealedValue) and other.envelope == self.envelope

    def __hash__(self) -> int:
        return hash(self.envelope)

    def to_text(self) -> str:
        """Return the envelope, still sealed, as text for `dumpdata`."""
        return PREFIX + base64.b64encode(self.envelope).decode("ascii")

    @classmethod
    def from_text(cls, text: str) -> "SealedValue":
        """Return the envelope from the text of `to_text`."""
        try:
            return cls(base64.b64decode(text.removeprefix(PREFIX), validate=True))
        except (binascii.Error, ValueError):
            raise SealedFieldError("This is not a sealed value as dumpdata writes it.") from None


class UnsavedValue:
    """Plaintext that was assigned and is not saved yet; it cannot be printed or pickled."""

    __slots__ = ("_plaintext",)

    def __init__(self, plaintext: Any) -> None:
        self._plaintext = plaintext

    def reveal(self) -> Any:
        """Return the assigned value."""
        return self._plaintext

    def __repr__(self) -> str:
        return "<not yet sealed>"

    def __reduce__(self) -> NoReturn:
        raise SealedFieldError(
            "A row with text that is not sealed yet cannot be pickled or copied; save it first."
        )
