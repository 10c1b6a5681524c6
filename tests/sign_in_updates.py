"""Changes of sign-ins in tests, with valid marks in the register, as the server writes them."""

from typing import Any

from accounts.models import SignIn
from accounts.sessions.sign_in_marks import build_sign_in_mark
from llamora.database.credential_register import register_mark


def update_sign_ins(*, where: dict[str, Any] | None = None, **columns: Any) -> None:
    """Change columns of sign-ins, of all or of some, that stay in force."""
    SignIn.objects.filter(**(where or {})).update(**columns)
    for row in SignIn.objects.filter(**(where or {})):
        register_mark(build_sign_in_mark(row))
