"""Looks at everything that can be looked at without a key."""

from collections import Counter
from collections.abc import Iterator
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from llamora.ops.backup import create
from llamora.ops.doctor import backups, database, folder, household, inference, machine
from llamora.ops.doctor.check_result import CheckResult, DoctorCheck, run_check

BEFORE: tuple[DoctorCheck, ...] = (
    *(folder.server, folder.file_modes, folder.settings_file, folder.secret_key, folder.run_secret),
    *(machine.disk_space, machine.swap, machine.core_dumps),
)
WITH_DATABASE: tuple[DoctorCheck, ...] = (
    *(machine.clock, database.pragmas, database.secure_delete, database.pages, database.fence),
    *(database.sealed_columns, database.write_ahead_log),
    *(household.people, household.invitations, household.rotations, household.sessions),
    *(household.replies, household.late_drafts),
    backups.backups,
)
MODELS: tuple[DoctorCheck, ...] = (inference.model_server, inference.embeddings)


class Command(BaseCommand):
    """Says how the household stands, line by line."""

    help = (
        "Look at the data folder, the machine, the database, the household, the backups and the model, and "
        "say of each: ok, warn or bad, and what to do. Needs nobody's key, changes nothing, and may run "
        "beside the server. Ends with an error where something is bad. Refuses nothing: without a household "
        "it looks at the rest."
    )
    requires_system_checks: list[str] = []

    def handle(self, *args: Any, **options: Any) -> None:
        """Look, and say it."""
        count: Counter[str] = Counter()
        for verdict in self._run_checks():
            count[verdict.level] += 1
            self.stdout.write(f"{verdict.level:<5} {verdict.subject}: {verdict.message}")
        said = f"{count['ok']} ok, {count['warn']} to know about, {count['bad']} to put right."
        if count["bad"]:
            raise CommandError(said)
        self.stdout.write(said)

    def _run_checks(self) -> Iterator[CheckResult]:
        has_household = create.get_household_files().database.is_file()
        for check in (*BEFORE, *(WITH_DATABASE if has_household else ()), *MODELS):
            yield from run_check(check)
        if not has_household:
            self.stdout.write("There is no household here yet. `manage.py up` makes one.")
