"""Marks of sign-ins. A mark is a file that shows that the SignIn row of a sign-in was not changed.

The file is in the register `llamora.database.credential_register`. A SignIn row is valid only as the server
wrote it, with this person, cookie and times. A row that was deleted and restored, or whose times were
changed, is invalid.
"""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from accounts.keys.row_shapes import read_bytes
from accounts.models import SignIn
from llamora.database.credential_register import build_mark, list_marks

_KIND = "sign_in"
_START = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def build_sign_in_mark(row: SignIn) -> str:
    """Return the mark of a sign-in, which is the name of a file in the register.

    Raise TypeError or ValueError if the row is damaged.
    """
    values = (
        read_bytes(row.half_hash),
        _encode_moment(row.created_at),
        b"" if row.ends_at is None else _encode_moment(row.ends_at),
        bytes([row.is_persistent]),
    )
    return build_mark(_KIND, owner=row.person_id, row_id=row.id, values=values)


def find_sign_in_mark(row: SignIn) -> str | None:
    """Return the mark of a sign-in, its file name in the register, or None if its row is damaged."""
    try:
        return build_sign_in_mark(row)
    except (AttributeError, OverflowError, TypeError, ValueError):
        return None


def list_sign_in_marks(
    *, person_id: UUID | None = None, sign_in_id: UUID | None = None, except_id: UUID | None = None
) -> set[str]:
    """Return the registered marks of sign-ins: of all, of one person, or of one sign-in.

    The mark of the sign-in `except_id` is left out.
    """
    found = list_marks(_KIND, owner=person_id, row_id=sign_in_id)
    return found if except_id is None else found - list_marks(_KIND, row_id=except_id)


def _encode_moment(moment: datetime) -> bytes:
    return ((moment - _START) // _MICROSECOND).to_bytes(8, "big", signed=True)
