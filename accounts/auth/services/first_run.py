"""The set-up link, with which the first person registers and becomes the administrator."""

from django.conf import settings
from django.utils.crypto import constant_time_compare, salted_hmac

from accounts.models import Person


def get_setup_token() -> str | None:
    """Return the token of the set-up link, or None once the household has an administrator.

    The token is derived from the server's secret key: it is not stored, and each start prints the same link.
    """
    if Person.objects.filter(is_staff=True).exists():
        return None
    return salted_hmac("llamora.set-up", str(settings.DATA_DIR), algorithm="sha256").hexdigest()[:40]


def is_setup_token(token: str) -> bool:
    """Return whether `token` is the token of the set-up link and there is no administrator yet."""
    expected = get_setup_token()
    return expected is not None and constant_time_compare(token, expected)
