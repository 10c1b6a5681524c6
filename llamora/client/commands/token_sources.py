"""Sources of the access token: a file descriptor, a file that only its user can read, or a prompt.

Arguments and environment variables are no sources, because other programs on the machine can read them.
"""

import getpass
import os
import stat
from argparse import Namespace
from pathlib import Path

from llamora.client.addresses import MAX_TOKEN
from llamora.client.commands.arguments import get_program_name
from llamora.client.commands.configuration import ClientConfig
from llamora.client.commands.console import Console, UsageRefused
from llamora.client.errors import AuthenticationError


def _say_how() -> str:
    return (
        "Its owner makes one under Settings, Programs. Name its file with --token-file or "
        f"LLAMORA_TOKEN_FILE, or run: {get_program_name()} config init"
    )


def read_token(arguments: Namespace, config: ClientConfig, console: Console) -> str:
    """Return the token; raise UsageRefused if there is none, or if other users can read its file."""
    descriptor = getattr(arguments, "token_fd", None)
    if descriptor is not None:
        return _read_descriptor(descriptor)
    if config.token_file:
        return read_token_file(Path(config.token_file).expanduser())
    if console.is_interactive:
        return getpass.getpass("Access token: ")
    raise UsageRefused(f"There is no access token. {_say_how()}")


def _read_descriptor(descriptor: int) -> str:
    try:
        with os.fdopen(descriptor, "rb", closefd=descriptor > 2) as file:
            return _decode(file.readline(MAX_TOKEN + 2))
    except OSError:
        raise UsageRefused(f"Nothing can be read from descriptor {descriptor}.") from None


def read_token_file(path: Path) -> str:
    """Return the first line of a token file; raise UsageRefused if other users can read it."""
    try:
        with path.open("rb") as file:
            state = os.fstat(file.fileno())
            _refuse_readable_by_others(path, state)
            return _decode(file.readline(MAX_TOKEN + 2))
    except OSError as error:
        raise UsageRefused(f"The token file {path} can't be read: {error.strerror}. {_say_how()}") from None


def _refuse_readable_by_others(path: Path, state: os.stat_result) -> None:
    """Raise UsageRefused if others can read it; the modes of a pipe, as of a password store, do not count."""
    if os.name != "posix" or not stat.S_ISREG(state.st_mode):
        return
    if state.st_mode & 0o077:
        raise UsageRefused(f"Other users can read the token file {path}. Run: chmod 600 {path}")
    if state.st_uid not in (os.geteuid(), 0):
        raise UsageRefused(f"The token file {path} belongs to another user, who can read it.")


def _decode(line: bytes) -> str:
    try:
        return line.decode("ascii").strip()
    except UnicodeDecodeError:
        pass
    raise AuthenticationError("The first line of the token's file is not an access token.")
