"""Invented diary texts with which each prompt template can be filled in to check it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from diary.generation.prompt_context import PromptEntry, PromptFact, PromptNote
from diary.generation.text_language import describe_language
from diary.models import Origin

_MORNING = "Up early, and walked to the weir with Anna. The kingfisher was there again, on the same post."
_EVENING = (
    "Repaired the back door at last, which took the whole afternoon and two trips for hinges. Anna thinks "
    "that the old ones were better. We promised her mother to come on Sunday. I have to ask about the boat."
)


@dataclass(frozen=True, kw_only=True)
class SampleText:
    """An invented diary text with which a prompt template is filled in to check the template."""

    day: str
    text: str
    labels: tuple[str, ...] = ()

    def describe(self) -> Mapping[str, object]:
        """Return the text as the JSON object that a prompt shows to the language model."""
        return {"day": self.day, "labels": self.labels, "text": self.text}


def build_sample_values() -> dict[str, object]:
    """Return invented values for all variables of all prompt templates: a day, and the two days before it."""
    days_before = (
        SampleText(day="Monday, 1 March 2021, 2 days ago", text=_MORNING, labels=("the weir",)),
        SampleText(day="Tuesday, 2 March 2021, yesterday", text=_EVENING),
    )
    return {
        **describe_language(_EVENING),
        "weekday": "Wednesday",
        "day": "3 March 2021",
        "wish": "Answer with one proverb.",
        "entry": PromptEntry(time="21:40", text=_EVENING),
        "earlier": (PromptEntry(time="08:10", text=_MORNING),),
        "recalled": (PromptEntry(time="", day_label="Monday, 1 March 2021", text=_MORNING, is_cut=True),),
        "replies": ("The same post: it seems to own it.",),
        "notes": (
            PromptNote(
                id=UUID(int=2),
                name="knowledge/boat.md",
                text="It leaks at the stern.",
                origin=Origin.OWN,
                revision=1,
                span=(0, 22),
            ),
        ),
        "facts": (PromptFact(id=UUID(int=1), text="Anna has a boat at the weir"),),
        "is_cut": False,
        "entries": days_before,
        "name": "the weir",
        "count": 2,
        "left_out": 0,
        "known": ("the weir", "Anna"),
        "told": days_before,
        "gap": 1,
        "is_long": False,
        "is_new": False,
        "turns": (SampleText(day="", text="Where did Anna and I walk to?"),),
        "passages": days_before,
        "tally": SampleText(day="Tuesday, 2 March 2021, yesterday", text="2"),
        "earlier_fact": "You live by the weir",
        "later_fact": "You moved to the mill",
        "requests": (SampleText(day="", text="Ask me how the garden is"),),
        "persona": "",
        "question": "What did we promise to her mother?",
    }
