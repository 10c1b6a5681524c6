"""The command `write`: sends a text to the diary, and saves it in a file if that fails.

A text that could not be sent is saved in `$XDG_STATE_HOME/llamora/unsent/`, in a file with mode 0600 that
begins with headers like a mail:

    Idempotency-Key: 4e0c...
    Written-At: 2026-01-05T21:40:00+01:00
    Day: 2026-01-05

    The text.

`write --resend FILE` sends it again with the same key, so it is not stored twice if it had arrived.
"""

import contextlib
import os
import shlex
import signal
import subprocess
import sys
import tempfile
import uuid
from argparse import Namespace
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import FrameType

from llamora.client.answers import WriteAnswer
from llamora.client.commands.configuration import get_folder, write_private
from llamora.client.commands.console import Console, UsageRefused
from llamora.client.commands.reading import parse_day
from llamora.client.errors import LlamoraError
from llamora.client.sync_client import Llamora

_KEY, _AT, _DAY = "Idempotency-Key", "Written-At", "Day"


@dataclass(frozen=True, kw_only=True)
class PendingText:
    """A text to send, with the idempotency key by which the server recognizes a repeated call."""

    text: str
    key: str
    written_at: datetime
    day: str = ""

    @classmethod
    def create(cls, text: str, *, day: str = "") -> "PendingText":
        """Return a new text to send, with the present time as the time of writing."""
        return cls(text=text, key=str(uuid.uuid4()), written_at=datetime.now().astimezone(), day=day)

    @classmethod
    def load(cls, path: Path) -> "PendingText":
        """Return the text saved in a file; raise UsageRefused if the file is unreadable."""
        try:
            head, blank, text = path.read_bytes().decode().partition("\n\n")
            lines = dict(line.split(": ", 1) for line in head.split("\n"))
            if blank:
                at = datetime.fromisoformat(lines[_AT])
                return cls(text=text, key=lines[_KEY], written_at=at, day=lines.get(_DAY, ""))
        except OSError as error:
            raise UsageRefused(f"{path} can't be read: {error.strerror}.") from None
        except (ValueError, KeyError):
            pass
        raise UsageRefused(
            f"{path} is not a text that could not be sent. Its first lines must be as they were."
        )

    def encode(self) -> str:
        """Return the contents of the file in which this text is saved until it is sent."""
        lines = [f"{_KEY}: {self.key}", f"{_AT}: {self.written_at.isoformat()}"]
        lines += [f"{_DAY}: {self.day}"] if self.day else []
        return "\n".join(lines) + "\n\n" + self.text

    def send(self, diary: Llamora) -> WriteAnswer:
        """Send the text."""
        return diary.write(
            self.text, day=self.day or None, written_at=self.written_at, idempotency_key=self.key
        )


class _StoppedBySignal(BaseException):
    """Raised when a signal asks the program to end, for example because its terminal was closed."""

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number


def write(open_diary: Callable[[], Llamora], arguments: Namespace, console: Console) -> None:
    """Write an entry from the arguments, from stdin or from an editor."""
    if arguments.resend:
        path = Path(arguments.resend)
        pending = PendingText.load(path)
        with open_diary() as diary:
            _report(pending.send(diary), console)
        path.unlink(missing_ok=True)
        return
    day = parse_day(arguments.day)
    if arguments.text is None and console.is_interactive:
        # A missing token is said before someone has written a page.
        with open_diary() as diary:
            text, folder = _edit(console)
            try:
                _send(lambda: contextlib.nullcontext(diary), _create(text, day), console)
            finally:
                # What could not be sent is in a file of its own by now.
                _remove(folder)
        return
    text = _read_stdin() if arguments.text in (None, "-") else arguments.text
    _send(open_diary, _create(text, day), console)


def _create(text: str, day: object) -> PendingText:
    if not text.strip():
        raise UsageRefused("There is nothing to write: the text is empty.")
    return PendingText.create(text, day="" if day is None else str(day))


def _send(
    open_diary: Callable[[], contextlib.AbstractContextManager[Llamora]],
    pending: PendingText,
    console: Console,
) -> None:
    """Send a text; save it if that fails, whatever the reason."""
    try:
        with _signals_raised(), open_diary() as diary:
            answer = pending.send(diary)
    except BaseException as error:
        _save_unsent(pending, console, is_refused=isinstance(error, LlamoraError))
        if isinstance(error, _StoppedBySignal):
            raise SystemExit(128 + error.number) from None
        raise
    _report(answer, console)


def _report(answer: WriteAnswer, console: Console) -> None:
    if console.is_json:
        console.print_json(answer)
        return
    console.print_text(answer.id)
    if answer.action == "created" or answer.entry is not None:
        console.say(f"Saved on {answer.entry.day if answer.entry else answer.day}.")
    else:
        console.say("The text waits in the Inbox until its owner accepts it.")


def _save_unsent(pending: PendingText, console: Console, *, is_refused: bool) -> None:
    """Save a text where its sender finds it, and say where; show it if no disk takes it."""
    name = f"{pending.written_at:%Y-%m-%dT%H%M%S}_{pending.key[:8]}.txt"
    folders = (get_folder("XDG_STATE_HOME", ".local/state") / "unsent", Path(tempfile.gettempdir()))
    for folder in folders:
        try:
            write_private(folder / name, pending.encode())
        except (OSError, LlamoraError, UnicodeEncodeError):
            continue
        console.say(
            f"{'Not saved in the diary' if is_refused else 'Stopped'}. The text is in {folder / name}"
        )
        console.say(
            f"To send it again: python -m llamora.client write --resend {shlex.quote(str(folder / name))}"
        )
        return
    console.say("Not saved in the diary, and no disk takes the text either. Here it is:\n")
    console.say(pending.text)


@contextlib.contextmanager
def _signals_raised() -> Iterator[None]:
    """Raise at a signal that would end the program, so that the text is saved first."""

    def stop(number: int, frame: FrameType | None) -> None:
        del frame
        raise _StoppedBySignal(number)

    numbers = [getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)]
    before = {number: signal.signal(number, stop) for number in numbers}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _read_stdin() -> str:
    data = sys.stdin.buffer.read()
    try:
        return data.decode()
    except UnicodeDecodeError:
        pass
    raise UsageRefused("What came on stdin is not UTF-8, so it was not sent.")


def _edit(console: Console) -> tuple[str, Path | None]:
    """Return what someone writes in their editor, and the folder of its file; raise UsageRefused."""
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    if not editor:
        console.say("Write, and end with Ctrl-D on a line of its own.")
        return sys.stdin.read(), None
    folder = Path(tempfile.mkdtemp(prefix="llamora-", dir=_get_memory_folder()))
    path = folder / "entry.md"
    path.touch(mode=0o600)
    try:
        code = subprocess.call([*shlex.split(editor), str(path)])
        text = path.read_bytes().decode()
    except (OSError, ValueError):
        raise UsageRefused(
            f"The editor {editor} can't be used. The text, if there is any, is in {path}"
        ) from None
    if code != 0:
        raise UsageRefused(f"The editor ended with an error, so nothing was sent. The text is in {path}")
    return text, folder


def _remove(folder: Path | None) -> None:
    if folder is not None:
        for each in folder.iterdir():
            each.unlink()
        folder.rmdir()


def _get_memory_folder() -> str | None:
    """Return a folder in memory, if there is one, so that a draft reaches no disk."""
    for folder in (os.environ.get("XDG_RUNTIME_DIR", ""), "/dev/shm"):  # noqa: S108 - a folder of its own is made
        if os.path.isabs(folder) and os.access(folder, os.W_OK):
            return folder
    return None
