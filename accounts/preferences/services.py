"""What a person has chosen about their pages."""

from dataclasses import dataclass

from accounts.models import Person, TextSize
from llamora.database import write_transaction


@dataclass(frozen=True, kw_only=True)
class PreferenceValues:
    """Choices as a form has checked them; None leaves what was chosen before, but for the idle limit."""

    shown_name: str
    time_zone: str
    theme: str
    week_start: int
    text_size: str = TextSize.USUAL
    language: str | None = None
    clock: int | None = None
    single_keys: bool | None = None
    enter_keeps: bool | None = None
    model: str | None = None
    idle_minutes: int | None = None


def save_preferences(person: Person, choices: PreferenceValues) -> None:
    """Keep what a person has chosen; days already written stay on their dates."""
    chosen = {name: value for name, value in vars(choices).items() if value is not None}
    chosen["idle_minutes"] = choices.idle_minutes
    for name, value in chosen.items():
        setattr(person, name, value)
    with write_transaction():
        person.save(update_fields=list(chosen))
