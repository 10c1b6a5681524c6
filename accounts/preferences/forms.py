"""What people choose about themselves and their pages."""

from typing import Any

from django import forms
from django.conf import settings
from django.utils.html import format_html, format_html_join

from accounts.models import ClockFormat, TextSize, Theme
from accounts.preferences import languages
from accounts.preferences.time_zones import is_time_zone, list_time_zones
from accounts.sessions import limits
from accounts.usernames import MAX_NAME, InvalidUsername, clean_username
from llamora.inference import model_server

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


class SearchableInput(forms.TextInput):
    """A text field with a list to search in; browsers bring the searching."""

    def __init__(self, *, choices: tuple[str, ...], attrs: dict[str, Any]) -> None:
        super().__init__(attrs=attrs)
        self.choices = choices

    def render(self, name: str, value: Any, attrs: Any = None, renderer: Any = None) -> Any:
        """Return the field and its list."""
        list_id = f"{name}-choices"
        field = super().render(name, value, {**(attrs or {}), "list": list_id}, renderer)
        options = format_html_join("", '<option value="{}"></option>', ((choice,) for choice in self.choices))
        return format_html('{}<datalist id="{}">{}</datalist>', field, list_id, options)


def _list_idle_choices() -> list[tuple[str, str]]:
    own = [(str(minutes), _format_minutes(minutes)) for minutes in limits.list_idle_minutes()]
    return [*own, ("", f"{_format_minutes(settings.IDLE_MINUTES)}, as in the whole household")]


def _format_minutes(minutes: int) -> str:
    if minutes < 60 or minutes % 60:
        return f"{minutes} minutes"
    return "1 hour" if minutes == 60 else f"{minutes // 60} hours"


def _list_model_choices() -> list[tuple[str, str]]:
    status = model_server.get_status()
    others = [(name, name) for name in status.models]
    return [("", f"As the household has it: {status.model}"), *others]


def _parse_bool(value: Any) -> bool:
    return str(value) == "True"


class SettingsForm(forms.Form):
    """What a person chooses about their pages."""

    shown_name = forms.CharField(
        label="Name shown",
        max_length=MAX_NAME,
        required=False,
        help_text="You sign in with the name you registered; this one stands on your pages.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    time_zone = forms.CharField(
        label="Time zone",
        max_length=64,
        help_text="Type a city to search. It decides when your day begins; days already written stay.",
        widget=SearchableInput(
            choices=list_time_zones(), attrs={"autocomplete": "off", "spellcheck": "false"}
        ),
    )
    week_start = forms.TypedChoiceField(
        label="First day of the week", coerce=int, choices=list(enumerate(_WEEKDAYS))
    )
    language = forms.TypedChoiceField(
        label="Language of dates",
        required=False,
        empty_value=None,
        choices=languages.list_languages,
        help_text="Days and months are written in it. Everything else these pages say is English.",
    )
    clock = forms.TypedChoiceField(
        label="Times of day", required=False, coerce=int, empty_value=None, choices=ClockFormat.choices
    )
    enter_keeps = forms.TypedChoiceField(
        label="In the box where you write",
        required=False,
        coerce=_parse_bool,
        empty_value=None,
        choices=[
            (False, "Ctrl and Enter keep"),
            (True, "Enter keeps"),
        ],
        help_text="The other of the two begins a new line.",
    )
    single_keys = forms.TypedChoiceField(
        label="Single keys",
        required=False,
        coerce=_parse_bool,
        empty_value=None,
        choices=[(True, "Lead about"), (False, "Do nothing by themselves")],
        help_text=(
            "T leads to today, L locks, ? lists them all. Switch them off if you speak to your computer, or "
            "press keys by accident."
        ),
    )
    model = forms.TypedChoiceField(
        label="Model that answers you",
        required=False,
        empty_value="",
        choices=_list_model_choices,
        help_text="One that is not offered any more gives way to the household's.",
    )
    theme = forms.ChoiceField(label="Theme", choices=Theme.choices, widget=forms.RadioSelect)
    text_size = forms.ChoiceField(
        label="Size of the text",
        choices=TextSize.choices,
        widget=forms.RadioSelect,
        required=False,
    )
    idle_minutes = forms.TypedChoiceField(
        label="Lock when unused for",
        required=False,
        coerce=int,
        empty_value=None,
        choices=_list_idle_choices,
        help_text="Your diary locks by itself then, in every tab. What you were typing stays.",
    )
    looks = ("theme", "text_size")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if len(model_server.get_status().models) <= 1:
            # Nothing to choose from: what was chosen stays for the day there is again.
            del self.fields["model"]

    @property
    def about_you(self) -> list[forms.BoundField]:
        """Return the fields about the person."""
        return [field for field in self if field.name not in self.looks]

    @property
    def about_looks(self) -> list[forms.BoundField]:
        """Return the fields about how pages look."""
        return [field for field in self if field.name in self.looks]

    def clean_text_size(self) -> str:
        """Return the size; a page from before there was a choice says nothing."""
        return self.cleaned_data["text_size"] or TextSize.USUAL

    def clean_shown_name(self) -> str:
        """Return the name to show, or nothing for the registered one."""
        name: str = self.cleaned_data["shown_name"]
        try:
            return clean_username(name) if name else ""
        except InvalidUsername as reason:
            raise forms.ValidationError(str(reason)) from None

    def clean_time_zone(self) -> str:
        """Return the zone if there is such a one."""
        zone: str = self.cleaned_data["time_zone"].replace(" ", "_")
        if not is_time_zone(zone):
            raise forms.ValidationError("There is no such time zone. Choose one from the list.")
        return zone
