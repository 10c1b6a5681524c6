"""Skills: reply styles of a workspace, each in a folder with a file SKILL.md and maybe scripts.

Scripts are listed by their names and never run: nothing here opens one.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from diary.notes.front_matter import split_front_matter
from diary.notes.kinds import NoteKind, get_skill_folder
from diary.notes.queries import NoteText, list_notes, read_notes
from llamora.crypto import RealmKeyring
from llamora.source_names import clean_source_name

MAX_DESCRIPTION: Final = 400


@dataclass(frozen=True, kw_only=True)
class Skill:
    """A skill; replies may use it only if it is `usable`: its owner wrote or approved this revision."""

    note_id: UUID
    revision: int
    # One line each; the folder's name where the file names none.
    name: str = field(repr=False)
    description: str = field(repr=False)
    # Below the front matter.
    text: str = field(repr=False)
    usable: bool
    origin: str
    # Other files of its folder, by their paths in it.
    scripts: Sequence[str] = field(default=(), repr=False)


def list_skills(keyring: RealmKeyring) -> list[Skill]:
    """Return the skills of a person, sorted by name, usable or not; damaged ones are left out."""
    lines = list_notes(keyring)
    paths = [line.path for line in lines]
    found = [line.id for line in lines if line.kind is NoteKind.SKILL]
    notes = read_notes(keyring, found) if found else []
    skills = [build_skill(note, paths) for note in notes if note.text is not None]
    return sorted(skills, key=lambda skill: (skill.name.casefold(), str(skill.note_id)))


def build_skill(note: NoteText, paths: Sequence[str] = ()) -> Skill:
    """Return the skill that a note describes; `paths` are the paths of all notes, to find its scripts."""
    folder = get_skill_folder(note.path)
    front = split_front_matter(note.text or "")
    return Skill(
        note_id=note.id,
        revision=note.revision,
        name=clean_source_name(front.values.get("name", "")) or clean_source_name(folder.split("/")[-2]),
        description=_clean_description(front.values.get("description", "")),
        text=front.body.strip(),
        usable=note.is_approved,
        origin=note.origin,
        scripts=[
            path.removeprefix(folder) for path in paths if path.startswith(folder) and path != note.path
        ],
    )


def _clean_description(text: str) -> str:
    """Return a description as one line of at most MAX_DESCRIPTION characters, cleaned word by word."""
    line = " ".join(clean_source_name(word) for word in text[: 4 * MAX_DESCRIPTION].split())
    line = " ".join(line.split())
    return line if len(line) <= MAX_DESCRIPTION else line[: MAX_DESCRIPTION - 1].rstrip() + "…"
