"""The command `notes`: list, find, show, save and delete notes by their paths."""

import base64
import sys
from argparse import Namespace
from pathlib import Path

from llamora.client import note_calls
from llamora.client.commands.console import Console, UsageRefused
from llamora.client.errors import Invalid, NotFound
from llamora.client.note_calls import NoteObject
from llamora.client.sync_client import Llamora

_PART = 200


def run_notes(diary: Llamora, arguments: Namespace, console: Console) -> None:
    """Run one action of the command `notes`."""
    if arguments.action == "list":
        _print_lines(_list(diary, arguments), console)
        return
    if not arguments.path:
        raise UsageRefused(f"Which one? Give its path: notes {arguments.action} knowledge/garden.md")
    match arguments.action:
        case "search":
            _print_lines(diary.send(note_calls.search(arguments.path))["notes"], console)
        case "show":
            _show(diary.send(note_calls.get(_find(diary, arguments.path)["id"])), console)
        case "save":
            _save(diary, arguments, console)
        case _:
            answer = diary.send(note_calls.delete(_find(diary, arguments.path)["id"]))
            if console.is_json:
                console.print_json(answer)


def _list(diary: Llamora, arguments: Namespace) -> list[NoteObject]:
    if arguments.limit is not None or arguments.offset is not None:
        page = note_calls.list_page(kind=arguments.kind, limit=arguments.limit, offset=arguments.offset)
        return list(diary.send(page)["notes"])
    found: list[NoteObject] = []
    while True:
        page = note_calls.list_page(kind=arguments.kind, limit=_PART, offset=len(found))
        answer = diary.send(page)
        found += answer["notes"]
        if answer["next_offset"] is None or not answer["notes"]:
            return found


def _find(diary: Llamora, path: str) -> NoteObject:
    found: list[NoteObject] = diary.send(note_calls.search(path, is_exact=True))["notes"]
    if not found:
        raise NotFound("There is no note at this path, or the token may not read it. notes list names all.")
    return found[0]


def _show(note: NoteObject, console: Console) -> None:
    """Print a note: its text or its bytes, exactly."""
    if console.is_json:
        console.print_json(note)
        return
    if note["text"] is None and note["data"] is None:
        raise NotFound("This note is damaged on the disk and can't be read.")
    data = base64.b64decode(note["data"]) if note["text"] is None else note["text"].encode()
    sys.stdout.flush()
    sys.stdout.buffer.write(data)


def _save(diary: Llamora, arguments: Namespace, console: Console) -> None:
    text = _read_text(arguments.file)
    found = diary.send(note_calls.search(arguments.path, is_exact=True))["notes"]
    if found:
        call = note_calls.change(found[0]["id"], revision=found[0]["revision"], text=text)
    else:
        call = note_calls.save(arguments.path, text)
    saved = diary.send(call)
    if console.is_json:
        console.print_json(saved)
    else:
        console.print_text(f"{saved['path']}  revision {saved['revision']}  {saved['origin']}")


def _read_text(file: str | None) -> str:
    """Return the text of a file, or of standard input, with its line ends as they are."""
    try:
        data = sys.stdin.buffer.read() if file in (None, "-") else Path(str(file)).read_bytes()
    except OSError as error:
        raise UsageRefused(f"The file can't be read: {error.strerror}.") from None
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        pass
    raise Invalid("This is not a text in UTF-8. Save it as UTF-8, then send it again.")


def _print_lines(notes: list[NoteObject], console: Console) -> None:
    if console.is_json:
        console.print_json({"notes": notes})
        return
    for note in notes:
        path = note["path"] or f"(damaged) {note['id']}"
        console.print_text(f"{path}  {note['kind']}  {note['origin']}  {note['size']:,} bytes")
    if not notes:
        console.say("There are no such notes.")
