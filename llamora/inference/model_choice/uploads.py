"""Adding of model files: uploaded through the page, or copied from elsewhere on this machine."""

import os
import re
import shutil
from collections.abc import Iterable, Iterator
from errno import EDQUOT, ENOSPC
from pathlib import Path
from typing import Final

from llamora.inference.model_choice.catalogue import format_gigabytes
from llamora.inference.model_choice.downloads import lock_downloads
from llamora.inference.model_choice.errors import ChoiceRefused
from llamora.inference.model_choice.model_files import ModelFile, read_model_file
from llamora.llm.model_files.gguf import MAGIC, UnreadableModelFile, is_part, read_gguf

# Left free for the diary, which needs to be saved whatever is added.
SPACE_FOR_OTHERS: Final = 256 << 20
_BLOCK, _CHECK_EVERY = 1 << 20, 64 << 20
_NAME = re.compile(r"[\w.+ ()-]+")
_LONGEST_NAME = 200


def add_file(chunks: Iterable[bytes], *, name: str, folder: Path, size: int = 0) -> ModelFile:
    """Save an uploaded model file in `folder` and return it; raise ChoiceRefused if that fails.

    `size` is the expected size, if known. The file has a temporary name until it is complete and checked; a
    refused file is deleted.
    """
    check_name(name, folder=folder)
    path, part = folder / name, folder / f"{name}.part"
    with lock_downloads(folder):
        _check_space(folder, size)
        try:
            _write_part(chunks, part)
            facts = read_gguf(part)
            if not facts.writes_text:
                raise ChoiceRefused("no_text_model")
            part.rename(path)
        except UnreadableModelFile as problem:
            raise ChoiceRefused(problem.code) from None
        except OSError as error:
            if error.errno in (ENOSPC, EDQUOT):
                raise _build_space_refusal(folder, size) from None
            raise ChoiceRefused("not_added", reason=error.strerror or "an error of the disk") from None
        finally:
            part.unlink(missing_ok=True)
    return read_model_file(path)


def copy_file(source: Path, *, folder: Path) -> ModelFile:
    """Copy a model file from elsewhere on this machine into `folder`; raise ChoiceRefused if that fails."""
    try:
        with source.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            return add_file(iter(lambda: file.read(_BLOCK), b""), name=source.name, folder=folder, size=size)
    except OSError as error:
        raise ChoiceRefused("unreadable", reason=error.strerror or "an error of the disk") from None


def check_name(name: str, *, folder: Path) -> None:
    """Raise ChoiceRefused unless a new model file may have this name."""
    is_named = bool(_NAME.fullmatch(name)) and name[0] not in ".- " and name.endswith(".gguf")
    if not is_named or len(name) > _LONGEST_NAME:
        raise ChoiceRefused("bad_name")
    if is_part(name):
        raise ChoiceRefused("split_file")
    if (folder / name).exists():
        raise ChoiceRefused("file_exists", name=name)


def _write_part(chunks: Iterable[bytes], part: Path) -> None:
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        unchecked = 0
        for chunk in _check_beginning(chunks):
            file.write(chunk)
            unchecked += len(chunk)
            if unchecked >= _CHECK_EVERY:
                unchecked = 0
                file.flush()
                # Little by little: all at once would hold up what the diary writes.
                os.fsync(file.fileno())
                _check_space(part.parent, 0)
        file.flush()
        os.fsync(file.fileno())


def _check_beginning(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """Yield the chunks of a file; raise ChoiceRefused if it does not begin as a model file does."""
    begin = b""
    for chunk in chunks:
        if len(begin) < len(MAGIC):
            begin += chunk[: len(MAGIC)]
            if not MAGIC.startswith(begin[: len(MAGIC)]):
                raise ChoiceRefused("no_gguf")
        yield chunk


def _check_space(folder: Path, size: int) -> None:
    if shutil.disk_usage(folder).free < size + SPACE_FOR_OTHERS:
        raise _build_space_refusal(folder, size)


def _build_space_refusal(folder: Path, size: int) -> ChoiceRefused:
    return ChoiceRefused(
        "disk_full",
        needed=format_gigabytes(size + SPACE_FOR_OTHERS),
        free=format_gigabytes(shutil.disk_usage(folder).free),
    )
