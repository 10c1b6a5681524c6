"""What people fill in about their keys: each begins with the password they have."""

from typing import Any

from django import forms

from accounts.forms.door import NewPasswordForm, password_field
from accounts.models import Person

_TURN_HELP = (
    "Whoever has an old copy of the disk or a backup and learns the old password could otherwise still "
    "open what you write from now on. Signs every other browser out."
)


def current_password() -> forms.CharField:
    """Return the field for the password that is about to be asked for again."""
    return password_field("Your password now", is_new=False)


def _others() -> forms.BooleanField:
    return forms.BooleanField(label="Sign my other browsers out", required=False)


class ProveForm(forms.Form):
    """The password again, and nothing else."""

    current = current_password()


class NewCodeForm(ProveForm):
    """A new recovery code."""

    end_others = _others()


class NewSecretForm(NewPasswordForm):
    """The password again, and a new one."""

    current = current_password()
    password = password_field("New password", is_new=True)
    password_again = password_field("Repeat password", is_new=True)

    def __init__(self, *args: Any, person: Person, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._person = person

    def name_of(self, cleaned: dict[str, Any]) -> str:
        """Return the name of whoever changes their password."""
        del cleaned
        return self._person.name


class ChangePasswordForm(NewSecretForm):
    """A new password, and what is to end with the old one."""

    end_others = forms.BooleanField(label="Sign my other browsers out", required=False, initial=True)
    turn = forms.BooleanField(label="Give my diary a new key as well", required=False, help_text=_TURN_HELP)
