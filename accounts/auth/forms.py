"""Forms of sign-in, registration, recovery and re-authentication.

To change keys or the account, a person enters their current password again, in the field `current`.
"""

from typing import Any

from django import forms

from accounts.auth.passwords import UnacceptablePassword, check_password
from accounts.models import Person
from accounts.sessions import limits
from accounts.usernames import MAX_NAME, InvalidUsername, clean_username
from llamora.crypto import BadRecoveryCode, normalize_recovery_code, parse_recovery_code, recovery_groups

# Code points as typed; the rules count composed ones, of which one may be typed as three.
_MAX_TYPED = 1024


def name_field(*, has_focus: bool = False) -> forms.CharField:
    """Return the field for the name of a person who signs in."""
    attrs: dict[str, Any] = {"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}
    if has_focus:
        attrs["autofocus"] = True
    return forms.CharField(label="Name", max_length=4 * MAX_NAME, widget=forms.TextInput(attrs=attrs))


def password_field(label: str, *, is_new: bool) -> forms.CharField:
    """Return a password field; spaces at either end of the password are not stripped."""
    attrs = {"autocomplete": "new-password" if is_new else "current-password"}
    widget = forms.PasswordInput(attrs=attrs)
    return forms.CharField(label=label, max_length=_MAX_TYPED, strip=False, widget=widget)


def _list_sign_in_choices() -> list[tuple[str, str]]:
    known = {1: "For a day", 7: "For a week"}
    lengths = [(str(days), known.get(days, f"For {days} days")) for days in limits.list_sign_in_days()]
    return [("", "Until I close this browser"), *lengths]


class _UnlockingForm(forms.Form):
    """Base class of forms that unlock a diary; such a form can also ask whether a backup was restored."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if "backup_restored" in self.data:
            self.ask_about_backup()

    def ask_about_backup(self) -> None:
        """Add a checkbox that asks whether a backup was restored.

        If the person ticks it, an earlier state of the diary is accepted.
        """
        self.fields["backup_restored"] = forms.BooleanField(
            label="Yes, a backup was restored", required=False
        )

    @property
    def is_backup_restored(self) -> bool:
        """Whether the person has answered that a backup was restored."""
        return bool(self.cleaned_data.get("backup_restored"))


class SignInForm(_UnlockingForm):
    """The name and the password for a sign-in."""

    name = name_field()
    password = password_field("Password", is_new=False)
    stay_days = forms.TypedChoiceField(
        label="Stay signed in", required=False, coerce=int, empty_value=None, choices=_list_sign_in_choices
    )


class UnlockForm(_UnlockingForm):
    """The form that unlocks the diary of the signed-in person with their password."""

    password = password_field("Password", is_new=False)


class NewPasswordForm(forms.Form):
    """Base class of forms with a new password, entered twice. It must be strong and unlike the user name."""

    def clean(self) -> dict[str, Any]:
        """Check that the password is strong, and that it was typed twice in the same way."""
        cleaned: dict[str, Any] = super().clean() or {}
        password, again = cleaned.get("password"), cleaned.get("password_again")
        if password is None:
            return cleaned
        try:
            check_password(password, name=self.get_username(cleaned))
        except UnacceptablePassword as reason:
            self.add_error("password", str(reason))
        if again is not None and again != password:
            self.add_error("password_again", "The passwords don't match.")
        return cleaned

    def get_username(self, cleaned: dict[str, Any]) -> str:
        """Return the person's name, which is taken into account when the password is rated."""
        return str(cleaned.get("name", ""))


class RegisterForm(NewPasswordForm):
    """The form for the registration of a new person."""

    name = name_field(has_focus=True)
    password = password_field("Password", is_new=True)
    password_again = password_field("Repeat password", is_new=True)
    time_zone = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)

    def clean_name(self) -> str:
        """Return the name as it is stored; raise ValidationError if the name is not allowed."""
        try:
            return clean_username(self.cleaned_data["name"])
        except InvalidUsername as reason:
            raise forms.ValidationError(str(reason)) from None


class RecoverForm(NewPasswordForm):
    """The name and recovery code of a person, and a new password."""

    name = name_field()
    code = forms.CharField(
        label="Recovery code",
        max_length=200,
        widget=forms.TextInput(
            attrs={"autocomplete": "off", "autocapitalize": "characters", "spellcheck": "false"}
        ),
    )
    password = password_field("New password", is_new=True)
    password_again = password_field("Repeat password", is_new=True)

    def clean_code(self) -> str:
        """Return the code as it was typed; raise ValidationError if it cannot be a recovery code."""
        code: str = self.cleaned_data["code"]
        try:
            parse_recovery_code(code)
        except BadRecoveryCode:
            reason = "This code is incomplete or mistyped. It has nine groups of four characters."
            raise forms.ValidationError(reason) from None
        return code


_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth")
GROUP_COUNT = len(_ORDINALS)
# Long enough for a whole code with spaces, which then gets the error of a wrong group.
_MAX_TYPED_GROUP = 200


def _group_field() -> forms.CharField:
    attrs = {
        "autocomplete": "off",
        "autocapitalize": "characters",
        "spellcheck": "false",
        "writingsuggestions": "false",
    }
    return forms.CharField(max_length=_MAX_TYPED_GROUP, widget=forms.TextInput(attrs=attrs))


class ConfirmRecoveryCodeForm(forms.Form):
    """A form that asks for two parts (groups) of a recovery code, to confirm that it was written down."""

    group_a = _group_field()
    group_b = _group_field()

    def __init__(self, *args: Any, code: str, asked: list[int], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._groups: dict[str, str] = {}
        for (name, each), index in zip(self.fields.items(), asked, strict=True):
            each.label = f"{_ORDINALS[index].capitalize()} group"
            each.error_messages["required"] = f"Type the {_ORDINALS[index]} group of the code above."
            each.error_messages["max_length"] = each.error_messages["wrong"] = (
                f"This is not the {_ORDINALS[index]} group. Check it against the code above."
            )
            self._groups[name] = recovery_groups(code)[index]

    def clean(self) -> dict[str, Any]:
        """Check the two typed parts of the recovery code. Add an error to the field of each wrong part.

        A part is called a group. The field of the first wrong one gets the focus.
        """
        cleaned: dict[str, Any] = super().clean() or {}
        for name, group in self._groups.items():
            if name in cleaned and normalize_recovery_code(cleaned[name]) != group:
                self.add_error(name, self.fields[name].error_messages["wrong"])
        for name in list(self.errors)[:1]:
            self.fields[name].widget.attrs["autofocus"] = True
        return cleaned


def current_password_field() -> forms.CharField:
    """Return the field for the current password."""
    return password_field("Current password", is_new=False)


class ReauthenticationForm(forms.Form):
    """A form with only the current password."""

    current = current_password_field()


class ReplacePasswordForm(NewPasswordForm):
    """The current password and a new password."""

    current = current_password_field()
    password = password_field("New password", is_new=True)
    password_again = password_field("Repeat password", is_new=True)

    def __init__(self, *args: Any, person: Person, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._person = person

    def get_username(self, cleaned: dict[str, Any]) -> str:
        """Return the name of the person whose password is replaced."""
        del cleaned
        return self._person.name
