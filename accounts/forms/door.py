"""What people fill in at the door."""

from typing import Any

from django import forms

from accounts import limits
from accounts.names import MAX_NAME, BadName, clean_name
from accounts.passwords import BadPassword, check_password
from llamora.crypto import BadRecoveryCode, parse_recovery_code

# Raw code points; the rules count composed ones, and some ways of typing need three for one.
_MAX_TYPED = 1024


def name_field() -> forms.CharField:
    """Return the field for the name of a person who signs in."""
    attrs = {"autocomplete": "username", "autocapitalize": "none", "spellcheck": "false"}
    return forms.CharField(label="Name", max_length=4 * MAX_NAME, widget=forms.TextInput(attrs=attrs))


def password_field(label: str, *, is_new: bool) -> forms.CharField:
    """Return a password field; nothing is stripped from what is typed."""
    attrs = {"autocomplete": "new-password" if is_new else "current-password"}
    widget = forms.PasswordInput(attrs=attrs)
    return forms.CharField(label=label, max_length=_MAX_TYPED, strip=False, widget=widget)


def _stays() -> list[tuple[str, str]]:
    known = {1: "For a day", 7: "For a week"}
    lengths = [(str(days), known.get(days, f"For {days} days")) for days in limits.stays()]
    return [("", "Until this browser is closed"), *lengths]


class SignInForm(forms.Form):
    """Who, and what opens their diary."""

    name = name_field()
    password = password_field("Password", is_new=False)
    keep = forms.TypedChoiceField(
        label="Stay signed in here", required=False, coerce=int, empty_value=None, choices=_stays
    )


class UnlockForm(forms.Form):
    """The password of the person who is signed in."""

    password = password_field("Password", is_new=False)


class NewPasswordForm(forms.Form):
    """A new password, typed twice and judged with the name in mind."""

    def clean(self) -> dict[str, Any]:
        """Check the password, and that both are the same."""
        cleaned: dict[str, Any] = super().clean() or {}
        password, again = cleaned.get("password"), cleaned.get("password_again")
        if password is None:
            return cleaned
        try:
            check_password(password, name=self.name_of(cleaned))
        except BadPassword as reason:
            self.add_error("password", str(reason))
        if again is not None and again != password:
            self.add_error("password_again", "The two passwords are not the same.")
        return cleaned

    def name_of(self, cleaned: dict[str, Any]) -> str:
        """Return the name the password must not be made of."""
        return str(cleaned.get("name", ""))


class RegisterForm(NewPasswordForm):
    """Somebody new in the household."""

    name = name_field()
    password = password_field("Password", is_new=True)
    password_again = password_field("Repeat password", is_new=True)
    time_zone = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)

    def clean_name(self) -> str:
        """Return the name as it is kept."""
        try:
            return clean_name(self.cleaned_data["name"])
        except BadName as reason:
            raise forms.ValidationError(str(reason)) from None


class RecoverForm(NewPasswordForm):
    """A forgotten password: the code, and a new one."""

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
        """Return the code as typed, once it can be one at all."""
        code: str = self.cleaned_data["code"]
        try:
            parse_recovery_code(code)
        except BadRecoveryCode:
            reason = "This is not a whole recovery code: nine groups of four. One character may be wrong."
            raise forms.ValidationError(reason) from None
        return code
