"""Texts of the pages about each kind of notes: its purpose, an example, and the form for a new note."""

from dataclasses import dataclass
from typing import Final

from diary.notes.kinds import SPECIAL_PATHS, NoteKind, derive_kind

_PATHS: Final = {kind: path for path, kind in SPECIAL_PATHS.items()}
_REFERENCES, _SKILLS, _SKILL_END, _MARKDOWN = "knowledge/", "skills/", "/SKILL.md", ".md"


@dataclass(frozen=True, kw_only=True)
class KindDescription:
    """The texts that the pages show about one kind of notes.

    If `name_label` is empty, the kind has only one note, whose path is fixed.
    """

    title: str
    purpose: str
    example: str = ""
    add: str
    new_title: str
    name_label: str = ""
    name_help: str = ""
    # The name that goes with the example.
    example_name: str = ""


KIND_DESCRIPTIONS: Final = {
    NoteKind.PERSONA: KindDescription(
        title="Persona",
        purpose="How the model should speak to you. It stands before every reply and every answer.",
        example="Speak calmly and in short sentences. Ask at most one question. Give advice only when I ask "
        "for it. Call me Jo.",
        add="Write a persona",
        new_title="Persona",
    ),
    NoteKind.REMEMBER: KindDescription(
        title="Also remember",
        purpose="What the model should know beside your facts, as free text.",
        example="“The lake” is the one at Lunz. Anna is my sister, Ana is a colleague. I work nights in "
        "odd weeks.",
        add="Write what to remember",
        new_title="Also remember",
    ),
    NoteKind.REQUESTS: KindDescription(
        title="Standing requests",
        purpose="What you want looked at again and again, one a line, with “when:” if only at some times. "
        "Mark a line [x] when it is done. Check-ins read this list, if you turn them on.",
        example="- [ ] What did I promise this week? (when: Sunday evenings)\n"
        "- [ ] Tell me if I have not written of my father for a week",
        add="Write a request",
        new_title="Standing requests",
    ),
    NoteKind.REFERENCE: KindDescription(
        title="Reference notes",
        purpose="What you look up: recipes, measurements, how the boiler works. Search finds them. The model "
        "reads one only where you name it or write about the same.",
        example="# Boiler\n\nPressure between 1.2 and 1.8 bar. Refill at the blue tap, slowly. Serviced in "
        "October.",
        example_name="home/boiler",
        add="Add a reference note",
        new_title="New reference note",
        name_label="Name",
        name_help="With a folder before it if you like, as in “home/boiler”.",
    ),
    NoteKind.SKILL: KindDescription(
        title="Skills",
        purpose="Reply styles with instructions of their own. One that came with an import is used only "
        "after you have read and approved its text; a changed one waits again.",
        example="---\nname: Letter\ndescription: Turns an entry into a letter to a friend\n---\n"
        "Write the entry as a letter to an old friend. Stay with what I wrote. End with my name.",
        example_name="letter",
        add="Add a skill",
        new_title="New skill",
        name_label="Name",
        name_help="One word or a few, as in “letter”. The lines between --- say what the menu shows.",
    ),
    NoteKind.FILE: KindDescription(
        title="Other files",
        purpose="Files of a workspace that are none of these. No model reads them.",
        add="Add a file",
        new_title="New file",
        name_label="Path: folders and name",
        name_help="As in “templates/week.md”.",
    ),
}


def is_single(kind: NoteKind) -> bool:
    """Return whether there is at most one note of a kind."""
    return kind in _PATHS


def build_path(kind: NoteKind, name: str) -> str:
    """Return the path of a note from its kind and its typed name, which may be empty."""
    typed = name.strip()
    if kind in _PATHS:
        return _PATHS[kind]
    if kind is NoteKind.REFERENCE:
        typed = typed.removeprefix(_REFERENCES)
        return f"{_REFERENCES}{typed}{'' if _has_suffix(typed) else _MARKDOWN}"
    if kind is NoteKind.SKILL:
        return f"{_SKILLS}{typed.removeprefix(_SKILLS).removesuffix(_SKILL_END)}{_SKILL_END}"
    return typed


def _has_suffix(name: str) -> bool:
    """Return whether a name has a suffix, or is empty."""
    last = name.rpartition("/")[2]
    return not last or "." in last


def get_typed_name(path: str) -> str:
    """Return the name that a person types for the note with this path.

    `build_path` builds the path from this name.
    """
    kind = derive_kind(path)
    if kind is NoteKind.REFERENCE:
        name = path.removeprefix(_REFERENCES)
        without = name.removesuffix(_MARKDOWN)
        return name if _has_suffix(without) else without
    if kind is NoteKind.SKILL:
        return path.removeprefix(_SKILLS).removesuffix(_SKILL_END)
    return "" if kind in _PATHS else path


def get_note_name(path: str) -> str:
    """Return the name that the pages show for the note at a path, without its folders."""
    kind = derive_kind(path)
    if kind in _PATHS:
        return KIND_DESCRIPTIONS[kind].title
    return get_typed_name(path).rpartition("/")[2]


def get_note_folder(path: str) -> str:
    """Return the folders of a note below the folder of its kind, for the list; empty for a skill."""
    return "" if derive_kind(path) is NoteKind.SKILL else get_typed_name(path).rpartition("/")[0]
