"""The command line of the client in a process, with its own folders and a scripted or a real server.

Processes are forked (`tests/forking.py`) if a test reads only their output and exit status.
"""

import os
import pty
import select
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from tests import data_folder_template, forking
from tests.client.scripted_api import TOKEN
from tests.conftest import ROOT

Result = subprocess.CompletedProcess[str]
PROGRAM = ("-m", forking.CLIENT)
# What Python and its packages do not read before the program runs.
READ_LATER = {"EDITOR", "NO_COLOR", "TZ", "VISUAL"}


@dataclass
class CommandLine:
    """The client's commands, as one person runs them on one machine."""

    folder: Path
    url: str
    token: str = TOKEN
    program: Sequence[str] = PROGRAM
    extra: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.token_file.write_text(self.token + "\n")
        self.token_file.chmod(0o600)

    @property
    def token_file(self) -> Path:
        return self.folder / "token"

    @property
    def config_file(self) -> Path:
        return self.folder / "config" / "llamora" / "client.toml"

    @property
    def unsent(self) -> list[Path]:
        return sorted((self.folder / "state" / "llamora" / "unsent").glob("*"))

    @property
    def command(self) -> list[str]:
        return [sys.executable, *self.program]

    @property
    def environment(self) -> dict[str, str]:
        left_out = ("LLAMORA_", "DJANGO_", "XDG_", "PYTHON", "LC_", "VISUAL", "EDITOR", "NO_COLOR", "COV_")
        kept = {name: value for name, value in os.environ.items() if not name.startswith(left_out)}
        return kept | {
            "HOME": str(self.folder),
            "TMPDIR": str(self.folder),
            "XDG_CONFIG_HOME": str(self.folder / "config"),
            "XDG_STATE_HOME": str(self.folder / "state"),
            "LLAMORA_URL": self.url,
            "LLAMORA_TOKEN_FILE": str(self.token_file),
            "TERM": "xterm",
            "LANG": "C.UTF-8",
            **self.extra,
        }

    def run(
        self, *arguments: str, typed: str | bytes = b"", code: int | None = 0, is_forked: bool = True
    ) -> Result:
        """Run a command to its end; it must exit with `code`, and without a traceback."""
        data = typed.encode() if isinstance(typed, str) else typed
        packages = data_folder_template.get_packages_file() if is_forked and self.can_be_forked() else None
        answer = self._fork(arguments, data, packages) if packages else self._start(arguments, data)
        assert "Traceback" not in answer.stderr, answer.stderr
        assert code is None or answer.returncode == code, (answer.returncode, answer.stderr, answer.stdout)
        return answer

    def can_be_forked(self) -> bool:
        """Return whether it is the program itself, and its environment nothing that Python reads first."""
        own = {name: value for name, value in self.extra.items() if name not in READ_LATER}
        return tuple(self.program) == PROGRAM and forking.can_fork(own)

    def _fork(self, arguments: Sequence[str], typed: bytes, packages: Path) -> Result:
        return forking.run(
            packages,
            list(arguments),
            environment=self.environment,
            timeout=60,
            program=forking.CLIENT,
            typed=typed,
        )

    def _start(self, arguments: Sequence[str], typed: bytes) -> Result:
        done = subprocess.run(
            [*self.command, *arguments],
            cwd=ROOT,
            env=self.environment,
            input=typed,
            capture_output=True,
            timeout=60,
            check=False,
        )
        return Result(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


class Terminal:
    """A command in a pseudo-terminal, with its screen and typed input."""

    def __init__(self, commands: CommandLine, *arguments: str) -> None:
        self.text = ""
        self._read_to = 0
        primary, secondary = pty.openpty()
        self._primary = primary
        self._process = subprocess.Popen(
            [*commands.command, *arguments],
            cwd=ROOT,
            env=commands.environment | {"PYTHONUNBUFFERED": "1"},
            stdin=secondary,
            stdout=secondary,
            stderr=secondary,
            start_new_session=True,
            preexec_fn=_take_terminal,  # noqa: PLW1509 - one call that takes no lock
        )
        os.close(secondary)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait(10)
        os.close(self._primary)

    def type(self, text: str) -> None:
        os.write(self._primary, text.encode())

    def wait_for(self, text: str, *, seconds: float = 20) -> str:
        """Wait until a text appears behind what was waited for before; return what is new."""
        deadline = time.monotonic() + seconds
        while text not in self.text[self._read_to :]:
            assert time.monotonic() < deadline, f"{text!r} did not appear in:\n{self.text}"
            self._read(0.1)
        start = self._read_to
        self._read_to = self.text.index(text, start) + len(text)
        return self.text[start : self._read_to]

    def wait_for_end(self, *, seconds: float = 20) -> int:
        deadline = time.monotonic() + seconds
        while self._process.poll() is None:
            assert time.monotonic() < deadline, f"it did not end:\n{self.text}"
            self._read(0.05)
        while self._read(0.05):
            pass
        assert "Traceback" not in self.text, self.text
        return self._process.returncode

    def _read(self, seconds: float) -> bool:
        if not select.select([self._primary], [], [], seconds)[0]:
            return False
        try:
            data = os.read(self._primary, 65536)
        except OSError:  # Linux's answer once nobody holds the other end
            return False
        self.text += data.decode(errors="replace")
        return bool(data)


def _take_terminal() -> None:
    """Make the terminal the one of the new session, so that Ctrl-C reaches it."""
    import fcntl
    import signal
    import termios

    signal.signal(signal.SIGINT, signal.default_int_handler)
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
