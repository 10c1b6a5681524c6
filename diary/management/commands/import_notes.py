"""The command `import_notes`: imports the files of a workspace (a folder or zip) into a person's notes."""

from argparse import ArgumentParser
from contextlib import closing
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from accounts import error_messages
from accounts.errors import AccountsError
from accounts.keys import key_slots
from accounts.management import secret_prompt
from diary import messages
from diary.notes.workspace.files import NotAWorkspace, WorkspaceFile, read_folder, read_workspace, read_zip
from diary.notes.workspace.imports import (
    NoteImportReport,
    WorkspaceFileState,
    import_workspace,
    preview_workspace,
)
from llamora.crypto import Keyring
from llamora.database import NotWritten, condition
from llamora.pluralize import pluralize

_STATES = {
    WorkspaceFileState.NEW: "new",
    WorkspaceFileState.SAME: "the same here",
    WorkspaceFileState.CHANGED: "another text here",
    WorkspaceFileState.REFUSED: "not imported",
}


class Command(BaseCommand):
    """Command that imports the files of a workspace as notes of one person."""

    help = (
        "Import the files of FOLDER (or of its zip, or of an export of Llamora) into the notes of --user: "
        "SOUL.md, MEMORY.md, HEARTBEAT.md, knowledge, skills and whatever else is in it. Shows first what it "
        "would do with each file, then asks. Notes with another text stay as they are without --replace. "
        "Nothing that is imported is used before its owner has read it. Scripts are stored and never run."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Add the arguments: the folder or zip to import, the name of the person, and the options."""
        parser.add_argument("folder", type=Path, help="the folder of a workspace, or a zip of one")
        parser.add_argument("--user", required=True, help="name of the person whose notes they become")
        parser.add_argument(
            "--password-file",
            type=Path,
            help="read the password or recovery code from the first line of this file",
        )
        parser.add_argument(
            "--replace", action="store_true", help="let files take the place of notes with another text"
        )
        parser.add_argument(
            "--dry-run", action="store_true", help="show what would be done with each file, and no more"
        )
        parser.add_argument("--yes", action="store_true", help="import after the preview without asking")

    def handle(self, *args: Any, folder: Path, **options: Any) -> None:
        """Show the preview, ask, import, and print counts."""
        try:
            files = read_workspace(read_folder(folder) if folder.is_dir() else read_zip(folder))
        except NotAWorkspace as error:
            raise CommandError(error.sentence) from None
        except OSError as error:
            raise CommandError(messages.IMPORT_UNREADABLE.format(error=error.strerror)) from None
        if not files:
            raise CommandError(messages.WORKSPACE_EMPTY)
        try:
            with closing(self._unlock(options).keyring) as keyring:
                self._print_preview(keyring, files)
                if options["dry_run"]:
                    self.stdout.write(messages.IMPORT_PREVIEWED)
                    return
                if not options["yes"] and not self._ask():
                    raise CommandError(messages.IMPORT_PREVIEWED)
                source = folder.resolve().name
                report = import_workspace(keyring, files, source=source, replaces=options["replace"])
        except AccountsError as error:
            raise CommandError(error_messages.get_error_message(error)) from None
        except NotWritten as error:
            sentence = error_messages.get_not_written_message(error)
            raise CommandError(f"{sentence} {messages.IMPORT_CONTINUES}") from None
        except DatabaseError as error:
            raise CommandError(condition.describe_database_error(error)) from None
        except KeyboardInterrupt:
            raise CommandError(messages.IMPORT_STOPPED) from None
        self._print_report(report, source)

    def _unlock(self, options: dict[str, Any]) -> key_slots.OpenedSlot:
        try:
            return secret_prompt.open_diary_with_prompt(
                name=options["user"], password_file=options["password_file"]
            )
        except (EOFError, KeyboardInterrupt):
            raise CommandError(messages.NO_PASSWORD) from None

    def _ask(self) -> bool:
        try:
            return input("Import? [y/N] ").strip().lower() in ("y", "yes")
        except EOFError:
            return False

    def _print_preview(self, keyring: Keyring, files: list[WorkspaceFile]) -> None:
        for each in preview_workspace(keyring, files):
            reason = f": {each.sentence}" if each.sentence else ""
            self.stdout.write(f"{_printable(each.path)}  {_STATES[each.state]}{reason}")

    def _print_report(self, report: NoteImportReport, source: str) -> None:
        for count, sentence in (
            (report.added, messages.NOTES_ADDED),
            (report.same, messages.NOTES_SAME),
            (report.replaced, messages.NOTES_REPLACED),
        ):
            if count:
                notes = pluralize(count, "note", "notes")
                self.stdout.write(sentence.format(count=notes, source=_printable(source)))
        if report.left:
            self.stdout.write(messages.NOTES_LEFT.format(count=pluralize(len(report.left), "note", "notes")))
            self.stdout.write("\n".join(f"  {_printable(path)}" for path in report.left))
        if report.added or report.replaced:
            self.stdout.write(messages.NOTES_IMPORTED_HINT)
        if report.refused:
            refused = pluralize(len(report.refused), "file", "files")
            self.stderr.write(messages.NOTES_REFUSED.format(count=refused))
            for path, reason in report.refused:
                self.stderr.write(f"  {_printable(path)}: {reason}")


def _printable(text: str) -> str:
    """Return a name from elsewhere as a terminal may show it."""
    return "".join(one if one.isprintable() else "?" for one in text.encode("utf-8", "replace").decode())
