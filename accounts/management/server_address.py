"""Where the household is served just now: noted beside the run secret, so it is gone with the machine.

What a killed server left there is not believed: a server holds the lock of its data folder while it runs.
Nor is what lies in a folder that another user may have made, where everybody can: an invitation that begins
with an address of theirs would be handed to them.
"""

import fcntl
from contextlib import suppress
from pathlib import Path

from django.conf import settings

from accounts.sessions import run_secret

_OWN_NAME = "llamora.localhost"
# What its own name leads to: that is an address of this machine in every browser.
_UNDER_ITS_NAME = {"127.0.0.1", "::1", "localhost", _OWN_NAME, "0.0.0.0", "::"}  # noqa: S104 - compared


def build_address(host: str, port: int) -> str:
    """Return the address of a server that listens on this host and port."""
    bare = host.strip("[]")
    if bare in _UNDER_ITS_NAME:
        bare = _OWN_NAME
    return f"http://[{bare}]:{port}" if ":" in bare else f"http://{bare}:{port}"


def record_address(address: str) -> None:
    """Write down where this process serves the household."""
    # Without it an invitation begins with what the settings say; that is no reason not to serve.
    with suppress(OSError):
        if path := _get_path():
            path.write_text(address)


def read_address() -> str | None:
    """Return where the household is served now, or None where nothing serves it or nobody can tell."""
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
