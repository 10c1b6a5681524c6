"""The form with which a person creates an access token."""

from typing import Any, Final

from django import forms

from accounts.auth.forms import current_password_field
from accounts.tokens.services import TokenRequest
from llamora.crypto import TokenKind

MAX_TOKEN_NAME: Final = 80
_KINDS: Final = (
    (TokenKind.ORDINARY.value, "Only while my diary is unlocked in a browser"),
    (TokenKind.AWAY.value, "May open my diary while I am away"),
    (TokenKind.DROP.value, "Only sends texts to the Inbox, at any time"),
)
# Those whose part of a diary exists, in the words of the page.
SCOPE_WORDS: Final = {
    "diary:read": "Read entries, earlier versions, drafts, replies and traces",
    "diary:write": "Write entries, move them, and put them into the bin",
    "facts:read": "Read facts, and what was done to each",
    "facts:propose": "Propose facts, which you accept or decline",
    "facts:write": "Accept, correct, end and delete facts",
    "notes": "Read notes, and write some",
    "chat": "Ask questions, read the answers and all questions asked before, and start check-ins",
    "export": "Export the whole diary into a file",
}
_LIFETIMES: Final = ((30, "30 days"), (90, "90 days"), (365, "A year"), (0, "Until I revoke it"))
# The only scope of a token that only sends texts, which is not offered.
_DROP: Final = "drop"
ALL_SCOPE_WORDS: Final = {_DROP: dict(_KINDS)[TokenKind.DROP.value], **SCOPE_WORDS}


class TokenForm(forms.Form):
    """The name, kind, scopes and lifetime of a token, and the password.

    No password is required if the token only sends texts.
    """

    name = forms.CharField(
        label="Name of the program",
        max_length=MAX_TOKEN_NAME,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    kind = forms.ChoiceField(
        label="It works",
        choices=_KINDS,
        initial=TokenKind.ORDINARY.value,
        widget=forms.RadioSelect,
        help_text=(
            "While you are away, a token works because it holds keys: whoever has it and a copy of the disk "
            "can read what it may read. The others hold no keys."
        ),
    )
    scopes = forms.MultipleChoiceField(
        label="It may",
        choices=tuple(SCOPE_WORDS.items()),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text="One that only sends texts may do nothing else.",
    )
    lifetime_days = forms.TypedChoiceField(
        label="It is valid for", choices=_LIFETIMES, coerce=int, initial=90, error_messages={"required": ""}
    )
    writes_own_text = forms.BooleanField(
        label="It writes what I type",
        required=False,
        help_text="Then its texts count as yours. Leave it empty for a program that writes by itself.",
    )
    reads_untrusted = forms.BooleanField(
        label="It also reads what was imported",
        required=False,
        help_text="Imported texts and texts of programs may contain instructions to an assistant.",
    )
    current = current_password_field()

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["current"].required = False
        self.fields["current"].help_text = (
            "Without it, someone at your unlocked browser could make a token that reads your diary later. "
            "One that only sends texts needs none."
        )

    def clean(self) -> dict[str, Any]:
        """Check that scopes are chosen and the password is given, if the kind of token needs them."""
        cleaned: dict[str, Any] = super().clean() or {}
        kind = cleaned.get("kind")
        if kind == TokenKind.DROP.value:
            cleaned["scopes"] = [_DROP]
        elif kind and not cleaned.get("scopes") and "scopes" not in self.errors:
            self.add_error("scopes", "Tick what it may do.")
        if kind and self._needs_password(kind) and not cleaned.get("current"):
            self.add_error("current", "Enter your password: this token can read or write your diary.")
        return cleaned

    @property
    def needs_password(self) -> bool:
        """Whether the kind of token to create requires the password.

        The password is required unless tokens of this kind can only send texts.
        """
        return self._needs_password(self.cleaned_data["kind"])

    @staticmethod
    def _needs_password(kind: str) -> bool:
        return kind != TokenKind.DROP.value

    def build_token_request(self) -> TokenRequest:
        """Return the name and the terms of the token that the person wants to create."""
        values = self.cleaned_data
        return TokenRequest(
            name=values["name"],
            kind=TokenKind(values["kind"]),
            scopes=frozenset(values["scopes"]),
            lifetime_days=values["lifetime_days"],
            writes_own_text=values["writes_own_text"],
            reads_untrusted=values["reads_untrusted"],
        )
