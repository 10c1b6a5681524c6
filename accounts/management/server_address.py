"""The file with the URL of the running server, which the server writes and the command `invite` reads.

The file is beside the run secret, in a memory file system. A killed server does not delete it, so it is read
only while the data folder is locked by a server. The folder of the file must be private: otherwise another
user could write their own URL, and would receive all invitations.
"""

import fcntl
from contextlib import suppress
from pathlib import Path

from django.conf import settings

from accounts.sessions import run_secret

_OWN_NAME = "llamora.localhost"
# Hosts that are reached by the own name, which every browser resolves to this machine.
_UNDER_ITS_NAME = {"127.0.0.1", "::1", "localhost", _OWN_NAME, "0.0.0.0", "::"}  # noqa: S104 - compared


def build_address(host: str, port: int) -> str:
    """Return the URL of a server that listens on this host and port."""
    bare = host.strip("[]")
    if bare in _UNDER_ITS_NAME:
        bare = _OWN_NAME
    return f"http://[{bare}]:{port}" if ":" in bare else f"http://{bare}:{port}"


def record_address(address: str) -> None:
    """Record the URL that this process serves."""
    # Without a record, an invitation begins with the host of the settings; that is no reason not to serve.
    with suppress(OSError):
        if path := _get_path():
            path.write_text(address)


def read_address() -> str | None:
    """Return the URL of the running server, or None if no server runs or its URL is unknown."""
    path = _get_path()
    if path is None or not _is_locked(Path(settings.DATA_DIR) / "lock"):
        return None
    try:
        return (path.read_text() or None) if run_secret.is_private_folder(path.parent) else None
    except OSError:
        return None


def _get_path() -> Path | None:
    folder = run_secret.get_household_folder()
    return folder / "address" if folder else None


def _is_locked(lock: Path) -> bool:
    try:
        with lock.open() as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        pass
    return False
