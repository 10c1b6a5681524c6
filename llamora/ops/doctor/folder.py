"""Checks of the data folder: its modes, its secrets, and whether a server uses it."""

import os
from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

from accounts.sessions.run_secret import get_runtime_folder, is_in_memory
from llamora.database import condition
from llamora.ops import configuration, data_folder
from llamora.ops.doctor.check_result import CheckResult, bad, ok, warn


def check_owner() -> Iterator[CheckResult]:
    """Report a data folder that belongs to another user."""
    if owner := condition.find_other_owner(settings.DATA_DIR):
        yield bad(
            "data folder",
            f"{settings.DATA_DIR} belongs to {owner}. Run Llamora and its commands as that user, or give "
            f"everything in it to this one: chown -R {os.geteuid()} '{settings.DATA_DIR}'",
        )


def check_file_modes() -> Iterator[CheckResult]:
    """Report files in the data folder that other users of this machine can read."""
    found = [
        bad("file modes", problem)
        for problem in data_folder.find_unsafe_permissions(
            settings.DATA_DIR, key_file=settings.SECRET_KEY_FILE
        )
    ]
    for folder in (
        settings.BACKUP_DIR,
        *(settings.DATA_DIR / name for name in ("search", "replaced", "former_keys", "losses", "register")),
    ):
        if readable := [
            path for path in folder.rglob("*") if path.is_file() and data_folder.is_open_to_others(path)
        ]:
            message = f"Other users of this machine can read {len(readable)} encrypted files in {folder}."
            found.append(warn("file modes", f"{message} To stop that, run: chmod -R go= '{folder}'"))
    if found:
        yield from found
    elif settings.DATA_DIR.is_dir() and not condition.find_other_owner(settings.DATA_DIR):
        yield ok("file modes", f"Only this user can open {settings.DATA_DIR}.")


def check_settings_file() -> Iterator[CheckResult]:
    """Report an `.env` file that other users can read, since it may contain a secret."""
    path = Path(settings.BASE_DIR) / ".env"
    if path.is_file() and data_folder.is_open_to_others(path):
        message = f"Other users of this machine can read {path}. To stop that, run: chmod 600 '{path}'"
        yield warn("settings", message)


def check_setting_names() -> Iterator[CheckResult]:
    """Report names that look like settings but have no effect."""
    ignored = configuration.list_ignored_names()
    yield from (warn("settings", name.sentence) for name in ignored)
    if not ignored:
        yield ok("settings", "Each name that begins with LLAMORA_ is a setting.")


def check_secret_key() -> Iterator[CheckResult]:
    """Report the strength of the key that signs forms and links."""
    if weakness := data_folder.find_key_weakness(settings.SECRET_KEY):
        yield bad("secret key", weakness)
    elif settings.SECRET_KEY_FILE.is_file() and not settings.SECRET_KEY_FILE.stat().st_size:
        message = f"{settings.SECRET_KEY_FILE} is empty. The next start of `up` writes a new key into it."
        yield warn("secret key", message)
    elif not settings.SECRET_KEY_FILE.is_file():
        yield ok("secret key", "It is set by LLAMORA_SECRET_KEY, or the first start of `up` creates it.")
    else:
        yield ok("secret key", "It is long and random.")


def check_run_secret() -> Iterator[CheckResult]:
    """Report whether the run secret, one of three parts of each session's key, is on a memory file system."""
    folder = get_runtime_folder()
    if folder is None:
        yield warn(
            "run secret",
            "There is no memory file system for it, so a restart of the server locks all diaries. "
            "To avoid that, set LLAMORA_RUNTIME_DIR to a folder on tmpfs.",
        )
    elif is_in_memory(folder):
        yield ok("run secret", f"It is in memory, in {folder}.")
    else:
        yield bad(
            "run secret",
            f"{folder} is on a disk, so someone who has the disk and a browser's cookie could unlock a "
            "diary. Set LLAMORA_RUNTIME_DIR to a folder on tmpfs.",
        )


def check_server() -> Iterator[CheckResult]:
    """Report whether a server is running."""
    yield ok("server", "It is running." if data_folder.is_locked(settings.DATA_DIR) else "It is not running.")
