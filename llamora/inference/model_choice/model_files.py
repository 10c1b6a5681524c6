"""The model files of the household, each with the properties that its header states."""

import threading
from dataclasses import dataclass
from pathlib import Path

from llamora.inference.model_choice.errors import get_sentence
from llamora.llm.model_files.gguf import GgufFacts, UnreadableModelFile, is_later_part, read_gguf
from llamora.llm.model_files.size import is_too_small

Stamp = tuple[int, int, int]


@dataclass(frozen=True, kw_only=True)
class ModelFile:
    """A model file, with the facts from its header, or with the code of its problem (see `errors`)."""

    path: Path
    stamp: Stamp
    facts: GgufFacts | None = None
    problem: str = ""
    reason: str = ""

    @property
    def name(self) -> str:
        """The name of the file without `.gguf`."""
        return self.path.name.removesuffix(".gguf")

    @property
    def size(self) -> int:
        """The size in bytes, including all parts of a split model."""
        return self.facts.size if self.facts else self.stamp[1]

    @property
    def sentence(self) -> str:
        """A sentence that says why the model file cannot be used, or "" if it can be used."""
        return get_sentence(self.problem, reason=self.reason) if self.problem else ""

    @property
    def is_too_small(self) -> bool:
        """Whether the model has so few parameters that it writes only on request."""
        return self.facts is not None and is_too_small(self.facts.parameters or None)

    def has_name(self, name: str) -> bool:
        """Return whether a name given by a person means this file."""
        return name in (self.path.name, self.name)


class _HeaderCache:
    """Cache of facts until their file changes; reading a header takes up to a second."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._files: dict[Path, ModelFile] = {}

    def read(self, path: Path) -> ModelFile:
        status = path.stat()
        stamp = (status.st_ino, status.st_size, status.st_mtime_ns)
        found = self._files.get(path)
        # Whether a split model is complete depends on other files too.
        if found is None or found.stamp != stamp or found.problem == "incomplete":
            found = _read_file(path, stamp)
            with self._lock:
                self._files[path] = found
        return found


_cache = _HeaderCache()


def read_model_file(path: Path) -> ModelFile:
    """Return a model file with the data of its header, or with its problem; raise FileNotFoundError."""
    return _cache.read(path)


def list_model_files(folder: Path) -> list[ModelFile]:
    """Return a folder's model files by name, without image projectors and later parts of split models."""
    paths = sorted(path for path in folder.glob("*.gguf") if is_first_part(path.name))
    return [read_model_file(path) for path in paths if path.is_file()]


def is_first_part(name: str) -> bool:
    """Return whether a file may be a whole model or the first part of a split one."""
    return not (is_later_part(name) or name.startswith(("mmproj", ".")))


def list_parts(path: Path) -> list[Path]:
    """Return all files of a model, which may be split."""
    base, mark, rest = path.name.partition("-00001-of-")
    if not mark:
        return [path]
    return sorted(
        part
        for part in path.parent.iterdir()
        if part.name.startswith(f"{base}-") and part.name.endswith(f"-of-{rest}")
    )


def _read_file(path: Path, stamp: Stamp) -> ModelFile:
    try:
        facts = read_gguf(path)
    except UnreadableModelFile as problem:
        return ModelFile(path=path, stamp=stamp, problem=problem.code)
    except OSError as error:
        return ModelFile(path=path, stamp=stamp, problem="unreadable", reason=error.strerror or "an error")
    return ModelFile(
        path=path, stamp=stamp, facts=facts, problem="" if facts.writes_text else "no_text_model"
    )
