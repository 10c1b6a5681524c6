"""Settings of a server that is killed at a write statement of its start, or counts these statements.

LLAMORA_TEST_COUNT names a file to which each write statement adds a byte. LLAMORA_TEST_DIE_AT is the number
of the statement before which the process is killed; `backup` kills it just before the finished backup gets
its name.
"""

import os
import signal
import sys
from pathlib import Path
from typing import Any

from django.db.backends.signals import connection_created

from llamora.settings import *  # noqa: F403 - settings are read as names of this module

_DIE_AT, _COUNT = os.environ.get("LLAMORA_TEST_DIE_AT", ""), os.environ.get("LLAMORA_TEST_COUNT", "")
_count = 0


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def _run(execute: Any, sql: str, params: Any, many: bool, context: Any) -> Any:
    global _count  # noqa: PLW0603 - one count of a process
    if not sql.lstrip().upper().startswith(("SELECT", "PRAGMA", "EXPLAIN")):
        _count += 1
        if str(_count) == _DIE_AT:
            _die()
        if _COUNT:
            with Path(_COUNT).open("ab") as counted:
                counted.write(b".")
    return execute(sql, params, many, context)


def _watch(connection: Any, **_: Any) -> None:
    if _run not in connection.execute_wrappers:
        connection.execute_wrappers.append(_run)


connection_created.connect(_watch, dispatch_uid="tests.upgrade.killed_settings")
if _DIE_AT == "backup":
    sys.addaudithook(
        lambda event, arguments: (
            _die() if event == "os.rename" and str(arguments[1]).endswith("-before-update.tar") else None
        )
    )
