"""Search for the model to use, repeated while the server runs, because choice and files may change.

A file that appears while Llamora runs may still be incomplete. It is used after its header says that it is
complete and it has not changed for a second, because some programs first create a file of full length.
"""

import os
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from llamora.inference.config import ModelConfig
from llamora.inference.model_choice.choice_file import CHOICE_FILE
from llamora.inference.model_choice.model_files import ModelFile, Stamp, list_model_files, read_model_file
from llamora.inference.model_choice.selection import CHOICE, Selection, list_candidates, select_model

_STEADY_SECONDS: Final = 1.0
_COPIED_SECONDS: Final = 300.0


@dataclass(frozen=True, kw_only=True)
class Target:
    """The model to use. It is in a file, or on the server at a URL, or on any server that is found.

    model               the name of the model
    wire_format         the name of the server's wire format, if the household has chosen it
    problem             the code of a ModelStatus if the file is unusable
    may_look_elsewhere  whether a server may be used if there is no usable file
    """

    file: ModelFile | None = None
    url: str = ""
    model: str = ""
    wire_format: str = ""
    problem: str = ""
    may_look_elsewhere: bool = False

    @property
    def identity(self) -> tuple[object, ...]:
        """The values that change if another model is to be used, or if its file was replaced."""
        file = (self.file.path, self.file.stamp[0], self.file.stamp[1]) if self.file else None
        return (
            file,
            self.url,
            self.model,
            self.wire_format,
            self.problem if not self.may_look_elsewhere else "",
        )


class FolderWatch:
    """A record of the files in the models folder, and since when each file has been unchanged."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._listing: tuple[object, ...] = ()
        self._seen: dict[Path, tuple[Stamp, float]] | None = None
        self.has_new_file = False

    def has_changed(self) -> bool:
        """Return whether the choice or the files have changed since the last `record_listing`."""
        return self._list() != self._listing

    def record_listing(self) -> None:
        """Record the files in the folder; those present at the first call count as complete."""
        self._listing = self._list()
        self.has_new_file = False
        if self._seen is None:
            files = list_model_files(self._folder)
            self._seen = {file.path: (file.stamp, -_COPIED_SECONDS) for file in files}

    def is_steady(self, file: ModelFile) -> bool:
        """Return whether a file has not changed for a second."""
        if self._seen is None or file.path.parent != self._folder:
            return True
        now = time.monotonic()
        stamp, since = self._seen.get(file.path, (None, now))
        if stamp != file.stamp:
            self._seen[file.path] = (file.stamp, now)
            since = now
        is_steady = now - since >= _STEADY_SECONDS and file.problem != "incomplete"
        if not is_steady and now - since < _COPIED_SECONDS:
            self.has_new_file = True
        return is_steady

    def _list(self) -> tuple[object, ...]:
        found: list[tuple[object, ...]] = []
        with suppress(OSError), os.scandir(self._folder) as entries:
            for entry in entries:
                if entry.name.endswith(".gguf") or entry.name == CHOICE_FILE:
                    status = entry.stat()
                    found.append((entry.name, status.st_ino, status.st_size, status.st_mtime_ns))
        return tuple(sorted(found))


def find_target(config: ModelConfig, watch: FolderWatch, in_use: Path | None) -> Target:
    """Return the model to use now. It reads the disk: do not call it on the event loop.

    If no model is chosen, the file in use stays in use when other files appear.
    """
    watch.record_listing()
    selection = select_model(config)
    if selection.url:
        return Target(url=selection.url, model=selection.model, wire_format=selection.wire_format)
    if selection.file:
        return _check_chosen_file(selection.file, selection, watch)
    candidates = [file for file in list_candidates(config, selection) if watch.is_steady(file)]
    if candidates:
        current = next((file for file in candidates if file.path == in_use), candidates[0])
        return Target(file=current, model=selection.model)
    return Target(model=selection.model, problem=_find_problem(config, watch), may_look_elsewhere=True)


def _check_chosen_file(path: Path, selection: Selection, watch: FolderWatch) -> Target:
    try:
        file = read_model_file(path)
    except OSError:
        return Target(problem="chosen_file_gone" if selection.decided_by == CHOICE else "no_file")
    is_steady = watch.is_steady(file)
    if file.problem:
        return Target(problem="file_incomplete" if file.problem == "incomplete" else "file_refused")
    return Target(file=file) if is_steady else Target(problem="loading")


def _find_problem(config: ModelConfig, watch: FolderWatch) -> str:
    """Return a code for why no file in the folder can be used, or "" if none is a text model."""
    files = list_model_files(config.models_folder)
    steady = [watch.is_steady(file) for file in files]
    if watch.has_new_file and not all(steady):
        return "file_incomplete" if any(file.problem == "incomplete" for file in files) else "file_new"
    return "file_refused" if any(file.problem != "no_text_model" for file in files) else ""
