#!/usr/bin/env python
"""The commands of Llamora: `uv run manage.py up` serves the diary, `uv run manage.py help` lists all."""

import gc
import os
import sys
from pathlib import Path

from llamora.package_hashes import UnknownPackageError, verify_installed_packages
from llamora.process_memory import protect_process_memory

# They say themselves that saves are missing, or copy the damaged files first.
EXAMINING = frozenset({"up", "doctor", "verify", "restore"})
# They open no database; what `daemon` starts is an `up`.
WITHOUT_DATABASE = frozenset({"config", "daemon"})
# They read or change a household, and make no empty database where there is none.
OF_A_HOUSEHOLD = frozenset(
    {
        *("users", "invite", "export_diary", "import_diary", "import_notes", "stats", "prune"),
        *("rotate_dek", "reindex", "bench_search", "dumpdata"),
    }
)
NOTHING_OPENED = frozenset({"help", "-h", "--help", "version", "--version"})


def main() -> None:
    """Run the command that the command line names."""
    # Files that a command writes are closed to others, and so is its memory.
    os.umask(0o077)
    protect_process_memory()
    try:
        verify_installed_packages(Path(__file__).resolve().parent)
    except UnknownPackageError as refusal:
        sys.exit(f"Llamora can't start: {refusal}")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "llamora.settings")
    # Next to nothing of what is imported is garbage, and looking for it takes a sixth of the start.
    gc.disable()
    from django.core.exceptions import ImproperlyConfigured  # noqa: PLC0415 - settings first
    from django.core.management import execute_from_command_line  # noqa: PLC0415

    try:
        _examine_household(sys.argv[1:])
        # A server imports more, and looks for garbage again once it serves.
        if sys.argv[1:2] != ["up"] and sys.argv[1:3] != ["daemon", "run"]:
            gc.freeze()
            gc.enable()
        execute_from_command_line(sys.argv)
    except ImproperlyConfigured as refusal:
        sys.exit(f"Llamora can't start: {refusal}")
    except (Exception, KeyboardInterrupt) as error:
        if isinstance(error, BrokenPipeError):
            sys.exit(1)
        from llamora.ops.errors import describe_error  # noqa: PLC0415 - settings first

        if sentence := describe_error(error):
            sys.exit(sentence)
        raise
    finally:
        _flush_output()


def _examine_household(arguments: list[str]) -> None:
    """End the process before a command opens a database that lacks saves of its logs, or makes one."""
    if not arguments or arguments[0] in EXAMINING | WITHOUT_DATABASE or NOTHING_OPENED & {*arguments}:
        return
    import django  # noqa: PLC0415 - settings first

    django.setup()
    from llamora.database import condition  # noqa: PLC0415
    from llamora.ops import losses  # noqa: PLC0415
    from llamora.ops.errors import OperationRefused  # noqa: PLC0415

    database = condition.get_database_path()
    if arguments[0] in OF_A_HOUSEHOLD and condition.examine_file(database).state is condition.FileState.NEW:
        sys.exit(condition.NOT_SET_UP)
    try:
        losses.refuse_unreported_loss(database)
    except OperationRefused as refusal:
        sys.exit(str(refusal))


def _flush_output() -> None:
    """Write out what was printed; do without if nobody reads it, as after `| head`."""
    try:
        sys.stdout.flush()
    except BrokenPipeError:
        # Python would try once more at its end, and complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    main()
