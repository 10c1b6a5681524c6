"""What a person has chosen about their pages."""

from dataclasses import dataclass, fields

from accounts.models import Person, TextSize
from llamora.database import writing


@dataclass(frozen=True, kw_only=True)
class Choices:
    """Choices as a form has checked them."""

    shown_name: str
    time_zone: str
    theme: str
    week_start: int
    text_size: str = TextSize.USUAL
    idle_minutes: int | None = None


def change_settings(person: Person, choices: Choices) -> None:
    """Keep what a person has chosen; days already written stay on their dates."""
    person.shown_name = choices.shown_name
    person.time_zone = choices.time_zone
    person.theme = choices.theme
    person.week_start = choices.week_start
    person.text_size = choices.text_size
    person.idle_minutes = choices.idle_minutes
    with writing():
        person.save(update_fields=[field.name for field in fields(choices)])
