"""A workspace as files: writing notes to files, and reading files as notes, byte for byte.

An imported file that did not change is written as it came. Any other note is written with a stamp
(`diary.notes.workspace.stamps`), by which this diary recognises it with its id, revision and origin. A file
without a valid stamp becomes an imported note, until its owner claims it.
"""

import os
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Final

from diary import messages
from diary.notes.errors import InvalidNotePath, InvalidNoteText, NoteTooLong
from diary.notes.kinds import MAX_FILE_BYTES, MAX_NOTE_TEXT, MAX_NOTES, NoteKind, check_content, check_path
from diary.notes.note_metadata import encode_content
from diary.notes.queries import NoteText, list_notes, read_note
from diary.notes.workspace.stamps import NoteStamp, add_stamp, split_stamp
from llamora.crypto import RealmKeyring
from llamora.threads import let_others_run

FOLDER: Final = "workspace"
_EXPORT_FILE: Final = "diary.json"
# Of version control and of file managers: no part of a workspace.
_LEFT_OUT_PARTS: Final = frozenset({".git", "__MACOSX", ".DS_Store", "Thumbs.db", "desktop.ini"})
_KNOWN_TOPS: Final = frozenset({"knowledge", "skills", "memory"})
_MAX_MEMBERS: Final = 5 * MAX_NOTES
MAX_WORKSPACE_BYTES: Final = 64_000_000
# What zipfile raises, also for a file with a password, in an unknown compression, damaged, or with a place
# beyond what a number holds.
_ZIP_ERRORS: Final = (
    zipfile.BadZipFile,
    zlib.error,
    OverflowError,
    RuntimeError,
    ValueError,
    struct.error,
    NotImplementedError,
    EOFError,
)


@dataclass(frozen=True, kw_only=True)
class WorkspaceFile:
    """A file of a workspace: its content as a note, or the sentence that says why it is refused."""

    path: str = field(repr=False)
    content: str | bytes = field(default=b"", repr=False)
    stamp: NoteStamp | None = None
    refusal: str = ""


class NotAWorkspace(Exception):  # noqa: N818 - an answer to the person, not a fault
    """Raised for a folder or a zip that is not a workspace; `sentence` says what to do."""

    def __init__(self, sentence: str) -> None:
        super().__init__(sentence)
        self.sentence = sentence


# --- Writing ---------------------------------------------------------------------------------------------


def iter_workspace(
    keyring: RealmKeyring, *, signing_key: bytes | None = None, reads_others: bool = True
) -> Iterator[tuple[str, bytes]]:
    """Yield the path and the bytes of each note, as files of a workspace.

    Damaged notes are left out. `signing_key` is the key with which the diary signs its exports, or None in an
    export by a program. If two paths differ only in upper and lower case, which are one file on some disks,
    the later gets another name.
    """
    names = _FileNames()
    for line in list_notes(keyring, reads_others=reads_others):
        if line.is_damaged:
            continue
        note = read_note(keyring, line.id)
        if note.content is not None:
            yield names.choose(note.path), build_file(note, signing_key=signing_key)


def build_file(note: NoteText, *, signing_key: bytes | None) -> bytes:
    """Return a note as the bytes of a file."""
    if note.text is None or note.came_in:
        return encode_content(note.content or b"")
    stamp = NoteStamp(
        id=note.id,
        revision=note.revision,
        origin=note.origin,
        is_approved=note.approved_revision == note.revision,
    )
    if signing_key is not None:
        stamp = stamp.sign(note.path, note.text, signing_key)
    return encode_content(add_stamp(note.text, stamp))


class _FileNames:
    """Names of the files written so far; case is ignored, since some file systems ignore it."""

    def __init__(self) -> None:
        self._files: set[str] = set()
        self._folders: set[str] = set()

    def choose(self, path: str) -> str:
        """Return a path for a new file: the given one, with a number added if it is taken."""
        name, number = path, 1
        while self._is_taken(name):
            number += 1
            name = self._number(PurePosixPath(path), number)
        folded = name.casefold()
        self._files.add(folded)
        self._folders.update(str(parent) for parent in PurePosixPath(folded).parents)
        return name

    def _number(self, path: PurePosixPath, number: int) -> str:
        """Return a path with a number: on its first folder, if one of its folders is a file already."""
        if self._lies_in_file(str(path)):
            return str(PurePosixPath(f"{path.parts[0]} ({number})", *path.parts[1:]))
        return str(path.with_name(f"{path.stem} ({number}){path.suffix}"))

    def _is_taken(self, path: str) -> bool:
        folded = path.casefold()
        return folded in self._files or folded in self._folders or self._lies_in_file(path)

    def _lies_in_file(self, path: str) -> bool:
        return any(str(parent) in self._files for parent in PurePosixPath(path.casefold()).parents)


# --- Reading ---------------------------------------------------------------------------------------------


def read_workspace(files: Iterable[tuple[str, bytes | str]]) -> list[WorkspaceFile]:
    """Parse files as notes, and return one result for each path.

    A string in place of a file's bytes is the reason why the file is refused.
    """
    read: dict[str, WorkspaceFile] = {}
    for path, data in files:
        let_others_run()
        file = _refuse(path, data) if isinstance(data, str) else _read_file(path, data)
        if file.path in read:
            file = _refuse(file.path, messages.WORKSPACE_TWICE)
        read[file.path] = file
    return list(read.values())


def _read_file(path: str, data: bytes) -> WorkspaceFile:
    try:
        check_path(path)
        text = _decode(data)
        if text is None:
            check_content(data, NoteKind.FILE)
            return WorkspaceFile(path=path, content=data)
        content, stamp = split_stamp(text)
        if len(content) > MAX_NOTE_TEXT or "\0" in content:
            check_content(data, NoteKind.FILE)
            return WorkspaceFile(path=path, content=data)
    except (InvalidNotePath, InvalidNoteText, NoteTooLong) as error:
        return _refuse(path, error.sentence)
    return WorkspaceFile(path=path, content=content, stamp=stamp)


def _decode(data: bytes) -> str | None:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return None


def _refuse(path: str, sentence: str) -> WorkspaceFile:
    return WorkspaceFile(path=path, refusal=sentence)


def read_folder(folder: Path) -> Iterator[tuple[str, bytes | str]]:
    """Yield the files of a workspace from a folder.

    The folder may also be that of an export, which contains a workspace. Symbolic links are not followed;
    they, and whatever else is not a regular file, are yielded as refused. Raise NotAWorkspace or OSError.
    """
    if not folder.is_dir():
        raise NotAWorkspace(messages.NOT_A_WORKSPACE)
    if (folder / _EXPORT_FILE).is_file() and (folder / FOLDER).is_dir():
        folder = folder / FOLDER
    budget = _Budget()
    for root, folders, names in os.walk(folder, followlinks=False):
        folders[:] = sorted(name for name in folders if name not in _LEFT_OUT_PARTS)
        here = Path(root)
        for name in sorted(names + [each for each in folders if (here / each).is_symlink()]):
            path = (here / name).relative_to(folder).as_posix()
            if name in _LEFT_OUT_PARTS:
                continue
            yield path, _read_path(here / name, budget)


def _read_path(path: Path, budget: "_Budget") -> bytes | str:
    if not stat.S_ISREG(path.lstat().st_mode):
        return messages.WORKSPACE_NO_FILE
    budget.count_file()
    if (size := path.stat().st_size) > MAX_FILE_BYTES:
        return messages.get_note_file_too_big_message(size=size, limit=MAX_FILE_BYTES)
    return budget.count_bytes(path.read_bytes())


def read_zip(file: Path | object) -> Iterator[tuple[str, bytes | str]]:
    """Yield the files of a workspace from a zip.

    The zip may also be that of an export, which contains a workspace. `file` is a path or an open file.
    Nothing is unpacked to a disk. A folder that contains all other files is left out of the paths. Raise
    NotAWorkspace.
    """
    try:
        archive = zipfile.ZipFile(file)  # type: ignore[arg-type]  # a path, or a file that is open
    except _ZIP_ERRORS:
        raise NotAWorkspace(messages.UNREADABLE_ZIP) from None
    with archive:
        # A file may have no name, which `is_dir` does not expect.
        infos = [info for info in archive.infolist() if not info.filename.endswith("/")]
        if len(infos) > _MAX_MEMBERS:
            raise NotAWorkspace(messages.get_workspace_too_big_message())
        infos = [info for info in infos if _LEFT_OUT_PARTS.isdisjoint(info.filename.split("/"))]
        top = _find_top([info.filename for info in infos])
        budget = _Budget()
        for info in infos:
            if info.filename.startswith(top):
                yield info.filename.removeprefix(top), _read_member(archive, info, budget)


def _find_top(names: list[str]) -> str:
    """Return the folder of the workspace in a zip, with a slash at its end, or ""."""
    # Once for all names: a zip may have ten thousand of them, each of which looks like an export.
    folders = {f"{'/'.join(parts[:count])}/" for parts in _iter_top_folders(names) for count in (1, 2)}
    for name in names:
        folder, _, base = name.rpartition("/")
        if base == _EXPORT_FILE and folder.count("/") == 0:
            top = f"{folder}/{FOLDER}/".removeprefix("/")
            if top in folders:
                return top
    tops = {name.split("/", 1)[0] if "/" in name else "" for name in names}
    top = next(iter(tops)) if len(tops) == 1 else ""
    return "" if not top or top in _KNOWN_TOPS else f"{top}/"


def _iter_top_folders(names: list[str]) -> Iterator[list[str]]:
    """Yield, for each name in a folder, its outermost folder and the next folder below it, if any."""
    for name in names:
        if "/" in name:
            yield name.split("/", 2)[:-1]


def _read_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, budget: "_Budget") -> bytes | str:
    if stat.S_ISLNK(info.external_attr >> 16):
        return messages.WORKSPACE_NO_FILE
    budget.count_file()
    if info.file_size > MAX_FILE_BYTES:
        return messages.get_note_file_too_big_message(size=info.file_size, limit=MAX_FILE_BYTES)
    if info.flag_bits & 1:
        return messages.WORKSPACE_ENCRYPTED
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        return messages.WORKSPACE_UNREADABLE
    try:
        with archive.open(info) as member:
            # Its directory may say less than it holds.
            data = member.read(MAX_FILE_BYTES + 1)
    except _ZIP_ERRORS:
        return messages.WORKSPACE_UNREADABLE
    except OSError:
        return messages.WORKSPACE_UNREADABLE
    if len(data) > MAX_FILE_BYTES:
        return messages.get_note_file_too_big_message(size=len(data), limit=MAX_FILE_BYTES)
    return budget.count_bytes(data)


class _Budget:
    """Count of the files and bytes of a workspace; beyond its limits, the whole workspace is refused."""

    def __init__(self) -> None:
        self._files = self._bytes = 0

    def count_file(self) -> None:
        self._files += 1
        if self._files > MAX_NOTES:
            raise NotAWorkspace(messages.get_workspace_too_big_message())

    def count_bytes(self, data: bytes) -> bytes:
        self._bytes += len(data)
        if self._bytes > MAX_WORKSPACE_BYTES:
            raise NotAWorkspace(messages.get_workspace_too_big_message())
        return data
