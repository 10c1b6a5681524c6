"""The form of a person's preferences, in sections. Each preference is a column of `Person`.

To add a preference, add a column, its migration, a field here and its name in `SECTIONS`; templates need no
change. If it affects security, also add its name to `accounts.keys.sealed_preferences`. It is exported unless
`diary.transfer.exports` excludes the column.
"""

from collections.abc import Callable, Iterator, Mapping
from copy import copy
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from django import forms
from django.conf import settings

from accounts.keys.sealed_preferences import save_preferences
from accounts.models import ClockFormat, Person, TextSize, Theme
from accounts.preferences import languages, sampling_fields
from accounts.preferences.sampling_fields import build_more_field, build_number_field, build_stop_field
from accounts.preferences.time_zones import is_time_zone, list_time_zones
from accounts.sessions import limits
from accounts.usernames import MAX_NAME, InvalidUsername, clean_username
from llamora.inference import model_server
from llamora.llm.formats.registry import describe_unsupported
from llamora.llm.requests.sampling import merge_sampling

if TYPE_CHECKING:
    _PersonForm = forms.ModelForm[Person]
else:
    _PersonForm = forms.ModelForm

_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
FieldNotice = Callable[[Person], str]
_notices: dict[str, FieldNotice] = {}


@dataclass(frozen=True, kw_only=True)
class PreferenceSection:
    """A section of the settings page, with the names of its fields.

    `PreferencesForm.sections` fills in `fields`. A folded section shows its fields only when it is opened, or
    if one of them has an error.
    """

    id: str
    title: str
    names: tuple[str, ...]
    help: str = ""
    is_folded: bool = False
    is_open: bool = False
    fields: tuple[forms.BoundField, ...] = ()


SECTIONS: Final = (
    PreferenceSection(
        id="about-you",
        title="About you",
        names=(
            "shown_name",
            "time_zone",
            "week_start",
            "language",
            "clock",
            "enter_keeps",
            "single_keys",
            "model",
            "idle_minutes",
        ),
    ),
    PreferenceSection(id="appearance", title="Appearance", names=("theme", "text_size")),
    PreferenceSection(
        id="your-day",
        title="Replies and suggestions",
        names=("makes_openings", "reads_related_entries", "proposes_traces"),
    ),
    PreferenceSection(
        id="sampling",
        title="How the model picks its words",
        names=sampling_fields.NAMES,
        help=(
            "For replies and openings. Recaps, summaries and suggestions have their own values; only "
            "reasoning_effort and chat_template_kwargs concern everything the model writes. An empty field "
            "means the household's value, or that of the prompt. The administrator can see these values."
        ),
        is_folded=True,
    ),
    PreferenceSection(id="searching", title="Search", names=("saves_recent_searches",)),
)


def register_notice(name: str, notice: FieldNotice) -> None:
    """Register a function of another app that returns an additional help text for a field, or ""."""
    _notices[name] = notice


class DatalistInput(forms.TextInput):
    """A text field with suggestions in a `datalist`, which `fragments/field.html` renders."""

    def __init__(self, *, suggestions: tuple[str, ...], attrs: dict[str, Any]) -> None:
        super().__init__(attrs=attrs)
        self.suggestions = suggestions

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        """Return the widget's context with the id of its `datalist`."""
        return super().get_context(name, value, {**(attrs or {}), "list": f"{name}-choices"})


def _list_idle_choices() -> list[tuple[str, str]]:
    own = [(str(minutes), _format_minutes(minutes)) for minutes in limits.list_idle_minutes()]
    return [*own, ("", f"{_format_minutes(settings.IDLE_MINUTES)} (household default)")]


def _format_minutes(minutes: int) -> str:
    if minutes < 60 or minutes % 60:
        return f"{minutes} minutes"
    return "1 hour" if minutes == 60 else f"{minutes // 60} hours"


def _list_model_choices() -> list[tuple[str, str]]:
    status = model_server.get_status()
    others = [(name, name) for name in status.models]
    return [("", f"Household default: {status.model}"), *others]


def _parse_bool(value: Any) -> bool:
    return str(value) == "True"


def _boolean_field(
    label: str,
    *,
    help_text: str,
    yes: str = "On",
    no: str = "Off",
    widget: type[forms.Widget] = forms.RadioSelect,
) -> forms.TypedChoiceField:
    """Return a field with two choices; unlike a checkbox, it does not change if the form does not send it."""
    return forms.TypedChoiceField(
        label=label,
        required=False,
        coerce=_parse_bool,
        empty_value=None,
        choices=[(True, yes), (False, no)],
        help_text=help_text,
        widget=widget,
    )


class PreferencesForm(_PersonForm):
    """The preferences of a person, in sections. A field that the request does not contain is not changed."""

    shown_name = forms.CharField(
        label="Display name",
        max_length=MAX_NAME,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    time_zone = forms.CharField(
        label="Time zone",
        max_length=64,
        help_text="Type a city to search. Your days begin at midnight there. Earlier entries do not move.",
        widget=DatalistInput(
            suggestions=list_time_zones(), attrs={"autocomplete": "off", "spellcheck": "false"}
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
        help_text="For names of days and months. Everything else is in English.",
    )
    clock = forms.TypedChoiceField(
        label="Time format", required=False, coerce=int, empty_value=None, choices=ClockFormat.choices
    )
    enter_keeps = _boolean_field(
        "Key that saves an entry",
        yes="Enter",
        no="Ctrl+Enter",
        help_text="The other key combination starts a new line.",
        widget=forms.Select,
    )
    single_keys = _boolean_field(
        "Single-letter shortcuts",
        help_text=(
            "T opens today, L locks, ? lists them all. Turn them off if you use speech input or press keys "
            "by accident."
        ),
        widget=forms.Select,
    )
    model = forms.TypedChoiceField(
        label="Model for replies",
        required=False,
        empty_value="",
        choices=_list_model_choices,
        help_text="If it becomes unavailable, the household's default is used.",
    )
    theme = forms.ChoiceField(label="Theme", choices=Theme.choices, widget=forms.RadioSelect)
    text_size = forms.ChoiceField(
        label="Text size",
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
        help_text="Your diary then locks in every tab. Text you were typing is not lost.",
    )
    makes_openings = _boolean_field(
        "Start each day with a few lines",
        help_text=(
            "When you first open a day, the model reads your latest days and starts the page with a few "
            "lines. Only you can read them; they are encrypted like everything you write."
        ),
    )
    reads_related_entries = _boolean_field(
        "Let the model read related earlier entries",
        help_text=(
            "For a reply, the model reads your day so far. If this is on, it also reads up to 3 earlier "
            "entries on the same subject. Entries of traces that you chose for a reply are read either way. "
            "“Sources” under a reply lists what the model used."
        ),
    )
    proposes_traces = _boolean_field(
        "Suggest traces after each reply",
        help_text=(
            "Works if the model runs on this machine. Nothing is saved until you choose it. If this is off, "
            "you can still ask for suggestions under an entry."
        ),
    )
    temperature = build_number_field(
        "temperature", "Temperature", step="0.05", help_text="Low is predictable, high is surprising; 0 to 2."
    )
    top_p = build_number_field(
        "top_p", "Top p", step="0.01", help_text="Only the likeliest words, up to this share in all; 0 to 1."
    )
    top_k = build_number_field(
        "top_k", "Top k", step="1", help_text="Only so many of the likeliest words; 0 means all of them."
    )
    min_p = build_number_field(
        "min_p",
        "Min p",
        step="0.01",
        help_text="No word less likely than this share of the likeliest; 0 to 1.",
    )
    repeat_penalty = build_number_field(
        "repeat_penalty",
        "Repeat penalty",
        step="0.05",
        help_text="Above 1, words come back less often; 0.5 to 2.",
    )
    stop = build_stop_field()
    more_sampling = build_more_field()
    saves_recent_searches = _boolean_field(
        "Save recent searches",
        help_text="They are encrypted. Turning this off deletes the saved searches at once.",
    )

    class Meta:
        model = Person
        fields = tuple(name for section in SECTIONS for name in section.names)

    def __init__(self, data: Mapping[str, Any] | None = None, *, instance: Person) -> None:
        # A copy, because checking a form writes into its instance: a page that shows errors is the person's
        # as they are.
        initial = dict.fromkeys(sampling_fields.NAMES, merge_sampling(instance.sampling))
        super().__init__(data, instance=copy(instance), initial=initial)
        if len(model_server.get_status().models) <= 1:
            # Nothing to choose from now; the choice stays for when the server offers several again.
            del self.fields["model"]
        self.fields["shown_name"].help_text = f"Shown on your pages. You still sign in as {instance.name}."
        for name, notice in _notices.items():
            help_text = f"{self.fields[name].help_text} {notice(instance)}"
            self.fields[name].help_text = help_text.strip()

    @property
    def sections(self) -> Iterator[PreferenceSection]:
        """The sections of the page, each with its fields."""
        for section in SECTIONS:
            fields = tuple(self[name] for name in section.names if name in self.fields)
            help_text = section.help
            if section.names is sampling_fields.NAMES:
                unsupported = describe_unsupported(
                    model_server.get_status().wire_format, merge_sampling(self.instance.sampling)
                )
                help_text = f"{help_text} {unsupported}".strip()
            is_open = any(field.errors for field in fields)
            yield replace(section, fields=fields, help=help_text, is_open=is_open)

    def save(self, commit: bool = True) -> Person:
        """Save only the columns of this form, because an administrator may change other columns meanwhile."""
        if commit:
            columns = self.fields.keys() - set(sampling_fields.NAMES)
            save_preferences(self.instance, names=columns | {"sampling"})
        return self.instance

    def clean(self) -> dict[str, Any]:
        """Replace an empty value with the stored one if the column must not be empty.

        Also update the column `sampling` with the submitted parameters.
        """
        cleaned: dict[str, Any] = super().clean() or {}
        may_not_be_empty = {column.name for column in Person._meta.fields if not column.blank}
        for name in cleaned.keys() & may_not_be_empty:
            if cleaned[name] in (None, ""):
                cleaned[name] = getattr(self.instance, name)
        sent = {
            name: cleaned[name] for name in sampling_fields.NAMES if name in cleaned and name in self.data
        }
        self.instance.sampling = sampling_fields.update_sampling(self.instance.sampling, sent=sent)
        return cleaned

    def clean_shown_name(self) -> str:
        """Return the displayed name, or "" to display the registered name."""
        name: str = self.cleaned_data["shown_name"]
        try:
            return clean_username(name) if name else ""
        except InvalidUsername as reason:
            raise forms.ValidationError(str(reason)) from None

    def clean_time_zone(self) -> str:
        """Return the time zone; raise ValidationError for an unknown name."""
        zone: str = self.cleaned_data["time_zone"].replace(" ", "_")
        if not is_time_zone(zone):
            raise forms.ValidationError("There is no such time zone. Choose one from the list.")
        return zone
