"""Django forms of the pages that export and import facts."""

from typing import Any, Final

from django import forms

from accounts.auth.forms import ReauthenticationForm
from diary.transfer.programs.file_formats import TextFormat
from traces.facts.models import FactState
from traces.facts.pages.messages import (
    KIND_LABELS,
    NO_FILE,
    UNTIL_BEFORE_SINCE,
)
from traces.facts.selection import SAVED_STATES, FactSelection

_STATES: Final = {
    "accepted": (FactState.ACCEPTED,),
    "saved": SAVED_STATES,
    "all": tuple(FactState),
}


def _day_field(label: str, *, help_text: str = "") -> forms.DateField:
    # In a URL of no page, and in the one form that browsers write: a calendar.
    widget = forms.DateInput(attrs={"type": "date", "autocomplete": "off"}, format="%Y-%m-%d")
    return forms.DateField(
        label=label, required=False, widget=widget, input_formats=["%Y-%m-%d"], help_text=help_text
    )


class FactExportForm(ReauthenticationForm):
    """Form of an export: its format, its conditions, and the current password."""

    text_format = forms.ChoiceField(
        label="Format",
        choices=[("json", "JSON"), ("csv", "CSV, a table"), ("markdown", "Markdown"), ("text", "Plain text")],
        help_text="Llamora can import JSON.",
    )
    states = forms.ChoiceField(
        label="Which facts",
        choices=[
            ("accepted", "Those that are so now"),
            ("saved", "Also those no longer so, and archived ones"),
            ("all", "Everything, with suggestions"),
        ],
    )
    kind = forms.ChoiceField(label="Kind", required=False, choices=[("", "All kinds"), *KIND_LABELS.items()])
    since = _day_field("From")
    until = _day_field(
        "Up to", help_text="The day of a fact is that of its entry, or the one on which you added it."
    )
    field_order = ("text_format", "states", "kind", "since", "until", "current")

    def clean(self) -> dict[str, Any]:
        """Refuse a range of days that ends before it begins."""
        cleaned: dict[str, Any] = super().clean() or {}
        since, until = cleaned.get("since"), cleaned.get("until")
        if since and until and until < since:
            self.add_error("until", UNTIL_BEFORE_SINCE)
        return cleaned

    def get_format(self) -> TextFormat:
        """Return the chosen format."""
        return TextFormat(self.cleaned_data["text_format"])

    def build_selection(self) -> FactSelection:
        """Return the selection of facts to export."""
        return FactSelection(
            states=_STATES[self.cleaned_data["states"]],
            kind=self.cleaned_data["kind"],
            since=self.cleaned_data["since"],
            until=self.cleaned_data["until"],
        )


class FactImportForm(forms.Form):
    """HTML form to upload a JSON file with memories, which are imported as facts."""

    file = forms.FileField(
        label="File",
        allow_empty_file=True,
        error_messages={"required": NO_FILE},
        widget=forms.FileInput(attrs={"accept": ".json,application/json"}),
        help_text="A JSON file of at most 4 MB.",
    )
