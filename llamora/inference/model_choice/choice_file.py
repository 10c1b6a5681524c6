"""The household's choice of a model, in `data/models/choice.json`.

    {"file": "heron-3b.gguf"}                              a file in the folder models
    {"file": "/mnt/models/heron-3b.gguf"}                  a file elsewhere
    {"url": "http://127.0.0.1:11434", "model": "heron"}    a model of a server
    {"url": "...", "model": "heron", "format": "ollama"}   the same, and the format in which it is asked

Without this file, the household has chosen nothing.
"""

import json
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from llamora.inference.model_choice.errors import ChoiceRefused
from llamora.llm.formats.wire_format import NAMES

CHOICE_FILE: Final = "choice.json"
_LONGEST: Final = 1 << 16


@dataclass(frozen=True, kw_only=True)
class ModelChoice:
    """The chosen model: a file, or a model of a server with its wire format; empty if nothing is chosen."""

    file: str = ""
    url: str = ""
    model: str = ""
    wire_format: str = ""

    def __bool__(self) -> bool:
        return bool(self.file or self.url)

    def get_path(self, folder: Path) -> Path | None:
        """Return the path of the chosen model file, or None if no model file is chosen.

        `folder` is the folder of models.
        """
        return folder / self.file if self.file else None


def read_choice(folder: Path) -> ModelChoice:
    """Return the household's choice of a model, read from `choice.json` in the folder of models.

    If the file is missing, the choice is empty. Raise ChoiceRefused if the file is unreadable.
    """
    try:
        with (folder / CHOICE_FILE).open("rb") as file:
            found = json.loads(file.read(_LONGEST))
    except FileNotFoundError:
        return ModelChoice()
    except (OSError, ValueError, RecursionError):
        raise ChoiceRefused("choice_unreadable") from None
    values = found if isinstance(found, dict) else {}
    texts = {key: value for key, value in values.items() if isinstance(value, str) and value.isprintable()}
    wire_format = texts.get("format", "")
    choice = ModelChoice(
        file=texts.get("file", ""),
        url=texts.get("url", ""),
        model=texts.get("model", ""),
        wire_format=wire_format if wire_format in NAMES else "",
    )
    if bool(choice.file) == bool(choice.url):
        raise ChoiceRefused("choice_unreadable")
    return choice


def write_choice(folder: Path, choice: ModelChoice) -> None:
    """Write the household's choice of a model to `choice.json`; if the choice is empty, delete the file.

    The file is replaced atomically and has mode 0600.
    """
    path, draft = folder / CHOICE_FILE, folder / f".{CHOICE_FILE}.{os.getpid()}.new"
    if not choice:
        path.unlink(missing_ok=True)
        return
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    values = {"file": choice.file} if choice.file else {"url": choice.url, "model": choice.model}
    if choice.url and choice.wire_format:
        values["format"] = choice.wire_format
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(values, file)
            file.flush()
            os.fsync(file.fileno())
        draft.rename(path)
    except OSError:
        with suppress(OSError):
            draft.unlink(missing_ok=True)
        raise
